"""A sampler to watch: it reads requests on standard input and writes each step to standard output as soon as it is computed.

    -> {"id": 7, "model": "fashion", "prompt": "bag", "sampler": "ddim", "steps": "20", "w": "1.5", "seed": "0"}
    <- {"id": 7, "kind": "frame", "step": 1, "of": 20, "t": 950, "n": 4, "side": 16, "colours": 1, "x": "...", "x0": "...", "maps": [...]}
    -> {"id": 7, "go": true}            continue; or {"id": 7, "go": false}: stop
    <- {"id": 7, "kind": "done", "seconds": 0.4}, or "stopped", or "refused" with `words`

Each line is one JSON object; images are the bytes of `figures.images.to_pixels` in base64. `maps` has each word of the prompt,
and how much each place attends to it: 0 to 255 for weights from 0 to 1. If nothing is read, as with w = 0, there are none. Requests come
from a web page, so every value is text and is validated here. The process ends when its input does. Run it with
`python -m solutions.diffusion.live`.
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

from solutions.diffusion.attention_maps import attention_seen, mean_map
from solutions.diffusion.drawings import drawing, words_of
from solutions.diffusion.figures.images import to_pixels
from solutions.diffusion.interface import InvalidRequest, SamplingConfig

MOST_STEPS, MOST_FRAMES, T = 100, 100, 1000
Frame = dict[str, Any]


class Stopped(Exception):
    """The client wants no more frames."""


def main() -> None:
    """Answer requests until standard input ends."""
    torch.set_num_threads(1)
    for line in sys.stdin:
        request = json.loads(line)
        if "go" not in request:  # skip a late reply to a frame of an earlier run
            _handle(request, sys.stdin, sys.stdout)


def _handle(request: Mapping[str, Any], commands: TextIO, out: TextIO) -> None:
    def send(kind: str, **more: Any) -> None:
        out.write(json.dumps({"id": request["id"], "kind": kind, **more}) + "\n")
        out.flush()

    def send_frame(frame: Frame) -> None:
        send("frame", **frame)
        command: dict[str, Any] = {}
        while command.get("id") != request["id"]:
            command = json.loads(commands.readline() or '{"id": null, "gone": true}')
            if command.get("gone"):
                raise Stopped
        if not command["go"]:
            raise Stopped

    started = time.perf_counter()
    try:
        run(request, send_frame)
    except InvalidRequest as refusal:
        send("refused", words=str(refusal))
    except Stopped:
        send("stopped")
    else:
        send("done", seconds=round(time.perf_counter() - started, 2))


def run(request: Mapping[str, Any], send_frame: Callable[[Frame], None]) -> None:
    """Sample as requested and pass each frame on, at most a hundred. Raise InvalidRequest, with one line, for an invalid request."""
    drawn, sampler = drawing(str(request.get("model", "fashion"))), str(request.get("sampler", "ddim"))
    steps = None if sampler == "ddpm" else int(_number(request, "steps", 20, 1, MOST_STEPS))
    w, seed = _number(request, "w", 1.5, -2, 12), int(_number(request, "seed", 0, 0, 2**31 - 1))
    prompt = str(request.get("prompt", ""))[:200]
    of, decode = steps or T, drawn.decode or (lambda images: images)
    every, seen = math.ceil(of / MOST_FRAMES), 0

    def on_step(t: int, x: Tensor, x0: Tensor) -> None:
        nonlocal seen
        seen += 1
        if seen % every == 0 or t == 0:
            of_words = zip(words_of(drawn, condition[0]), _maps(mean_map(maps)[-len(x) :]), strict=False) if maps and w else ()
            found = {"maps": seen_at} if (seen_at := list(of_words)) else {}
            send_frame({"step": seen, "of": of, "t": t, "n": len(x), **encode_frame(decode(x), decode(x0)), **found})
        maps.clear()

    condition = drawn.read(prompt, drawn.images)
    with attention_seen(drawn.network) as maps, torch.no_grad():
        config = SamplingConfig(steps=steps, w=w, sampler=sampler, seed=seed, callback=on_step)
        drawn.sample(drawn.network, condition, config)


def encode_frame(x: Tensor, x0: Tensor) -> Frame:
    """Return the image fields of a frame: the bytes of all images in a row, grey or RGB. # (N, C, H, W) twice"""
    return {"side": x.shape[-1], "colours": x.shape[1], "x": _bytes(x), "x0": _bytes(x0)}


def _bytes(images: Tensor) -> str:
    pixels = to_pixels(images)  # (N, H, W, 3)
    return base64.b64encode((pixels[..., :1] if images.shape[1] == 1 else pixels).tobytes()).decode()


def _maps(weights: Tensor) -> list[str]:
    """Return for each token the bytes of its maps, all images in a row. # (N, M, h, w) in [0, 1] -> M texts"""
    return [base64.b64encode((255 * each).round().byte().numpy().tobytes()).decode() for each in weights.transpose(0, 1)]


def _number(request: Mapping[str, Any], name: str, otherwise: float, least: float, most: float) -> float:
    written = str(request.get(name, otherwise))
    try:
        value = float(written)
    except ValueError:
        value = math.nan
    if not least <= value <= most:
        raise InvalidRequest(f"{name} is `{written[:40]}`: choose {least:g} to {most:g}")
    return value


if __name__ == "__main__":
    main()
