"""The lesson as a whole: its length, its questions in between, and that the course's own words lead to it."""

import re

import pytest

from autograder.course.loading import read_course
from tests.courses import ROOT

LESSON = read_course(ROOT).lessons[0]
SECTIONS = [part.split("\n", 1) for part in LESSON.text.split("\n## ")[1:]]
LOOKED_UP = ("notation", "further-reading")  # tables and lists, not read in one go


def prose(text: str) -> str:
    """Leave what is read: no comments, pictures, tables, set-off formulas and marks."""
    text = re.sub(r"<!--.*?-->|!\[.*?\]\(.*?\)|<[^>]*>|\$\$.*?\$\$", "", text, flags=re.DOTALL)
    return "\n".join(line for line in text.split("\n") if not line.startswith("|"))


def test_it_is_read_in_about_a_quarter_of_an_hour():
    words = sum(len(prose(body).split()) for head, body in SECTIONS if not any(name in head for name in LOOKED_UP))
    assert 2_800 <= words <= 3_600
    assert LESSON.minutes == pytest.approx(words / 240, abs=1.5)


@pytest.mark.parametrize(("head", "body"), [one for one in SECTIONS if not any(name in one[0] for name in LOOKED_UP)], ids=lambda text: text[:20])
def test_every_section_lets_the_reader_predict_first(head, body):
    assert "<summary>Predict first: " in body
