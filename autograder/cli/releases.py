"""Commands for who gives the course out: `course release`, and `course gradescope`, which runs over there."""

from __future__ import annotations

from pathlib import Path

import click

from autograder.cli.places import find_course


@click.command()
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The folder to build; an earlier release there is replaced.")
@click.option("--to", "platform", type=click.Choice(["nbgrader", "gradescope"]), help="Build it for a platform instead.")
@click.pass_obj
def release(root: Path | None, out: Path, platform: str | None) -> None:
    """Build what students get, without the solutions.

    That is lesson, cards, starters, public checks, and recordings in the place of every solution.

    With --to gradescope, OUT/autograder.zip is for Gradescope's autograder and holds the solutions. With --to nbgrader, OUT is a
    course folder of nbgrader with the exercises as an assignment.
    """
    from autograder import release as rooms

    course = find_course(root)
    if platform == "gradescope":
        made = rooms.build_gradescope(course, out)
        click.echo(f"{made}: {made.stat().st_size / 1e6:.1f} MB, with the solutions and a secret: for Gradescope, not for students")
        return
    if platform == "nbgrader":
        for path in rooms.build_nbgrader(course, out):
            click.echo(path)
        return
    built = rooms.build(course, out)
    held = f"{built.exercises} exercises, {built.questions} questions, {built.cards} cards, recordings of {built.slips} known slips"
    click.echo(f"{out}: {held}; {built.bytes / 1e6:.1f} MB. No solution is in it.")


@click.command(hidden=True)
@click.argument("place", type=click.Path(path_type=Path))
def gradescope(place: Path) -> None:
    """Grade the submission in PLACE, laid out like Gradescope's /autograder. The zip of `course release --to gradescope` calls this."""
    from autograder.release.container import grade_in_container

    written = grade_in_container(place)
    most = sum(test.max_score for test in written.tests)
    click.echo(f"{written.score:g} of {most:g} points in {written.execution_time:g} s. Walls: {written.extra_data['walls'] or 'none'}.")


COMMANDS = (release, gradescope)
