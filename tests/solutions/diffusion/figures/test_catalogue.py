"""The lesson's figures: reproducible to the byte, light and dark, in the letters of the pages, each with a caption and alt text."""

import re
from pathlib import Path

import pytest
import torch

from autograder.course import symbols
from solutions.diffusion.figures.catalogue import FIGURES, draw_figures
from solutions.diffusion.figures.frames import own_estimates
from solutions.diffusion.interface import SamplingConfig
from solutions.diffusion.models import fashion
from solutions.diffusion.models.emoji import model as emoji

LESSON = Path(__file__).parents[4] / "lessons/12_diffusion/figures"


class Quick(torch.nn.Module):
    """Replace the trained network, which is slow, by one that always returns 0."""

    def forward(self, x, t, labels=None):
        return torch.zeros_like(x)


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_drawn_the_same_each_time(name, tmp_path, monkeypatch, caplog):
    """Light and dark differ; two drawings of the same theme don't. No file exceeds 400 kB, none contains a date, and no letter is missing."""
    monkeypatch.setattr(fashion, "trained", lambda folder: Quick())
    monkeypatch.setattr(emoji, "STEPS", 2)  # each takes a while
    once, again = draw_figures([name], tmp_path / "a"), draw_figures([name], tmp_path / "b")
    assert [path.name for path in once] == [f"{name}-light.svg", f"{name}-dark.svg"]
    assert [path.read_bytes() for path in once] == [path.read_bytes() for path in again]
    assert once[0].read_bytes() != once[1].read_bytes()
    assert all(path.stat().st_size < 400_000 for path in once)
    assert b"dc:date" not in once[0].read_bytes()
    assert caplog.messages == []  # of a letter or a font that was not found, matplotlib tells the log only


def test_each_noisy_image_is_shown_with_its_own_estimate():
    """With v̂ = 0 the x̂_0 of x_t is √ᾱ_t·x_t, clipped; the callback has it with the step after. The last image is its own estimate."""
    seen = []
    fashion.sample_images(Quick(), torch.tensor([9]), SamplingConfig(steps=5, w=1.0, callback=lambda *step: seen.append(step)))
    *steps, (last, x, x0) = own_estimates(seen)
    assert [t for t, _, _ in steps] == [800, 600, 400, 200]
    assert last == 0
    assert torch.equal(x, x0)
    for t, x, x0 in steps:
        torch.testing.assert_close(x0, (float(fashion.ALPHA_BARS[t]) ** 0.5 * x).clip(-1, 1))


def test_the_last_image_of_a_pass_is_its_own_estimate():
    """It has nothing to do with the first of the next pass, which may be larger."""
    small, large = torch.zeros(2, 1, 1, 2, 2), torch.zeros(2, 1, 1, 4, 4)
    seen = [(500, small[0], small[1]), (0, small[1], small[1]), (500, large[0], large[0]), (0, large[1], large[1])]
    for (_, x, _), own in zip(own_estimates(seen), (small[1], small[1], large[1], large[1]), strict=True):
        assert x.shape == own.shape
    assert [x0 is own for (_, _, x0), own in zip(own_estimates(seen), (seen[1][2], small[1], seen[3][2], large[1]), strict=True)]


def test_the_lesson_has_every_figure():
    """Every name in `FIGURES` is in the lesson's folder, light and dark: someone ran `python -m solutions.diffusion figures`."""
    assert {path.name for path in LESSON.glob("*.svg")} >= {f"{name}-{theme}.svg" for name in FIGURES for theme in ("light", "dark")}


def test_every_figure_is_set_in_the_letters_of_the_pages_its_variables_as_in_formulas():
    """Letters are outlines, which bear the names of their fonts; what they spell is in a comment."""
    drawn = "".join(path.read_text(encoding="utf-8") for path in LESSON.glob("*.svg"))
    assert set(re.findall(r'<path id="([A-Z][\w-]*)-[0-9a-f]+"', drawn)) == {"Course-Sans-Regular", "Course-Maths-Regular", "Course-Maths-Italic"}
    upright = {re.sub(r"\$.*?\$", "", label) for label in re.findall("<!-- (.*?) -->", drawn)}
    assert [text for text in upright if symbols.replaced(text, lambda variable: "") != text] == []


def test_every_figure_has_a_caption_and_alt_text():
    """Both are full sentences, and they differ."""
    for name, drawing in FIGURES.items():
        assert drawing.caption.endswith("."), name
        assert drawing.alt.endswith("."), name
        assert drawing.alt != drawing.caption, name
