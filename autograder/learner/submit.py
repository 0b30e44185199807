"""Pack the student's files and a manifest into one zip, which `course grade` reads as it is.

The manifest is the student's claim: its hashes reveal a file that changed on the way, and its public results are what the checks
said at home. Grading believes neither.
"""

import ast
import io
import zipfile
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import msgspec

from autograder.course.answers import AnswersError, read_answers
from autograder.course.errors import SandboxFault, UsageError
from autograder.course.files import replaced
from autograder.course.loading import package_name
from autograder.course.model import Lesson
from autograder.course.own_practice import names_asked
from autograder.course.student_files import exercises_of, form_held, names_of, without_outputs
from autograder.course.system import as_text, file_name
from autograder.grading.marking import own_problems
from autograder.learner.check import Checker, unreadable
from autograder.learner.files import Held, held, rivalries
from autograder.learner.progress import remember
from autograder.learner.workspace import State, Workspace, digest, is_untouched

SMALL = 6 << 20  # bytes of a notebook that is packed as it is
EPOCH = (1980, 1, 1, 0, 0, 0)  # equal files give equal zips, except for the manifest's time


class Packed(msgspec.Struct, frozen=True):
    """One file of the submission."""

    sha256: str
    bytes: int


class Seen(msgspec.Struct, frozen=True):
    """The results of the public checks of one exercise, at home."""

    score: float
    max_score: float
    passed: int
    checks: int


class Manifest(msgspec.Struct, frozen=True):
    """`manifest.json`. Paths are relative to the zip."""

    lesson: str
    student: str
    made_at: str
    version: str
    files: dict[str, Packed]
    public: dict[str, Seen]
    format: int = 1


class Submitted(msgspec.Struct, frozen=True):
    """What was packed, and what to warn the student about. `begun` is false if nothing is written in any file, or none was saved."""

    path: Path
    manifest: Manifest
    warnings: tuple[str, ...]
    notes: tuple[str, ...]  # what is not the student's to mend: which of several files is packed, what could not be checked here
    begun: bool


def submit(workspace: Workspace, state: State, checker: Checker, out: Path | None, student: str | None) -> Submitted:
    """Check the files, pack them into `out` (default: NAME.zip in the workspace), and list what is unfinished.

    A file that was renamed is packed under the name that it should have. Of several that were worked on, the one is packed that
    grading would take.
    """
    name = as_text(student or workspace.folder.name)
    target = out or workspace.folder / f"{file_name(name) or 'submission'}.zip"
    if target.exists() and not zipfile.is_zipfile(target):
        raise UsageError(f"{target}: this file exists and is not a zip", "give another name: `--out my-work.zip`")
    holding = held(workspace)
    found, notes = _find(holding)
    if not found:
        raise UsageError(f"{workspace.folder}: there is nothing to hand in", "`course reset FILE` restores a starter")
    sources = {path.name: path.read_bytes() for path, _ in found.values()}
    for large in (name for name, data in sources.items() if form_held(name, data) == "ipynb" and len(data) > SMALL):
        sources[large] = without_outputs(sources[large])
        notes.append(f"`{large}` is packed without its outputs.")
    warnings, untouched, public = [], [], {}
    for exercise in exercises_of(workspace.lesson):
        path = found[exercise][0] if exercise in found else None
        if path is None:
            warnings.append(f"`{names_of(exercise)[0]}` is missing.")
        elif is_untouched(workspace, path):
            untouched.append(path.name)
        elif problem := _problem(path.name, sources[path.name], workspace.lesson):
            warnings.append(problem)
        elif exercise == "practice" and workspace.lesson.practice == "own":
            warnings += [f"`{path.name}`: {line}" for line in own_problems(workspace.lesson, sources[path.name])]
        else:
            where = f"`{path.name}`" if path.name in names_of(exercise) else f"`{exercise}` in `{path.name}`"
            try:
                public[exercise] = seen = _seen(workspace, state, checker, exercise, path)
            except UsageError as error:
                notes.append(f"{error.problem}: it is packed unchecked.")
                continue
            except SandboxFault as fault:
                notes.append(f"{where} is packed unchecked, because the sandbox failed ({fault}). This is not a mistake of yours.")
                continue
            if seen.passed < seen.checks:
                what = "public checks pass" if exercise != "practice" else "answers are right"
                warnings.append(f"{where}: {seen.passed} of {seen.checks} {what}.")
            if exercise == "practice":
                problems = read_answers(sources[path.name], names_asked(workspace.lesson)).problems
                warnings += [f"{where}: {problem}." for problem in problems.values()]
    if untouched:
        warnings.append(f"still the starter, or not saved: {', '.join(untouched)}.")
    files = {f"{workspace.lesson.id}/{packed_as}": sources[path.name] for path, packed_as in found.values()}
    packed = {path: Packed(digest(data), len(data)) for path, data in files.items()}
    now = datetime.now(UTC).isoformat(timespec="seconds")
    manifest = Manifest(workspace.lesson.id, name, now, version(package_name()), packed, public)
    _write(target, files, manifest)
    state.add("submit", as_text(target.name), sha256=digest(target.read_bytes()), warnings=len(warnings))
    return Submitted(target, manifest, tuple(warnings), tuple(notes), any(one.begun for one in holding.values()))


def _find(holding: dict[str, Held]) -> tuple[dict[str, tuple[Path, str]], list[str]]:
    """Find the file of each exercise and the name to pack it under; say where that is not what the student may think."""
    found: dict[str, tuple[Path, str]] = {}
    notes: dict[str, None] = {}
    for exercise, one in holding.items():
        if one.path is None:
            continue
        name = one.name
        if one.begun and any(name == taken and one.path != other for other, taken in found.values()):
            name = names_of(exercise)[1]  # another notebook is packed as the lesson's
        found[exercise] = one.path, name
        notes |= {f"`{one.path.name}` is packed as {name}.": None} if name != one.path.name else {}
    return found, [*notes, *rivalries(holding)]


def _problem(name: str, source: bytes, lesson: Lesson) -> str:
    """Return why a file cannot be judged, or an empty text."""
    if problem := unreadable(name, source):
        return problem
    try:
        form = form_held(name, source)
        if form == "py":
            ast.parse(source, name)
        elif form == "ipynb":
            msgspec.json.decode(source)
        else:
            read_answers(source, names_asked(lesson))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        words = f"line {error.lineno}: {error.msg}" if isinstance(error, SyntaxError) else "it is truncated or not a Jupyter notebook"
        return f"`{name}` cannot be read: {words}."
    except AnswersError as error:
        return f"`{name}` cannot be read: {error}."
    return ""


def _seen(workspace: Workspace, state: State, checker: Checker, exercise: str, path: Path) -> Seen:
    """Return the recorded results of exactly this file, or run the checks now."""
    sha256 = digest(path.read_bytes())
    if known := [event.facts for event in state.events("check", exercise) if event.facts["sha256"] == sha256]:
        return msgspec.convert(known[-1], Seen)
    checked = checker.check(workspace, exercise, path)
    remember(state, checked)
    return Seen(checked.score, checked.max_score, checked.passed, len(checked.checks))


def _write(target: Path, files: dict[str, bytes], manifest: Manifest) -> None:
    """Write the zip, replacing an earlier one only once it is complete."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {"manifest.json": msgspec.json.format(msgspec.json.encode(manifest)), **files}.items():
            archive.writestr(zipfile.ZipInfo(name, EPOCH), content, zipfile.ZIP_DEFLATED)
    try:
        with replaced(target) as beside:
            beside.write_bytes(data.getvalue())
    except OSError as error:
        raise UsageError(f"{target}: {error.strerror}", "choose a place that you may write to: `--out /tmp/my-work.zip`") from None
