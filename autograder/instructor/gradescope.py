"""Results as Gradescope reads them: one `results.json` for each student's submission.

The format is that of Gradescope's autograder specifications, with a test for each check. Texts are shown as they are (`text`, never
Markdown or HTML, since students wrote parts of them) and say no more of secret numbers than other feedback.
"""

import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import msgspec
from msgspec.structs import replace

from autograder.course.errors import SandboxFault, UsageError
from autograder.course.files import replaced
from autograder.course.policy import Limits, Policy
from autograder.course.references import choose_lesson, exercise_ids
from autograder.course.student_files import read_handout
from autograder.course.text import clean, number
from autograder.grading.feedback import check_feedback
from autograder.grading.rounds import open_round
from autograder.instructor.grades import Grade, Sections
from autograder.instructor.intake import open_folder
from autograder.instructor.outputs import sections_of, unused_files
from autograder.instructor.pool import Grader, Settings
from autograder.instructor.roster import file_slug
from autograder.instructor.sheet import Sheet, unjudged
from autograder.instructor.uploads import read_submissions
from autograder.sandbox.guest.walls import WALLS, at_hand
from autograder.sandbox.properties import missing_walls
from autograder.sandbox.servers import free_user

Visibility = Literal["visible", "hidden", "after_due_date", "after_published"]


class Test(msgspec.Struct, frozen=True):
    """One line of the student's page. `tags` hold the exercise and, if one is named, the misconception."""

    name: str
    number: str
    score: float
    max_score: float
    status: Literal["passed", "failed"]
    output: str
    tags: tuple[str, ...]
    visibility: Visibility
    output_format: Literal["text"] = "text"


class GradescopeResults(msgspec.Struct, frozen=True):
    """The whole of `results.json`. Only the instructor sees what the grader itself prints."""

    score: float
    execution_time: float
    output: str
    tests: tuple[Test, ...]
    extra_data: dict[str, str]
    output_format: Literal["text"] = "text"
    visibility: Visibility = "visible"
    stdout_visibility: Visibility = "hidden"


def gradescope_results(
    grades: Iterable[Grade], sections: Sections, policy: Policy, *, seconds: float, early: bool = False, **extra: str
) -> GradescopeResults:
    """Return one student's grades in Gradescope's format.

    What the policy reveals later (`early`) is shown when the instructor publishes the results: the file is not written again.
    Raise `SandboxFault` if one of them could not be judged: then no result is shown, and never a zero.
    """
    known = list(grades)
    if lost := next((grade.name for grade in known if not grade.judged), None):
        raise SandboxFault(f"`{lost}` was not judged, by a fault of the grader")
    visibility: Visibility = "hidden" if policy.reveal == "nothing" else "after_published" if early else "visible"
    full = policy.reveal == "all"
    tests = tuple(test for number, grade in enumerate(known, 1) for test in _tests(number, grade, sections, visibility, full))
    printed = [
        f"What {one.name} printed:\n" + "\n".join(clean(line, 200) for line in one.result.stdout.splitlines()[:40])
        for one in known
        if one.result.stdout and full and not early
    ]
    return GradescopeResults(round(sum(grade.final for grade in known), 2), round(seconds, 2), "\n\n".join(printed), tests, extra)


def _tests(place: int, grade: Grade, sections: Sections, visibility: Visibility, full: bool) -> Iterator[Test]:
    result, exercise, tags = grade.result, grade.name, (grade.name,)
    if not result.checks:
        why = "\n".join(unused_files([grade])) or "Nothing was submitted for this exercise."
        yield Test(exercise, str(place), 0, result.max_score, "failed", why, tags, visibility)
    feedback = check_feedback(result.checks, sections.get(result.lesson, {}), grade.overrides, titles_only=not full)
    for number_within, one in enumerate(feedback, 1):
        check, lines = one.check, (*one.override, *one.message, *one.next) if full else ()
        yield Test(
            name=clean(f"{exercise}: {check.title}"),
            number=f"{place}.{number_within}",
            score=one.earned,
            max_score=check.max_points,
            status="passed" if check.outcome == "passed" else "failed",
            output="\n".join(clean(line, 2_000) for line in lines),
            tags=(*tags, check.misconception) if full and check.misconception else tags,
            visibility=visibility,
        )
    if grade.penalty:
        name = f"{exercise}: Late: {number(grade.penalty)} of {number(grade.score)} points are deducted."
        yield Test(name, f"{place}.{len(result.checks) + 1}", -grade.penalty, 0, "failed", "", tags, visibility)
    if decided := round(grade.final - (grade.score - grade.penalty), 2):
        name, why = f"{exercise}: {decided:+g} points by your instructor", "\n".join(one.reason for one in grade.whole.values())
        yield Test(name, f"{place}.{len(result.checks) + 2}", decided, 0, "passed" if decided > 0 else "failed", why, tags, visibility)


def write(sheet: Sheet, path: Path) -> list[str]:
    """Write a folder for each student, unless something was not judged."""
    path.mkdir(exist_ok=True)
    notes: list[str] = []
    for student in sheet.rows():
        if missing := unjudged(student):
            notes += [f"{line}, so there is no file for them" for line in missing]
            continue
        grades, name = [grade for grade in student.grades.values() if not grade.excused], student.person.student
        seconds = sum(check.seconds for grade in grades for check in grade.result.checks)
        made = gradescope_results(grades, sheet.sections, sheet.policy, seconds=seconds, student=name)
        folder = path / file_slug(name)
        folder.mkdir(exist_ok=True)
        _write_results(folder, made)
    return notes


def _write_results(folder: Path, made: GradescopeResults) -> None:
    with replaced(folder / "results.json") as beside:
        beside.write_bytes(msgspec.json.format(msgspec.json.encode(made), indent=1))


LARGEST_METADATA = 1 << 20  # bytes
COURSE, LESSON = "course", "lesson"  # the course's folder in autograder.zip, and the id of its lesson, as `author.release` writes them


def grade_in_container(place: Path) -> GradescopeResults:
    """Grade `place`/submission with `place`/source into `place`/results/results.json. Return what was written.

    Raise `UsageError` if the layout is not Gradescope's, or no wall keeps the solutions from a submission.
    """
    started = time.monotonic()
    source, results = place / "source", place / "results"
    if not ((source / COURSE / "course.yaml").is_file() and (source / LESSON).is_file() and (place / "submission").is_dir()):
        raise UsageError(f"{place}: not laid out like Gradescope's /autograder", "only run_autograder runs this command, on Gradescope")
    results.mkdir(exist_ok=True)
    for private in (source, results):
        private.chmod(0o700)
    chosen = open_round(source)
    walls = standing_walls(Limits())
    grader = Grader(Settings(str(source / COURSE), chosen, walls))
    lesson, policy = choose_lesson(grader.course, (source / LESSON).read_text()), grader.course.policy
    notes: list[str] = []
    try:
        student, handout = open_folder(place / "submission", "submission"), read_handout(grader.course.root, lesson, grader.course.lessons)
        handed_in = read_submissions(student, handout, exercise_ids(lesson), notes.append, prefer=policy.prefer)
        ids = _ids(place / "submission_metadata.json")
        graded = [grader.grade(replace(submission, ids=ids)) for submission in handed_in]
    finally:
        grader.close()
    early = policy.reveal_from is not None and datetime.now(UTC) < policy.reveal_from
    extra = {"round": chosen.name, "version": grader.version, "walls": ", ".join(at_hand(walls)), "notes": "; ".join(notes)}
    made = [Grade(one.result, one.handed_in, {}, one.result.score, 0, 0.0) for one in graded]
    written = gradescope_results(made, sections_of([lesson]), policy, seconds=time.monotonic() - started, early=early, **extra)
    _write_results(results, written)
    return written


def _ids(path: Path) -> tuple[str, ...]:
    """Return by what Gradescope knows the students of a submission: their e-mail addresses, numbers and names."""
    try:
        users = msgspec.json.decode(path.read_bytes()[:LARGEST_METADATA])["users"]
        return tuple(str(user[key]) for key in ("email", "id", "name") for user in users if user.get(key))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return ()


def standing_walls(limits: Limits) -> tuple[str, ...]:
    """Return the walls that stand. Raise `UsageError` if none of them keeps a submission from reading the solutions."""
    missing = missing_walls(limits)
    why = f"landlock is missing ({missing['landlock']})" if "landlock" in missing else missing.get("reading", "")
    if why and ("privileges" in missing or free_user(0) is None):
        problem = f"nothing keeps a submission from reading the solutions: {why}"
        raise UsageError(problem, "run this as root: then submissions run as another user")
    return tuple(wall for wall in WALLS if wall not in missing)
