"""What DDPM draws with a mistake in it."""

import re
from pathlib import Path

import torch

from solutions.diffusion.figures import mistakes
from solutions.diffusion.models import fashion

LESSON = Path(__file__).parents[4] / "lessons/12_diffusion/lesson.md"


def test_the_lesson_says_how_far_off_the_rows_are():
    """In the description of the figure, rounded as in it, from the row that is nearest to the right one to the farthest."""
    alt = re.search(r"!\[([^]]*)\]\(figures/mistakes-light.svg\)", LESSON.read_text(encoding="utf-8"))
    right = mistakes.drawn_with()
    drawn = [mistakes.difference(mistakes.drawn_with(mistake), right) for mistake in mistakes.MISTAKES]
    assert re.findall(r"[0-9]\.[0-9]+", alt[1]) == [f"{each:.2g}" for each in drawn]
    assert drawn == sorted(drawn)


def test_a_mistake_stays_in_its_row(monkeypatch):
    """The right images are the same before and after, and each mistake gives others."""
    monkeypatch.setattr(fashion, "trained", lambda folder: lambda x, t, labels: torch.sin(3 * x + t.view(-1, 1, 1, 1)))
    right = mistakes.drawn_with()
    for mistake in mistakes.MISTAKES:
        assert mistakes.difference(mistakes.drawn_with(mistake), right) > 0.01, mistake
        assert torch.equal(mistakes.drawn_with(), right)
