"""The `course` command: its subcommands, and one clear message and exit status for every error.

Slow imports (numpy, the sandbox) stay inside the commands, so that `course --help` answers at once.
Exit status: 0 success, 1 the work or the course has faults, 2 usage error, 3 our fault. Tracebacks appear only with --debug.
"""

from __future__ import annotations

import io
import os
import shutil
import sys
from importlib.metadata import version
from pathlib import Path

import click

from autograder.cli import author, cards, grade, reader, results, student
from autograder.course.errors import CourseError, SandboxFault, StoreFault, UsageError

AUDIENCES = {
    "Learn": ("start", "read", "check", "hint", "practice", "progress", "reset", "submit", "serve"),
    "Review": ("review", "stats", "optimise", "deck"),
    "Grade, in a clone": ("grade", "report", "override", "feedback", "export", "regrade", "similar", "doctor"),
    "Write the course, in a clone": ("lint", "map", "misconceptions", "notebook", "release", "site"),
}


class _Commands(click.Group):
    """Lists the commands by audience, and turns our errors into a message and an exit status."""

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        for audience, names in AUDIENCES.items():
            with formatter.section(audience):
                formatter.write_dl([(name, self.commands[name].get_short_help_str(200)) for name in names])

    def invoke(self, context: click.Context) -> object:
        try:
            return super().invoke(context)
        except (CourseError, UsageError, SandboxFault, StoreFault) as error:
            if context.params.get("debug"):
                raise
            click.echo(str(error), err=True)
            context.exit({CourseError: 1, UsageError: 2}.get(type(error), 3))


def _show_version(context: click.Context, parameter: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        from autograder.course.loading import package_name

        click.echo(f"course {version(package_name())}")
        context.exit()


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_show_version, help="Show the version and exit.")
@click.option("--debug", is_flag=True, help="Show the whole traceback when something fails.")
@click.option("--course", "root", type=click.Path(path_type=Path), help="The course's folder. Default: this folder or one above it.")
@click.pass_context
def main(context: click.Context, debug: bool, root: Path | None) -> None:
    """Read, practise and grade a course of short lessons.

    Run `course COMMAND --help` for the details of a command.
    """
    context.obj = root
    for stream in (sys.stdout, sys.stderr):  # where β cannot be encoded, print \\u03b2 instead of failing
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    if os.environ.get("TERM") in ("dumb", "unknown"):  # rich would assume 80 columns
        for name, size in zip(("COLUMNS", "LINES"), shutil.get_terminal_size(), strict=True):
            os.environ.setdefault(name, str(size))
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, "1")  # arrays are small and every core has a worker: more threads would only wait


for _group in (student, reader, cards, grade, results, author):
    for _command in _group.COMMANDS:
        main.add_command(_command)
