"""What the terminal shows: a check of a file, progress, review statistics, the lesson. Built here, printed by the commands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.console import RenderableType, group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from autograder.course.text import clean, formulas_in_unicode, lasting

if TYPE_CHECKING:
    from rich.console import Console

    from autograder.author.lint.context import LintContext
    from autograder.course.model import CheckResult, Lesson
    from autograder.grading.feedback import CheckFeedback
    from autograder.learner.check import Checked, Remark
    from autograder.learner.progress import Part, Plan, Standing
    from autograder.learner.review.stats import Days, Stats
    from autograder.learner.workspace import State

PRINTED = 12  # lines of a student's own output


def show(console: Console, checked: Checked, lesson: Lesson) -> None:
    """Print what the public checks found in one file."""
    console.print(headline(checked), soft_wrap=True)
    if checked.problem:
        console.print(Padding(Text(checked.problem.replace("`", ""), "yellow"), (0, 0, 0, 2), expand=False))
    if checked.blank:
        console.print(Text("  Nothing is written for it yet.", "dim"))
    elif checked.stopper:
        (told,) = _feedback((checked.stopper,), lesson)
        _failure(console, told, checked.remarks.get(told.check.id), title="Nothing can be checked yet")
    else:
        _one_by_one(console, checked, lesson)
    if lines := [clean(line, 200) for line in checked.stdout.splitlines()]:
        console.print(Text("  What your code printed:", "dim"))
        more = [f"... and {len(lines) - PRINTED} more lines"] if len(lines) > PRINTED else []
        for line in lines[:PRINTED] + more:
            console.print(Text(f"    {line}", "dim"), soft_wrap=True)


def _feedback(checks: tuple[CheckResult, ...], lesson: Lesson) -> Iterator[CheckFeedback]:
    from autograder.grading.feedback import check_feedback

    return check_feedback(checks, {section.id: section.title for section in lesson.sections})


def _one_by_one(console: Console, checked: Checked, lesson: Lesson) -> None:
    """Show every check; functions that are not written yet, except the first, take a line each."""
    from autograder.learner.check import is_unwritten

    unwritten = False
    for told in _feedback(checked.checks, lesson):
        check = told.check
        if unwritten and is_unwritten(check):
            console.print(_titled("✗", "red", Text.assemble((check.title, "bold"), (" (not written yet)", "dim"))))
            continue
        unwritten = unwritten or is_unwritten(check)
        if check.outcome == "passed":
            console.print(_titled("✓", "green", Text(check.title)))
        elif check.outcome == "failed" and not _is_unanswered(check):
            _failure(console, told, checked.remarks.get(check.id))
    if waiting := sum(check.outcome == "not_judged" for check in checked.checks):
        words = f"– {waiting} more {'check waits' if waiting == 1 else 'checks wait'} until these pass."
        console.print(Padding(Text(words, "dim"), (0, 0, 0, 2), expand=False))
    if names := [check.id for check in checked.checks if _is_unanswered(check)]:
        console.print(Padding(Text(f"– No answer yet: {', '.join(names)}.", "dim"), (0, 0, 0, 2), expand=False))


def _is_unanswered(check: CheckResult) -> bool:
    return check.failure is not None and check.failure.kind == "unanswered"


def headline(checked: Checked) -> Text:
    """Return how many public checks of one file pass, in a line."""
    if not checked.checks:
        return Text(checked.label, "bold")
    what = "answers" if checked.exercise == "practice" else "public checks"
    words = f": {checked.passed} of {len(checked.checks)} {what} pass, {checked.score:g} of {checked.max_score:g} points"
    return Text.assemble((checked.label, "bold"), (words, "green" if checked.passed == len(checked.checks) else ""))


def _titled(mark: str, style: str, title: Text) -> Table:
    row = Table.grid(padding=(0, 1, 0, 0))
    row.add_row(Text(f"  {mark}", style), title)
    return row


def _failure(console: Console, told: CheckFeedback, remark: Remark | None, title: str = "") -> None:
    """Show one failure, and the command that repeats it."""
    console.print(_failed(told, remark, title))
    if remark and remark.command and not told.again:
        console.print(Text.assemble("      ", (remark.command, "blue")), soft_wrap=True)


@group()
def _failed(told: CheckFeedback, remark: Remark | None, title: str = "") -> Iterator[RenderableType]:
    """One failure: the grader's message, the student's own lines, and where to read on."""
    yield _titled("✗", "red", Text(title or told.check.title, "bold"))
    lines = [Text(line) for line in told.message]
    if remark and not told.again:
        lines += [Text(f"  {line}", "cyan") for line in remark.lines]
    lines += [Text(line.replace("`", "")) for line in told.next]
    for line in lines:
        yield Padding(line, (0, 0, 0, 6), expand=False)


def failures(checked: Checked, lesson: Lesson) -> list[RenderableType]:
    """Return what fails in one file, each as it is shown, without the commands that repeat it."""
    if checked.stopper:
        (told,) = _feedback((checked.stopper,), lesson)
        return [_failed(told, checked.remarks.get(told.check.id), "Nothing can be checked yet")]
    failed = [told for told in _feedback(checked.checks, lesson) if told.check.outcome == "failed" and not _is_unanswered(told.check)]
    return [_failed(told, checked.remarks.get(told.check.id)) for told in failed]


def say_due(console: Console, cards: tuple[str, ...]) -> None:
    """Print which cards a misconception brought back."""
    if cards:
        console.print(f"  Due today in course review: {', '.join(cards)}", style="dim", markup=False)


def questions_table(lesson: Lesson, state: State) -> Table:
    """Return the questions, the core before those that are optional, each with how far it is."""
    from autograder.learner.practice import STREAK, core_minutes, in_order, mastered, streak

    made, core = Table.grid(padding=(0, 2, 0, 0)), None
    for question in in_order(lesson):
        if question.core is not core:
            core = question.core
            made.add_row(Text(f"Core, about {core_minutes(lesson)} minutes" if core else "Optional", "bold"))
        row = f"{min(streak(state, question), STREAK)} of {STREAK} in a row" if question.repeated else "not yet"
        done = mastered(state, question)
        made.add_row(Text(f"  {question.id}"), Text("done", "green") if done else Text(row, "dim"))
    return made


NARROW = 64  # columns; a narrower table has no room for an objective's text


def progress_table(found: tuple[Standing, ...], width: int) -> Table:
    """Return a table of the objectives, with a column for each kind of work."""
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


def plan_line(plan: Plan) -> str:
    """Say what is left to do, in a line."""
    parts = (
        f"{plan.minutes} min reading left" * bool(plan.minutes),
        _count(plan.core, "core question") * bool(plan.core),
        f"{_count(plan.due, 'card')} due" * bool(plan.due),
        _count(plan.new, "new card") * bool(plan.new),
        f"next {plan.exercise}.py{f' ({plan.writing} min)' * bool(plan.writing)}" if plan.exercise else "",
    )
    return f"Today: {', '.join(filter(None, parts)) or 'nothing is left'}"


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


EIGHTHS = " ▁▂▃▄▅▆▇█"
HEIGHT = 4  # lines of the columns
BAR = 30  # characters of a whole bar


@group()
def stats_view(stats: Stats) -> Iterator[RenderableType]:
    """Return all review statistics, one below the other."""
    yield Text(f"{_count(stats.answers, 'answer')} in {lasting(stats.minutes)}{_on(stats.days)}." if stats.answers else "No answers yet.")
    yield Text(f"\nDue in the next {len(stats.due)} days: {sum(stats.due)}", "bold")
    if any(stats.due):
        yield from _columns(stats.due)
    if stats.months:
        yield Text("\nStill known when it came back", "bold")
        yield _months(stats)
    if stats.hardest:
        yield Text("\nThe hardest cards", "bold")
        yield _hardest(stats)
    yield Text("\nBy objective", "bold")
    yield _objectives(stats)
    if stats.flagged:
        yield Text(f"\nFlagged: {', '.join(dict.fromkeys(face.card.id for face in stats.flagged))}")


def _on(days: Days) -> str:
    if days.row > 1:
        return f", {days.row} days in a row{f' (the longest streak: {days.longest})' if days.longest > days.row else ''}"
    return f", on {_count(days.all, 'day')}{f'; the longest streak: {days.longest} days' if days.longest > 1 else ''}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _columns(counts: tuple[int, ...]) -> Iterator[Text]:
    """Draw a column for each day, two characters wide, with the days below."""
    highest = max(counts)
    for line in reversed(range(HEIGHT)):
        label = f"{highest if line == HEIGHT - 1 else '':>5} "
        eighths = [round(count / highest * HEIGHT * 8) - line * 8 for count in counts]
        yield Text(label + "".join(EIGHTHS[max(0, min(8, eighth))] * 2 for eighth in eighths))
    days = "".join(f"{f'+{day}' if day else 'today':<10}" for day in range(0, len(counts), 5))
    yield Text(f"{0:>5} {days}".rstrip(), "dim")


def _months(stats: Stats) -> Table:
    table = Table.grid(padding=(0, 2))
    for month in stats.months:
        share = month.known / month.asked
        bar = Text("█" * round(share * BAR) + "░" * (BAR - round(share * BAR)), "green")
        table.add_row(f"  {month.first:%Y-%m}", bar, f"{share:.0%}", Text(f"{month.known} of {month.asked}", "dim"))
    return table


def _hardest(stats: Stats) -> Table:
    table = Table.grid(padding=(0, 2))
    for hard in stats.hardest:
        times = {1: "once", 2: "twice"}.get(hard.lapses, f"{hard.lapses} times")
        front = Text(" ".join(formulas_in_unicode(hard.face.front).replace("*", "").split()), no_wrap=True)
        front.truncate(60, overflow="ellipsis")
        table.add_row(f"  {hard.face.id.partition('/')[2]}", Text(f"forgotten {times}", "dim"), front)
    return table


def _objectives(stats: Stats) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False)
    table.add_column("  objective")
    for name in ("begun", "due", "known now"):
        table.add_column(name, justify="right")
    for part in stats.parts:
        known = "–" if part.known is None else f"{part.known:.0%}"
        table.add_row(f"  {part.objective}", f"{part.begun} of {part.faces}", str(part.due), known)
    return table


def map_table(context: LintContext) -> Table:
    """Return the map of a lesson: below each objective its sections, cards and so on, with "none" marked."""
    from autograder.author.lint.lesson import COLUMNS, coverage

    table, texts = Table.grid(padding=(0, 2, 0, 0)), {objective.id: objective.text for objective in context.lesson.objectives}
    for objective, row in coverage(context).items():
        table.add_row(Text(objective, "bold"), Text(texts[objective], "bold"))
        for column in COLUMNS:
            shown = str(len(row[column])) if column == "cards" else ", ".join(row[column])
            table.add_row(f"  {column}", Text(shown) if row[column] else Text("none", "red"))
    return table
