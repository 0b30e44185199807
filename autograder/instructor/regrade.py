"""Grade a run again, after a check was fixed, and compare: whose grade changes, and because of which checks.

It grades into a copy of the gradebook, with the numbers of the same round; only `apply` brings the copy's results into OUT. What the fix
cannot affect is reused, as in every run. Overrides and extensions stay as they are.
"""

import shutil
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from heapq import merge
from itertools import groupby, repeat
from pathlib import Path

from msgspec import Struct, field
from msgspec.structs import replace

from autograder.course.errors import UsageError
from autograder.course.model import Course, Submission
from autograder.course.student_files import read_handout
from autograder.grading.rounds import find_round
from autograder.instructor.grade import GRADEBOOK, GradeRequest, Plan, Run, identified, make_plan, open_graded, run_plan
from autograder.instructor.gradebook import Gradebook, standing
from autograder.instructor.grades import Grade, GradingRules, grades, name_of, read_rules
from autograder.instructor.identity import Identified, find_student
from autograder.instructor.outputs import write_files


class CheckChange(Struct, frozen=True):
    """One check that earns other points than before. If it is `overridden`, the student's points stay the same."""

    check: str
    before: float
    after: float
    message: str
    overridden: bool


class GradeChange(Struct, frozen=True):
    """One student's exercise whose grade changes; `before` or `after` is None if there was or is none."""

    student: str
    exercise: str
    before: float | None
    after: float | None
    checks: tuple[CheckChange, ...]
    resubmitted: bool = False  # the file is not the one that was graded before

    @property
    def difference(self) -> float:
        return round((self.after or 0) - (self.before or 0), 2)


class RegradeReport(Struct, frozen=True):
    """What grading again did: how many results were compared, what changes, the faults of ours, and whether it was written."""

    compared: int
    changes: tuple[GradeChange, ...]
    faults: tuple[str, ...]
    graded: int
    interrupted: bool
    written: bool
    kept: int = 0  # students whose submissions were not graded again
    cut: tuple[str, ...] = ()  # overrides that count less than was given


def regrade(course: Course, out: Path, submissions: Path | None, walls: tuple[str, ...], workers: int | None,
            progress: Callable[[int, int], None], *, apply: bool, fresh: bool, student: str = "") -> RegradeReport:  # fmt: skip
    """Grade the class of OUT, or one `student`, again; with `apply`, write the results once all are there.

    `submissions` is where those of the last run are now, if they were moved. Raise `UsageError` if they cannot be graded again.
    """
    changed = {"out": out, "walls": walls, "workers": workers, "fresh": fresh}
    with open_graded(out) as (book, before), _copy_of(book, out) as path:
        with Gradebook(path, book.seals) as copy:
            rules = read_rules(out, copy, course.policy)
            name = find_student(student, copy.students(before), rules.people) if student else ""
            sources = _sources(copy, before, out, submissions, rules, name)
            runs: list[Run] = []
            for source in sources:
                if not any(run.interrupted for run in runs):
                    runs.append(_again(course, replace(source.request, **changed), source, copy, _after(runs, progress)))
            rules = read_rules(out, copy, course.policy)
            changes = tuple(compare(copy, before, runs[-1].name, rules))
            cut = tuple(line for grade in grades(copy, runs[-1].name, rules) for line in grade.cut)
            chosen = map(rules.choose, copy.attempts(runs[-1].name))
            found = {"", *(run.name for run in runs)}
            kept = len({one.result.student for one in chosen if one.found_by not in found})
        interrupted, faults = any(run.interrupted for run in runs), tuple(line for run in runs for line in run.faults)
        written = apply and not interrupted and not faults
        if written:
            book.adopt(path, [run.name for run in runs])
            write_files(out, course, book, runs[-1].name, read_rules(out, book, course.policy))
    done, reused = sum(run.done for run in runs), sum(run.reused for run in runs)
    return RegradeReport(done, changes, faults, done - reused, interrupted, written, kept, cut)


class _Source(Struct):
    """Submissions of the class that are found in one place: what was asked of them, in which round, and whose they are.

    It `is_needed` if attempts that count are among them.
    """

    request: GradeRequest
    round: str
    students: set[str] = field(default_factory=set)
    is_needed: bool = False


def _sources(book: Gradebook, run: str, out: Path, submissions: Path | None, rules: GradingRules, student: str) -> list[_Source]:
    """Return where the submissions of the class, or of one student, are, the last at the end: those that count, and others that are there.

    With `submissions`, those of the last run are there now, and nothing else is graded again.
    """
    runs: dict[str, tuple[GradeRequest, str]] = {}
    found: dict[tuple[GradeRequest, str], _Source] = {}
    for attempts in book.attempts(run):
        if student not in ("", attempts[0].result.student):
            continue
        chosen = rules.choose(attempts)
        for one in standing(attempts) if rules.policy.counts == "best" else [chosen]:
            name = one.found_by or run
            key = runs.get(name) or (_request(book, name, out, student, one.result.lesson), one.result.round)
            source = found.setdefault(runs.setdefault(name, key), _Source(*key))
            source.students.add(one.result.student)
            source.is_needed |= one == chosen
    if not found:
        raise UsageError(f"{out}: the last run graded nothing", "run `course grade` again, with this --out")
    order = book.runs()
    places = {key: max(order.index(name) for name, of in runs.items() if of == key) for key in found}
    listed = [found[key] for key in sorted(found, key=lambda key: places[key])]
    if submissions:
        listed = [replace(listed[-1], request=replace(listed[-1].request, submissions=submissions), is_needed=True)]
    return [source for source in listed if _is_there(source)]


def _is_there(source: _Source) -> bool:
    place = source.request.submissions
    if source.is_needed and not place.exists():
        raise UsageError(f"{place}: the submissions are no longer there", "say where they are: `course regrade OUT SUBMISSIONS`")
    return place.exists()


def class_submissions(course: Course, out: Path, exercises: Collection[tuple[str, str]], student: str = "",
                      submissions: Path | None = None) -> Iterator[Submission]:  # fmt: skip
    """Read the files that count of the class of OUT, or of one student, wherever they are. Raise `UsageError` if they are gone.

    `exercises` are named with their lessons. `submissions` is where those of the last run are now, if they were moved.
    """
    with Gradebook(out / GRADEBOOK) as book:
        run, rules = book.last_run() or "", read_rules(out, book, course.policy)
        chosen = (rules.choose(attempts).result for attempts in book.attempts(run))
        wanted = {(one.student, one.lesson, one.exercise): one.sha256 for one in chosen if (one.lesson, one.exercise) in exercises}
        for source in _sources(book, run, out, submissions, rules, student):
            plan, _ = _plan_of(course, source.request, source, book)
            named = [name for name in plan.exercises if (plan.lesson.id, name) in exercises]
            handout = read_handout(course.root, plan.lesson, course.lessons)
            for one in plan.uploads.submissions(handout, named, every=True, prefer=course.policy.prefer):
                key = one.student, one.lesson, one.exercise
                if one.sha256 and wanted.get(key) == one.sha256:
                    del wanted[key]
                    yield one


def _again(course: Course, request: GradeRequest, source: _Source, copy: Gradebook, progress: Callable[[int, int], None]) -> Run:
    """Grade one place's submissions again, into the copy's class."""
    plan, known = _plan_of(course, request, source, copy)
    return run_plan(course, request, plan, find_round(request.out, source.round), copy, progress, known)


def _plan_of(course: Course, request: GradeRequest, source: _Source, book: Gradebook) -> tuple[Plan, Identified]:
    """Find a place's submissions again, with the names that the gradebook knows. Their times are in it too, for each attempt."""
    students, untimed = source.students | book.dropped(), {"handed_in": None, "late": None, "minutes_late": 0}
    people = [replace(person, **untimed) for person in book.people().values() if person.student in students]
    plan = make_plan(course, request, people if request.roster or any(person.group for person in people) else ())
    known = identified(plan.uploads, book, named=False)
    if request.student:
        plan.uploads.students = [one for one in plan.uploads.students if one.name in source.students]
    return plan, known


def _after(runs: Sequence[Run], progress: Callable[[int, int], None]) -> Callable[[int, int], None]:
    before = sum(run.done for run in runs)
    return lambda done, expected: progress(before + done, before + expected)


@contextmanager
def _copy_of(book: Gradebook, out: Path) -> Iterator[Path]:
    """Copy the gradebook into a folder of OUT. OUT is locked, so a folder that is already there is left from a command that was killed."""
    folder = out / "private" / "regrade"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    try:
        book.copy_to(folder / GRADEBOOK)
        yield folder / GRADEBOOK
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _request(book: Gradebook, run: str, out: Path, student: str, lesson: str) -> GradeRequest:
    request = book.request(run, GradeRequest)
    if request is None:
        raise UsageError(f"{out}: there is no record of what was graded here", "run `course grade` once more, with this --out")
    return replace(request, student=student or request.student, only=False, new_round=False, lesson=lesson)


def compare(book: Gradebook, before: str, after: str, rules: GradingRules) -> Iterator[GradeChange]:
    """Yield each change from one run to another, by student, lesson and exercise."""
    runs = merge(zip(repeat("before"), grades(book, before, rules)), zip(repeat("after"), grades(book, after, rules)), key=_exercise_of)
    for (student, *key), pair in groupby(runs, key=_exercise_of):
        by_run, name = dict(pair), name_of(*key, several=rules.several)
        old, new = by_run.get("before"), by_run.get("after")
        resubmitted = bool(old and new and old.result.sha256 != new.result.sha256)
        change = GradeChange(student, name, _final(old), _final(new), tuple(_checks(old, new)), resubmitted)
        if change.before != change.after or change.checks or change.resubmitted:
            yield change


def _exercise_of(graded: tuple[str, Grade]) -> tuple[str, str, str]:
    result = graded[1].result
    return result.student, result.lesson, result.exercise


def _final(grade: Grade | None) -> float | None:
    return grade.final if grade and grade.judged else None


def _checks(old: Grade | None, new: Grade | None) -> Iterator[CheckChange]:
    """Yield the checks that earn other points, also those that only one of the two has."""
    if old is None or new is None:
        return
    earlier = {check.id: check.points for check in old.result.checks}
    later = {check.id: check for check in new.result.checks}
    for name in dict.fromkeys((*earlier, *later)):
        before, after = earlier.get(name, 0.0), later[name].points if name in later else 0.0
        if before != after:
            message = later[name].message if name in later else "this check no longer exists"
            yield CheckChange(name, before, after, message, name in new.overrides or "points" in new.whole)
