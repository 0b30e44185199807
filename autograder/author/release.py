"""Build what students get: the release as a folder, an nbgrader course folder, and Gradescope's autograder.zip.

Only the zip contains solutions. Everything is built beside its destination and moved there when complete, so an interrupted run
leaves the earlier one intact.
"""

import os
import re
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import msgspec

from autograder.author.notebook import notebook
from autograder.author.recording import record_exercise, write_recordings
from autograder.course.errors import UsageError
from autograder.course.files import refuse_foreign, replaced, replaced_folder
from autograder.course.loading import CONTENT, demand_solutions, package_name, read_course
from autograder.course.model import Course, Lesson
from autograder.course.own_practice import token_of
from autograder.course.policy import settings_in
from autograder.course.references import choose_lesson
from autograder.grading.attempt import load_materials
from autograder.grading.questions import VARIANTS, functions_of
from autograder.grading.recorded import recorded_solution
from autograder.grading.rounds import Round, open_round

MARK = "release.json"
FORMAT = 1  # of the recordings
NOT_FOR_STUDENTS = shutil.ignore_patterns("__pycache__", "*.pyc", ".*", "_*", "answers.yaml")


class Built(msgspec.Struct, frozen=True):
    """What a release contains."""

    exercises: int
    misconceptions: int
    questions: int
    cards: int
    bytes: int


def build(root: Path, out: Path, graded: Path | None = None, only: str | None = None) -> Built:
    """Build a release of the course at `root`, or of one lesson, in the folder `out`.

    Where practice counts, the round is that of `graded`, the folder that `course grade` writes. Raises UsageError if `root` is itself a
    release, if `out` contains anything but an earlier one, or if the round is missing.
    """
    course = read_course(root)
    demand_solutions(root)
    round_ = _round_for(course, graded)
    token = token_of(round_.secret) if round_ else ""
    lessons = _lessons(course, only)
    with replaced_folder(out, MARK) as new:
        new.mkdir()
        shutil.copyfile(root / "course.yaml", new / "course.yaml")
        misconceptions = sum(_fill(root, lesson, new, token, course.policy.show_solutions) for lesson in lessons)
        release = {"version": version(package_name()), "lessons": [one.id for one in lessons], "variants": VARIANTS, "format": FORMAT}
        (new / MARK).write_bytes(msgspec.json.format(msgspec.json.encode(release)) + b"\n")
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    exercises, questions, cards = (sum(len(getattr(one, name)) for one in lessons) for name in ("exercises", "questions", "cards"))
    return Built(exercises, misconceptions, questions, cards, size)


def _lessons(course: Course, only: str | None) -> tuple[Lesson, ...]:
    return (choose_lesson(course, only),) if only else course.lessons


def _round_for(course: Course, graded: Path | None) -> Round | None:
    """Return the round whose numbers students get, where practice counts; it begins now if `graded` has none yet."""
    if course.policy.practice == "open":
        return None
    if graded is None:
        fix = "give it with --round OUT: the folder that `course grade` writes, or will write"
        raise UsageError("practice counts in this course, and each student's numbers follow from the round", fix)
    return open_round(graded)


def _fill(root: Path, lesson: Lesson, into: Path, token: str, shown: tuple[str, ...]) -> int:
    """Copy and record what students get of a lesson. Return the number of recorded misconceptions."""
    for folder in ("lessons", "exercises"):
        shutil.copytree(root / folder / lesson.id, into / folder / lesson.id, ignore=NOT_FOR_STUDENTS)
    recorded = [(exercise, record_exercise(load_materials(exercise))) for exercise in lesson.exercises]
    write_recordings(into, lesson, recorded, functions_of(root, lesson), token)
    for exercise in (one for one in lesson.exercises if one.id in shown):
        shutil.copyfile(exercise.answer, into / recorded_solution(exercise).relative_to(root))
    return sum(len(own.misconceptions) for _, own in recorded)


CONFIG = "nbgrader_config.py"
TEXT = """\
c = get_config()
c.CourseDirectory.course_id = {course!r}
c.ExecutePreprocessor.timeout = {seconds}  # for one cell
c.ClearSolutions.enabled = False  # the cells hold starters: no solution to clear
"""


def build_nbgrader(root: Path, out: Path, only: str | None = None) -> list[Path]:
    """Write or update an nbgrader course folder. Return the files that were written; nbgrader's own files stay.

    Raises UsageError if there are no solutions, or `out` contains anything but an nbgrader course.
    """
    course = read_course(root)
    demand_solutions(root)
    refuse_foreign(out, CONFIG)
    files = {out / "source" / one.id / f"{one.id}.ipynb": notebook(one) for one in _lessons(course, only)}
    if not (out / CONFIG).exists():  # keep the instructor's settings
        files = {out / CONFIG: config(course)} | files
    try:
        for path, text in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with replaced(path) as beside:
                beside.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{out}: {error.strerror}", "choose a folder that can be written with --out") from None
    return list(files)


def config(course: Course) -> str:
    """Return nbgrader's settings: the course's id, and a timeout for cells above a check's own limit."""
    name = re.sub(r"[^a-z0-9]+", "-", course.title.lower()).strip("-")
    limits = [course.policy.limits, *(own for _, own in settings_in(course.policy.limits_of))]
    longest = max(one.call_seconds for one in limits)
    return TEXT.format(course=name, seconds=int(60 + 2 * longest))


NAME = "autograder.zip"
COURSE = "course"  # the folder of the course in the zip
LESSON = "lesson"  # a file beside it: the id of the lesson that is graded
ENGINE = ("autograder", "pyproject.toml", "setup.py", "constraints.txt", "README.md", "LICENSE")
HOME = Path(__file__).resolve().parents[2]  # of the engine; the course may be elsewhere
IN_BROWSERS = HOME / "autograder" / "web" / "onnx"  # 5 MB that grade nothing
EPOCH = (1980, 1, 1, 0, 0, 0)

SCRIPTS = Path(__file__).with_name("gradescope")  # what Gradescope runs: setup.sh once, run_autograder for each submission


def build_gradescope(root: Path, out: Path, graded: Path | None = None, only: str | None = None) -> Path:
    """Write the zip to `out` and return its path. It grades one lesson: `only`, or the course's only one.

    Raises UsageError if there are no solutions, no round where practice counts, or several lessons to choose from.
    """
    course = read_course(root)  # find faults of the course now, not on Gradescope
    demand_solutions(root)
    lesson, known = choose_lesson(course, only), _round_for(course, graded)
    target = out / NAME
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as drawn, replaced(target) as beside:
            open_round(Path(drawn), secret=known.secret if known else None)
            beside.touch(0o600)  # it holds the round's secret and the solutions
            (Path(drawn) / LESSON).write_text(lesson.id)
            _write(beside, root, Path(drawn))
    except OSError as error:
        raise UsageError(f"{target}: {error.strerror}", "choose a folder that can be written with --out") from None
    return target


def _write(path: Path, root: Path, drawn: Path) -> None:
    files = [(script.name, script, 0o755) for script in sorted(SCRIPTS.iterdir())]
    files += [("private/rounds.json", drawn / "private" / "rounds.json", 0o600), (LESSON, drawn / LESSON, 0o644)]
    for home, names in ((HOME, ENGINE), (root, CONTENT)):
        files += [(f"{COURSE}/{own.relative_to(home).as_posix()}", own, 0o644) for own in _files(home, names) if own.parent != IN_BROWSERS]
    with zipfile.ZipFile(path, "w") as archive:
        for name, file, mode in files:
            info = zipfile.ZipInfo(name, EPOCH)
            info.external_attr = (0o100000 | mode) << 16
            archive.writestr(info, file.read_bytes(), zipfile.ZIP_DEFLATED)
    path.chmod(0o600)  # it contains the round's secret


def _files(root: Path, names: tuple[str, ...]) -> Iterator[Path]:
    """Yield these files, and the contents of these folders without caches and hidden files."""
    for name in names:
        if (root / name).is_file():
            yield root / name
        for place, folders, files in os.walk(root / name):
            folders[:] = sorted(one for one in folders if one != "__pycache__" and not one.startswith("."))
            yield from (Path(place) / one for one in sorted(files) if not one.startswith(".") and not one.endswith(".pyc"))
