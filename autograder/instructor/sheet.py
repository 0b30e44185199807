"""A class as exports see it: which exercises, called what, and the grades student by student."""

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import UTC, datetime

from msgspec import Struct
from msgspec.structs import replace

from autograder.course.errors import UsageError
from autograder.course.model import Result
from autograder.course.policy import Policy
from autograder.course.text import clean, number
from autograder.instructor.gradebook import Gradebook
from autograder.instructor.grades import Grade, GradingRules, Sections, StudentGrades, name_of, revealed, student_grades


class Column(Struct, frozen=True):
    """One exercise of an export, by its name among all that are graded. `title` is the platform's name for it."""

    lesson: str
    exercise: str
    title: str
    max_score: float


class Sheet(Struct, frozen=True):
    """A class as exports see it. `rows` reads it again each time, student by student; `policy` has what is revealed now.

    Of students who are on hold, `rows` has no grades.
    """

    columns: tuple[Column, ...]
    rows: Callable[[], Iterator[StudentGrades]]
    policy: Policy
    sections: Sections
    by_hand: Mapping[str, Mapping[str, float]]  # points of questions that a person marks, by lesson and the name of their notebook cell
    students: int  # how many rows there are
    course: str = ""  # its title, which heads each page of feedback


def sheet_of(gradebook: Gradebook, run: str, rules: GradingRules, titles: Mapping[str, str], sections: Sections,
             by_hand: Mapping[str, Mapping[str, float]], only: Collection[str] = (), lesson: str = "") -> Sheet:  # fmt: skip
    """Make a sheet of a run, with `only` of these exercises, or of one lesson.

    Raise `UsageError` for an exercise, or a title of one, that was not graded.
    """
    listed = {key: own for key, own in sorted(gradebook.listed(run).items()) if lesson in ("", key[0])}
    results = _last_results(gradebook, run, {key: max(own) for key, own in listed.items()})
    found = {name_of(*key, several=rules.several): results[key] for key in listed}
    named = {word: _named(word, found) for word in (*titles, *only)}
    titles, only = {named[word]: title for word, title in titles.items()}, [named[word] for word in only]
    only = only or (list(found) if lesson else [])
    shown = {name: result for name, result in found.items() if not only or name in only}
    columns = tuple(Column(one.lesson, name, titles.get(name, name), one.max_score) for name, one in shown.items())
    now = Policy(reveal=revealed(rules.policy, datetime.now(UTC)), missing=rules.policy.missing)

    def rows() -> Iterator[StudentGrades]:
        for student in student_grades(gradebook, run, rules, only):
            yield replace(student, grades={}, percent=None, passed=None) if student.on_hold else student

    students = set[str]().union(*(listed[one.lesson, one.exercise] for one in shown.values()))
    return Sheet(columns, rows, now, sections, by_hand, len(students))


def _last_results(gradebook: Gradebook, run: str, last: Mapping[tuple[str, str], str]) -> dict[tuple[str, str], Result]:
    """Return a result of each lesson and exercise: that of the student who comes last. Often it is one student for all."""
    found: dict[tuple[str, str], Result] = {}
    for student in set(last.values()):
        own = [attempts[-1].result for attempts in gradebook.attempts(run, (student, student))]
        found |= {key: one for one in own if last.get(key := (one.lesson, one.exercise)) == student}
    return found


def _named(word: str, found: Mapping[str, Result]) -> str:
    """Return the name of the exercise that a word means: the name, or without the lesson if only one has such an exercise."""
    meant = [name for name, result in found.items() if word in (name, result.exercise)]
    if len(meant) == 1 or word in meant:
        return word if word in meant else meant[0]
    problem = f"several lessons have an exercise `{clean(word, 40)}`" if meant else f"no exercise `{clean(word, 40)}` was graded here"
    raise UsageError(problem, f"name one of: {', '.join(meant or found)}")


def points_cell(grade: Grade | None, sheet: Sheet) -> str:
    """Return what counts, as an export shows it: nothing for what was not judged or is excused, and for missing work as the policy says."""
    if grade is None or not grade.judged or grade.excused:
        return ""
    is_blank = sheet.policy.missing == "blank" and grade.result.status == "missing" and not (grade.overrides or grade.whole)
    return "" if is_blank else number(grade.final)


def unjudged(student: StudentGrades) -> list[str]:
    """List what of a student an export leaves empty, for the instructor: what was not judged, which is never a zero, and all if on hold."""
    name = clean(student.person.student, 60)
    held = [f"{name}: on hold"] if student.on_hold else []
    return held + [f"{name}: {one} was not judged" for one, grade in student.grades.items() if not (grade.judged or grade.excused)]
