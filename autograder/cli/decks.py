"""The learner's deck around the current folder: which cards, and where the answers are kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from autograder.cli.places import find_course
from autograder.errors import UsageError

if TYPE_CHECKING:
    from autograder.flashcards.deck import Chosen, Deck
    from autograder.model import Course, Lesson


class Opened(msgspec.Struct, frozen=True):
    """An open deck, the lessons whose cards it holds, the course's folder, and the place of the log."""

    deck: Deck
    lessons: tuple[Lesson, ...]
    root: Path
    place: Path
    in_workspace: bool


def now() -> datetime:
    """Say what time it is, and where."""
    return datetime.now().astimezone()


@contextmanager
def opened_deck(root: Path | None, lesson: str | None = None, chosen: Chosen | None = None) -> Iterator[Opened]:
    """Open the deck: in a workspace its lesson's, with the log that lies there, and elsewhere the whole course's; say afterwards what
    should be known of the log. Raise `UsageError` for a tag or objective that no card has."""
    from autograder.content import read_course
    from autograder.flashcards.deck import Chosen, Deck
    from autograder.flashcards.place import own_place
    from autograder.workspace.places import HIDDEN, workspace_above

    course, around = read_course(find_course(root)), workspace_above(Path.cwd())
    wanted = lesson or (around[1].lesson if around else None)
    lessons = _lessons(course, wanted)
    place = around[0] / HIDDEN if around else own_place()
    chosen = chosen or Chosen()
    _refuse_strangers(lessons, chosen)
    with Deck.open(place, lessons, chosen) as deck:
        yield Opened(deck, lessons, course.root, place, around is not None)
        if deck.log.note:
            click.echo(deck.log.note, err=True)


def _lessons(course: Course, wanted: str | None) -> tuple[Lesson, ...]:
    """Find the lesson that is asked for, or give all; `grading`, which is slow to import, is asked only what to say of a wrong one."""
    found = tuple(lesson for lesson in course.lessons if wanted in (None, lesson.id))
    if found:
        return found
    from autograder.grading import choose_lesson

    return (choose_lesson(course, wanted),)


def _refuse_strangers(lessons: tuple[Lesson, ...], chosen: Chosen) -> None:
    import difflib

    cards = [card for lesson in lessons for card in lesson.cards]
    known = {"tag": {tag for card in cards for tag in card.tags}, "objective": {card.objective for card in cards}}
    for noun, asked in (("tag", chosen.tags), ("objective", chosen.objectives)):
        for one in asked:
            if one not in known[noun]:
                near = difflib.get_close_matches(one, known[noun], 1)
                fix = f"did you mean `{near[0]}`?" if near else f"take one of {', '.join(sorted(known[noun]))}"
                raise UsageError(f"no card has the {noun} `{one}`", fix)
