"""Fashion-MNIST at 16 px: 28,000 training images and 4,000 test images in ten classes, in one file of 2.7 MB.

Made from Debian's package `dataset-fashion-mnist` (MIT licence, in `fashion16.LICENSE`) by

    apt-get download dataset-fashion-mnist && dpkg -x dataset-fashion-mnist_*.deb unpacked
    python -m solutions.diffusion.data unpacked

The 28 px images are padded to 32 and averaged over 2 x 2 pixels; 64 grey levels are kept. Images are returned as tensors in [-1, 1].
"""

import gzip
import lzma
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

CLASSES = ("t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")
FILE = Path(__file__).parent / "fashion16.xz"  # N labels, then N images of 256 bytes, each 0..63; the first TRAIN are for training
TRAIN, TEST, SIDE, LEVELS = 28_000, 4_000, 16, 64


def load_fashion(part: str = "train", file: Path = FILE) -> tuple[Tensor, Tensor]:
    """Return the images in [-1, 1] and their classes, of the "train" or the "test" part. # (N, 1, 16, 16) float32, (N,) int64"""
    whole = np.frombuffer(lzma.decompress(file.read_bytes()), np.uint8)
    labels, images = whole[: len(whole) // 257], whole[len(whole) // 257 :].reshape(-1, 1, SIDE, SIDE)
    rows = {"train": slice(TRAIN), "test": slice(TRAIN, None)}[part]
    x = torch.from_numpy(images[rows].astype(np.float32)) / (LEVELS - 1) * 2 - 1
    return x, torch.from_numpy(labels[rows].astype(np.int64))


def batches(images: Tensor, labels: Tensor, size: int) -> Callable[[torch.Generator], tuple[Tensor, Tensor]]:
    """Return the function that draws a batch for `train`: images, with replacement, and their labels. # (size, C, H, W), (size,)"""

    def draw(generator: torch.Generator) -> tuple[Tensor, Tensor]:
        rows = torch.randint(len(images), (size,), generator=generator)
        return images[rows], labels[rows]

    return draw


def make_file(folder: Path, file: Path = FILE) -> None:
    """Write `file` and its licence from the Debian package unpacked in `folder`."""
    idx = folder / "usr/share/datasets/fashion-mnist"
    parts = [(_small(_read(idx, f"{name}-images-idx3", 16), n), _read(idx, f"{name}-labels-idx1", 8)[:n]) for name, n in _PARTS]
    whole = b"".join(labels.tobytes() for _, labels in parts) + b"".join(images.tobytes() for images, _ in parts)
    file.write_bytes(lzma.compress(whole, preset=9 | lzma.PRESET_EXTREME))
    file.with_suffix(".LICENSE").write_text((folder / "usr/share/doc/dataset-fashion-mnist/copyright").read_text(encoding="utf-8"))


_PARTS = (("train", TRAIN), ("t10k", TEST))


def _read(folder: Path, name: str, header: int) -> NDArray[np.uint8]:
    return np.frombuffer(gzip.decompress((folder / f"{name}-ubyte.gz").read_bytes()), np.uint8, offset=header)


def _small(pixels: NDArray[np.uint8], n: int) -> NDArray[np.uint8]:
    padded = np.pad(pixels.reshape(-1, 28, 28)[:n], ((0, 0), (2, 2), (2, 2)))
    halved = padded.reshape(n, SIDE, 2, SIDE, 2).mean((2, 4))  # (n, 16, 16)
    levels: NDArray[np.uint8] = np.round(halved / 255 * (LEVELS - 1)).astype(np.uint8)
    return levels


if __name__ == "__main__":
    make_file(Path(sys.argv[1]))
