"""The lesson as a whole: its length, its questions in between, its cards, and that the course's own words lead to it."""

import re

import pytest

from autograder.author.lint.lesson import length_of
from autograder.course.loading import read_course
from autograder.course.references import choose_lesson
from autograder.grading.sentences import sentences_of
from autograder.learner.review.queue import GAP
from tests.courses import ROOT

LESSON = choose_lesson(read_course(ROOT), "12_diffusion")
LINES = LESSON.text.split("\n")
ENDS = [*(section.line - 1 for section in LESSON.sections[1:]), len(LINES)]
SECTIONS = {section.id: "\n".join(LINES[section.line : end]) for section, end in zip(LESSON.sections, ENDS, strict=True)}
CORE = [card for card in LESSON.cards if card.core]


def test_it_is_read_in_about_a_quarter_of_an_hour():
    assert LESSON.minutes == 14
    assert length_of(LESSON).minutes == pytest.approx(14, abs=1)


@pytest.mark.parametrize("section", [section.id for section in LESSON.main])
def test_every_section_lets_the_reader_predict_first(section):
    assert "<summary>Predict first: " in SECTIONS[section]


def test_what_is_told_of_a_mistake_is_of_the_first_exercise_in_which_it_is_made(released):
    """Later ones have the same mistake in letters that the text has not had yet."""
    for lesson in (LESSON, choose_lesson(read_course(released), LESSON.id)):
        told = sentences_of(lesson)
        assert "β̃_t" in told["noise_times_variance"]  # of ddpm.py; in ddim.py it is σ²
        assert "jump" in told["alpha_for_alpha_bar"]  # of forward.py


def test_what_is_looked_up_is_in_the_appendix():
    assert [section.id for section in LESSON.sections if section.appendix] == [
        "derivations", "one-pixel", "mistakes", "targets", "schedules", "today", "editing", "emoji", "measured", "notation", "further-reading",
    ]  # fmt: skip


def test_every_source_that_is_named_by_its_number_is_listed():
    listed = SECTIONS["further-reading"]
    assert [number for number in dict.fromkeys(re.findall(r"arXiv:[0-9.]+[0-9]", LESSON.text)) if number not in listed] == []


def test_thirty_cards_are_the_core_and_serve_every_objective():
    assert len(CORE) == 30
    assert {card.objective for card in CORE} == {objective.id for objective in LESSON.objectives}
    appendix = {section.id for section in LESSON.sections if section.appendix}
    assert not any(card.section in appendix for card in CORE)


@pytest.mark.parametrize("card", LESSON.cards, ids=lambda card: card.id)
def test_an_answer_is_one_short_fact(card):
    """A formula is a word; a gap is an answer of its own."""
    answers = [gap["text"] for gap in GAP.finditer(card.cloze)] or [card.back]
    for answer in answers:
        words = [word for word in re.sub(r"\$[^$]*\$", "x", answer).split() if any(map(str.isalnum, word))]
        assert len(words) <= 12, answer
