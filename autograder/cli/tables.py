"""Results as tables for the terminal. Builds them; only the command line prints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from itertools import groupby

from rich.table import Table
from rich.text import Text

from autograder.course.model import Result
from autograder.course.text import clean
from autograder.instructor.measures import Group, Measures, Summary
from autograder.instructor.outputs import points
from autograder.instructor.regrade import Change
from autograder.instructor.similar import Pair

MISCONCEPTIONS = 10
HARD = 8
HELPED = 8
NAMED, SCORE = 20, 9  # what a column of names or misconceptions wants at least, and one of scores


def class_table(results: Iterable[Result], exercises: list[str], width: int) -> Table:
    """One row for each student: the score of each exercise, and what went wrong first.

    Exercises that nobody handed in are left out. Where the others don't fit into `width`, the whole stands in their place.
    """
    found = list(results)
    handed_in = {result.exercise for result in found if result.status != "missing"}
    shown = [exercise for exercise in exercises if exercise in handed_in]
    whole = 2 * NAMED + sum(max(len(exercise), SCORE) + 3 for exercise in shown) > width
    table = Table(title="Scores")
    table.add_column("student")
    for heading in ("handed in", "points") if whole else shown:
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("what went wrong")
    for student, rows in groupby(found, key=lambda result: result.student):
        own = {result.exercise: result for result in rows}
        scores = _whole(own.values()) if whole else [_score(own.get(exercise)) for exercise in shown]
        table.add_row(Text(clean(student, 40)), *scores, Text(", ".join(_marks(own.values()))))
    return table


def _whole(results: Collection[Result]) -> list[Text]:
    earned, most = (sum(numbers) for numbers in zip(*((one.score, one.max_score) for one in results), strict=True))
    here = sum(result.status != "missing" for result in results)
    return [Text(f"{here} of {len(results)}"), Text(f"{points(earned)} / {points(most)}", "green" if earned == most else "")]


def _score(result: Result | None) -> Text:
    if result is None:
        return Text("")
    if result.status != "graded":
        return Text(result.status.replace("_", " "), style="dim")
    style = "green" if result.score == result.max_score else ""
    return Text(f"{points(result.score)} / {points(result.max_score)}", style=style)


def _marks(results: Iterable[Result]) -> list[str]:
    """Name each misconception once, and each way to end that is not simply wrong."""
    marks = []
    for result in results:
        for check in result.checks:
            mark = check.misconception or (check.reason if check.reason not in (None, "wrong", "needs") else None)
            if mark and mark not in marks:
                marks.append(mark)
    return marks


def summary_table(summary: Summary) -> Table:
    """One row for each exercise: how many, and how well."""
    table = Table(title="Summary")
    for name in ("exercise", "graded", "missing", "unreadable", "not judged", "mean", "of"):
        table.add_column(name, justify="left" if name == "exercise" else "right", no_wrap=True)
    for (_, exercise), one in summary.exercises.items():
        counts = [str(one.statuses[status]) for status in ("graded", "missing", "unreadable", "not_judged")]
        table.add_row(exercise, *counts, f"{one.mean:.1f}", points(one.max_score))
    return table


def alike_table(groups: Iterable[Group], of: int = MISCONCEPTIONS) -> Table | None:
    """One row for each wrong answer that several share and no misconception explains, numbered. None where there is none."""
    table = Table(title="Wrong alike, and no misconception explains it")
    for name in ("group", "exercise", "function", "students", "for example"):
        table.add_column(name, justify="right" if name in ("group", "students") else "left")
    for number, group in enumerate(groups, 1):
        if number <= of:
            table.add_row(str(number), group.exercise, group.function, str(len(group.students)), Text(clean(group.students[0], 40)))
    return table if table.row_count else None


def misconception_table(summary: Summary, sections: Mapping[str, str]) -> Table | None:
    """One row for each of the most frequent misconceptions: how many made it, and what the class should reread; None if there is none."""
    counted = Counter(
        {
            (exercise, *misconception): count
            for (_, exercise), one in summary.exercises.items()
            for misconception, count in one.misconceptions.items()
        }
    )
    if not counted:
        return None
    table = Table(title="What the class misunderstood")
    for name in ("misconception", "exercise", "students", "reread"):
        table.add_column(name, justify="right" if name == "students" else "left")
    for (exercise, misconception, section), count in sorted(counted.items(), key=lambda item: (-item[1], item[0]))[:MISCONCEPTIONS]:
        table.add_row(misconception, exercise, str(count), sections.get(section, section))
    return table


def hard_table(made: Measures) -> Table | None:
    """One row for each of the hardest checks that not all passed: what the class earned of it, and whether it tells students apart."""
    table = Table(title="The hardest checks")
    for name in ("check", "exercise", "earned", "telling"):
        table.add_column(name, justify="right" if name in ("earned", "telling") else "left")
    for check in [check for check in made.by_difficulty() if check.difficulty < 1][:HARD]:
        telling = "" if check.discrimination is None else f"{check.discrimination:.2f}"
        table.add_row(Text(clean(check.title, 60)), check.exercise, f"{100 * check.difficulty:.0f} %", telling)
    return table if table.row_count else None


def help_table(made: Measures, mark: float | None) -> Table | None:
    """One row for each of those who need help most."""
    need = made.in_need(mark)
    table = Table(title=f"Who needs help: {len(need)}" + (f", the first {HELPED}" if len(need) > HELPED else ""))
    for name in ("student", "percent", "missing", "what went wrong"):
        table.add_column(name, justify="right" if name == "percent" else "left")
    for row in need[:HELPED]:
        table.add_row(Text(clean(row.student, 40)), f"{row.percent:.1f}", ", ".join(row.missing), Text(", ".join(row.marks[:4])))
    return table if need else None


def pair_table(found: Iterable[Pair]) -> Table:
    """One row for each pair whose code is alike, and on which lines."""
    table = Table(title="Alike beyond the starter and the class")
    for name in ("exercise", "alike", "student", "lines", "student", "lines"):
        table.add_column(name, justify="right" if name == "alike" else "left")
    for pair in found:
        sides = [(Text(clean(who, 40)), _ranges(lines)) for who, lines in zip((pair.first, pair.second), pair.lines, strict=True)]
        table.add_row(pair.exercise, f"{100 * pair.share:.0f} %", *sides[0], *sides[1])
    return table


def _ranges(lines: Iterable[int]) -> str:
    """Write lines as a few ranges: 3-5, 9."""
    made: list[list[int]] = []
    for line in lines:
        if made and line <= made[-1][1] + 2:
            made[-1][1] = line
        else:
            made.append([line, line])
    return ", ".join(f"{first}-{last}" if first < last else f"{first}" for first, last in made[:4]) + (", …" if len(made) > 4 else "")


def change_table(changes: Iterable[Change]) -> Table:
    """One row for each student and exercise: what counts before and after, by how much it differs, and why."""
    table = Table(title="Who changes")
    for name in ("student", "exercise", "before", "after", "by", "why"):
        table.add_column(name, justify="right" if name in ("before", "after", "by") else "left")
    for one in changes:
        table.add_row(Text(clean(one.student, 40)), one.exercise, _shown(one.before), _shown(one.after), f"{one.by:+g}", Text(_why(one)))
    return table


def check_table(changes: Iterable[Change]) -> Table:
    """One row for each check that moved: for how many up, for how many down."""
    up: Counter[tuple[str, str]] = Counter()
    down: Counter[tuple[str, str]] = Counter()
    for one in changes:
        for moved in one.moved:
            (up if moved.after > moved.before else down)[one.exercise, moved.check] += 1
    table = Table(title="Which checks change")
    for name in ("exercise", "check", "more points", "fewer"):
        table.add_column(name, justify="right" if name in ("more points", "fewer") else "left")
    for exercise, check in sorted({*up, *down}, key=lambda key: (-up[key] - down[key], key)):
        table.add_row(exercise, check, str(up[exercise, check]), str(down[exercise, check]))
    return table


def _why(one: Change) -> str:
    reasons = ["handed in anew"] if one.anew else []
    for moved in one.moved:
        stays = " (yours stays)" if moved.decided else ""
        reasons.append(f"{moved.check} {points(moved.before)} → {points(moved.after)}{stays}")
    return ", ".join(reasons)


def _shown(value: float | None) -> str:
    return "" if value is None else points(value)
