"""A student's files in a workspace: which one counts for each exercise, and which exercises a named file is checked for.

The rules are those of grading (`student_files`), so the file that is checked at home is the one that is packed and graded.
"""

import difflib
import os
import re
from collections.abc import Iterable
from pathlib import Path

from msgspec import Struct

from autograder.course.errors import UsageError
from autograder.course.student_files import (
    COPY,
    UNTOUCHED,
    WORKED,
    Candidate,
    Choice,
    Fit,
    Handout,
    Work,
    candidate,
    choose,
    definitions,
    exercises_of,
    fits_of,
    is_read,
    is_worked_on,
    names_of,
    own_name,
    read_handout,
    read_work,
)
from autograder.learner.workspace import Workspace, is_untouched

_TEXT = re.compile(r"('''|\"\"\").*?\1", re.DOTALL)
LARGEST = 48 << 20  # bytes of a file that may be work


class Held(Struct, frozen=True):
    """The file that counts for an exercise, and the others that were worked on too.

    `path` is None if none counts: two are equally good. `name` is the one to pack it under.
    """

    path: Path | None
    name: str
    begun: bool
    rivals: tuple[Path, ...] = ()


class Named(Struct, frozen=True):
    """An exercise that was named on the command line, and the file to check for it."""

    exercise: str
    path: Path


def work_files(folder: Path) -> list[Path]:
    """Return the files of a folder that may hold work, by name."""
    paths = (path for path in sorted(folder.iterdir()) if path.name[0] != "." and is_read(path.name))
    return [path for path in paths if path.is_file() and path.stat().st_size <= LARGEST]


def held(workspace: Workspace) -> dict[str, Held]:
    """Return for each exercise what holds it; nothing for one that has no file."""
    handout = read_handout(workspace.root, workspace.lesson)
    works = {path: read_work(path.name, path.read_bytes()) for path in work_files(workspace.folder)}
    found = {exercise: _held(workspace, exercise, works, handout) for exercise in exercises_of(workspace.lesson)}
    return {exercise: one for exercise, one in found.items() if one}


def _held(workspace: Workspace, exercise: str, works: dict[Path, Work], handout: Handout) -> Held | None:
    fits = {path: fit for path, work in works.items() if (fit := fits_of(work, path.name, handout).get(exercise))}
    choice = choose(_candidates(exercise, fits, works, handout), workspace.prefer)
    own = next((path for name in names_of(exercise) if (path := workspace.folder / name) in fits), None)
    if choice.taken is None:
        return Held(None, names_of(exercise)[0], True, _paths(workspace, choice)) if choice.rivals else None
    if choice.taken.state == UNTOUCHED:
        above = next((path for path in fits if replaced(works[path], exercise, handout)), None)
        given = above or own
        return Held(given, given.name, bool(above) or not is_untouched(workspace, given)) if given else None
    name = own_name(exercise, choice.taken, handout.lesson) if choice.taken.state == WORKED else choice.taken.name
    return Held(workspace.folder / choice.taken.name, name, True, _paths(workspace, choice))


def _candidates(exercise: str, fits: dict[Path, Fit], works: dict[Path, Work], handout: Handout) -> Iterable[Candidate]:
    for path, fit in fits.items():
        yield candidate(path.name, works[path], exercise, fit, handout, time=path.stat().st_mtime)


def _paths(workspace: Workspace, choice: Choice) -> tuple[Path, ...]:
    return tuple(workspace.folder / one.name for one in choice.rivals)


def file_of(workspace: Workspace, exercise: str) -> Path | None:
    """Return the file that counts for an exercise, or for "practice", if there is one."""
    found = held(workspace).get(exercise)
    return found.path if found else None


def saved_of(changed: tuple[Path, ...], only: list[Named], found: dict[str, Held]) -> list[Named]:
    """Return what to check after these files were saved: of what was named, or else of everything that counts."""
    counting = [Named(exercise, one.path) for exercise, one in found.items() if one.path]
    return [one for one in only or counting if one.path in changed]


def rivalries(found: dict[str, Held]) -> list[str]:
    """Say of which exercises several files hold work, and which file counts: a line for each set of files."""
    lines: dict[tuple[Path | None, tuple[Path, ...]], list[str]] = {}
    for exercise, one in found.items():
        if one.rivals:
            lines.setdefault((one.path, one.rivals), []).append(exercise)
    return [_rivalry(exercises, counts, rivals) for (counts, rivals), exercises in lines.items()]


def _rivalry(exercises: list[str], counts: Path | None, rivals: tuple[Path, ...]) -> str:
    paths = [counts, *rivals] if counts else list(rivals)
    said = f"{' and '.join(f'`{path.name}`' for path in paths)} {'both' if len(paths) == 2 else 'all'} hold work for {', '.join(exercises)}"
    if counts is None:
        return f"{said}: none of them counts, so keep only one."
    if {path.suffix == ".ipynb" for path in paths} != {True, False}:
        return f"{said}: `{counts.name}` counts."
    other = "files" if counts.suffix == ".ipynb" else "notebook"
    return f"{said}: `{counts.name}` counts. To change that: `course use {other}`."


# ---- a file named on the command line


def named(workspace: Workspace, word: str, found: dict[str, Held], *, unwritten: bool = False) -> list[Named]:
    """Return what a word on the command line means: an exercise, by its id, or each exercise that the file of this name answers.

    A path is that file and no other, wherever it lies. Raise `UsageError` with the most likely fix if there is nothing to check, but
    with `unwritten` return what could be written there.
    """
    path = Path(word)
    if path.is_file():
        return _answered(workspace, path, word, unwritten)
    if word in exercises_of(workspace.lesson):
        return [_counting(workspace, word, found)]
    if path.is_dir():
        raise UsageError(f"{word}: this is a folder", "name a file in it, or none to check every file that you have started")
    exercise = _exercise_of_name(workspace, word)
    where = path.parent if path.parent != Path() else Path.cwd()
    raise UsageError(f"{path.name} is not in {where}", _missing(workspace, exercise, found))


def _counting(workspace: Workspace, exercise: str, found: dict[str, Held]) -> Named:
    one = found.get(exercise)
    if one is None:
        raise UsageError(f"{names_of(exercise)[0]} is not in {workspace.folder}", _missing(workspace, exercise, found))
    if one.path is None:
        said = _rivalry([exercise], None, one.rivals).replace("`", "")
        raise UsageError(said.rstrip("."), f'or check one of them: `course check "{one.rivals[0].name}"`')
    return Named(exercise, one.path)


def _answered(workspace: Workspace, path: Path, word: str, unwritten: bool) -> list[Named]:
    """Return the exercises that a file answers: the one that it is named after, or all for which something is written in it."""
    path = path.absolute()
    handout, work = read_handout(workspace.root, workspace.lesson), read_work(path.name, _bytes_of(path, word))
    fits = fits_of(work, path.name, handout)
    if not fits:
        if not work.code.strip() and is_read(path.name):
            raise UsageError(f"{word}: there is no code in it", "write it, and save the file in your editor or in Jupyter (Ctrl+S)")
        _exercise_of_name(workspace, word)
        raise UsageError(f"{word}: it defines no function of an exercise", _one_of(workspace))
    own = [exercise for exercise, fit in fits.items() if fit.level <= COPY and not fit.whole]
    touched = own or [exercise for exercise, fit in fits.items() if _is_touched(work, exercise, fit, handout)]
    if not touched and not unwritten and work.code:
        raise _nothing_in(word, work, handout)
    return [Named(exercise, path) for exercise in touched or (list(fits) if unwritten else list(fits)[:1])]


def _is_touched(work: Work, exercise: str, fit: Fit, handout: Handout) -> bool:
    """Whether something was done for an exercise: one of its functions was written, above the starter's too, or the starter's deleted."""
    is_copy = any(work.defined.get(name) == code for own in handout.parts for name, code in _starters(own, handout))
    deleted = is_copy and any(name not in work.defined for name, _ in _starters(exercise, handout))
    return deleted or is_worked_on(work, exercise, fit, handout) or bool(replaced(work, exercise, handout))


def replaced(work: Work, exercise: str, handout: Handout) -> list[str]:
    """Return the functions that are written in a file, above the starter's, which replace them; code in a text is none of them."""
    starters = [(name, code) for name, code in _starters(exercise, handout) if work.defined.get(name) == code]
    return [name for name, code in starters if name in definitions(_TEXT.sub("", work.bare.replace(code, "")))]


def _starters(exercise: str, handout: Handout) -> list[tuple[str, str]]:
    return [(name, code) for name, code in handout.parts[exercise].items() if code.startswith(("def ", "class "))]


def _nothing_in(word: str, work: Work, handout: Handout) -> UsageError:
    if work.bare in handout.given:
        fix = "write in it, and save it in Jupyter (Ctrl+S): the file on disk is still the one that `course start` made"
        return UsageError(f"{word}: nothing is written in it yet, or it is not saved", fix)
    first = next(name for exercise in handout.parts for name, _ in _starters(exercise, handout))
    return UsageError(
        f"{word}: what you wrote is in no function of an exercise", f"write it into one of the starter's functions, like `{first}`"
    )


def _bytes_of(path: Path, word: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{word}: {error.strerror}", "make it readable for you") from None


def _exercise_of_name(workspace: Workspace, word: str) -> str:
    """Return the exercise that has a file of this name. Raise `UsageError` with the most likely one if there is none."""
    known = {name: exercise for exercise in exercises_of(workspace.lesson) for name in names_of(exercise)}
    name = os.path.basename(word.rstrip("/\\"))
    if name in known:
        return known[name]
    raise UsageError(f"{word}: no exercise has a file of this name", _did_you_mean(workspace, name, known))


def _did_you_mean(workspace: Workspace, name: str, known: dict[str, str]) -> str:
    stem = os.path.splitext(name)[0]
    stems = {os.path.splitext(own)[0]: own for own in reversed(known)} | {one: names_of(one)[0] for one in known.values()}
    near = difflib.get_close_matches(stem.casefold(), stems, 1, 0.6) or [one for one in stems if stem.startswith(one)]
    return f"did you mean `{stems[near[0]]}`? Files keep the names that `course start` gave them" if near else _one_of(workspace)


def _one_of(workspace: Workspace) -> str:
    return f"take one of {', '.join(names_of(one)[0] for one in exercises_of(workspace.lesson))}"


def _missing(workspace: Workspace, exercise: str, found: dict[str, Held]) -> str:
    """Return a fix for a missing file: another one holds the exercise, or it may have been renamed."""
    if (one := found.get(exercise)) and one.path:
        return f"`course check {exercise}` checks `{one.path.name}` in {workspace.folder}"
    name, put_back = names_of(exercise)[0], f"`course reset {names_of(exercise)[0]}` puts the starter back"
    own = {one for other in exercises_of(workspace.lesson) for one in names_of(other)} | set(workspace.given)
    strays = [path.name for path in sorted(workspace.folder.glob(f"*{Path(name).suffix}")) if path.name not in own]
    like = [stray for stray in strays if exercise in stray] or difflib.get_close_matches(name, strays, 1, 0.6)
    return f"rename `{like[0]}` to `{name}`, if that is it; {put_back}" if like else put_back
