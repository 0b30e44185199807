"""Images as files: tensors in [-1, 1] laid out in a grid and saved as PNG, or frame by frame as an animated GIF.

Pixels are repeated, never blurred. No text and no plots: those are in `plots` and `sheets`.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

Pixels = NDArray[np.uint8]  # (H, W) or (H, W, 3)


def grid(images: Tensor, columns: int, *, cell: int = 48, gap: int = 2, ground: int = 255) -> Pixels:
    """Lay images out row by row, each at least `cell` pixels wide, on `ground` grey. # (N, 1 or 3, H, W) in [-1, 1] -> (·, ·, 3)"""
    times = -(-cell // images.shape[-1])
    tiles = to_pixels(images).repeat(times, 1).repeat(times, 2)
    n, side, width, _ = tiles.shape
    rows = -(-n // columns)
    sheet = np.full((rows * (side + gap) + gap, columns * (width + gap) + gap, 3), ground, np.uint8)
    for i, tile in enumerate(tiles):
        top, left = gap + i // columns * (side + gap), gap + i % columns * (width + gap)
        sheet[top : top + side, left : left + width] = tile
    return sheet


def to_pixels(images: Tensor) -> Pixels:
    """Return images as bytes in three channels, clipped to [-1, 1]. # (N, 1 or 3, H, W) -> (N, H, W, 3)"""
    bytes_: Pixels = ((images.detach().clip(-1, 1) + 1) * 127.5).round().byte().numpy().transpose(0, 2, 3, 1)
    return np.repeat(bytes_, 3, axis=3) if bytes_.shape[3] == 1 else bytes_


def save_png(pixels: Pixels, path: Path) -> None:
    """Write a PNG; the same pixels give the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, "PNG", optimize=True)


def save_gif(frames: Sequence[Pixels], path: Path, milliseconds: int = 80, hold: int = 1500) -> None:
    """Write an animated GIF that pauses on its last frame and loops."""
    path.parent.mkdir(parents=True, exist_ok=True)
    images = [Image.fromarray(frame) for frame in frames]
    durations = [milliseconds] * (len(images) - 1) + [hold]
    images[0].save(path, "GIF", save_all=True, append_images=images[1:], duration=durations, loop=0)
