"""The comparison: matched sizes, honest standard deviations, and a reproducible table and plot."""

from typing import Any

import pytest
import torch

from solutions.diffusion.compare import plot, summary, table
from solutions.diffusion.figures.theme import LIGHT
from solutions.diffusion.models.families import FAMILIES
from solutions.diffusion.train import count, train

RUNS = [
    {"fd": 10.0, "coverage": 0.5, "recall": 0.6, "seconds for 64": 0.02},
    {"fd": 14.0, "coverage": 0.7, "recall": 0.8, "seconds for 64": 0.04},
]
FIGURES: dict[str, Any] = {"families": {"VAE": summary(RUNS), "GAN": summary(RUNS[::-1])}}


def test_families_are_of_one_size() -> None:
    """Within 5 % of 162 thousand parameters each, so that size explains nothing."""
    assert {name: count(build().model) for name, build in FAMILIES.items()} == {
        name: pytest.approx(162_000, rel=0.05) for name in ("VAE", "GAN", "diffusion")
    }


@pytest.mark.parametrize("name", FAMILIES)
def test_family_draws_its_classes_the_same_for_a_seed(name: str) -> None:
    """Even untrained: images in [-1, 1], and the same seed gives the same images."""
    torch.manual_seed(0)
    family = FAMILIES[name]()
    family.model.eval()
    labels = torch.tensor([0, 3, 9])
    images = family.draw(labels, 5)
    assert images.shape == (3, 1, 16, 16)
    assert images.abs().max() <= 1
    assert not images.requires_grad
    assert torch.equal(images, family.draw(labels, 5))


@pytest.mark.parametrize("name", FAMILIES)
def test_a_step_changes_every_part_that_learns(name: str) -> None:
    """Eight steps change every weight, even behind layers that start at zero."""
    torch.manual_seed(0)
    family = FAMILIES[name]()
    before = {key: value.clone() for key, value in family.model.named_parameters()}
    config = family.config.__class__(steps=8, batch=4, warmup=1, weight_decay=0.0)
    train(family.model, family.optimiser_steps, lambda generator: (torch.rand(10, 1, 16, 16), torch.arange(10)), config)
    moved = [key for key, value in family.model.named_parameters() if not torch.equal(value, before[key])]
    assert set(before) == set(moved)


def test_std_is_that_of_one_run() -> None:
    """10 and 14: mean 12, standard deviation 2.83 (n - 1 in the denominator)."""
    assert summary(RUNS)["fd"] == {"mean": 12.0, "std": 2.8284}


def test_table_has_a_row_per_family_with_stds() -> None:
    """Exactly as printed."""
    assert table(FIGURES) == [
        ["family", "Fréchet distance", "coverage", "recall", "seconds for 64 images"],
        ["VAE", "12.0 ± 2.8", "0.60 ± 0.14", "0.70 ± 0.14", "0.030 ± 0.014"],
        ["GAN", "12.0 ± 2.8", "0.60 ± 0.14", "0.70 ± 0.14", "0.030 ± 0.014"],
    ]


def test_plot_has_a_panel_per_measure_and_a_labelled_bar_per_family() -> None:
    """Four panels with axes that start at zero, so a bar's length is its value."""
    panels = plot(FIGURES, LIGHT).axes
    assert [panel.get_title() for panel in panels] == ["Fréchet distance", "coverage", "recall", "seconds for 64 images"]
    assert [len(panel.patches) for panel in panels] == [2, 2, 2, 2]
    assert [[text.get_text() for text in panel.texts] for panel in panels] == [["12.0"] * 2, ["0.60"] * 2, ["0.70"] * 2, ["0.030"] * 2]
    assert {(panel.get_yscale(), panel.get_ylim()[0]) for panel in panels} == {("linear", 0.0)}
