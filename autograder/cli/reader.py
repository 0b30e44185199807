"""Commands for reading: `course read` in the terminal, `course serve` and `course site` in a browser."""

import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import chain, groupby
from pathlib import Path
from typing import NamedTuple

import click
from rich.console import Console
from rich.control import Control
from rich.markdown import Markdown
from rich.segment import ControlType, Segment, Segments

from autograder.cli.context import LESSON, ONE_LESSON, find_course, find_lesson, find_lessons
from autograder.cli.passages import Passage, for_terminal, passages, warnings
from autograder.cli.terminal import END, REDRAW, Keys, keys
from autograder.course.errors import UsageError
from autograder.course.glossary import read_glossary
from autograder.course.loading import read_course
from autograder.course.mistakes import read_mistakes
from autograder.course.model import Lesson
from autograder.course.schema import did_you_mean
from autograder.course.student_files import HIDDEN
from autograder.learner.workspace import State, home_of, lessons_in, workspace_above

MORE, ANSWER = "Space: next page   q: leave", "What is your answer? Any key shows the lesson's   q: leave"
WIDEST = 100  # columns: longer lines are hard to read


@click.command()
@click.argument("section", required=False)
@click.option("--contents", is_flag=True, help="List the sections and their names instead.")
@click.option("--glossary", is_flag=True, help="List the symbols and terms, and what they mean, instead.")
@click.option("--mistake", metavar="ID", help="Explain a mistake by its id, like beta-as-std.")
@LESSON
@click.pass_obj
def read(root: Path | None, section: str | None, contents: bool, glossary: bool, mistake: str | None, lesson: str | None) -> None:
    """Read the lesson, or one SECTION of it, in the terminal.

    In a terminal it is paged: Space turns the page, q leaves, and the answer to a question waits for a key. A section that you saw to its
    end is read.
    """
    from autograder.learner.progress import work_after  # slow, as all that can check files

    chosen, console = find_lesson(root, lesson), Console(highlight=False)
    if contents:
        width = max((len(one.id) for one in chosen.sections), default=0)
        for one in chosen.sections:
            click.echo(f"{one.id:<{width}}  {one.title}{' (appendix)' * one.appendix}")
        return
    if glossary:
        for entry in read_glossary(find_course(root), chosen):
            click.echo(f"{entry.plain}: {entry.means}")
        return
    explained = explain(chosen, mistake) if mistake else None
    section = explained.section if explained else section
    first = [Passage(None, explained.text)] if explained else []
    course = find_course(root)
    after, notes = work_after(course, chosen), _notes(course, chosen)
    with _remembering(chosen) as remember:
        if console.is_terminal and sys.stdin.isatty():
            with suppress(KeyboardInterrupt), keys() as keyboard:
                _page(console, keyboard, chain(first, passages(chosen, section, after, notes)), remember)
            return
        console.print(Markdown("\n\n".join([*(one.text for one in first), for_terminal(chosen, section, after, notes)])))
        if section:
            remember(section)


def _notes(root: Path, lesson: Lesson) -> dict[str, str]:
    """Return what to know about each mistake, by its id: what the lesson shows of it, and its sentence, or else the card about it."""
    from autograder.grading.sentences import notes_of  # slow

    notes, shown = notes_of(lesson), read_mistakes(root, lesson)
    return notes | {name: f"{one.made} {one.looks} {notes[name]}" for name, one in shown.items() if name in notes}


@contextmanager
def _remembering(lesson: Lesson) -> Iterator[Callable[[str], None]]:
    """Give what remembers that a section was read: in a workspace, its state."""
    found = workspace_above(Path.cwd())
    folder = lessons_in(home_of(*found)).get(lesson.id) if found else None
    if folder is None:
        yield lambda section: None
        return
    with State(folder / HIDDEN) as state:
        yield lambda section: None if any(state.events("read", section)) else state.add("read", section)


def _page(console: Console, keyboard: Keys, shown: Iterable[Passage], remember: Callable[[str], None]) -> None:
    """Show passages a screen at a time; `remember` is told of a section when its last line was on the screen."""
    room = console.height - 1
    for section, passages_of in groupby(shown, key=lambda passage: passage.section):
        for passage in passages_of:
            if passage.is_answer:
                if not _goes_on(console, keyboard, ANSWER):
                    return
                room = console.height - 1
            for line in [*console.render_lines(Markdown(passage.text), console.options.update(width=min(WIDEST, console.width))), []]:
                if room == 0:
                    if not _goes_on(console, keyboard, MORE):
                        return
                    room = console.height - 1
                console.print(Segments([*line, Segment.line()]), end="")
                room -= 1
        if section:
            remember(section)


def _goes_on(console: Console, keyboard: Keys, words: str) -> bool:
    """Ask for a key at the end of a page; return whether the reader stays."""
    console.print(words, style="reverse", end="")
    while (key := keyboard.get()) == REDRAW:
        pass
    console.control(Control((ControlType.CARRIAGE_RETURN,), (ControlType.ERASE_IN_LINE, 2)))
    return key not in ("q", "Q", "\x1b", END)


class Explained(NamedTuple):
    """What a mistake is, as Markdown, and the section that it leads to."""

    text: str
    section: str | None


def explain(lesson: Lesson, wanted: str) -> Explained:
    """Return what explains a mistake: its sentence or, if nothing computes it, the paragraph in which the lesson warns of it.

    An id may be shortened: `beta-as-std` is `beta_as_standard_deviation`. Raise `UsageError` if none or several are meant.
    """
    from autograder.grading.attempt import known_misconceptions  # slow

    name = wanted.strip().lower().replace("-", "_")
    known = {one.replace("-", "_"): Explained(f"**{one}**\n\n{told.text}", told.section) for one, told in warnings(lesson).items()}
    for one in chain.from_iterable(map(known_misconceptions, lesson.exercises)):
        known[one.id] = Explained(f"**{one.id}, in `{one.of}`**\n\n{one.sentence}", one.section)
    meant = [name] if name in known else [one for one in known if _shortens(name, one)]
    if len(meant) != 1:
        fix = f"take one of {', '.join(meant)}" if meant else did_you_mean(name, known, "take an id as your feedback names it")
        raise UsageError(f"{'several mistakes are' if meant else 'no mistake is'} called `{wanted}` in {lesson.id}", fix)
    return known[meant[0]]


def _shortens(name: str, whole: str) -> bool:
    """Whether the words of a name are the words of another one, each with letters left out."""
    words, wholes = name.split("_"), whole.split("_")
    return len(words) <= len(wholes) and all(
        short[:1] == long[:1] and re.search(".*".join(map(re.escape, short)), long) for short, long in zip(words, wholes, strict=False)
    )


@click.command()
@LESSON
@click.option("--port", type=click.IntRange(1, 65535), help="The port to listen on (default: 8012, or any free one).")
@click.option("--grades", metavar="OUT", type=click.Path(path_type=Path), help="Also show the results that `course grade` writes to OUT.")
@click.option("--open", "opening", is_flag=True, help="Open the address in your browser.")
@click.pass_obj
def serve(root: Path | None, lesson: str | None, port: int | None, grades: Path | None, opening: bool) -> None:
    """Open the lesson in your browser.

    Read, experiment, practise, review, and see the state of your files. The server listens on this machine only, and answers only
    at the printed address. In a workspace, your progress is saved there. Ctrl-C stops it.
    """
    from autograder.web.app import build
    from autograder.web.server import ReaderSession, Serving

    with ReaderSession.open(find_course(root), find_lesson(root, lesson), Path.cwd()) as session:
        serving = Serving(build(session, grades and grades.resolve()), port)
        address = f"{serving.address}grades.html" if grades else serving.address
        click.echo(f"{session.lesson.title}: {address}")
        if not session.kept:
            click.echo("This is not a workspace, so your progress is not saved. Run `course start` to create one.")
        click.echo("Press Ctrl-C to stop.")
        if opening:
            click.launch(address)
        with suppress(KeyboardInterrupt):  # the way to stop it
            serving.run()


@click.command()
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The folder to write.")
@ONE_LESSON
@click.pass_obj
def site(root: Path | None, out: Path, lesson: str | None) -> None:
    """Write the lessons' site as static files.

    Several lessons have a folder each, and an index. No server is needed, the files may be opened from the disk: practice is marked, cards
    come when they are due, and the model plays recordings.
    """
    from autograder.web.app import write_site

    written = write_site(read_course(find_course(root)), find_lessons(root, lesson), out)
    click.echo(f"{out}: {written.files} files, {written.bytes / 1e6:.1f} MB. Open {out / 'index.html'}, or put the folder on a web server.")
