"""What DDPM draws with a mistake in it."""

import re
from itertools import pairwise
from pathlib import Path

import pytest
import torch

from solutions.diffusion.figures import mistakes
from solutions.diffusion.models import fashion

LESSON = Path(__file__).parents[4] / "lessons/12_diffusion/lesson.md"


def test_the_lesson_says_how_far_off_the_rows_are():
    """In the description of the figure, rounded as in it, from the row that is nearest to the right one to the farthest."""
    alt = re.search(r"!\[([^]]*)\]\(figures/mistakes-light.svg\)", LESSON.read_text(encoding="utf-8"))
    right = mistakes.drawn_with()
    drawn = {mistake: mistakes.difference(mistakes.drawn_with(mistake), right) for mistake in mistakes.MISTAKES}
    assert re.findall(r"[0-9]\.[0-9]+", alt[1]) == [f"{each:.2g}" for each in drawn.values()]
    assert list(drawn.values()) == sorted(drawn.values())
    notes = LESSON.with_name("mistakes.yaml").read_text(encoding="utf-8")  # which show some of the rows
    shown = re.findall(r"looks: (.*)\n *images: .*#(\w+)\)", notes)
    assert len(shown) == 3
    for looks, row in shown:
        assert f" {drawn[row]:.2g} from the right" in looks


@pytest.mark.parametrize("form", ["light", "dark"])
def test_each_row_has_a_view_of_its_own_one_below_the_other(form):
    svg = LESSON.with_name("figures").joinpath(f"mistakes-{form}.svg").read_text(encoding="utf-8")
    views = re.findall(r'<view id="(\w+)" viewBox="0 (\S+) (\S+) (\S+)"/>', svg)
    assert [name for name, *_ in views] == ["right", *mistakes.MISTAKES]
    tops, [high] = [float(top) for _, top, *_ in views], {float(high) for *_, high in views}
    assert [below - top for top, below in pairwise(tops)] == pytest.approx([high] * len(mistakes.MISTAKES))
    assert tops[-1] + high == pytest.approx(float(re.search(r' height="([0-9.]+)pt"', svg)[1]))


def test_a_mistake_stays_in_its_row(monkeypatch):
    """The right images are the same before and after, and each mistake gives others."""
    monkeypatch.setattr(fashion, "trained", lambda folder: lambda x, t, labels: torch.sin(3 * x + t.view(-1, 1, 1, 1)))
    right = mistakes.drawn_with()
    for mistake in mistakes.MISTAKES:
        assert mistakes.difference(mistakes.drawn_with(mistake), right) > 0.01, mistake
        assert torch.equal(mistakes.drawn_with(), right)
