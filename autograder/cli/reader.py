"""Commands for reading: `course read` in the terminal, `course serve` and `course site` in a browser."""

from contextlib import nullcontext, suppress
from pathlib import Path

import click
from rich.console import Console
from rich.markdown import Markdown

from autograder.cli.context import LESSON, find_course, find_lesson
from autograder.cli.terminal import paged
from autograder.cli.views import for_terminal
from autograder.course.student_files import HIDDEN
from autograder.learner.workspace import State, home_of, lessons_in, workspace_above


@click.command()
@click.argument("section", required=False)
@click.option("--contents", is_flag=True, help="List the sections and their names instead.")
@LESSON
@click.pass_obj
def read(root: Path | None, section: str | None, contents: bool, lesson: str | None) -> None:
    """Read the lesson, or one SECTION of it, in the terminal.

    In a terminal it is paged: Space turns the page, q quits.
    """
    chosen = find_lesson(root, lesson)
    if contents:
        sections = chosen.sections
        for one in sections:
            click.echo(f"{one.id:<{max(len(each.id) for each in sections)}}  {one.title}")
        return
    console = Console(highlight=False)
    shown = Markdown(for_terminal(chosen, section))
    with paged(console, "-FRX") if console.is_terminal else nullcontext():  # keep colours; no pager if the text fits the screen
        console.print(shown)
    found = workspace_above(Path.cwd())
    if found and (folder := lessons_in(home_of(*found)).get(chosen.id)):
        with State(folder / HIDDEN) as state:
            state.add("read", section or chosen.id)


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
        click.echo(f"{session.lesson.title}: {serving.address}")
        if not session.kept:
            click.echo("This is not a workspace, so your progress is not saved. Run `course start` to create one.")
        click.echo("Press Ctrl-C to stop.")
        if opening:
            click.launch(serving.address)
        with suppress(KeyboardInterrupt):  # the way to stop it
            serving.run()


@click.command()
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The folder to write.")
@LESSON
@click.pass_obj
def site(root: Path | None, out: Path, lesson: str | None) -> None:
    """Write the lesson's site as static files.

    Everything that needs no Python is there; the model plays recordings.
    """
    from autograder.web.app import write_site

    written = write_site(find_course(root), find_lesson(root, lesson), out)
    click.echo(f"{out}: {written.files} files, {written.bytes / 1e6:.1f} MB. Open {out / 'index.html'}, or put the folder on a web server.")
