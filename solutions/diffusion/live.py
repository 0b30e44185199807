"""A sampler that is watched: asked on standard input, it writes each step on standard output as soon as it is computed.

    -> {"id": 7, "model": "fashion", "prompt": "bag", "sampler": "ddim", "steps": "20", "w": "1.5", "seed": "0"}
    <- {"id": 7, "kind": "frame", "step": 1, "of": 20, "t": 950, "n": 4, "side": 16, "colours": 1, "x": "...", "x0": "..."}
    -> {"id": 7, "go": true}            the next one; or {"id": 7, "go": false}: enough
    <- {"id": 7, "kind": "done", "seconds": 0.4}, or "stopped", or "refused" with `words`

One line each way is one JSON object; images are bytes in base64, as `images.to_pixels` has them. What is asked comes from a
page, so everything in it is text and is checked here. It ends when its input does. `python -m solutions.diffusion.live`.
"""

import base64
import json
import math
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, TextIO

import torch
from torch import Tensor

from solutions.diffusion import captioned, fashion
from solutions.diffusion.images import to_pixels
from solutions.diffusion.interface import InvalidRequest, SamplingConfig

SAMPLE = {"fashion": fashion.sample, "shapes": captioned.sample}
IMAGES = {"fashion": 4, "shapes": 2}  # shown side by side
MOST_STEPS, MOST_FRAMES, T = 100, 100, 1000
Frame = dict[str, Any]


class Enough(Exception):
    """Nobody watches any more."""


def main() -> None:
    """Answer until there is nobody left to ask."""
    torch.set_num_threads(1)
    for line in sys.stdin:
        asked = json.loads(line)
        if "go" not in asked:  # an answer to a frame of an earlier showing came too late
            _answer(asked, sys.stdin, sys.stdout)


def _answer(asked: Mapping[str, Any], commands: TextIO, out: TextIO) -> None:
    def say(kind: str, **more: Any) -> None:
        out.write(json.dumps({"id": asked["id"], "kind": kind, **more}) + "\n")
        out.flush()

    def show(frame: Frame) -> None:
        say("frame", **frame)
        command: dict[str, Any] = {}
        while command.get("id") != asked["id"]:
            command = json.loads(commands.readline() or '{"id": null, "gone": true}')
            if command.get("gone"):
                raise Enough
        if not command["go"]:
            raise Enough

    started = time.perf_counter()
    try:
        play(asked, show)
    except InvalidRequest as refusal:
        say("refused", words=str(refusal))
    except Enough:
        say("stopped")
    else:
        say("done", seconds=round(time.perf_counter() - started, 2))


def play(asked: Mapping[str, Any], show: Callable[[Frame], None]) -> None:
    """Sample as asked and hand over each frame, at most a hundred. Raise InvalidRequest, in one line, for what can't be drawn."""
    model = str(asked.get("model", "fashion"))
    if model not in SAMPLE:
        raise InvalidRequest(f"no model `{model[:40]}`: known are {', '.join(SAMPLE)}")
    n, sampler = IMAGES[model], str(asked.get("sampler", "ddim"))
    steps = None if sampler == "ddpm" else int(_number(asked, "steps", 20, 1, MOST_STEPS))
    of = steps or T
    every, seen = math.ceil(of / MOST_FRAMES), 0

    def note(t: int, x: Tensor, x0: Tensor) -> None:
        nonlocal seen
        seen += 1
        if seen % every == 0 or t == 0:
            show({"step": seen, "of": of, "t": t, "n": n, **shown(x, x0)})

    w, seed = _number(asked, "w", 1.5, -2, 12), int(_number(asked, "seed", 0, 0, 2**31 - 1))
    prompt = str(asked.get("prompt", ""))[:200]
    SAMPLE[model](SamplingConfig(prompt=prompt, n=n, steps=steps, w=w, sampler=sampler, seed=seed, callback=note))


def shown(x: Tensor, x0: Tensor) -> Frame:
    """Return images as a frame has them: bytes of all of them in a row, grey or in colours. # (N, C, H, W) twice"""
    return {"side": x.shape[-1], "colours": x.shape[1], "x": _bytes(x), "x0": _bytes(x0)}


def _bytes(images: Tensor) -> str:
    pixels = to_pixels(images)  # (N, H, W, 3)
    return base64.b64encode((pixels[..., :1] if images.shape[1] == 1 else pixels).tobytes()).decode()


def _number(asked: Mapping[str, Any], name: str, otherwise: float, least: float, most: float) -> float:
    written = str(asked.get(name, otherwise))
    try:
        value = float(written)
    except ValueError:
        value = math.nan
    if not least <= value <= most:
        raise InvalidRequest(f"{name} is `{written[:40]}`: known are {least:g} to {most:g}")
    return value


if __name__ == "__main__":
    main()
