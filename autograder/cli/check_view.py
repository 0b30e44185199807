"""What the terminal shows of a check: what passed, what failed first, and how to go on. Builds text; `students` prints it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from rich.console import Console

    from autograder.course.model import CheckResult, Lesson
    from autograder.learner.check import Checked
    from autograder.learner.progress import Part, Standing


PRINTED = 12  # lines of a student's own output
HIDDEN_REMAIN = "These are the public checks. Graded, the same is asked with hidden numbers."


def show(console: Console, checked: Checked, lesson: Lesson) -> None:
    """Print what the public checks say of one file."""
    unanswered = [check for check in checked.checks if check.message == "There is no answer yet."]
    console.print(_headline(checked), soft_wrap=True)
    if checked.problem:
        console.print(Padding(Text(checked.problem.replace("`", ""), "yellow"), (0, 0, 0, 2), expand=False))
    if checked.blank:
        console.print(Text("  Nothing is written for it yet.", "dim"))
    elif checked.stopper:
        _failure(console, checked, checked.stopper, lesson, title="Nothing can be judged yet")
    else:
        _one_by_one(console, checked, lesson, unanswered)
    _printed(console, checked)


def _one_by_one(console: Console, checked: Checked, lesson: Lesson, unanswered: list[CheckResult]) -> None:
    """Show every check; one that says what the one before said, and functions that are not written, in a line."""
    from autograder.learner.check import is_unwritten

    said = ""
    unwritten = False
    for check in checked.checks:
        if unwritten and is_unwritten(check):
            console.print(_titled("✗", "red", Text.assemble((check.title, "bold"), (" (not written yet)", "dim"))))
            continue
        unwritten = unwritten or is_unwritten(check)
        if check.outcome == "passed":
            console.print(_titled("✓", "green", Text(check.title)))
        elif check.outcome == "failed" and check not in unanswered:
            _failure(console, checked, check, lesson, again=check.message == said)
            said = check.message
    for line in _waiting(checked, unanswered):
        console.print(Padding(Text(line, "dim"), (0, 0, 0, 2), expand=False))


def _headline(checked: Checked) -> Text:
    if not checked.checks:
        return Text(checked.label, "bold")
    what = "answers" if checked.exercise == "practice" else "public checks"
    words = f": {checked.passed} of {len(checked.checks)} {what} pass, {checked.score:g} of {checked.max_score:g} points"
    return Text.assemble((checked.label, "bold"), (words, "green" if checked.passed == len(checked.checks) else ""))


def _titled(mark: str, style: str, title: Text) -> Table:
    """Put a mark before a title, which may take several lines."""
    row = Table.grid(padding=(0, 1, 0, 0))
    row.add_row(Text(f"  {mark}", style), title)
    return row


def _failure(console: Console, checked: Checked, check: CheckResult, lesson: Lesson, *, again: bool = False, title: str = "") -> None:
    """Show one failure: the message as the grader has it, own lines, where to read, and the line that repeats it."""
    console.print(_titled("✗", "red", Text(title or check.title, "bold")))
    remark = checked.remarks.get(check.id)
    lines = [] if again else [Text(check.message)]
    if remark and not again:
        lines += [Text(f"  {line}", "cyan") for line in remark.lines] + ([Text(remark.advice)] if remark.advice else [])
    if check.section and not again:
        titles = {section.id: section.title for section in lesson.sections}
        lines.append(Text(f"Reread: {titles.get(check.section, check.section)} (course read {check.section})"))
    if check.card and not again:
        lines.append(Text(f"Card: {check.card}"))
    for line in lines:
        console.print(Padding(line, (0, 0, 0, 6), expand=False))
    if remark and remark.command:
        console.print(Text.assemble("      ", (remark.command, "blue")), soft_wrap=True)


def _waiting(checked: Checked, unanswered: list[CheckResult]) -> Iterator[str]:
    waiting = sum(check.outcome == "not_judged" for check in checked.checks)
    if waiting:
        yield f"– {waiting} more {'check waits' if waiting == 1 else 'checks wait'} until these pass."
    if unanswered:
        names = ", ".join(check.id for check in unanswered)
        yield f"– No answer yet: {names}."


def _printed(console: Console, checked: Checked) -> None:
    from autograder.course.text import clean

    lines = [clean(line, 200) for line in checked.stdout.splitlines()]
    if lines:
        console.print(Text("  What your code printed:", "dim"))
        more = [f"... and {len(lines) - PRINTED} lines more"] if len(lines) > PRINTED else []
        for line in lines[:PRINTED] + more:
            console.print(Text(f"    {line}", "dim"), soft_wrap=True)


def say_due(console: Console, cards: tuple[str, ...]) -> None:
    """Say which cards a named misconception brought back."""
    if cards:
        console.print(f"  Due today in course review: {', '.join(cards)}", style="dim", markup=False)


NARROW = 64  # columns, below which a table leaves no room for an objective's words


def table(found: tuple[Standing, ...], width: int) -> Table:
    """One row for each objective, one column for each thing that is done for it."""
    if width < NARROW:
        return _lines(found)
    made = Table(title="Progress")
    made.add_column("objective")
    for name in ("sections\nread", "questions\nmastered", "files that\npass", "cards\ndue"):
        made.add_column(name, justify="right", no_wrap=True)
    for standing in found:
        due = Text("–" if standing.due is None else str(standing.due))
        made.add_row(Text(standing.text), *map(_cell, (standing.read, standing.practised, standing.checked)), due)
    return made


def _lines(found: tuple[Standing, ...]) -> Table:
    made = Table.grid()
    for standing in found:
        made.add_row(Text(standing.text, "bold"))
        for part, words in ((standing.read, "sections read"), (standing.practised, "questions mastered"), (standing.checked, "files pass")):
            made.add_row(Text.assemble("  ", _cell(part), f" {words}"))
        if standing.due is not None:
            made.add_row(Text(f"  {standing.due} card{'s' * (standing.due != 1)} due"))
    return made


def _cell(part: Part) -> Text:
    return Text(f"{part.done} of {part.of}", "green" if part.done == part.of else "")
