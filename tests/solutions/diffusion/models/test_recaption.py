"""Terse and rich captions: only the captions differ."""

from functools import partial
from pathlib import Path

import torch

from solutions.diffusion.models.recaption import compare, draw_batch, terse
from solutions.diffusion.models.text import VOCABULARY
from solutions.diffusion.shapes import Scene, SceneObject
from solutions.diffusion.train import TrainingConfig


def words(row: torch.Tensor) -> str:
    return " ".join(VOCABULARY[i] for i in row).strip()


def test_terse_caption_keeps_shapes_and_relation() -> None:
    """Sizes and colours are dropped."""
    scene = Scene((SceneObject("circle", "red", "small"), SceneObject("square", "blue", "large")), "above")
    assert str(terse(scene)) == "a circle above a square"


def test_images_are_the_same_under_either_caption() -> None:
    """So any difference is due to the captions."""
    (one, full), (other, brief) = (draw_batch(torch.Generator().manual_seed(0), rich, 8) for rich in (1.0, 0.0))
    assert torch.equal(one, other)
    assert {len(words(row).split()) for row in full} == {4}
    assert {len(words(row).split()) for row in brief} == {2}


def test_comparison_asks_both_models_both_ways(tmp_path: Path) -> None:
    """With two training steps: four rows, written to the file."""
    figures = partial(compare, TrainingConfig(steps=2, batch=4), 4, tmp_path / "recaption.json")()
    assert {(trained, asked) for trained, row in figures.items() for asked in row} == {
        (f"trained on {a}", f"asked {b}") for a in ("terse", "rich") for b in ("terse", "rich")
    }
    assert (tmp_path / "recaption.json").exists()
