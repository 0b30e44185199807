"""Weights stored in 8 or 6 bits: how much precision is lost, and how much smaller they are."""

from pathlib import Path

import pytest
import torch

from solutions.diffusion.store import load_weights, save_weights


@pytest.mark.parametrize(("bits", "most"), [(8, 127), (6, 31)])
def test_few_bits_lose_at_most_half_a_step_of_each_row(bits: int, most: int, tmp_path: Path) -> None:
    """A row's step is its largest weight over 127, or over 31 and in float16; one-dimensional tensors and counts stay as in float16."""
    torch.manual_seed(0)
    state = {
        "conv": torch.randn(6, 3, 3, 3) * torch.logspace(-3, 3, 6).view(6, 1, 1, 1),
        "bias": torch.ones(6),
        "count": torch.tensor(70_000),
    }
    save_weights("some", state, {}, tmp_path, bits=bits)
    loaded = load_weights("some", tmp_path)
    assert {key: value.dtype for key, value in loaded.items()} == {"conv": torch.float32, "bias": torch.float32, "count": torch.int64}
    step = state["conv"].abs().flatten(1).amax(dim=1) / most
    assert ((loaded["conv"] - state["conv"]).abs().flatten(1).amax(dim=1) <= step * 0.52).all()
    assert torch.equal(loaded["bias"], state["bias"])
    assert loaded["count"] == 70_000


@pytest.mark.parametrize("bits", [8, 6])
def test_a_row_of_zeros_stays_zero(bits: int, tmp_path: Path) -> None:
    """Layers that start at zero survive; five numbers of six bits don't fill their last byte."""
    save_weights("zero", {"w": torch.zeros(1, 5)}, {}, tmp_path, bits=bits)
    assert torch.equal(load_weights("zero", tmp_path)["w"], torch.zeros(1, 5))


@pytest.mark.parametrize(("bits", "of_sixteen"), [(8, 0.52), (6, 0.39)])
def test_few_bits_take_few_bytes(bits: int, of_sixteen: float, tmp_path: Path) -> None:
    """For a layer of 64 x 576 weights: a half, and three eighths."""
    for each in (bits, 16):
        save_weights(f"of{each}", {"w": torch.randn(64, 64, 3, 3)}, {}, tmp_path, bits=each)
    assert (tmp_path / f"of{bits}.safetensors").stat().st_size < of_sixteen * (tmp_path / "of16.safetensors").stat().st_size
