"""Every documented misconception, M01 to M27, is where a student can meet it: as a function that the checks name, or as a wrong choice."""

from collections import Counter
from itertools import chain
from pathlib import Path

import pytest

from autograder.course.loading import read_course
from autograder.grading.diagnosis import load_misconceptions

LESSON = read_course(Path(__file__).parent.parent).lessons[0]
DOCUMENTED = [f"M{number:02}" for number in range(1, 28)]
BELIEFS = ("M10", "M16", "M18", "M20", "M23", "M24")  # nobody computes them: a choice must ask
CARDS = {card.id: card for card in LESSON.cards}
FUNCTIONS = [misconception for exercise in LESSON.exercises for misconception in load_misconceptions(exercise.misconceptions)]
TOLD = [wrong for key in LESSON.keys.values() for wrong in chain(key.wrong.values(), *(part.wrong.values() for part in key.parts.values()))]
AS_FUNCTION = Counter(tag for misconception in FUNCTIONS for tag in CARDS[misconception.card].tags)  # a function brings back a card, and the card names the misconception
AS_CHOICE = Counter(wrong.misconception for wrong in TOLD)


@pytest.mark.parametrize("misconception", DOCUMENTED)
def test_a_documented_misconception_is_a_function_or_a_wrong_choice(misconception):
    assert AS_CHOICE[misconception] if misconception in BELIEFS else AS_FUNCTION[misconception] or AS_CHOICE[misconception]


@pytest.mark.parametrize("misconception", DOCUMENTED)
def test_a_documented_misconception_is_on_a_card_and_in_the_lesson(misconception):
    """The card that brings it back, and the warning in the text, by its id."""
    assert any(misconception in card.tags for card in LESSON.cards)
    assert f"mistake {misconception})" in LESSON.text


def test_misconceptions_are_many_and_each_has_a_sentence_of_its_own():
    sentences = Counter((misconception.of, misconception.sentence) for misconception in FUNCTIONS)
    assert len(FUNCTIONS) >= 60
    assert max(sentences.values()) == 1


def test_a_card_and_a_section_stand_behind_every_misconception():
    """What a student is sent to is there, and the card is about the section's lesson."""
    sections = {section.id for section in LESSON.sections}
    assert {misconception.section for misconception in FUNCTIONS} <= sections
    assert {misconception.card for misconception in FUNCTIONS} <= set(CARDS)
