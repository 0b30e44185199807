"""The files of a run: results, grades, each student's feedback as Markdown and as a page, and the report on the class.

Feedback shows public numbers only, and nothing that a student wrote is taken for markup.
"""

import os
import re
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast
from urllib.parse import quote

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from autograder.course.files import open_csv, replaced, write_texts
from autograder.course.loading import read_course
from autograder.course.model import Course, Lesson, Result
from autograder.course.policy import Policy
from autograder.course.references import exercise_ids
from autograder.course.text import cell_text, escaped_markdown, formulas_in_unicode, number, to_markdown
from autograder.grading.feedback import CheckFeedback, check_feedback
from autograder.grading.sentences import notes_of
from autograder.instructor.gradebook import Gradebook
from autograder.instructor.grades import Grade, GradingRules, Sections, StudentGrades, name_of, read_rules, revealed, student_grades
from autograder.instructor.lone_pages import render
from autograder.instructor.measures import FEW_PERCENT, HELPED, MISCONCEPTIONS, Group, Measures, Row, groups, measure
from autograder.instructor.overrides import whole_remarks
from autograder.instructor.roster import file_slug


class Reported(NamedTuple):
    """What a report shows: the measures, the shared errors, and the sections' titles by id."""

    measures: Measures
    shared_errors: list[Group]
    sections: Sections


COLUMNS = ("student", "lesson", "exercise", "status", "score", "max_score")
LARGE = 1_000  # students: for fewer, starting processes takes longer than writing


@contextmanager
def result_files(out: Path) -> Iterator[Callable[[Result], None]]:
    """Write results.jsonl, a line of JSON for each result that is given, and grades.csv, with the columns of the contract."""
    with (
        replaced(out / "results.jsonl") as lines,
        replaced(out / "grades.csv") as table,
        lines.open("wb", buffering=1 << 20) as jsonl,
        open_csv(table) as write_row,
    ):
        write_row(COLUMNS)

        def write(result: Result) -> None:
            jsonl.write(msgspec.json.encode(result) + b"\n")
            named = (result.student, result.lesson, result.exercise, result.status)
            write_row([*map(cell_text, named), result.score, result.max_score])

        yield write


STATUSES = {
    "missing": "Nothing was submitted.",
    "unrecognised": "None of the files that you submitted was taken for this exercise.",
    "unreadable": "The submitted file could not be read.",
    "not_judged": "Not judged because of a fault of the grader. Your instructor knows.",
}
ON_HOLD = "Your feedback and your grade are on hold. Ask your instructor."
MARKS = {"passed": "✓", "failed": "✗", "not_judged": "–"}


class ExerciseFeedback(Struct, frozen=True):
    """What a student may read about one exercise: its points, remarks on the whole of it, and its checks."""

    title: str
    points: str
    remarks: tuple[str, ...]
    checks: tuple[CheckFeedback, ...]


def exercise_feedback(grade: Grade, sections: Sections, policy: Policy, now: datetime | None = None) -> ExerciseFeedback:
    """Return the feedback on an exercise that the policy reveals by `now`."""
    reveal, result = revealed(policy, now or datetime.now(UTC)), grade.result
    titles = sections.get(result.lesson, {})
    checks = check_feedback(result.checks, titles, grade.overrides, titles_only=reveal == "titles") if reveal != "nothing" else ()
    remarks = list(_remarks(grade))
    if policy.reveal_from and reveal == "nothing" != policy.reveal:
        remarks.append(f"The checks are shown from {policy.reveal_from:%Y-%m-%d %H:%M %Z} on.")
    points = f"{number(grade.score)} of {number(result.max_score)} points"
    return ExerciseFeedback(grade.name, points, tuple(remarks), tuple(checks))


def _remarks(grade: Grade) -> Iterator[str]:
    """Say why nothing was graded, which other points were given, and what lateness costs."""
    if grade.result.status != "graded":
        yield STATUSES[grade.result.status]
    if grade.handed_in.name:
        yield f"Your file `{grade.handed_in.name}` was taken for this exercise."
    graded = {check.id for check in grade.result.checks}
    for one in grade.overrides.values():
        if one.check not in graded:
            yield f"Your instructor gave {number(one.points)} points for `{one.check}`: {one.reason}"
    if grade.penalty and "points" not in grade.whole:
        days = "a day" if grade.days_late == 1 else f"{grade.days_late} days"
        yield f"Submitted {days} late: {number(grade.penalty)} points are deducted, so {number(grade.score - grade.penalty)} count."
    yield from whole_remarks(grade.whole, grade.final)


def unused_files(grades: Iterable[Grade]) -> list[str]:
    """Tell a student each file that was handed in and not taken, why, and what to do."""
    listed = dict.fromkeys(one for grade in grades for one in grade.handed_in.unused)
    fixes = {one: f" {one.fix[:1].upper()}{one.fix[1:]}." if one.fix else "" for one in listed}
    return [f"You handed in `{one.file}`. It was not taken, because {one.why}.{fixes[one]}" for one in listed]


def student_markdown(own: StudentGrades, sections: Sections, policy: Policy, now: datetime | None = None) -> str:
    """Write one student's feedback as Markdown, with what the policy reveals by `now`."""
    lines = [f"# {escaped_markdown(own.person.student)}", ""]
    if own.on_hold:
        return "\n".join((*lines, ON_HOLD, ""))
    lines += [line for told in unused_files(own.grades.values()) for line in (to_markdown(told), "")]
    for exercise in (exercise_feedback(grade, sections, policy, now) for grade in own.grades.values()):
        lines += [f"## {exercise.title}: {exercise.points}", ""]
        lines += [line for remark in exercise.remarks for line in (to_markdown(remark), "")]
        for check in exercise.checks:
            lines.append(f"- {MARKS[check.check.outcome]} **{escaped_markdown(check.check.title)}** ({check.points})")
            listed = check.message if len(check.message) > 1 else ()
            lines += [f"  {'- ' * (line in listed)}{to_markdown(line)}" for line in check.lines]
        lines += [""] if exercise.checks else []
    return "\n".join(lines).rstrip() + "\n"


def student_page(own: StudentGrades, sections: Sections, policy: Policy, now: datetime | None = None, *, course: str = "") -> str:
    """Write one student's feedback as a page headed by the `course`'s title, with what the policy reveals by `now`."""
    own = replace(own, grades={}, percent=None, passed=None) if own.on_hold else own
    exercises = [exercise_feedback(grade, sections, policy, now) for grade in own.grades.values()]
    told = [ON_HOLD] if own.on_hold else unused_files(own.grades.values())
    lessons = own.percents if len(own.percents) > 1 else {}
    shown = {"percent": own.percent, "passed": own.passed, "lessons": lessons, "told": told, "exercises": exercises, "marks": MARKS}
    return render("feedback", course=course, student=own.person.student, **shown)


OF_STUDENT = re.compile(r".*-[0-9a-f]{8}\.(?:md|html)")  # as `file_slug` names them
GROUPS = 12
SLOW_SECONDS = 0.5
PAGE_ROWS = 500  # of the table of students: a browser takes long for many more
REASONS = {"needs": "not judged, as an earlier check failed", "timed_out": "took too long", "out_of_memory": "took too much memory"}


def report_page(title: str, run: str, shown: Reported, sentences: Sections, policy: Policy, *, hidden: bool = False, course: str = "",
                feedback: str = "", decisions: int = 0, text: str = "") -> str:  # fmt: skip
    """Write the report. `sentences` say what is right, by lesson and misconception; `hidden` leaves out names and what a secret run saw.

    `feedback` is the address of the folder with that of each student, if there is one. The report says how many `decisions` it knows of.
    Abbreviations in names of mistakes are written as in `text`.
    """
    made = shown.measures
    led = {row.student: f"{feedback}/{row.file}.html" for row in made.rows} if feedback and not hidden else {}
    return render(
        "report",
        course=course,
        title=title,
        feedback_of=led,
        places={(one.exercise, one.id): place for place, one in enumerate(made.by_misconceptions())},
        decisions=decisions,
        text=text,
        run=run[:16].replace("T", " "),
        made=made,
        rows=_nameless(made.rows) if hidden else made.rows,
        most=PAGE_ROWS,
        misconceptions=made.by_misconceptions(),
        misconceptions_shown=MISCONCEPTIONS,
        groups=shown.shared_errors[:GROUPS],
        sections=shown.sections,
        sentences=sentences,
        checks_of={name: [check for check in made.checks.values() if check.exercise == name] for name in made.exercises},
        need=made.in_need(policy.pass_mark),
        mark=FEW_PERCENT if policy.pass_mark is None else policy.pass_mark,
        pass_mark=policy.pass_mark,
        helped=HELPED,
        slow=[one for one in made.slow if one[0] >= SLOW_SECONDS],
        reason_words=REASONS,
        hidden=hidden,
    )


def decisions_in(report: Path) -> int:
    """Return of how many decisions a report knows. That of an earlier version does not say, and counts as knowing of none."""
    with report.open(encoding="utf-8", errors="replace") as file:
        found = re.search(r'<meta name="decisions" content="(\d+)">', file.read(2000))
    return int(found[1]) if found else 0


def _nameless(rows: list[Row]) -> list[Row]:
    """Replace the names, and shuffle: the order would reveal them."""
    mixed = secrets.SystemRandom().sample(rows, len(rows))
    return [replace(row, student=f"student {number}", file="") for number, row in enumerate(mixed, 1)]


def sections_of(lessons: Iterable[Lesson]) -> Sections:
    """Return the titles of all sections by id, by lesson."""
    return {lesson.id: {section.id: section.title for section in lesson.sections} for lesson in lessons}


def write_files(out: Path, course: Course, gradebook: Gradebook, run: str, rules: GradingRules) -> Reported:
    """Write all files of a run. Results and grades.csv hold what was graded; feedback and report also show overrides and lateness.

    Return what the report shows.
    """
    (out / "feedback").mkdir(exist_ok=True)
    with result_files(out) as write:
        reported = write_report(out / "report.html", course, gradebook, run, rules, each=write)
    write_feedback(out, course, gradebook, run, rules)
    return reported


def write_feedback(out: Path, course: Course, gradebook: Gradebook, run: str, rules: GradingRules, only: str | None = None) -> int:
    """Write the feedback of each student, or of one; return for how many. Files of students who are not in the class any more go.

    Of a large class, each core writes a share.
    """
    (out / "feedback").mkdir(exist_ok=True)
    names = sorted(gradebook.students(run)) if only is None else [only]
    size = -(-len(names) // len(os.sched_getaffinity(0))) if len(names) >= LARGE else len(names)
    shares = [(names[first], names[min(first + size, len(names)) - 1]) for first in range(0, len(names), size or 1)]
    for share in shares if len(shares) < 2 else _write_apart(shares, str(out), str(course.root), str(gradebook.path), run):
        write_share(out, course, gradebook, run, rules, share)
    if only is None:
        files = {file_slug(student) for student in names}
        for stale in (path for path in (out / "feedback").iterdir() if OF_STUDENT.fullmatch(path.name) and path.stem not in files):
            stale.unlink()
    return len(names)


_BOOT = "import sys; sys.path.insert(0, {root!r}); from autograder.instructor.outputs import write_alone; write_alone(sys.stdin.read())"


def _write_apart(shares: Iterable[tuple[str, str]], *words: str) -> list[tuple[str, str]]:
    """Write shares of the feedback, each in a process of its own. Return those that were not written, for whatever reason."""
    boot = [sys.executable, "-P", "-c", _BOOT.format(root=str(Path(__file__).resolve().parents[2]))]
    started = {share: subprocess.Popen(boot, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL) for share in shares}
    try:
        for share, process in started.items():
            with suppress(OSError), cast(BinaryIO, process.stdin) as told:  # if it has died, its status tells
                told.write(msgspec.json.encode([*words, *share]))
        return [share for share, process in started.items() if process.wait()]
    finally:
        for process in started.values():
            process.kill()
            process.wait()


def write_alone(told: str) -> None:
    """Write a share in this process; `told` is JSON."""
    out, root, path, run, *share = msgspec.json.decode(told, type=list[str])
    course = read_course(Path(root))
    with Gradebook(Path(path)) as gradebook:
        write_share(Path(out), course, gradebook, run, read_rules(Path(out), gradebook, course.policy), share)


def write_share(out: Path, course: Course, gradebook: Gradebook, run: str, rules: GradingRules, share: Sequence[str]) -> None:
    """Write the feedback of the students from one name to another."""
    folder, sections = out / "feedback", sections_of(course.lessons)
    order = {name: place for place, name in enumerate(exercise_names(course, rules))}

    def texts() -> Iterator[tuple[Path, str]]:
        for one in student_grades(gradebook, run, rules, among=(share[0], share[1])):
            path = folder / f"{file_slug(one.person.student)}.md"
            own = replace(one, grades=dict(sorted(one.grades.items(), key=lambda item: order.get(item[0], len(order)))))
            yield path, student_markdown(own, sections, rules.policy)
            yield path.with_suffix(".html"), student_page(own, sections, rules.policy, course=course.title)

    write_texts(texts())


def exercise_names(course: Course, rules: GradingRules) -> list[str]:
    """Return the names of all exercises in the course's order, the practice of each lesson at its end."""
    return [name_of(lesson.id, one, several=rules.several) for lesson in course.lessons for one in exercise_ids(lesson)]


def write_report(path: Path, course: Course, gradebook: Gradebook, run: str, rules: GradingRules, *, hidden: bool = False,
                 each: Callable[[Result], None] = lambda result: None) -> Reported:  # fmt: skip
    """Write the report on a run, with `hidden` without names. `each` is called with every result on the way.
    Return the measures, shared errors and sections' titles that it shows.
    """
    unexplained: list[Grade] = []

    def students() -> Iterator[StudentGrades]:
        for student in student_grades(gradebook, run, rules):
            for grade in student.grades.values():
                each(grade.result)
            unexplained.extend(grade for grade in student.grades.values() if grade.notes.shared_errors)
            yield student

    made = measure(students(), exercise_names(course, rules))
    graded = {one.lesson for one in made.exercises.values()}
    lessons = [lesson for lesson in course.lessons if lesson.id in graded]
    shown = Reported(made, groups(unexplained, several=rules.several), sections_of(lessons))
    sentences = {lesson.id: {name: formulas_in_unicode(note) for name, note in notes_of(lesson).items()} for lesson in lessons}
    title = " · ".join(lesson.title for lesson in lessons)
    told = gradebook.path.parent / "feedback"
    about = {"course": course.title, "feedback": quote(os.path.relpath(told, path.parent)) if told.is_dir() else ""}
    about["text"] = "\n".join(lesson.text for lesson in lessons)
    text = report_page(title, run, shown, sentences, rules.policy, hidden=hidden, decisions=rules.decisions, **about)
    with replaced(path) as beside:
        beside.write_text(text, encoding="utf-8")
    return shown
