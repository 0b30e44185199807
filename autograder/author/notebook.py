"""Build the notebook: a cell for each function of each starter, a locked cell with points for each check.

The format is nbgrader's (metadata schema 3): `grade`, `solution`, `locked`, `points`, `grade_id`. The same course gives the same bytes
on one kind of processor; on another, the last bits of the recorded answers may differ.
"""

import ast
import base64
import gzip
import inspect
import json
import sys
import types
from collections.abc import Iterator
from copy import copy
from importlib import import_module
from pathlib import Path
from typing import Any

from autograder.author import notebook_player
from autograder.course.model import Check, Exercise, Lesson
from autograder.grading.attempt import PUBLIC, Materials, load_materials
from autograder.grading.checks import executed_by, run, seed_of
from autograder.grading.recorded import pack

Cell = dict[str, Any]
EXPLAINED = 2.0  # points of a question in free text, given by hand

SHIM = Path(__file__).with_name("notebook_shim.txt")  # what stands in for msgspec
SHIMMED = ("__future__", "msgspec")


def notebook(lesson: Lesson) -> str:
    """Return the notebook of a lesson as JSON text. Every exercise of it must have its answer at hand."""
    nodes = [node for exercise in lesson.exercises for node in ast.parse(exercise.starter.read_bytes()).body]
    imports = {ast.unparse(node) for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)}
    packages = " ".join(sorted({name for one in imports if (name := one.split()[1].partition(".")[0]) not in sys.stdlib_module_names}))
    introduction = Path(__file__).with_suffix(".md").read_text(encoding="utf-8").format(title=lesson.title, packages=packages)
    cells = [_cell("markdown", "introduction", introduction), _locked("player", _player(_imported(lesson), packages))]
    cells.append(_cell("code", "imports", "\n".join(sorted(imports))))
    for exercise in lesson.exercises:
        cells += _exercise(load_materials(exercise), exercise)
    cells += [_explain(f"explain-{number}", question) for number, question in enumerate(lesson.explain, 1)]
    metadata = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}, "language_info": {"name": "python"}}
    return json.dumps({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}, ensure_ascii=False, indent=1) + "\n"


def _exercise(materials: Materials, exercise: Exercise) -> list[Cell]:
    source = exercise.starter.read_text(encoding="utf-8")
    tree = ast.parse(source)
    cells = [_cell("markdown", f"{exercise.id}-about", f"## {exercise.id}\n\n{ast.get_docstring(tree)}")]
    cells.append(_locked(f"{exercise.id}-checks", _loading(materials)))
    judged = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            name = f"{exercise.id}-{node.name}"
            marks = _marked(name, grade=False, solution=True, locked=False, kind="code")
            cells.append(_cell("code", name, _source(source, node), **marks))
            own = [check for check in materials.checks if check.of == node.name]
            cells += [_test(exercise, check.id, check.title, check.points) for check in own]
            judged |= {check.id for check in own}
    cells += [_test(exercise, check.id, check.title, check.points) for check in materials.checks if check.id not in judged]
    return cells


def _imported(lesson: Lesson) -> set[tuple[str, str]]:
    """Return what the check files of a lesson import from the engine: modules and names in them."""
    nodes = [node for exercise in lesson.exercises for node in ast.parse(exercise.checks.read_bytes()).body]
    engine = [node for node in nodes if isinstance(node, ast.ImportFrom) and str(node.module).startswith("autograder.")]
    return {(str(node.module), alias.name) for node in engine for alias in node.names}


def _source(source: str, node: ast.stmt) -> str:
    first = min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", ()))])
    return "\n".join(source.split("\n")[first - 1 : node.end_lineno])


def _player(used: set[tuple[str, str]], packages: str) -> str:
    """Join the player, and what it and the check files use of the engine, into one text that needs nothing of the course.

    It says first which of `packages` are missing, and how to add them.
    """
    bundle = Bundle()
    for module, name in sorted(used):
        bundle.add(import_module(module), name)
    for name in ("load", "play"):
        bundle.add(notebook_player, name)
    imports = "\n".join(["from __future__ import annotations", *sorted({"import dataclasses", "import types", *bundle.imports})])
    text = _quoted("\n\n\n".join([imports, SHIM.read_text(encoding="utf-8").rstrip(), *bundle.texts]))
    return (
        "# What plays the checks. You need not read this cell, but run it first.\nimport sys\nimport types\n"
        "from importlib.util import find_spec\n\n"
        f"if missing := ' '.join(name for name in {packages!r}.split() if find_spec(name) is None):\n"
        "    raise ModuleNotFoundError(f'run `%pip install {missing}` in a cell of its own, then this one again')\n\n"
        f"course = sys.modules['course_player'] = types.ModuleType('course_player')\nexec({text}, course.__dict__)"
    )


class Bundle:
    """Definitions of the engine, each after those that it uses, and what they import from outside."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.imports: set[str] = set()
        self._modules: dict[str, types.ModuleType] = {}  # the module of each name that was taken
        self._statements: dict[types.ModuleType, dict[str, ast.stmt]] = {}  # of each module that was read, by the names they bind

    def add(self, module: types.ModuleType, name: str) -> None:
        """Take what a name means at the top of a module, if anything, and all that this uses."""
        if module not in self._statements:
            body = ast.parse(inspect.getsource(module)).body
            self._statements[module] = {bound: node for node in reversed(body) for bound in _bound(node)}
        node = self._statements[module].get(name)
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("autograder."):
            self.add(import_module(str(node.module)), name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            node = copy(node)
            node.names = [alias for alias in node.names if name == (alias.asname or alias.name)]
            origin = node.module if isinstance(node, ast.ImportFrom) else node.names[0].name
            self.imports |= {ast.unparse(node)} if origin not in SHIMMED else set()
        elif node and name not in self._modules:
            self._modules[name] = module
            for used in _used(node):
                self.add(module, used)
            self.texts.append(_source(inspect.getsource(module), node))
        elif node:
            assert self._modules[name] is module, f"two definitions of `{name}`"


def _bound(node: ast.stmt) -> set[str]:
    """Return the names that a statement at the top of a module defines or imports."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {alias.asname or alias.name for alias in node.names}
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return {target.id for target in targets if isinstance(target, ast.Name)}


def _used(node: ast.AST) -> Iterator[str]:
    """Yield the names in a definition, but not those in annotations, which are never evaluated."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        yield node.id
    for field, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and field not in ("annotation", "returns"):
                yield from _used(child)


def _loading(materials: Materials) -> str:
    """Write the cell that brings an exercise's checks and the recorded answers."""
    exercise = materials.exercise
    asked = exercise.checks.read_text(encoding="utf-8").replace("from autograder.api import", "from course_player import")
    seeds = {check.id: seed_of(PUBLIC, exercise.id, check.id) for check in materials.checks}
    answers = {check.id: _recorded(materials, check, seeds[check.id]) for check in materials.checks}
    packed = gzip.compress(json.dumps({name: each for name, each in answers.items() if each}).encode(), mtime=0)
    given = [json.dumps(exercise.id), _quoted(asked), repr(seeds), repr(base64.b64encode(packed).decode())]
    props = exercise.starter.parent / "props.py"
    if props.is_file() and "student.props" in asked:
        given.append(_quoted(props.read_text(encoding="utf-8")))
    arguments = "".join(f"    {each},\n" for each in given)
    return f"# The checks of `{exercise.id}` with the published numbers. Run this cell, leave it as it is.\ncourse.load(\n{arguments})"


def _recorded(materials: Materials, check: Check, seed: int) -> list[Any]:
    """List what the reference answers in a check with the published numbers, in order, each with its tolerance."""
    transcript = run(check, executed_by(materials.answers.function), materials.answers, seed)
    return [[pack(each.value), each.atol, each.rtol] for each in transcript.answers]


def _quoted(text: str) -> str:
    return f"r'''{text}'''" if "'''" not in text and not text.endswith("\\") else repr(text)


def _cell(kind: str, name: str, text: str, **metadata: Any) -> Cell:
    cell: Cell = {"cell_type": kind, "id": name.replace("_", "-")[:64], "metadata": metadata, "source": text.rstrip("\n").splitlines(True)}
    return cell | ({"execution_count": None, "outputs": []} if kind == "code" else {})


def _marked(name: str, *, grade: bool, solution: bool, locked: bool, kind: str, points: float | None = None) -> dict[str, Any]:
    marks = {"schema_version": 3, "grade_id": name.replace("_", "-"), "grade": grade, "solution": solution, "locked": locked, "task": False}
    return {"nbgrader": marks | {"cell_type": kind} | ({} if points is None else {"points": points})}


def _locked(name: str, text: str) -> Cell:
    return _cell("code", name, text, **_marked(name, grade=False, solution=False, locked=True, kind="code"))


def _test(exercise: Exercise, check: str, title: str, points: float) -> Cell:
    name = f"{exercise.id}-check-{check}"
    text = f"# {title}\ncourse.play({json.dumps(exercise.id)}, {json.dumps(check)}, globals())"
    return _cell("code", name, text, **_marked(name, grade=True, solution=False, locked=True, kind="code", points=points))


def _explain(name: str, question: str) -> Cell:
    text = f"**{question}**\n\nYOUR ANSWER HERE"
    return _cell("markdown", name, text, **_marked(name, grade=True, solution=True, locked=False, kind="markdown", points=EXPLAINED))
