"""A small lesson with cards of both forms, and a deck of it in a fresh folder."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from autograder.course.model import Card, Lesson, Objective, Section
from autograder.learner.review.deck import Chosen, Deck
from autograder.learner.review.log import Row
from autograder.learner.review.schedule import DAY, Scheduling, State, after, milliseconds, recalled

MORNING = datetime(2026, 3, 2, 9, tzinfo=UTC)


def lesson_of(*cards, name="13_adding"):
    objectives = tuple(Objective(each, "Add.") for each in sorted({card.objective for card in cards}))
    return Lesson(name, "Adding", 13, 30, objectives, (), (Section("sums", "Sums", 1),), (), (), {}, tuple(cards))


def card(name, **more):
    return Card(**{"id": name, "objective": "add", "section": "sums", "front": f"{name}?", "back": f"{name}!", **more})


def gaps(name, text):
    return card(name, front="", back="", cloze=text)


CARDS = card("one", tags=("taken_away",)), gaps("both", "{{c1::One}} and {{c2::one}} are two."), card("two", objective="carry"), card("three")


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


def lived(faces, days, seed=0, forgets=1.0):
    """Make the rows of a learner who answers each card on its day; `forgets` raises how often one is not known."""
    chance, scheduling = random.Random(seed), Scheduling()
    scheduler, rows = scheduling.scheduler(), []
    for place, face in enumerate(faces):
        state, at = State(), milliseconds(MORNING) + (place // 10) * DAY + place * 20_000
        while at < milliseconds(MORNING) + days * DAY:
            known = chance.random() < 1 - forgets * (1 - recalled(state, at, 0, scheduler)) if state.phase == "review" else chance.random() < 0.85
            rating = chance.choice([2, 3, 3, 3, 4]) if known else 1
            row = Row(f"{seed}-{len(rows)}", "lived", len(rows) + 1, at, 0, "review", face.id, rating, chance.randrange(2000, 12_000), scheduling.id)
            rows.append(row)
            state = after(state, rating, at, 0, scheduler)
            at = state.due + chance.randrange(0, 3) * 3_600_000 // 8
    return rows
