"""Start a misconception from a wrong answer that many students share."""

from inspect import signature

from autograder.course.errors import UsageError
from autograder.course.model import Exercise
from autograder.grading.reference import load_module


def begin_misconception(function: str, students: int, exercise: Exercise, name: str, idea: str = "") -> str:
    """Return a misconception to fill in, for a wrong answer that so many students share; `course lint` asks for the rest.

    `idea` is what they are told already.

    Raises UsageError if the name is taken or not a Python identifier.
    """
    if not name.isidentifier():
        raise UsageError(f"`{name}` is not a valid function name", "use letters and underscores, like noise_left_out")
    path = exercise.misconceptions
    written = path.read_text(encoding="utf-8") if path.is_file() else ""
    if f"def {name}(" in written:
        raise UsageError(f"there is a `{name}` in {exercise.misconceptions.name} already", "choose another name")
    so_far = f" They are told: {idea}" if idea else ""
    parameters = ", ".join(signature(getattr(load_module(exercise.answer), function)).parameters)
    head = "" if written else f'"""Misconceptions in {path.name}."""\n\nfrom autograder.api import misconception\n'
    return (
        f'{head}\n\n@misconception(of="{function}", section="TODO", card="TODO")\n'
        f"def {name}({parameters}):\n"
        f'    """TODO: say what was done, and what puts it right.{so_far}"""\n'
        f'    raise NotImplementedError("write what these {students} students wrote")\n'
    )
