"""The animation at the head of the README: one noise, and what a model makes of it for each of several prompts.

A column for each prompt, which is written below it; a bar for the steps that are done. The background is transparent, for light and dark
pages. Written twice: as an animated PNG, and its last frame alone, for readers who want nothing to move.
"""

import textwrap
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from solutions.diffusion.figures import letters
from solutions.diffusion.figures.images import to_pixels
from solutions.diffusion.interface import InvalidRequest, SamplingConfig
from solutions.diffusion.models.registry import find

PROMPTS = {
    "shapes": (
        "a large red circle",
        "a large blue square",
        "a small green triangle above a large yellow square",
        "a large blue circle above a small red square",
    ),
    "fashion": ("sneaker", "bag", "dress", "ankle boot"),
    "emoji": ("red heart", "rocket", "hatching chick", "blue tangerine"),
}
SIDE, GAP, LETTERS, LINES = 128, 12, 14, 3
FINER = 4  # letters are drawn so many times as large: Pillow places them on whole pixels
INK, DONE = (125, 134, 152, 255), (58, 122, 224, 255)  # read on white and on black
LEVELS = 15  # above and below 0: noise in fewer shades is half as large a file
MILLISECONDS, HOLD = 110, 2200


def film(model: str, prompts: tuple[str, ...] = (), seed: int = 0, steps: int = 20) -> list[Image.Image]:
    """Return the frames, from noise on. Raise InvalidRequest for a model without prompts of its own if none are given."""
    prompts = prompts or PROMPTS.get(model, ())
    if not prompts:
        raise InvalidRequest(f"no prompts are known for `{model}`: name some, or choose from {', '.join(PROMPTS)}")
    runs = [_run(model, prompt, seed, steps) for prompt in prompts]
    return [_frame([run[step] for run in runs], prompts, step / (len(runs[0]) - 1)) for step in range(len(runs[0]))]


def _run(model: str, prompt: str, seed: int, steps: int) -> list[Tensor]:
    """Return x_t after each step, as images of one prompt. # (C, H, W)"""
    seen: list[Tensor] = []
    config = SamplingConfig(prompt=prompt, n=1, steps=steps, seed=seed, callback=lambda t, x, x0: seen.append(x))
    find(model, draws=True).sample(config)
    return [x[0] for x in seen]


def _frame(images: list[Tensor], prompts: tuple[str, ...], done: float) -> Image.Image:
    width, top = len(images) * (SIDE + GAP) - GAP, SIDE + GAP
    frame = Image.new("RGBA", (width, top + LINES * (LETTERS + 4) + GAP), (0, 0, 0, 0))
    pen = ImageDraw.Draw(frame)
    for column, (image, prompt) in enumerate(zip(images, prompts, strict=True)):
        left = column * (SIDE + GAP)
        pixels = to_pixels((image[None] * LEVELS).round() / LEVELS)[0]
        frame.paste(Image.fromarray(pixels).resize((SIDE, SIDE), Image.Resampling.NEAREST), (left, 0))
        frame.paste(_words(prompt), (left, top - 4))
    pen.rectangle((0, frame.height - 3, width, frame.height - 1), (*INK[:3], 60))
    pen.rectangle((0, frame.height - 3, round(width * done), frame.height - 1), DONE)
    return frame


def _words(prompt: str) -> Image.Image:
    """Return a prompt as it stands below its column."""
    font = ImageFont.truetype(str(letters.files()[letters.TEXT]), FINER * LETTERS)
    width, height = SIDE, LINES * (LETTERS + 4) + 4
    mask = Image.new("L", (FINER * width, FINER * height))
    middle, lines = (FINER * width / 2, 0), textwrap.fill(prompt, 19)
    ImageDraw.Draw(mask).multiline_text(middle, lines, 255, font, anchor="ma", align="center", spacing=FINER * 4)
    words = Image.new("RGBA", (width, height), INK)
    words.putalpha(mask.reduce(FINER))
    return words


def save_film(frames: list[Image.Image], path: Path) -> None:
    """Write the frames to `path` as an animated PNG that loops, and the last one beside it as NAME-still.png."""
    path.parent.mkdir(parents=True, exist_ok=True)
    durations = [MILLISECONDS] * (len(frames) - 1) + [HOLD]
    frames[0].save(path, "PNG", save_all=True, append_images=frames[1:], duration=durations, loop=0, optimize=True)
    frames[-1].save(path.with_name(f"{path.stem}-still.png"), "PNG", optimize=True)
