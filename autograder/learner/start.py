"""Create a workspace: starters, `answers.yaml`, the notebook and a one-screen README. Existing files are never changed."""

import textwrap
from datetime import datetime
from pathlib import Path

import msgspec

from autograder.course.errors import UsageError
from autograder.course.kinds import form_of
from autograder.course.model import Lesson, Question
from autograder.course.store import replaced
from autograder.learner.workspace import HIDDEN, ORIGIN, Origin, Workspace, digest, exercises_of, names_of

README = Path(__file__).parent / "templates" / "workspace.md"


class Started(msgspec.Struct, frozen=True):
    """What `start` did: the files it created, and those that were there already."""

    folder: Path
    made: tuple[str, ...]
    kept: tuple[str, ...]


def start(folder: Path, root: Path, lesson: Lesson) -> Started:
    """Create a workspace in `folder`, or restore its missing files. Raises UsageError if that is impossible."""
    if (folder / "course.yaml").exists():
        raise UsageError(f"{folder}: this is the course's own folder", "create the workspace elsewhere: `course start ../my-course`")
    files = given_files(root, lesson)
    try:
        (folder / HIDDEN).mkdir(parents=True, exist_ok=True)
        made = tuple(name for name, data in files.items() if _made(folder / name, data))
        origin = Origin(str(root), lesson.id, {name: digest(data) for name, data in files.items()})
        with replaced(folder / HIDDEN / ORIGIN) as beside:
            beside.write_bytes(msgspec.json.format(msgspec.json.encode(origin)))
    except OSError as error:
        raise UsageError(f"{folder}: {error.strerror}", "choose a folder that you may write to, like `course start ~/my-course`") from None
    return Started(folder, made, tuple(name for name in files if name not in made))


def refuse_crowded(folder: Path, lesson: Lesson) -> None:
    """Raises UsageError if the current folder holds other files, among which a dozen new ones would get lost."""
    others = [] if (folder / HIDDEN).exists() else [path.name for path in sorted(folder.iterdir()) if not path.name.startswith(".")]
    if others:
        where = lesson.id.partition("_")[2]
        raise UsageError(f"{folder}: this folder is not empty ({others[0]} is there)", f"use an empty folder: `course start {where}`")


def reset(workspace: Workspace, file: str) -> Path | None:
    """Restore a starter. Return where the student's version is kept, or None if there was none or it was unchanged."""
    files = given_files(workspace.root, workspace.lesson)
    name = Path(file).name
    if name not in files:
        raise UsageError(f"{file}: not one of the files that `course start` creates", f"take one of {', '.join(files)}")
    path, kept = workspace.folder / name, None
    try:
        if path.exists() and path.read_bytes() != files[name]:
            folder, stem = workspace.hidden / "kept", f"{path.stem}-{datetime.now():%Y%m%d-%H%M%S}"
            folder.mkdir(exist_ok=True)
            copies = (folder / f"{stem}{f'-{number}' if number else ''}{path.suffix}" for number in range(10_000))
            kept = next(copy for copy in copies if not copy.exists())
            path.replace(kept)
        _made(path, files[name])
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}", "make the folder writable; the file is unchanged") from None
    return kept


def given_files(root: Path, lesson: Lesson) -> dict[str, bytes]:
    """Return every file of a fresh workspace by name."""
    folder = root / "exercises" / lesson.id
    files = {exercise.starter.name: exercise.starter.read_bytes() for exercise in lesson.exercises}
    others = (folder / "props.py", folder / f"{lesson.id}.ipynb")
    files |= {path.name: path.read_bytes() for path in others if path.is_file()}
    if lesson.questions:
        files["answers.yaml"] = answers(lesson).encode()
    names = [names_of(exercise)[0] for exercise in exercises_of(lesson)]
    listed = textwrap.fill(f"Files: {', '.join(names)}.", 79)
    readme = README.read_text(encoding="utf-8").format(title=lesson.title, first=names[0], files=listed, hidden=HIDDEN)
    return files | {"README.md": readme.encode()}


def answers(lesson: Lesson) -> str:
    """Return an empty `answers.yaml`: each question with the form of its answer."""
    head = f"# Answers to the practice questions of {lesson.id}. To read one: course practice QUESTION\n"
    head += "# A fresh variant is answered with its seed: {seed: 7, answer: 0.123}. Decimal point, not comma.\n"
    return head + "".join(f"\n{_blank(question, '')}" for question in lesson.questions)


def _blank(question: Question, indent: str) -> str:
    if question.parts:
        return f"{indent}{question.id}:\n" + "".join(_blank(part, indent + "  ") for part in question.parts)
    form = form_of(question)
    return f"{indent}{question.id}:  # {'each ' * bool(form.keys)}{form.expected}\n" + "".join(f"{indent}  {key}:\n" for key in form.keys)


def _made(path: Path, data: bytes) -> bool:
    """Write a file unless it exists. Return whether it was written."""
    try:
        with open(path, "xb") as file:
            file.write(data)
    except FileExistsError:
        return False
    return True
