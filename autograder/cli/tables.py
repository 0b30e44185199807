"""Tables of results for the terminal, and the lines of one student's. They are built here and printed by the commands."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import groupby

from rich.table import Table
from rich.text import Text

from autograder.course.model import STATUSES, Result
from autograder.course.text import clean, number
from autograder.instructor.evidence import CheckEvidence, Evidence, ExerciseEvidence
from autograder.instructor.grades import Sections, name_of
from autograder.instructor.measures import MISCONCEPTIONS, Group, Measures
from autograder.instructor.outputs import MARKS
from autograder.instructor.regrade import GradeChange
from autograder.instructor.similar import Pair

SHARED, HARD, HELPED = 10, 8, 8  # rows shown
PRINTED = 40  # lines of what a student's code printed
NAMES_WIDTH, SCORE_WIDTH = 20, 9  # the least width of a column


def _table(title: str, *columns: str, no_wrap: bool = False) -> Table:
    """Make an empty table; a column with `>` before its name is aligned to the right."""
    table = Table(title=title)
    for name in columns:
        table.add_column(name.lstrip(">"), justify="right" if name.startswith(">") else "left", no_wrap=no_wrap)
    return table


def class_table(results: Iterable[Result], exercises: list[str], width: int, *, several: bool = False) -> Table:
    """One row for each student: the score of each exercise, and what went wrong; `several` says that there are several lessons.

    Exercises that nobody submitted are left out. If the others don't fit into `width`, their total is shown instead.
    """
    listed = list(results)
    submitted = {name_of(one.lesson, one.exercise, several=several) for one in listed if one.status != "missing"}
    shown = [exercise for exercise in exercises if exercise in submitted]
    total = 2 * NAMES_WIDTH + sum(max(len(exercise), SCORE_WIDTH) + 3 for exercise in shown) > width
    table = _table("Scores", "student")
    for heading in ("submitted", "points") if total else shown:
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("what went wrong")
    for student, rows in groupby(listed, key=lambda result: result.student):
        own = {name_of(one.lesson, one.exercise, several=several): one for one in rows}
        scores = _total(own.values()) if total else [_score(own.get(exercise)) for exercise in shown]
        table.add_row(Text(clean(student, 40)), *scores, Text(", ".join(_marks(own.values()))))
    return table


def _total(results: Collection[Result]) -> list[Text]:
    earned, most = sum(result.score for result in results), sum(result.max_score for result in results)
    submitted = sum(result.status != "missing" for result in results)
    return [Text(f"{submitted} of {len(results)}"), Text(f"{number(earned)} / {number(most)}", "green" if earned == most else "")]


def _score(result: Result | None) -> Text:
    if result is None:
        return Text("")
    if result.status != "graded":
        return Text(result.status.replace("_", " "), style="dim")
    return Text(f"{number(result.score)} / {number(result.max_score)}", "green" if result.score == result.max_score else "")


def _marks(results: Iterable[Result]) -> list[str]:
    """List each misconception once, and each outcome that is not simply wrong."""
    checks = (check for result in results for check in result.checks)
    marks = (check.misconception or (check.reason if check.reason not in ("wrong", "needs") else None) for check in checks)
    return list(dict.fromkeys(mark for mark in marks if mark))


def summary_table(made: Measures) -> Table:
    """One row for each exercise: how many results of each status, and the mean score."""
    crowded = made.count("unrecognised")  # then columns of zeros make room for it
    shown = [status for status in STATUSES if made.count(status) or (status != "unrecognised" and not crowded)]
    table = _table("Summary", "exercise", *(f">{status.replace('_', ' ')}" for status in shown), ">mean", ">of", no_wrap=True)
    for exercise, one in made.exercises.items():
        counts = [str(one.statuses[status]) for status in shown]
        table.add_row(exercise, *counts, f"{one.mean:.1f}", number(one.max_score))
    return table


def shared_errors_table(groups: Sequence[Group], most: int = SHARED) -> Table | None:
    """One numbered row for each wrong answer that students share and no misconception explains; None if there is none."""
    table = _table("Shared wrong answers that no misconception explains", ">group", "exercise", "function", ">students", "for example")
    for place, group in enumerate(groups[:most], 1):
        table.add_row(str(place), group.exercise, group.function, str(len(group.students)), Text(clean(group.students[0], 40)))
    return table if table.row_count else None


def misconception_table(made: Measures, sections: Sections) -> Table | None:
    """One row for each of the most frequent misconceptions: how many students, and what they should reread; None if there is none."""
    table = _table("What the class misunderstood", "misconception", "exercise", ">students", "reread")
    found = made.by_misconceptions()
    for one in found[:MISCONCEPTIONS]:
        table.add_row(one.id, one.exercise, str(one.students), sections.get(one.lesson, {}).get(one.section, one.section))
    table.caption = f"and {len(found) - MISCONCEPTIONS} more" if len(found) > MISCONCEPTIONS else None
    return table if table.row_count else None


def hard_table(made: Measures) -> Table | None:
    """One row for each of the hardest checks: how much of it was earned, and how well it tells strong from weak students."""
    table = _table("The hardest checks", "check", "exercise", ">earned", ">discrimination")
    for check in [check for check in made.by_difficulty() if check.difficulty < 1][:HARD]:
        discrimination = "" if check.discrimination is None else f"{check.discrimination:.2f}"
        table.add_row(Text(clean(check.title, 60)), check.exercise, f"{100 * check.difficulty:.0f} %", discrimination)
    return table if table.row_count else None


def help_table(made: Measures, mark: float | None) -> Table | None:
    """One row for each of the students who need help most; None if nobody does."""
    need = made.in_need(mark)
    title = f"Who needs help: {len(need)}" + (f", the first {HELPED}" if len(need) > HELPED else "")
    table = _table(title, "student", ">percent", "missing", "what went wrong")
    for row in need[:HELPED]:
        table.add_row(Text(clean(row.student, 40)), f"{row.percent:.1f}", ", ".join(row.missing), Text(", ".join(row.marks[:4])))
    return table if need else None


def pair_table(pairs: Iterable[Pair]) -> Table:
    """One row for each pair with similar code, and on which lines."""
    table = _table("Similar code, beyond the starter and the class's", "exercise", ">similar", "student", "lines", "student", "lines")
    for pair in pairs:
        sides = [(Text(clean(who, 40)), _ranges(lines)) for who, lines in zip((pair.first, pair.second), pair.lines, strict=True)]
        table.add_row(pair.exercise, f"{100 * pair.share:.0f} %", *sides[0], *sides[1])
    return table


def _ranges(lines: Iterable[int]) -> str:
    """Write lines as a few ranges: 3-5, 9."""
    ranges: list[list[int]] = []
    for line in lines:
        if ranges and line <= ranges[-1][1] + 2:
            ranges[-1][1] = line
        else:
            ranges.append([line, line])
    return ", ".join(f"{first}-{last}" if first < last else f"{first}" for first, last in ranges[:4]) + (", …" if len(ranges) > 4 else "")


def change_table(changes: Iterable[GradeChange]) -> Table:
    """One row for each changed grade: before, after, the difference, and why."""
    table = _table("Changed grades", "student", "exercise", ">before", ">after", ">difference", "why")
    kept = {True: " (your override is kept)", False: ""}
    for change in changes:
        grades = ("" if grade is None else number(grade) for grade in (change.before, change.after))
        why = ["resubmitted"] if change.resubmitted else []
        why += [f"{check.check} {number(check.before)} → {number(check.after)}{kept[check.overridden]}" for check in change.checks]
        table.add_row(Text(clean(change.student, 40)), change.exercise, *grades, f"{change.difference:+g}", Text(", ".join(why)))
    return table


def check_table(changes: Iterable[GradeChange]) -> Table:
    """One row for each changed check: how many students get more points, and how many fewer."""
    counts = Counter((change.exercise, check.check, check.after > check.before) for change in changes for check in change.checks)
    table = _table("Changed checks", "exercise", "check", ">more points", ">fewer")
    checks = {(exercise, check) for exercise, check, _ in counts}
    for key in sorted(checks, key=lambda key: (-counts[*key, True] - counts[*key, False], key)):
        table.add_row(*key, str(counts[*key, True]), str(counts[*key, False]))
    return table


def evidence_lines(evidence: Evidence) -> Iterator[str]:
    """Write all that lies behind one student's grades."""
    person = evidence.person
    known = filter(None, (person.id, person.school_id, person.login, person.email))
    yield clean(" · ".join((person.student, *known)), 300)
    for one in evidence.exercises:
        yield from _exercise_lines(one)


def _exercise_lines(one: ExerciseEvidence) -> Iterator[str]:
    yield f"\n{one.exercise}: {one.points}"
    for line in one.attempts:
        facts = (f"handed in {line.handed_in}" if line.handed_in else "", f"graded {line.graded_at} in {line.round}")
        came = (line.status.replace("_", " "), line.points, "counts" if line.counts else "")
        yield f"  attempt {line.number}: {', '.join(filter(None, (*facts, *came)))}"
    yield from (f"  {clean(remark, 1_000)}" for remark in one.remarks)
    for file in one.code:
        yield f"\n  {clean(file.name, 200)}"
        yield from (f"  {number:>5}  {line}".rstrip() for number, line in enumerate(file.lines, 1))
    if one.printed:
        yield "\n  It printed:"
        printed = one.printed.rstrip("\n").split("\n")
        yield from (f"    {line}".rstrip() for line in printed[:PRINTED])
        yield from (f"    ... and {more} more lines, which --html shows" for more in (len(printed) - PRINTED,) if more > 0)
    for check in one.checks:
        yield from _check_lines(check)


def _check_lines(check: CheckEvidence) -> Iterator[str]:
    told = check.told
    yield f"\n  {MARKS[told.check.outcome]} {clean(told.check.title, 200)} ({told.points}, {told.check.id})"
    yield from (f"    {clean(line, 1_000)}" for line in (*told.override, *told.check.message.split("\n")) if line)
    if check.note and not check.calls:
        yield f"    With the round's numbers: {clean(check.note, 1_000)}"
    for call in check.calls:
        yield f"    {call.text}"
        values = [f"gave {call.got}"] * bool(call.got) + [clean(call.ended, 1_000)] * bool(call.ended)
        yield from (f"      {line}" for line in (*values, *(f"expected {value}" for value in call.expected)))
        yield from (f"      wrong: {clean(words, 600)}" for words in call.wrong)
