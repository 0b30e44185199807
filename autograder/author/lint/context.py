"""What a rule works on: one lesson, its files and its functions, each loaded once."""

import importlib
import importlib.util
import json
import math
import random
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property, reduce, wraps
from operator import getitem
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from autograder.course.errors import CourseError, Finding
from autograder.course.loading import Help, read_hints
from autograder.course.model import Key, Lesson, Misconception, Wrong
from autograder.grading.attempt import Materials, load_materials
from autograder.grading.coefficients import load_quantities
from autograder.grading.diagnosis import Diagnosis, load_misconceptions
from autograder.grading.questions import Functions, functions_of
from autograder.grading.reference import load_module
from autograder.grading.reruns import Reruns
from autograder.sandbox.guest.frameworks import loaded


class LintContext:
    """One lesson of the course below `root`. Lives for one run of the rules and caches what it loads."""

    def __init__(self, root: Path, lesson: Lesson):
        self.root, self.lesson = root, lesson
        self.text = Path("lessons") / lesson.id / "lesson.md"
        self.mistakes = Path("lessons") / lesson.id / "mistakes.yaml"
        self.cards = Path("lessons") / lesson.id / "flashcards.yaml"
        self.asked = Path("exercises") / lesson.id / "practice.yaml"
        self.answers = Path("solutions") / lesson.id / "practice.yaml"

    def within(self, path: Path) -> Path:
        """Return a path as findings name it: from the course's folder."""
        return path.relative_to(self.root) if path.is_relative_to(self.root) else path

    @property
    def modules(self) -> tuple[Path, ...]:
        """The Python files of the lesson that exist."""
        exercises, answers = (self.root / name / self.lesson.id for name in ("exercises", "solutions"))
        folders = (exercises, exercises / "checks", answers, answers / "misconceptions")
        return tuple(path for folder in folders for path in sorted(folder.glob("[!._]*.py")) if path.is_file())

    @cached_property
    def functions(self) -> Functions:
        return functions_of(self.root, self.lesson)

    @cached_property
    def materials(self) -> tuple[Materials, ...]:
        """The materials of each exercise; each check starts with the same random state."""
        return tuple(_seeded(load_materials(exercise)) for exercise in self.lesson.exercises)

    @cached_property
    def helps(self) -> dict[str, Help]:
        """The hints of each exercise, in the lesson's order."""
        found = read_hints(self.root, self.lesson.id)
        return {exercise.id: found[exercise.id] for exercise in self.lesson.exercises if exercise.id in found}

    @cached_property
    def misconceptions(self) -> dict[str, tuple[Misconception, ...]]:
        """The misconceptions of each exercise, and of `practice` if it has any."""
        folder = self.root / "solutions" / self.lesson.id / "misconceptions"
        paths = [folder / f"{name}.py" for name in (*(exercise.id for exercise in self.lesson.exercises), "practice")]
        return {path.stem: load_misconceptions(path) for path in paths if path.is_file()}

    @property
    def keys(self) -> Iterator[tuple[str, Key]]:
        """The key of every question and of every part, each after its question's id."""
        for name, key in self.lesson.keys.items():
            yield from ((name, one) for one in (key, *key.parts.values()))

    @cached_property
    def computed(self) -> frozenset[str]:
        """The ids of the misconceptions that a function or a formula computes."""
        functions = {one.id for own in self.misconceptions.values() for one in own}
        return frozenset(functions | {name for _, key in self.keys for name in key.mistakes})

    @property
    def wrongs(self) -> Iterator[tuple[str, Wrong]]:
        """Every wrong choice with a sentence, after its question's id."""
        return ((name, wrong) for name, key in self.keys for wrong in key.wrong.values())

    @cached_property
    def names(self) -> Mapping[str, Any]:
        """The names that expressions in the lesson's text may use. Raises CourseError if a module of `reference` is missing."""
        names: dict[str, Any] = {"np": np, "sqrt": math.sqrt, "range": range, "measured": self.measured}
        for module in map(self._module, self.lesson.reference):
            names |= {name: value for name, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__}
        return names

    def measured(self, file: str, *keys: str | int) -> Any:
        """Return a recorded measurement: weights/FILE of the reference implementation, then key by key."""
        path = self._path(self.lesson.reference[0]).with_name("weights") / file
        return reduce(getitem, keys, json.loads(path.read_text(encoding="utf-8")))

    def _path(self, module: str) -> Path:
        return self.root.joinpath(*module.split(".")).with_suffix(".py")

    def _module(self, name: str) -> ModuleType:
        path = self._path(name)
        if not path.is_file():
            fix = "name modules that exist, like solutions.PACKAGE.MODULE"
            raise CourseError([Finding(self.text, 1, f"`reference` names `{name}`, and there is no such module", fix)])
        try:
            spec = importlib.util.find_spec(name)
        except ModuleNotFoundError:
            spec = None
        return importlib.import_module(name) if spec and spec.origin == str(path) else load_module(path)


def _seeded(materials: Materials) -> Materials:
    """Seed random, numpy and the loaded frameworks before each check, as in a guest: the findings of two runs agree."""

    def seeded(function: Callable[..., None]) -> Callable[..., None]:
        @wraps(function)
        def run(*args: Any) -> None:
            random.seed(0)
            np.random.seed(0)
            for framework in loaded():
                framework.seed()
            function(*args)

        return run

    checks = tuple(replace(check, function=seeded(check.function)) for check in materials.checks)
    reruns = Reruns(checks, materials.answers, load_quantities(materials.exercise.quantities))
    return replace(materials, checks=checks, diagnosis=Diagnosis(materials.misconceptions, reruns))


class Rule(Struct, frozen=True):
    """A rule: its id, what it promises, and a function that yields the violations."""

    id: str
    sentence: str
    find: Callable[[LintContext], Iterator[Finding]]
