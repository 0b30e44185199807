"""The context of a command: its course, lesson, workspace and deck."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from autograder.course.errors import UsageError
from autograder.course.loading import demand_solutions, read_course
from autograder.course.model import Lesson
from autograder.course.references import choose_lesson
from autograder.course.schema import did_you_mean
from autograder.course.student_files import HIDDEN
from autograder.course.trust import installed, trusted
from autograder.learner.files import Held, rivalries
from autograder.learner.workspace import State, Workspace, course_of, home_of, open_workspace, reviewed, workspace_above

if TYPE_CHECKING:
    from autograder.learner.review.deck import Chosen, Deck

_LESSON = "its id, or the number or the name in it."
LESSON = click.option("--lesson", metavar="ID", help=f"The lesson, if there are several: {_LESSON} Default: this folder's.")
ONE_LESSON = click.option("--lesson", metavar="ID", help=f"Only this lesson: {_LESSON}")


def find_course(start: Path | None) -> Path:
    """Return the folder of the course: the given one, this one or one above it, the workspace's, or the installed one.

    Raises UsageError if there is none, or if it may not be loaded (see `trust`)."""
    if start is not None:
        if not (start / "course.yaml").is_file():
            raise UsageError(f"{start}: no course.yaml there", "give the folder that holds course.yaml")
        return trusted(start, named=True)
    for folder in (Path.cwd(), *Path.cwd().parents):
        if (folder / "course.yaml").is_file():
            return trusted(folder)
        if (folder / ".course").is_dir():
            return course_of(folder)
    if own := installed():
        return own
    raise UsageError("no course.yaml here or in any folder above", "go into the course's folder, or name it with --course")


def find_clone(start: Path | None) -> Path:
    """Return the course's folder, as `find_course` does. Raises UsageError if it is a student release, without solutions."""
    found = find_course(start)
    demand_solutions(found)
    return found


def find_lesson(root: Path | None, wanted: str | None) -> Lesson:
    """Read the course and return the wanted lesson, the workspace's, or its only one."""
    course, around = read_course(find_course(root)), workspace_above(Path.cwd())
    own = around[1].lesson if around and around[1].lesson in [lesson.id for lesson in course.lessons] else None
    return choose_lesson(course, wanted or own)


def find_lessons(root: Path | None, wanted: str | None) -> tuple[Lesson, ...]:
    """Read the course and return the wanted lesson, the workspace's, or else all."""
    return (find_lesson(root, wanted),) if wanted or workspace_above(Path.cwd()) else read_course(find_course(root)).lessons


@contextmanager
def opened_workspace(root: Path | None, lesson: str | None = None) -> Iterator[tuple[Workspace, State]]:
    """Open the current folder's lesson, or another of the same workspace, and its state; print the state's notes on leaving."""
    here = Path.cwd()
    course = find_course(root) if root or workspace_above(here) else here
    workspace = open_workspace(here, course, lesson)
    with State(workspace.hidden) as state:
        yield workspace, state
    if state.note:
        click.echo(state.note, err=True)


def typed(name: str) -> str:
    """Return a name as one types it: in quotes if a shell would split it."""
    return f'"{name}"' if " " in name else name


def say(text: str, *, err: bool = False) -> None:
    """Print a text; in a terminal, broken at the ends of words."""
    from rich.console import Console

    console = Console(stderr=err, highlight=False)
    console.print(text, markup=False, emoji=False, soft_wrap=not console.is_terminal)


def say_rivals(found: dict[str, Held]) -> None:
    """Print of which exercises several files hold work, and which of them counts."""
    for line in rivalries(found):
        say(f"note: {line.replace('`', '')}")


class Opened(NamedTuple):
    """An open deck: the lessons whose cards it holds, the course's folder, and the folder of the review log."""

    deck: Deck
    lessons: tuple[Lesson, ...]
    root: Path
    place: Path
    in_workspace: bool


def now() -> datetime:
    """Return the time, with the local time zone."""
    return datetime.now().astimezone()


@contextmanager
def opened_deck(root: Path | None, lesson: str | None = None, chosen: Chosen | None = None) -> Iterator[Opened]:
    """Open the deck of the workspace's lessons, or outside a workspace the whole course's; print the log's notes on leaving.

    Raises UsageError for a tag or objective that no card has."""
    from autograder.learner.review.deck import Chosen, Deck, own_place

    course, around = read_course(find_course(root)), workspace_above(Path.cwd())
    home = home_of(*around) if around else None
    lessons = (choose_lesson(course, lesson),) if lesson else reviewed(course, home)
    place = home / HIDDEN if home else own_place()
    chosen = chosen or Chosen()
    cards = [card for lesson in lessons for card in lesson.cards]
    known = {"tag": {tag for card in cards for tag in card.tags}, "objective": {card.objective for card in cards}}
    for noun, asked in (("tag", chosen.tags), ("objective", chosen.objectives)):
        for one in asked:
            if one not in known[noun]:
                fix = did_you_mean(one, known[noun], f"take one of {', '.join(sorted(known[noun]))}")
                raise UsageError(f"no card has the {noun} `{one}`", fix)
    with Deck.open(place, lessons, chosen) as deck:
        yield Opened(deck, lessons, course.root, place, around is not None)
        if deck.log.note:
            click.echo(deck.log.note, err=True)
