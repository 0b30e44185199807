"""A small lesson with cards of both forms, and a deck of it in a fresh folder."""

from datetime import UTC, datetime, timedelta

import pytest

from autograder.flashcards.deck import Chosen, Deck
from autograder.model import Card, Lesson, Objective, Section

MORNING = datetime(2026, 3, 2, 9, tzinfo=UTC)


def lesson_of(*cards, name="13_adding"):
    objectives = tuple(Objective(each, "Add.") for each in sorted({card.objective for card in cards}))
    return Lesson(name, "Adding", 13, 30, objectives, (), (Section("sums", "Sums", 1),), (), (), {}, tuple(cards))


def card(name, **more):
    return Card(**{"id": name, "objective": "add", "section": "sums", "front": f"{name}?", "back": f"{name}!", **more})


def gaps(name, text):
    return card(name, front="", back="", cloze=text)


CARDS = card("one", tags=("M01",)), gaps("both", "{{c1::One}} and {{c2::one}} are two."), card("two", objective="carry"), card("three")


@pytest.fixture
def small():
    """A lesson of four cards with five faces."""
    return lesson_of(*CARDS)


@pytest.fixture
def opened(tmp_path, small):
    """Open the deck in one place as often as a test likes."""
    decks = []

    def open_deck(*lessons, place=tmp_path / "kept", **chosen):
        decks.append(Deck.open(place, lessons or [small], Chosen(**chosen)))
        return decks[-1]

    yield open_deck
    for deck in decks:
        deck.close()


def later(**amount):
    return MORNING + timedelta(**amount)
