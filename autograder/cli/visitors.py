"""Commands for who uses a browser: `course serve`, `course site`."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import click

from autograder.cli.places import find_course, find_lesson


@click.command()
@click.option("--lesson", metavar="ID", help="The lesson to open, where the course has several.")
@click.option("--port", type=click.IntRange(1, 65535), help="The port to listen on; by default 8012, or any that is free.")
@click.option("--grades", metavar="OUT", type=click.Path(path_type=Path), help="Show what `course grade` writes into OUT, too.")
@click.option("--open", "opening", is_flag=True, help="Open the address in your browser.")
@click.pass_obj
def serve(root: Path | None, lesson: str | None, port: int | None, grades: Path | None, opening: bool) -> None:
    """Open the lesson in your browser.

    Read, play, practise, review, and see how your files stand. Listens on this machine alone, and answers only to the address
    that is printed. In a workspace, what you do is remembered there. Ctrl-C ends it.
    """
    from autograder.site.app import build
    from autograder.site.desk import Desk
    from autograder.site.serving import Serving

    with Desk(find_course(root), find_lesson(root, lesson), Path.cwd()) as desk:
        serving = Serving(build(desk, grades and grades.resolve()), port)
        click.echo(f"{desk.lesson.title}: {serving.address}")
        if not desk.kept:
            click.echo("This is no workspace, so what you do is not remembered: `course start` makes one.")
        click.echo("Ctrl-C ends it.")
        if opening:
            click.launch(serving.address)
        with suppress(KeyboardInterrupt):  # that is how it ends
            serving.run()


@click.command()
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The folder to write.")
@click.option("--lesson", metavar="ID", help="The lesson to write, where the course has several.")
@click.pass_obj
def site(root: Path | None, out: Path, lesson: str | None) -> None:
    """Write the lesson's site as files for any web server.

    All is there but what needs Python. The model plays recordings.
    """
    from autograder.site.leaving import write_site

    written = write_site(find_course(root), find_lesson(root, lesson), out)
    click.echo(f"{out}: {written.files} files, {written.bytes / 1e6:.1f} MB. Open {out / 'index.html'}, or put the folder on a web server.")


COMMANDS: tuple[click.Command, ...] = (serve, site)
