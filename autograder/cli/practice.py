"""`course practice`: ask a question, mark the answer, show the working; then the next."""

from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.markdown import Markdown

from autograder.cli.context import LESSON, now, opened_workspace
from autograder.cli.views import say_due
from autograder.course.kinds import form_of
from autograder.course.model import Question
from autograder.course.own_practice import FOR
from autograder.course.text import formulas_in_unicode
from autograder.grading.feedback import mark_message
from autograder.grading.questions import Functions, functions_of, question_text
from autograder.learner.practice import (
    STREAK,
    Asked,
    answer,
    ask,
    choose,
    draw,
    for_answers,
    mastered,
    read_answer,
    sheet,
    shown_working,
    streak,
)
from autograder.learner.progress import bring_back
from autograder.learner.workspace import State, Workspace


class _Left(Exception):
    """The student leaves."""


@click.command()
@click.argument("question", required=False)
@click.option("--fresh", is_flag=True, help="Use fresh numbers instead of the published ones.")
@click.option("--seed", type=int, help="Use the numbers of this seed.")
@click.option("--for-grading", "student", metavar="ID", help="Show the questions that count, with your own numbers.")
@LESSON
@click.pass_obj
def practice(root: Path | None, question: str | None, fresh: bool, seed: int | None, student: str | None, lesson: str | None) -> None:
    """Answer the lesson's questions in the terminal.

    Asks QUESTION, or all questions that you have not mastered. An empty line leaves. A wrong answer costs nothing: try again,
    or look at the working. To master a question with numbers, answer three fresh variants in a row.

    Usually practice is open: everybody answers the lesson's own numbers, and may look up anything. Where your course says that it
    counts, each student has their own: --for-grading ID shows them, with your number, login or name as ID. They are not marked here.
    """
    console = Console(highlight=False)
    if student is not None:
        _show_sheet(console, root, lesson, student)
        return
    with opened_workspace(root, lesson) as (workspace, state):
        functions = functions_of(workspace.root, workspace.lesson)
        chosen = choose(workspace.lesson, state, question)
        if chosen is None:
            console.print("You have mastered every question. To practise one again: course practice QUESTION", markup=False)
        try:
            seen: set[str] = set()
            while chosen is not None:
                _practise(console, workspace, state, functions, chosen, fresh or chosen.id in seen, seed)
                seen.add(chosen.id)
                if seed is not None:
                    break
                chosen = _following(workspace, state, chosen, question)
        except (_Left, click.Abort):
            console.print("\nUntil next time. Your answers are saved.")


def _show_sheet(console: Console, root: Path | None, lesson: str | None, student: str) -> None:
    with opened_workspace(root, lesson) as (workspace, _):
        asked = sheet(workspace.lesson, functions_of(workspace.root, workspace.lesson), student)
    for question, text in asked:
        console.print()
        console.rule(f"{question.id} ({question.points:g} point{'s' * (question.points != 1)})", align="left", style="dim")
        console.print(Markdown(formulas_in_unicode(text)))
    told = f"{FOR}: {msgspec.json.encode(student).decode()}"
    console.print(f"\nAnswer in answers.yaml, below this line: {told}", markup=False, soft_wrap=True)


def _following(workspace: Workspace, state: State, chosen: Question, wanted: str | None) -> Question | None:
    """Return the same question until it is mastered, if it has numbers; then the next, unless one question was wanted."""
    if not mastered(state, chosen):
        return chosen if chosen.numbers else choose(workspace.lesson, state, wanted)
    return choose(workspace.lesson, state, None) if wanted is None else None


def _practise(console: Console, workspace: Workspace, state: State, functions: Functions, question: Question,
              fresh: bool, seed: int | None) -> None:  # fmt: skip
    """Ask one variant until the answer is right or the student looks at the working."""
    asked = ask(workspace, question, draw(state, question, fresh=fresh, seed=seed), functions)
    _show_question(console, asked)
    given: Any = None
    wrong: set[str] | None = None
    while True:
        given = _typed_parts(console, asked, given, wrong) if question.parts else _typed(question)
        made = answer(state, asked, given, functions)
        if made.outcome == "passed":
            console.print("  ✓ Right.", style="green")
            if workspace.lesson.practice == "open":
                console.print(f"  In answers.yaml: {for_answers(asked, given)}", style="dim", markup=False, soft_wrap=True)
            break
        for line in mark_message(question, made).split("\n"):
            console.print(f"  ✗ {line}", style="red", markup=False)
        if made.section:
            console.print(f"  Reread: course read {made.section}", style="dim", markup=False)
        say_due(console, bring_back(workspace, [made], f"practice {question.id}", now()))
        wrong = {remark.part for remark in made.remarks}
        if click.prompt("Try again (Enter), or see the working (w)?", default="", show_default=False).strip().lower().startswith("w"):
            break
    for line in shown_working(asked, functions):
        console.print(f"    {line}", markup=False)
    _show_streak(console, state, question)


def _show_question(console: Console, asked: Asked) -> None:
    seed = "" if asked.seed is None else f" (seed {asked.seed})"
    console.print()
    console.rule(f"{asked.question.id}{seed}", align="left", style="dim")
    _show_text(console, asked, msgspec.structs.replace(asked.question, parts=()))


def _show_text(console: Console, asked: Asked, question: Question) -> None:
    console.print(Markdown(formulas_in_unicode(question_text(question, asked.numbers))))


def _typed_parts(console: Console, asked: Asked, given: dict[str, Any] | None, wrong: set[str] | None) -> dict[str, Any]:
    """Ask the parts one by one; on another try, only those that were wrong."""
    answers = dict(given or {})
    for number, part in enumerate(asked.question.parts, 1):
        if wrong is None or part.id in wrong:
            console.print(f"\n{number} of {len(asked.question.parts)}: {part.id}", style="bold", markup=False)
            _show_text(console, asked, part)
            answers[part.id] = _typed(part)
    return answers


def _typed(question: Question) -> Any:
    """Ask for an answer; an empty line leaves."""
    form = form_of(question)
    if form.keys:
        return {key: _line(f"{key} ({form.expected})") for key in form.keys}
    return read_answer(question, _line(form.expected.capitalize()))


def _line(label: str) -> str:
    typed = click.prompt(label, default="", show_default=False).strip()
    if not typed:
        raise _Left
    return str(typed)


def _show_streak(console: Console, state: State, question: Question) -> None:
    if mastered(state, question):
        console.print("  Mastered." if question.numbers else "  Done.", style="green")
    elif question.numbers:
        console.print(f"  {streak(state, question)} of {STREAK} fresh variants in a row.", style="dim")
