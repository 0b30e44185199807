"""All that lies behind one student's grade, as an appeal asks for it: the code, what it printed, every call, all attempts, the overrides.

The gradebook keeps what was found and not the values of calls. Those are made again: the file that counts runs once more behind the walls,
with the numbers of its round. They may be secret, so all of this is for the instructor alone. Nothing is written.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from autograder.course.errors import CourseError, UsageError
from autograder.course.loading import read_course
from autograder.course.model import CheckResult, Course, Submission
from autograder.course.text import clean, clean_output, decode, number
from autograder.grading import feedback
from autograder.grading.attempt import Attempt
from autograder.grading.checks import Transcript
from autograder.grading.reference import as_arrays
from autograder.grading.rounds import find_round
from autograder.instructor.grade import GRADEBOOK
from autograder.instructor.gradebook import Attempted, Gradebook, standing
from autograder.instructor.grades import Grade, GradingRules, read_rules
from autograder.instructor.identity import find_student
from autograder.instructor.lone_pages import render
from autograder.instructor.outputs import MARKS, exercise_names
from autograder.instructor.pool import Grader, Settings
from autograder.instructor.regrade import class_submissions
from autograder.instructor.roster import Person
from autograder.sandbox.guest.source import parts
from autograder.sandbox.guest.walls import WALLS
from autograder.sandbox.properties import missing_walls

VALUE, MOST_CALLS = 1_000, 500  # characters of a value, and calls of a check, that are shown
SHORT = 24  # numbers of an array that are written one by one
GONE = "The file that was graded is no longer among the submissions, so neither its code nor its calls can be shown."


class Call(Struct, frozen=True):
    """One call with its arguments: what it gave, or how it ended instead, what was expected, and what else is wrong with it."""

    text: str
    got: str = ""
    ended: str = ""
    expected: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()


class CheckEvidence(Struct, frozen=True):
    """One check as it was graded, what a person decided, and the calls that it makes. `note` is for the instructor alone."""

    told: feedback.CheckFeedback
    note: str = ""
    calls: tuple[Call, ...] = ()


class Code(Struct, frozen=True):
    """A file, or one cell of a notebook."""

    name: str
    lines: tuple[str, ...]


class AttemptLine(Struct, frozen=True):
    """One attempt in a list of all: what it earned, and whether it is the one that counts."""

    number: int
    handed_in: str
    status: str
    points: str
    counts: bool
    graded_at: str
    round: str


class ExerciseEvidence(Struct, frozen=True):
    """One exercise: its attempts and, of the one that counts, the code, the output and the checks. `remarks` say what is lacking."""

    exercise: str
    points: str
    remarks: tuple[str, ...]
    attempts: tuple[AttemptLine, ...]
    code: tuple[Code, ...]
    printed: str
    checks: tuple[CheckEvidence, ...]


class Evidence(Struct, frozen=True):
    """Everything about one student of a course, which is named by its title."""

    course: str
    person: Person
    exercises: tuple[ExerciseEvidence, ...]


def collect(root: Path, out: Path, student: str, exercise: str = "", *, submissions: Path | None = None, run: bool = True,
            unsafe: bool = False) -> Evidence:  # fmt: skip
    """Collect what lies behind a student's grades, or one of them; with `run`, run the files that count again to see their calls.

    `submissions` is where they are now, if they were moved. Raise `UsageError` if there is no such student or exercise.
    """
    if not (out / GRADEBOOK).is_file():
        raise UsageError(f"{out}: no graded results in this folder", "give the folder that `course grade --out` wrote")
    course = read_course(root)
    with Gradebook(out / GRADEBOOK) as book:
        last = book.last_run() or ""
        rules = read_rules(out, book, course.policy)
        name = find_student(student, book.students(last), rules.people)
        found = {rules.grade(own[0]).name: own for own in book.attempts(last) if own[0].result.student == name}
        named = {one: own for one, own in found.items() if exercise in ("", one, own[0].result.exercise)}
        if exercise and len(named) != 1:
            problem = "several lessons have an exercise" if named else "no exercise"
            graded = f"{problem} `{clean(exercise, 40)}`{'' if named else f' was graded for {clean(name, 60)}'}"
            raise UsageError(graded, f"choose one of: {', '.join(named or found)}")
        chosen = {one: rules.choose(own) for one, own in named.items()}
    keys = {(one.result.lesson, one.result.exercise): own for own, one in chosen.items()}
    files = {keys[one.lesson, one.exercise]: one for one in _files(course, out, name, keys, submissions)}
    order = [one for one in exercise_names(course, rules) if one in chosen]
    missing = {} if unsafe or not run else missing_walls(course.policy.limits)
    walls = tuple(wall for wall in WALLS if wall not in missing)
    lacks = f"Not run again, because walls are missing here: {', '.join(missing)}." if missing else ""
    made = [_exercise(found[one], chosen[one], rules, files.get(one), lacks) for one in order]
    if run and not missing:
        with ExitStack() as stack:
            names = {chosen[one].result.round for one in files}
            graders = {name: Grader(Settings(str(course.root), find_round(out, name), walls)) for name in names}
            for grader in graders.values():
                stack.callback(grader.close)
            made = [_run_again(graders, files.get(shown.exercise), shown, chosen[shown.exercise]) for shown in made]
    return Evidence(course.title, rules.people.get(name, Person(name)), tuple(made))


def _files(course: Course, out: Path, student: str, exercises: Collection[tuple[str, str]], place: Path | None) -> list[Submission]:
    """Read the files that were graded, as far as they are still there."""
    try:
        return list(class_submissions(course, out, exercises, student, place))
    except UsageError:  # their folder is gone
        return []


def _exercise(attempts: list[Attempted], chosen: Attempted, rules: GradingRules, file: Submission | None, lacks: str) -> ExerciseEvidence:
    """Show what the gradebook has of an exercise, and the code."""
    grade, result = rules.grade(chosen), chosen.result
    held = "Feedback and grades are on hold." if rules.on_hold(result.student) else ""
    gone = GONE if file is None and result.sha256 else ""
    notes = chosen.notes.failures
    told = feedback.check_feedback(result.checks, {}, grade.overrides)
    return ExerciseEvidence(
        exercise=grade.name,
        points=_points(grade),
        remarks=tuple(filter(None, (held, *_remarks(grade), gone, lacks if file else "", chosen.notes.fault))),
        attempts=tuple(_line(rules.grade(one), one == chosen) for one in standing(attempts)),
        code=_code(file) if file else (),
        printed=result.stdout,
        checks=tuple(CheckEvidence(one, feedback.message(notes[one.check.id]) if one.check.id in notes else "") for one in told),
    )


def _points(grade: Grade) -> str:
    if grade.excused or not grade.judged:
        return "excused" if grade.excused else "not judged"
    return f"{number(grade.final)} of {number(grade.result.max_score)}"


def _remarks(grade: Grade) -> Iterator[str]:
    if grade.result.status != "graded":
        yield f"It is {grade.result.status.replace('_', ' ')}."
    if grade.penalty:
        days = "a day" if grade.days_late == 1 else f"{grade.days_late} days"
        yield f"{number(grade.penalty)} points are deducted, because it was {days} late."
    graded = {check.id for check in grade.result.checks}
    others = (one for one in grade.overrides.values() if one.check not in graded)
    yield from (f"Given {number(one.points)} for `{one.check}`: {one.reason}" for one in others)
    for kind, one in grade.whole.items():
        yield f"{kind.replace('_', ' ').capitalize()}{f' {number(one.points)}' if one.points else ''}: {one.reason}"
    yield from grade.cut
    yield from (f"`{one.file}` was not taken, because {one.why}." for one in grade.handed_in.unused)


def _line(grade: Grade, counts: bool) -> AttemptLine:
    result, at = grade.result, grade.handed_in.at
    graded_at = datetime.fromisoformat(result.graded_at)
    return AttemptLine(grade.handed_in.attempt, _time(at), result.status, _points(grade), counts, _time(graded_at), result.round)


def _time(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M %Z}" if at else ""


def _code(file: Submission) -> tuple[Code, ...]:
    """Return the lines of a file, or of each cell of a notebook, as messages count them."""
    source = file.source or b""
    try:
        found = parts(decode(source).text, file.name, notebook=file.name.endswith(".ipynb"))
    except ValueError as error:
        return (Code(f"{file.name}: {error}", ()),)
    return tuple(Code(one.name, tuple(clean_output(one.text.encode(), len(source)).rstrip("\n").split("\n"))) for one in found)


# ---- what the calls give


def _run_again(graders: Mapping[str, Grader], file: Submission | None, shown: ExerciseEvidence, chosen: Attempted) -> ExerciseEvidence:
    """Add the calls of each check, made again in the round in which the file was graded. Questions make none."""
    if file is None or file.exercise == "practice":
        return shown
    grader = graders[chosen.result.round]
    try:
        made = grader.attempt(file)
        function_of = grader.materials(file.lesson, file.exercise).answers.function
        calls = {name: tuple(_calls(transcript, function_of)) for name, transcript in made.transcripts.items()}
    except (CourseError, MemoryError):
        raise
    except Exception as error:  # as in grading, where what comes of the submission's own values is refused
        return replace(shown, remarks=(*shown.remarks, f"It could not be run again: {clean(f'{type(error).__name__}: {error}', 300)}"))
    checks = tuple(replace(one, calls=calls.get(one.told.check.id, ())) for one in shown.checks)
    return replace(shown, checks=checks, remarks=(*shown.remarks, *_differences(chosen.result.checks, made, chosen.result.round)))


def _differences(graded: tuple[CheckResult, ...], made: Attempt, round: str) -> Iterator[str]:
    """Say that the file was run again, and which checks gave something else then: the course may have changed."""
    yield f"The calls were made again just now, with the numbers of {round}."
    before = {check.id: check.points for check in graded}
    if other := [check.id for check in made.checks if before.get(check.id) != check.points]:
        yield f"Other points than when it was graded: {', '.join(other)}. If the checks have changed, `course regrade` says for whom."


def _calls(transcript: Transcript, function_of: feedback.FunctionOf) -> Iterator[Call]:
    for place, called in enumerate(transcript.calls[:MOST_CALLS]):
        compared = [one for one in transcript.comparisons if one.call == place]
        outcome = called.outcome
        returned = outcome.kind == "returned"
        got, ended = (value_text(outcome.value), "") if returned else ("", feedback.ending(outcome, numbers=True).words)
        expected = dict.fromkeys(value_text(one.expected) for one in compared if one.kind == "value" and one.expected is not None)
        wrong = tuple(dict.fromkeys(one.words or "wrong" for one in compared if not one.ok))
        yield Call(clean(feedback.call_text(called, function_of, value_text), 4 * VALUE), got, ended, tuple(expected), wrong)
    if len(transcript.calls) > MOST_CALLS:
        yield Call(f"... and {len(transcript.calls) - MOST_CALLS} more calls")
    if transcript.ended and not transcript.calls:
        yield Call("", ended=feedback.ending(transcript.ended, numbers=True).words)


def evidence_page(evidence: Evidence, links: Mapping[str, str] | None = None) -> str:
    """Write it as a page; `links` lead from an exercise to where its calls are shown."""
    return render("student", course=evidence.course, evidence=evidence, links=links or {}, marks=MARKS)


def value_text(value: Any) -> str:
    """Write a value in full, as far as it fits: of a long array the ends, a function by its name."""
    shown = as_arrays(value)
    if isinstance(shown, np.ndarray):
        ends = shown.ravel() if shown.size > SHORT else shown
        text = np.array2string(ends, threshold=SHORT, separator=", ", formatter={"float_kind": lambda one: f"{one:.6g}"})
        return clean(f"array {shown.shape}: {text}" if shown.size > SHORT else text, VALUE)
    return clean(getattr(value, "__name__", None) or repr(shown), VALUE)
