"""`course practice`: a question, an answer, what it says at once, and the working; then the next."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from autograder.cli.context import opened_workspace

if TYPE_CHECKING:
    from rich.console import Console

    from autograder.course.model import Question
    from autograder.grading.marking import Mark
    from autograder.grading.questions import Functions
    from autograder.learner.practice import Asked
    from autograder.learner.workspace import State, Workspace


class _Left(Exception):
    """The person has had enough."""


@click.command()
@click.argument("question", required=False)
@click.option("--fresh", is_flag=True, help="Ask with fresh numbers, not with those of the published question.")
@click.option("--seed", type=int, help="Ask with the numbers of this seed.")
@click.pass_obj
def practice(root: Path | None, question: str | None, fresh: bool, seed: int | None) -> None:
    """Answer the lesson's questions in the terminal.

    It asks one QUESTION, or those that you have not mastered, one after the other. An empty line leaves. Wrong answers cost
    nothing: try again, or look at the working. Three fresh variants in a row make a question with numbers mastered.
    """
    from rich.console import Console

    from autograder.learner.practice import choose, functions_for

    console = Console(highlight=False)
    with opened_workspace(root) as (workspace, state):
        functions = functions_for(workspace)
        chosen = choose(workspace.lesson, state, question)
        if chosen is None:
            console.print("Every question is mastered. `course practice QUESTION` asks one again.", markup=False)
        try:
            seen: set[str] = set()
            while chosen is not None:
                _practise(console, workspace, state, functions, chosen, fresh or chosen.id in seen, seed)
                seen.add(chosen.id)
                if seed is not None:
                    break
                chosen = _following(workspace, state, chosen, question)
        except (_Left, click.Abort):
            console.print("\nUntil next time: what you answered is remembered.")


def _following(workspace: Workspace, state: State, chosen: Question, wanted: str | None) -> Question | None:
    """Stay with a question that can be asked with fresh numbers until it is mastered; then go on, unless one was asked for."""
    from autograder.learner.practice import choose, mastered

    if not mastered(state, chosen):
        return chosen if chosen.numbers else choose(workspace.lesson, state, wanted)
    return choose(workspace.lesson, state, None) if wanted is None else None


def _practise(console: Console, workspace: Workspace, state: State, functions: Functions, question: Question,
              fresh: bool, seed: int | None) -> None:  # fmt: skip
    """Ask one variant until it is right or the working was looked at."""
    from autograder.cli.context import now
    from autograder.cli.views import say_due
    from autograder.learner.practice import answer, ask, draw, for_answers, shown_working
    from autograder.learner.progress import bring_back

    asked = ask(workspace, question, draw(state, question, fresh=fresh, seed=seed), functions)
    _show_question(console, asked)
    given: Any = None
    wrong: set[str] | None = None
    while True:
        given = _typed_parts(console, asked, given, wrong) if question.parts else _typed(question)
        made = answer(state, asked, given, functions)
        if made.outcome == "passed":
            console.print("  ✓ Right.", style="green")
            console.print(f"  In answers.yaml: {for_answers(asked, given)}", style="dim", markup=False, soft_wrap=True)
            break
        _show_mark(console, made)
        say_due(console, bring_back(workspace, [made], f"practice {question.id}", now()))
        wrong = {line.partition(":")[0] for line in made.message.split("\n")}
        if click.prompt("Try again (Enter), or see the working (w)?", default="", show_default=False).strip().lower().startswith("w"):
            break
    for line in shown_working(asked, functions):
        console.print(f"    {line}", markup=False)
    _show_streak(console, state, asked)


def _show_mark(console: Console, made: Mark) -> None:
    for line in made.message.split("\n"):
        console.print(f"  ✗ {line}", style="red", markup=False)
    if made.section:
        console.print(f"  Reread: course read {made.section}", style="dim", markup=False)


def _show_question(console: Console, asked: Asked) -> None:
    """Show a question; its parts, if it has any, are shown one by one when they are asked."""
    seed = "" if asked.seed is None else f" (seed {asked.seed})"
    console.print()
    console.rule(f"{asked.question.id}{seed}", align="left", style="dim")
    _show_text(console, asked, asked.stem)


def _show_text(console: Console, asked: Asked, question: Question) -> None:
    from rich.markdown import Markdown

    from autograder.course.text import formulas_in_unicode
    from autograder.grading.questions import question_text

    console.print(Markdown(formulas_in_unicode(question_text(question, asked.numbers))))


def _typed_parts(console: Console, asked: Asked, given: dict[str, Any] | None, wrong: set[str] | None) -> dict[str, Any]:
    """Ask the parts one by one; on a further try only those that were wrong."""
    answers = dict(given or {})
    for number, part in enumerate(asked.question.parts, 1):
        if wrong is None or part.id in wrong:
            console.print(f"\n{number} of {len(asked.question.parts)}: {part.id}", style="bold", markup=False)
            _show_text(console, asked, part)
            answers[part.id] = _typed(part)
    return answers


def _typed(question: Question) -> Any:
    """Ask for the answer in the form that the question takes; an empty line leaves."""
    from autograder.learner.practice import read_answer
    from autograder.learner.start import form

    if question.kind == "match":
        options = ", ".join(option.id for option in question.options)
        return {choice.id: _line(f"{choice.id} (one of: {options})") for choice in question.choices}
    return read_answer(question, _line(form(question).capitalize()))


def _line(label: str) -> str:
    typed = click.prompt(label, default="", show_default=False).strip()
    if not typed:
        raise _Left
    return str(typed)


def _show_streak(console: Console, state: State, asked: Asked) -> None:
    from autograder.learner.practice import STREAK, mastered, streak

    question = asked.question
    if mastered(state, question):
        console.print("  Mastered." if question.numbers else "  Done.", style="green")
    elif question.numbers:
        console.print(f"  {streak(state, question)} of {STREAK} fresh variants in a row.", style="dim")
