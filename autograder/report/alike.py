"""Wrong answers that many share and no known slip explains: groups of students whose functions gave the same values.

What a group shares is found by hash: values themselves are kept nowhere. The words are a secret run's, for the instructor alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from inspect import signature
from pathlib import Path

from msgspec import Struct

from autograder.attempt import ALIKE
from autograder.errors import UsageError
from autograder.model import Exercise, Result
from autograder.recordings import load_module

FEWEST = 2


class Group(Struct, frozen=True):
    """Students whose `function` gave the same wrong values in every call, and what one of its checks said."""

    exercise: str
    function: str
    students: tuple[str, ...]
    words: str


def groups(attempts: Iterable[tuple[Result, dict[str, str]]]) -> list[Group]:
    """Group attempts by equal unexplained answers, the largest group first; who shares with nobody is in none."""
    found: dict[tuple[str, str, str], list[tuple[str, str]]] = defaultdict(list)
    for result, private in attempts:
        for name, shared in private.items():
            if name.startswith(ALIKE):
                function = name.removeprefix(ALIKE)
                words = next((text for text in private.values() if text.startswith(f"`{function}(")), "")
                found[result.exercise, function, shared].append((result.student, words))
    made = [
        Group(exercise, function, tuple(sorted(student for student, _ in own)), own[0][1])
        for (exercise, function, _), own in found.items()
        if len(own) >= FEWEST
    ]
    return sorted(made, key=lambda group: (-len(group.students), group.exercise, group.function, group.students))


def begin_slip(group: Group, exercise: Exercise, name: str) -> str:
    """Return the text with which a misconception for this group begins; `course lint` then asks for what is still to do.

    Raise `UsageError` where the name cannot be a slip's.
    """
    if not name.isidentifier():
        raise UsageError(f"`{name}` cannot be a function's name", "name the slip with letters and underscores, as noise_left_out")
    written = exercise.misconceptions.read_text(encoding="utf-8")
    if f"def {name}(" in written:
        raise UsageError(f"there is a `{name}` in {exercise.misconceptions.name} already", "choose another name")
    parameters = ", ".join(signature(getattr(load_module(exercise.answer), group.function)).parameters)
    return (
        f'\n\n@misconception(of="{group.function}", section="TODO", card="TODO")\n'
        f"def {name}({parameters}):\n"
        f'    """TODO: say what was done, and what puts it right."""\n'
        f'    raise NotImplementedError("write what these {len(group.students)} students wrote")\n'
    )


def append_slip(path: Path, text: str) -> None:
    """Write it behind the slips that are there."""
    with path.open("a", encoding="utf-8") as file:
        file.write(text)
