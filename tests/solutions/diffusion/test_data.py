"""The images that ship: how many, in what range, and under what licence."""

import gzip

import numpy as np
import pytest
import torch

from solutions.diffusion.data import CLASSES, FILE, batches, load_fashion, make_file


@pytest.mark.parametrize(("part", "n"), [("train", 28_000), ("test", 4_000)])
def test_images_are_whole_and_within_one(part, n):
    """Each part has its number of images, from −1 to 1, and about a tenth of each class."""
    x, labels = load_fashion(part)
    assert x.shape == (n, 1, 16, 16)
    assert x.dtype == torch.float32
    assert (x.min(), x.max()) == (-1, 1)
    assert labels.bincount(minlength=10).min() > 0.09 * n


def test_the_file_is_small_and_its_licence_lies_beside_it():
    """At most 3 MB, with the copyright notice that the licence requires."""
    assert FILE.stat().st_size < 3_000_000
    licence = FILE.with_suffix(".LICENSE").read_text(encoding="utf-8")
    assert "Zalando SE" in licence
    assert "Permission is hereby granted, free of charge" in licence


def test_the_file_is_made_from_the_debian_package(tmp_path, monkeypatch):
    """Read idx files like Debian's, average over 2 x 2 pixels inside a border of two black pixels, and read the result back."""
    monkeypatch.setattr("solutions.diffusion.data._PARTS", (("train", 3), ("t10k", 2)))
    monkeypatch.setattr("solutions.diffusion.data.TRAIN", 3)
    idx = tmp_path / "usr/share/datasets/fashion-mnist"
    idx.mkdir(parents=True)
    pixels = np.zeros((5, 28, 28), np.uint8)
    pixels[:, :2, :2] = 255  # the corner square of the 28 px is position (1, 1) of the 16
    for name, n in (("train", 5), ("t10k", 5)):
        (idx / f"{name}-images-idx3-ubyte.gz").write_bytes(gzip.compress(bytes(16) + pixels[:n].tobytes()))
        (idx / f"{name}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(bytes(8) + bytes(range(n))))
    licence = tmp_path / "usr/share/doc/dataset-fashion-mnist/copyright"
    licence.parent.mkdir(parents=True)
    licence.write_text("free", encoding="utf-8")
    make_file(tmp_path, tmp_path / "small.xz")
    x, labels = load_fashion("train", tmp_path / "small.xz")
    assert labels.tolist() == [0, 1, 2]
    assert load_fashion("test", tmp_path / "small.xz")[1].tolist() == [0, 1]
    assert torch.equal((x > 0).nonzero(), torch.tensor([[0, 0, 1, 1], [1, 0, 1, 1], [2, 0, 1, 1]]))
    assert (tmp_path / "small.LICENSE").read_text(encoding="utf-8") == "free"


def test_a_batch_keeps_images_and_labels_together():
    """Each image comes with its own label, and the same generator draws the same batch."""
    x, labels = torch.arange(10.0).view(10, 1, 1, 1), torch.arange(10)
    draw = batches(x, labels, 32)
    drawn, labels_drawn = draw(torch.Generator().manual_seed(0))
    assert torch.equal(drawn.flatten().long(), labels_drawn)
    assert torch.equal(labels_drawn, draw(torch.Generator().manual_seed(0))[1])
    assert len(CLASSES) == 10
