"""The lesson's figures: reproducible to the byte, light and dark, each with a caption and alt text."""

from pathlib import Path

import pytest
import torch

from solutions.diffusion.figures.catalogue import FIGURES, draw_figures
from solutions.diffusion.models import fashion

LESSON = Path(__file__).parents[3] / "lessons/12_diffusion/figures"


class Quick(torch.nn.Module):
    """Replace the trained network, which is slow, by one that always returns 0."""

    def forward(self, x, t, labels=None):
        return torch.zeros_like(x)


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_drawn_the_same_each_time(name, tmp_path, monkeypatch):
    """Light and dark differ; two drawings of the same theme don't. No file exceeds 400 kB, and none contains a date."""
    monkeypatch.setattr(fashion, "trained", lambda folder: Quick())
    once, again = draw_figures([name], tmp_path / "a"), draw_figures([name], tmp_path / "b")
    assert [path.name for path in once] == [f"{name}-light.svg", f"{name}-dark.svg"]
    assert [path.read_bytes() for path in once] == [path.read_bytes() for path in again]
    assert once[0].read_bytes() != once[1].read_bytes()
    assert all(path.stat().st_size < 400_000 for path in once)
    assert b"dc:date" not in once[0].read_bytes()


def test_the_lesson_has_every_figure():
    """Every name in `FIGURES` is in the lesson's folder, light and dark: someone ran `python -m solutions.diffusion figures`."""
    assert {path.name for path in LESSON.glob("*.svg")} >= {f"{name}-{theme}.svg" for name in FIGURES for theme in ("light", "dark")}


def test_every_figure_has_a_caption_and_alt_text():
    """Both are full sentences, and they differ."""
    for name, drawing in FIGURES.items():
        assert drawing.caption.endswith("."), name
        assert drawing.alt.endswith("."), name
        assert drawing.alt != drawing.caption, name
