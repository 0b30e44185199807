"""The `course` command: its subcommands, and one clear message and exit status for every error.

A command's module is imported when the command runs, so that `course --help` answers at once.
Exit status: 0 success, 1 the work or the course has faults, 2 usage error, 3 our fault. Tracebacks appear only with --debug.
"""

import os
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import click

from autograder.cli import terminal
from autograder.course import system
from autograder.course.errors import CourseError, SandboxFault, StoreFault, UsageError

GRADING = "Grade, in a clone"
COMMANDS = {  # audience -> command -> its module in this package, and its sentence in `course --help`
    "Learn": {
        "start": ("student", "Create a workspace in DIR (default: this folder)."),
        "read": ("reader", "Read the lesson, or one SECTION of it, in the terminal."),
        "check": ("check", "Run the public checks on your FILEs."),
        "hint": ("student", "Show the open hints for FILE."),
        "show-solution": ("student", "Show the solution of EXERCISE, once your own passes."),
        "practice": ("practice", "Answer the lesson's questions in the terminal."),
        "progress": ("student", "Show how far you are with each objective, and what is next."),
        "reset": ("student", "Restore FILE to its starter."),
        "use": ("student", "Choose which counts: your notebook or your files."),
        "submit": ("student", "Pack your files into one zip to hand in."),
        "serve": ("reader", "Open the lesson in your browser."),
    },
    "Review": {
        "review": ("cards", "Review the cards that are due, one key for each answer."),
        "stats": ("cards", "Show due cards, retention and the hardest cards."),
        "optimise": ("cards", "Fit the schedule of cards to your own answers."),
        "deck": ("cards", "Export the flashcards to Anki, CSV or JSON."),
    },
    GRADING: {
        "grade": ("grade", "Grade the submissions of a class into OUT."),
        "report": ("results", "Report what the class of OUT understood."),
        "show": ("results", "Show all that lies behind STUDENT's grades."),
        "override": ("results", "Decide something for STUDENT in place of the grader."),
        "drop": ("results", "Remove STUDENT from the class of OUT."),
        "feedback": ("results", "Write OUT/feedback again."),
        "export": ("results", "Export the grades or feedback of OUT to a platform."),
        "regrade": ("results", "Grade the class of OUT again and show what changes."),
        "similar": ("grade", "List pairs of submissions with similar code."),
        "doctor": ("grade", "Check whether this machine can grade untrusted code."),
    },
    "Write the course, in a clone": {
        "lint": ("author", "Check the course for mistakes."),
        "new": ("author", "Begin a lesson, or something in one, with a small example."),
        "map": ("author", "Show what teaches, asks and tests each objective."),
        "misconceptions": ("author", "Turn wrong answers that many share into misconceptions."),
        "notebook": ("author", "Build a lesson's exercises as one nbgrader notebook."),
        "release": ("author", "Build the student release, without the solutions."),
        "site": ("reader", "Write the lessons' site as static files."),
        "trust": ("author", "Confirm that the course in DIR may be loaded."),
    },
}
HIDDEN = {"gradescope": "author"}  # called by other programs
_MODULES = HIDDEN | {name: module for commands in COMMANDS.values() for name, (module, _) in commands.items()}


class _Commands(click.Group):
    """Imports a command when it is wanted, lists the commands by audience, and turns our errors into a message and an exit status."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(_MODULES)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in _MODULES:
            return None
        if system.WINDOWS and name in COMMANDS[GRADING]:
            raise UsageError(f"`course {name}` needs Linux", "use WSL, or a container: see docs/grade.md")
        module = import_module(f"autograder.cli.{_MODULES[name]}")
        return next(one for one in vars(module).values() if isinstance(one, click.Command) and one.name == name)

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        for audience, commands in COMMANDS.items():
            with formatter.section(audience):
                formatter.write_dl([(name, sentence) for name, (_, sentence) in commands.items()])

    def invoke(self, context: click.Context) -> object:
        try:
            return super().invoke(context)
        except (CourseError, UsageError, SandboxFault, StoreFault) as error:
            if context.params.get("debug"):
                raise
            from autograder.cli.context import say

            say(str(error), err=True)
            context.exit({CourseError: 1, UsageError: 2}.get(type(error), 3))


def _show_version(context: click.Context, parameter: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        from autograder.course.loading import package_name

        click.echo(f"course {version(package_name())}")
        context.exit()


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_show_version, help="Show the version and exit.")
@click.option("--debug", is_flag=True, help="Show the whole traceback when something fails.")
@click.option("--course", "root", type=click.Path(path_type=Path), help="The course's folder. Default: see `course trust`.")
@click.pass_context
def main(context: click.Context, debug: bool, root: Path | None) -> None:
    """Read, practise and grade a course of short lessons.

    Run `course COMMAND --help` for the details of a command.
    """
    context.obj = root
    terminal.prepare()
    try:
        os.getcwd()
    except FileNotFoundError:
        raise UsageError("the current folder does not exist any more", "go into another one: `cd ~`") from None
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, "1")  # arrays are small and every core has a worker: more threads would only wait
