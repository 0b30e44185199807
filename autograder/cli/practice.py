"""`course practice`: ask a question, mark the answer, show the working; then the next."""

from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.markdown import Markdown

from autograder.cli.context import LESSON, now, opened_workspace
from autograder.cli.views import questions_table, say_due
from autograder.course.kinds import form_of, misread
from autograder.course.model import Question
from autograder.course.own_practice import FOR
from autograder.course.text import formulas_in_unicode
from autograder.grading.feedback import mark_message, remark_words
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
    prompt_of,
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
@click.option("--list", "listing", is_flag=True, help="List the questions, which are core, and which you have mastered.")
@click.option("--for-grading", "student", metavar="ID", help="Show the questions that count, with your own numbers.")
@LESSON
@click.pass_obj
def practice(root: Path | None, question: str | None, fresh: bool, seed: int | None, listing: bool, student: str | None,
             lesson: str | None) -> None:  # fmt: skip
    """Answer the lesson's questions in the terminal.

    Asks QUESTION, or all questions that you have not mastered: the core first; the others are optional. A choice is answered with its
    number, its letter or its id. An empty line leaves. A wrong answer costs nothing: try again, or look at the working. A question
    with one number is mastered after three fresh variants in a row, every other one once it is right.

    Usually practice is open: everybody answers the lesson's own numbers, and may look up anything. Where your course says that it
    counts, each student has their own: --for-grading ID shows them, with your number, login or name as ID. They are not marked here.
    """
    console = Console(highlight=False)
    if student is not None:
        _show_sheet(console, root, lesson, student)
        return
    with opened_workspace(root, lesson) as (workspace, state):
        if listing:
            console.print(questions_table(workspace.lesson, state))
            return
        functions = functions_of(workspace.root, workspace.lesson)
        chosen = choose(workspace.lesson, state, question)
        if chosen is None:
            mastered_all = "You have mastered every question. To practise one again: course practice QUESTION"
            console.print(mastered_all if workspace.lesson.questions else "This lesson has no questions.", markup=False)
        try:
            seen: set[str] = set()
            while chosen is not None:
                _practise(console, workspace, state, functions, chosen, fresh or chosen.id in seen, seed)
                seen.add(chosen.id)
                was_core = chosen.core
                if seed is not None:
                    break
                chosen = _following(workspace, state, chosen, question)
                if was_core and chosen and not chosen.core:
                    console.print("\nThe core is done. All other questions are optional; an empty line leaves.", style="green")
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
    given = _typed_parts(console, asked) if question.parts else _typed(console, question)
    while (made := answer(state, asked, given, functions)).outcome != "passed":
        for line in mark_message(question, made).split("\n"):
            console.print(f"  ✗ {line}", style="red", markup=False)
        if made.section:
            console.print(f"  Reread: course read {made.section}", style="dim", markup=False)
        say_due(console, bring_back(workspace, [made], f"practice {question.id}", now()))
        typed = click.prompt("Try again, or see the working (w)", default="", show_default=False, prompt_suffix=": ").strip()
        if typed.lower() in ("w", "working"):
            break
        wrong = {remark.part for remark in made.remarks}
        given = _typed_parts(console, asked, given, wrong, typed) if question.parts else _typed(console, question, typed)
    else:
        console.print("  ✓ Right.", style="green")
        if workspace.lesson.practice == "open":
            console.print(f"  To hand it in, write in answers.yaml: {for_answers(asked, given)}", style="dim", markup=False, soft_wrap=True)
    for line in shown_working(asked, functions):
        console.print(f"    {line}", markup=False)
    _show_streak(console, state, question)


def _show_question(console: Console, asked: Asked) -> None:
    seed = "" if asked.seed is None else f" (seed {asked.seed})"
    console.print()
    console.rule(f"{asked.question.id}{seed}, {_importance(asked.question)}", align="left", style="dim")
    _show_text(console, asked, msgspec.structs.replace(asked.question, parts=()))


def _importance(question: Question) -> str:
    return "core" if question.core else "optional"


def _show_text(console: Console, asked: Asked, question: Question) -> None:
    text = formulas_in_unicode(question_text(question, asked.numbers, "{place}. `{id}`: {text}"))
    console.print(Markdown(text))


def _typed_parts(console: Console, asked: Asked, given: dict[str, Any] | None = None, wrong: set[str] | None = None,
                 typed: str = "") -> dict[str, Any]:  # fmt: skip
    """Ask the parts one by one; on another try, only those that were wrong, of which the first may be answered already."""
    answers = dict(given or {})
    for number, part in enumerate(asked.question.parts, 1):
        if wrong is None or part.id in wrong:
            if not typed:
                console.print(f"\n{number} of {len(asked.question.parts)}: {part.id}", style="bold", markup=False)
                _show_text(console, asked, part)
            answers[part.id], typed = _typed(console, part, typed), ""
    return answers


def _typed(console: Console, question: Question, typed: str = "") -> Any:
    """Ask for an answer until it can be read; `typed` is one already. An empty line leaves."""
    form = form_of(question)
    if not form.keys:
        return _read(console, question, prompt_of(question), typed)
    answers = {}
    for key in form.keys:
        answers[key], typed = _read(console, question, f"{key} ({prompt_of(question)})", typed, key), ""
    return answers


def _read(console: Console, question: Question, label: str, typed: str, key: str = "") -> Any:
    """Ask for a line until it can be read. What is only mistyped costs nothing."""
    while True:
        given = read_answer(question, typed or _line(label))
        problems = misread(question, {key: given} if key else given)
        if not (problems := tuple(one for one in problems if not key or one.kind != "unmatched")):
            return given
        for problem in problems:
            console.print(f"  {remark_words(question, problem)}", style="yellow", markup=False)
        typed = ""


def _line(label: str) -> str:
    typed = click.prompt(label, default="", show_default=False).strip()
    if not typed:
        raise _Left
    return str(typed)


def _show_streak(console: Console, state: State, question: Question) -> None:
    if mastered(state, question):
        console.print("  Mastered." if question.repeated else "  Done.", style="green")
    elif question.repeated:
        console.print(f"  {streak(state, question)} of {STREAK} fresh variants in a row.", style="dim")
