"""What a person decides in place of the grader: points, a bonus, more time, and what is excused, on hold or dropped.

Overrides belong to a person, whatever they are called, and are only ever added: a later one of the same kind takes the place of an
earlier one, and one that is withdrawn stays in the gradebook. Points for checks count before lateness, everything else after it. What a
mended exercise has no place for is cut: points above the maximum, and points for a check that no longer exists.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, tzinfo
from difflib import get_close_matches
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from autograder.course.errors import UsageError
from autograder.course.model import Override, OverrideKind, Result
from autograder.course.text import clean, number
from autograder.instructor.identity import former_name
from autograder.instructor.roster import WHO, Person, known_as, read_table, read_time_cell

Key = tuple[str, str, str]  # student, lesson and exercise; the last two are empty for what holds for all of a student's


class Target(Struct, frozen=True):
    """What an override is for: one check, an exercise, or all of a student's."""

    lesson: str = ""
    exercise: str = ""
    check: str = ""

    several: bool = False  # lessons, of which an exercise has to be told
    title: str = ""  # of the check

    def __str__(self) -> str:
        name = f"{self.lesson}/{self.exercise}" if self.several and self.exercise else self.exercise
        return ".".join(filter(None, (name, self.check))) or "everything"

    @property
    def words(self) -> str:
        """What it is for, a check by its title."""
        return f"“{self.title}” of {replace(self, check='')}" if self.title else str(self)


class Applied(Struct, frozen=True):
    """The overrides of one result: of checks by the check's id, of the whole by kind, and those that had to be cut."""

    checks: dict[str, Override] = {}
    whole: dict[str, Override] = {}
    cut: tuple[Override, ...] = ()


def in_force(overrides: Iterable[Override], people: Mapping[str, Person]) -> dict[Key, dict[str, Override]]:
    """Return by person and exercise what has not been withdrawn, by check or kind; the last of several counts."""
    names = {person.known_by: person.student for person in people.values()}
    found: dict[Key, dict[str, Override]] = {}
    for one in overrides:
        own = found.setdefault((names.get(one.student, one.student), one.lesson, one.exercise), {})
        if one.withdrawn:
            own.pop(_slot(one), None)
        else:
            own[_slot(one)] = one
    return {key: own for key, own in found.items() if own}


def _slot(one: Override) -> str:
    return one.check or f":{one.kind}"


def applied(overrides: Iterable[Override], result: Result) -> Applied:
    """Apply overrides to a result: nothing is above its maximum. Where nothing was graded, the exercise's maximum is the only one."""
    most = {check.id: check.max_points for check in result.checks}
    checks, whole, cut, left = dict[str, Override](), dict[str, Override](), list[Override](), result.max_score
    for one in overrides:
        highest = result.max_score if one.kind == "points" and not one.check else one.points
        if one.check:
            highest = most.get(one.check, 0.0) if most else left
        kept = replace(one, points=min(one.points, highest))
        if kept.points < one.points or (one.check and most and one.check not in most):
            cut.append(one)
        if not one.check:
            whole[one.kind] = kept
        elif not most or one.check in most:
            checks[one.check] = kept
            left = round(left - kept.points, 6) if not most else left
    return Applied(checks, whole, tuple(cut))


def cut_notes(result: Result, made: Applied, *, several: bool = False) -> Iterator[str]:
    """Say which overrides count less than was given, because the exercise has changed."""
    for one in made.cut:
        kept = made.checks.get(one.check) if one.check else made.whole[one.kind]
        what = f"{clean(result.student, 60)}: your {number(one.points)} points for {_named(one, several)}"
        yield f"{what} count {number(kept.points)}, its maximum now" if kept else f"{what} count nothing, because it no longer exists"


def _named(one: Override, several: bool) -> str:
    return str(Target(one.lesson, one.exercise, one.check, several))


def final_points(points: float, most: float, whole: Mapping[str, Override]) -> float:
    """Return what an exercise counts in the end, of points after lateness; a bonus may exceed the maximum."""
    if not whole:
        return max(0.0, points)
    given = {kind: one.points for kind, one in whole.items()}
    counted = min(given["points"], most) if "points" in given else points
    return round(max(0.0, counted + given.get("bonus", 0.0) - given.get("deduction", 0.0)), 2)


def whole_remarks(whole: Mapping[str, Override], final: float) -> Iterator[str]:
    """Tell the student what was decided about an exercise as a whole."""
    said: dict[str, str] = {"points": "gave {} points for the exercise", "bonus": "added {} points", "deduction": "deducted {} points"}
    told = [f"Your instructor {said[kind].format(number(one.points))}: {one.reason}" for kind, one in whole.items() if kind in said]
    yield from told
    if told and "excused" not in whole:
        yield f"In all, {number(final)} points count."
    if excused := whole.get("excused"):
        yield f"You are excused from this exercise, so it does not count: {excused.reason}"


# ---- more time


def read_extensions(path: Path, people: Mapping[str, Person], zone: tzinfo | None, notes: list[str]) -> dict[tuple[str, str], datetime]:
    """Read due dates by student and exercise, "" for all; a line that cannot be read is noted. Raise `UsageError` if it is no such list."""
    if not path.exists():
        return {}
    table = read_table(path)
    if "due" not in table.columns or not table.columns & WHO:
        raise UsageError(f"{path}:1: no columns `student` and `due`", "begin it with a line of column names: student,due,exercise")
    known = known_as(people)
    extensions = {}
    for line, cells in table.rows:
        student = next((cells[column] for column in cells if column in WHO), "")
        due = read_time_cell(f"{path.name}:{line}", cells.get("due", ""), zone, notes, day_ends=True)
        if due and student:
            meant = known.get(student.casefold(), student)
            extensions[meant, cells.get("exercise", "")] = due
            if meant in people and former_name(student, meant, people):
                notes.append(f"{path.name}:{line}: `{clean(student, 60)}` is taken for {clean(meant, 60)}, who had that name before")
        elif not due and not cells.get("due"):
            notes.append(f"{path.name}:{line}: no due time for `{clean(student, 60)}`, so the line is left out")
    return extensions


# ---- making them


def find_target(wanted: str, points_of: Mapping[tuple[str, str], Mapping[str, float]], *, several: bool = False) -> Target:
    """Find an EXERCISE, a check as EXERCISE.CHECK, or the only exercise that has a check of this name; "" is all of a student's.

    Where `several` lessons are graded, EXERCISE may be LESSON/EXERCISE. `points_of` holds the maximum points of each check by lesson and
    exercise, of exercises that were graded for the student.
    """
    if not wanted:
        return Target()
    exercise, _, check = wanted.rpartition(".")
    names = {key: (key[1], "/".join(key)) for key in points_of}
    wholes = [Target(*key, several=several) for key in points_of if wanted in names[key]]
    places = wholes or [
        Target(*key, check, several) for key, checks in points_of.items() if check in checks and exercise in ("", *names[key])
    ]
    if len(places) == 1:
        return places[0]
    if places:
        problem = f"several lessons have an exercise `{wanted}`" if wholes else f"several exercises have a check `{check}`"
        raise UsageError(problem, f"choose one of: {', '.join(map(str, places))}")
    known = [str(Target(*key, each, several)) for key, checks in points_of.items() for each in checks]
    close = get_close_matches(wanted, known, n=3, cutoff=0.4) or known[:8]
    raise UsageError(f"no check `{wanted}` was graded for this student", f"choose one, as EXERCISE.CHECK: {', '.join(close)}")


def make_override(person: Person, target: Target, kind: OverrideKind, points: float, most: float, reason: str) -> Override:
    """Override something of a person; `most` is the maximum of what `points` are given for. Raise `UsageError` for what cannot be."""
    if kind == "points" and not target.exercise:
        raise UsageError("points are for one exercise or check, not for everything", "choose which")
    if kind == "points" and not 0 <= points <= most:
        raise UsageError(f"{points:g} points for {target.words}, which has {most:g}", f"give 0 to {most:g} points")
    if kind in ("bonus", "deduction") and not 0 < points < float("inf"):
        raise UsageError(f"a {kind} of {points:g} points", "give more than 0: a bonus adds points, and a deduction takes them away")
    if kind in ("bonus", "deduction") and (target.check or not target.exercise):
        raise UsageError(f"a {kind} for {target.words}", "give it for an exercise")
    if kind in ("excused", "on_hold") and (target.check or (kind == "on_hold" and target.exercise)):
        fix = "hold back everything of the student" if kind == "on_hold" else "excuse the whole exercise"
        raise UsageError(f"{target.words} cannot be {'put on hold' if kind == 'on_hold' else 'excused'} alone", fix)
    if not reason.strip():
        raise UsageError("the reason is empty", "say why, for the student and the record")
    return Override(person.known_by, target.lesson, target.exercise, target.check, points, clean(reason), _now(), kind)


def withdrawals(own: Mapping[Key, Mapping[str, Override]], target: Target, reason: str) -> list[Override]:
    """Withdraw what is in force of one student for a target. Raise `UsageError` with what there is if that is nothing."""
    standing = [one for decided in own.values() for one in decided.values() if one.kind != "dropped"]
    wanted = [one for one in standing if (one.lesson, one.exercise, one.check) == (target.lesson, target.exercise, target.check)]
    if not wanted:
        there = list(dict.fromkeys(_named(one, target.several) for one in standing))
        fix = f"choose one of: {', '.join(there)}" if there else "leave --withdraw out to override something"
        raise UsageError(f"nothing is overridden for {target}", fix)
    return [replace(one, withdrawn=True, reason=clean(reason), made_at=_now()) for one in wanted]


def with_overridden(points_of: Mapping[tuple[str, str], Mapping[str, float]],
                    own: Mapping[Key, Mapping[str, Override]]) -> dict[tuple[str, str], dict[str, float]]:  # fmt: skip
    """Add to the checks of each exercise those that are overridden, though they may no longer exist."""
    found = {key: dict(checks) for key, checks in points_of.items()}
    for decided in own.values():
        for one in decided.values():
            if one.check:
                found.setdefault((one.lesson, one.exercise), {}).setdefault(one.check, 0.0)
    return found


def drop(person: Person, reason: str, *, undo: bool) -> Override:
    """Drop a person from the class, or take them back."""
    return Override(person.known_by, "", "", "", 0.0, clean(reason), _now(), "dropped", withdrawn=undo)


def dropped_of(overrides: Iterable[Override], people: Mapping[str, Person]) -> set[str]:
    """Return who has been dropped from the class, by the names that they have now."""
    decided = in_force((one for one in overrides if one.kind == "dropped"), people)
    return {student for student, _, _ in decided}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
