"""One line of Python that repeats the call that failed, to paste in the folder of the student's file.

Small arguments are written out and large arrays saved as .npz. If the call takes functions or objects, the line calls `again`,
which runs the check up to that call in the student's own Python: there a debugger works, and tracebacks are whole.
"""

import contextlib
import inspect
import math
import runpy
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from autograder.course.errors import UsageError
from autograder.course.student_files import form_held
from autograder.course.system import shell_word
from autograder.grading.checks import Called, Transcript, executed_by, run, seed_of
from autograder.grading.feedback import call_text
from autograder.learner.workspace import Workspace, course_of, open_workspace
from autograder.sandbox.guest.frameworks import framework_of

SMALL = 8  # an array of at most so many numbers is written out


class Reach(msgspec.Struct, frozen=True):
    """How Python gets at a student's functions: by importing the file, by running another one, or in the notebook that has them."""

    names: str  # makes the functions names; empty if they are
    whole: str  # loads the file and nothing more
    again: str = ""  # a further argument of `again`


def reach(workspace: Workspace, exercise: str, path: Path) -> Reach:
    """Return how a line of Python, run in the workspace's folder, gets at the functions of just this file."""
    if form_held(path.name, path.read_bytes()) == "ipynb":
        return Reach("", "# run all cells from the top", ", globals()")
    if path == workspace.folder / f"{exercise}.py":
        return Reach(f"from {exercise} import *", f"import {exercise}")
    file = repr((path.relative_to(workspace.folder) if path.is_relative_to(workspace.folder) else path).as_posix())
    return Reach(f"from runpy import run_path; globals().update(run_path({file}))", f"import runpy; runpy.run_path({file})", f", {file}")


def line(exercise: str, check: str, transcript: Transcript, parameters: Callable[[str], Callable[..., Any]], hidden: Path,
         reach: Reach) -> str:  # fmt: skip
    """Return Python that repeats the failing call of a check; arrays are saved below `hidden`."""
    failed = transcript.first_failure
    called = transcript.calls[failed.call] if failed and failed.call >= 0 else transcript.calls[-1] if transcript.calls else None
    if called is None:
        return reach.whole
    if called.outcome.missing:
        return reach.names.replace("*", called.function) if "*" in reach.names else "; ".join(filter(None, (reach.names, called.function)))
    plain = called.function.isidentifier() and all(map(_is_data, (*called.args, *called.kwargs.values())))
    shown_by_value = failed is None or failed.kind == "value" or called.outcome.changed
    if plain and shown_by_value:
        with contextlib.suppress(OSError):  # nothing can be saved here
            return _direct(exercise, check, called, parameters, hidden, reach)
    return f"from autograder.learner.repro import again; print(again('{exercise}', '{check}'{reach.again}))"


def in_terminal(python: str) -> str:
    """Return the command that runs a line with this Python, which has what the file needs: `python` if that is the one on PATH."""
    found, own = shutil.which("python"), sys.executable
    same = found and Path(found).parent.resolve() == Path(own).parent.resolve()
    return f'{"python" if same else shell_word(own)} -c "{python}"'


def _direct(exercise: str, check: str, called: Called, function: Callable[[str], Callable[..., Any]], hidden: Path, reach: Reach) -> str:
    """Write the call out; what is too large for a line goes into a file."""
    names = _names(called, function)
    kept = {name: value for name, value in names.items() if not _is_small(value)}
    where = f"{hidden.name}/failed/{exercise}-{check}.npz"
    if kept:
        (hidden / "failed").mkdir(exist_ok=True)
        arrays: dict[str, Any] = {name: np.asarray(value) for name, value in kept.items()}
        np.savez(hidden.parent / where, **arrays)
    written = {name: _written(name, value, name in kept) for name, value in names.items()}
    given = [written[name] for name in list(names)[: len(called.args)]] + [f"{name}={written[name]}" for name in called.kwargs]
    frameworks = {framework.name for value in names.values() if (framework := framework_of(value))}
    libraries = ["numpy as np"] * (bool(kept) or any("np." in one for one in given)) + sorted(frameworks)
    steps = [reach.names] * bool(reach.names) + [f"import {', '.join(libraries)}"] * bool(libraries)
    steps += [f"a = np.load('{where}')"] * bool(kept)
    if called.outcome.changed:
        name = called.outcome.changed[0]
        call = f"{called.function}({', '.join('x' if one == written.get(name) else one for one in given)})"
        steps += [f"x = {written[name]}", "before = x + 0", call, "print((x == before).all())"]
    else:
        steps.append(f"print({called.function}({', '.join(given)}))")
    return "; ".join(steps)


def _names(called: Called, function: Callable[[str], Callable[..., Any]]) -> dict[str, Any]:
    names = list(inspect.signature(function(called.function)).parameters)
    names += [f"argument{number}" for number in range(len(names), len(called.args))]
    return dict(zip(names, called.args, strict=False)) | called.kwargs


def _is_data(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(map(_is_data, value))
    return value is None or isinstance(value, bool | int | float | str | np.ndarray | np.generic) or framework_of(value) is not None


def _is_small(value: Any) -> bool:
    if isinstance(value, np.ndarray) or framework_of(value):
        array = np.asarray(value)
        usual = array.dtype in ((np.float64, np.int64, np.bool_) if isinstance(value, np.ndarray) else (np.float32, np.int64, np.bool_))
        return bool(usual and array.size <= SMALL and np.isfinite(array).all())
    if isinstance(value, list | tuple):
        return all(map(_is_small, value))
    return not isinstance(value, float) or math.isfinite(value)


def _written(name: str, value: Any, kept: bool) -> str:
    framework = framework_of(value)
    if kept:
        array = f"a['{name}']"
        return framework.conversion.format(array) if framework else array if np.ndim(value) else f"{array}[()]"
    if framework:
        return framework.literal.format(repr(value.tolist()))
    if isinstance(value, np.ndarray):
        return f"np.array({value.tolist()!r})"
    return repr(value.item() if isinstance(value, np.generic) else value)


# ---- in the student's own Python


def again(exercise: str, check: str, where: str | dict[str, Any] = "") -> Any:
    """Run one public check on this exercise's file in the current folder; return what its failing call returned.

    `where` is another file, or the functions themselves: in a notebook, `globals()`.

    What the student's code raises is raised here too, with its whole traceback. Raise `UsageError` if there is no such check.
    """
    from autograder.grading.attempt import PUBLIC, load_materials

    workspace = open_workspace(Path.cwd(), course_of(Path.cwd()))
    materials = next((load_materials(one) for one in workspace.lesson.exercises if one.id == exercise), None)
    asked = next((one for one in materials.checks if one.id == check), None) if materials else None
    if materials is None or asked is None:
        raise UsageError(f"there is no check `{check}` of `{exercise}`", "paste the line as `course check` printed it")
    sys.path.insert(0, str(workspace.folder))
    namespace = where if isinstance(where, dict) else runpy.run_path(where or str(workspace.folder / f"{exercise}.py"))
    raised: list[Exception] = []

    def function_of(name: str) -> Callable[..., Any]:
        if name.startswith("props."):
            return materials.answers.function(name)
        own = namespace[name]

        def watched(*args: Any, **kwargs: Any) -> Any:
            try:
                return own(*args, **kwargs)
            except Exception as error:
                raised.append(error)
                raise

        return watched

    transcript = run(asked, executed_by(function_of), materials.answers, seed_of(PUBLIC, exercise, check))
    failed = transcript.first_failure
    if raised and failed is None:
        raise raised[0]
    if failed is None or failed.call < 0:
        return transcript.ended.detail if transcript.ended else "This check passes now."
    called = transcript.calls[failed.call]
    return called.outcome.value if failed.kind == "value" else f"{call_text(called, materials.answers.function)} {failed.words}"
