"""Weights kept in 8 bits: what is lost, and how much smaller they are."""

from pathlib import Path

import torch

from solutions.diffusion.store import load_weights, save_weights


def test_eight_bits_lose_at_most_half_a_step_of_each_row(tmp_path: Path) -> None:
    """A row's step is its largest weight over 127; one-dimensional tensors and counts stay as they were in float16."""
    torch.manual_seed(0)
    state = {
        "conv": torch.randn(6, 3, 3, 3) * torch.logspace(-3, 3, 6).view(6, 1, 1, 1),
        "bias": torch.ones(6),
        "count": torch.tensor(70_000),
    }
    save_weights("some", state, {}, tmp_path, bits=8)
    loaded = load_weights("some", tmp_path)
    assert {key: value.dtype for key, value in loaded.items()} == {"conv": torch.float32, "bias": torch.float32, "count": torch.int64}
    step = state["conv"].abs().flatten(1).amax(dim=1) / 127
    assert ((loaded["conv"] - state["conv"]).abs().flatten(1).amax(dim=1) <= step * 0.501).all()
    assert torch.equal(loaded["bias"], state["bias"])
    assert loaded["count"] == 70_000


def test_a_row_of_zeros_stays_zero(tmp_path: Path) -> None:
    """Layers that start at zero survive."""
    save_weights("zero", {"w": torch.zeros(2, 4)}, {}, tmp_path, bits=8)
    assert torch.equal(load_weights("zero", tmp_path)["w"], torch.zeros(2, 4))


def test_eight_bits_take_about_half_of_sixteen(tmp_path: Path) -> None:
    """For a layer of 64 x 576 weights."""
    for bits in (8, 16):
        save_weights(f"of{bits}", {"w": torch.randn(64, 64, 3, 3)}, {}, tmp_path, bits=bits)
    assert (tmp_path / "of8.safetensors").stat().st_size < 0.52 * (tmp_path / "of16.safetensors").stat().st_size
