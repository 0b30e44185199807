"""Where the course is, and which lesson of it is meant."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from autograder.course.errors import UsageError

if TYPE_CHECKING:
    from autograder.course.model import Course, Lesson
    from autograder.learner.review.deck import Chosen, Deck
    from autograder.learner.workspace import State, Workspace


def find_course(start: Path | None) -> Path:
    """Find the folder with course.yaml: the given one, the current one or one above it, the one that the workspace around here
    belongs to, or the one this code came with."""
    if start is not None:
        if not (start / "course.yaml").is_file():
            raise UsageError(f"{start}: no course.yaml there", "give the folder that holds course.yaml")
        return start.resolve()
    from autograder.learner.workspace import course_of, own_course

    for folder in (Path.cwd(), *Path.cwd().parents):
        if (folder / "course.yaml").is_file():
            return folder
        if (folder / ".course").is_dir():
            return course_of(folder)
    own = own_course()
    if own:
        return own
    raise UsageError("no course.yaml here or in any folder above", "go into the course's folder, or name it with --course")


def find_clone(start: Path | None) -> Path:
    """Find the course as `find_course` does, with its solutions. Raise `UsageError` where it is a student release."""
    from autograder.course.loading import demand_solutions

    found = find_course(start)
    demand_solutions(found)
    return found


def find_lesson(root: Path | None, wanted: str | None) -> Lesson:
    """Read the course and find the lesson that is asked for, or its only one."""
    from autograder.course.loading import choose_lesson, read_course

    return choose_lesson(read_course(find_course(root)), wanted)


@contextmanager
def opened_workspace(root: Path | None) -> Iterator[tuple[Workspace, State]]:
    """Open the workspace around here and its state; say afterwards what should be known of the state."""
    from autograder.learner.workspace import State, open_workspace, workspace_above

    here = Path.cwd()
    course = find_course(root) if root or workspace_above(here) else here
    workspace = open_workspace(here, course)
    with State(workspace.hidden) as state:
        yield workspace, state
    if state.note:
        click.echo(state.note, err=True)


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
    from autograder.course.loading import read_course
    from autograder.learner.review.deck import Chosen, Deck, own_place
    from autograder.learner.workspace import HIDDEN, workspace_above

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
    from autograder.course.loading import choose_lesson

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
