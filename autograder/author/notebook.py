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
from collections.abc import Callable
from copy import copy
from graphlib import TopologicalSorter
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec

from autograder.author import notebook_player
from autograder.author.recording import consulted, record_exercise
from autograder.course.model import Exercise, Lesson
from autograder.grading.attempt import PUBLIC, Materials, load_materials
from autograder.grading.checks import seed_of
from autograder.grading.recorded import Recordings

Cell = dict[str, Any]
EXPLAINED = 2.0  # points of a question in free text, given by hand

PLAYER = "course_player"
SHIM = Path(__file__).with_name("notebook_shim.txt")  # what stands in for these modules
SHIMMED = ("msgspec", "msgspec.structs", "autograder.grading.bounds")


def notebook(lesson: Lesson, record: Callable[[Materials], Recordings] = record_exercise) -> str:
    """Return the notebook of a lesson as JSON text, with what `record` gives of each exercise, which must have its answer at hand."""
    nodes = [node for exercise in lesson.exercises for node in ast.parse(exercise.starter.read_bytes()).body]
    imports = {ast.unparse(node) for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)}
    packages = " ".join(sorted({name for one in imports if (name := one.split()[1].partition(".")[0]) not in sys.stdlib_module_names}))
    introduction = Path(__file__).with_suffix(".md").read_text(encoding="utf-8").format(title=lesson.title, packages=packages)
    cells = [_cell("markdown", "introduction", introduction), _locked("player", _player(_imported(lesson), packages))]
    cells.append(_cell("code", "imports", "\n".join(sorted(imports))))
    for exercise in lesson.exercises:
        materials = load_materials(exercise)
        cells += _exercise(lesson, materials, record(materials))
    cells += [_explain(f"explain-{number}", question) for number, question in enumerate(lesson.explain, 1)]
    metadata = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}, "language_info": {"name": "python"}}
    return json.dumps({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}, ensure_ascii=False, indent=1) + "\n"


def _exercise(lesson: Lesson, materials: Materials, recordings: Recordings) -> list[Cell]:
    exercise = materials.exercise
    source = exercise.starter.read_text(encoding="utf-8")
    tree = ast.parse(source)
    cells = [_cell("markdown", f"{exercise.id}-about", f"## {exercise.id}\n\n{ast.get_docstring(tree)}")]
    cells.append(_locked(f"{exercise.id}-checks", _loading(lesson, materials, recordings)))
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
    """Write what plays the checks, and what it and the check files use of the engine, as modules that need nothing of the course.

    It says first which of `packages` are missing, and how to add them.
    """
    bundle = Bundle()
    wanted = {*used, *((notebook_player.__name__, name) for name in ("load", "play"))}
    imports = [bundle.add(module, name) for module, name in sorted(wanted)]
    texts = {f"{PLAYER}_shim": SHIM.read_text(encoding="utf-8").rstrip(), **bundle.texts(), PLAYER: "\n".join(imports)}
    modules = "".join(f"    ({name!r}, {_quoted(text)}),\n" for name, text in texts.items())
    return (
        "# What plays the checks. You need not read this cell, but run it first.\nimport sys\nimport types\n"
        "from importlib.util import find_spec\n\n"
        f"if missing := ' '.join(name for name in {packages!r}.split() if find_spec(name) is None):\n"
        "    raise ModuleNotFoundError(f'run `%pip install {missing}` in a cell of its own, then this one again')\n\n"
        f"for _name, _text in (\n{modules}):\n    course = sys.modules[_name] = types.ModuleType(_name)\n    exec(_text, course.__dict__)"
    )


class Part:
    """What is taken of one module of the engine: definitions, and imports."""

    def __init__(self, module: types.ModuleType):
        self._module, self._source = module, inspect.getsource(module)
        self.bound = {name: node for node in reversed(ast.parse(self._source).body) for name in _bound(node)}
        self.taken: dict[int, ast.stmt] = {}  # by the line
        self.imports = {"from __future__ import annotations"}
        self.after: set[str] = set()  # the modules that it imports from

    @property
    def text(self) -> str:
        return "\n\n\n".join(["\n".join(sorted(self.imports)), *(self._text(node) for _, node in sorted(self.taken.items()))])

    def _text(self, node: ast.stmt) -> str:
        """Return a definition as it stands; what is read from a file beside the module, as its value."""
        if not _is_read(node):
            return _source(self._source, node)
        return "\n".join(f"{name} = {getattr(self._module, name)!r}" for name in _bound(node))


class Bundle:
    """Definitions of the engine, with all that they use of it, by module."""

    def __init__(self) -> None:
        self._parts: dict[str, Part] = {}

    def texts(self) -> dict[str, str]:
        """Return the modules, each after those that it imports from."""
        order = TopologicalSorter({name: sorted(part.after) for name, part in sorted(self._parts.items())}).static_order()
        return {_bundled(name): self._parts[name].text for name in order if self._parts[name].taken}

    def add(self, module: str, name: str) -> str:
        """Take what a name means at the top of a module, and all that this uses; return the line that imports it."""
        if module not in self._parts:
            self._parts[module] = Part(import_module(module))
        part = self._parts[module]
        node = part.bound[name]
        if isinstance(node, ast.Import | ast.ImportFrom):
            return self._import(node, name, part)
        if node.lineno not in part.taken:
            part.taken[node.lineno] = node
            for used in sorted(_used(node) & set(part.bound)) if not _is_read(node) else ():
                line = self.add(module, used)
                part.imports |= {line} if isinstance(part.bound[used], ast.Import | ast.ImportFrom) else set()
        return f"from {_bundled(module)} import {name}"

    def _import(self, node: ast.Import | ast.ImportFrom, name: str, part: Part) -> str:
        """Return the line that imports a name, from the bundle or from outside."""
        one = next(alias for alias in node.names if name == (alias.asname or alias.name))
        origin = str(node.module) if isinstance(node, ast.ImportFrom) else one.name
        if origin.startswith("autograder.") and origin not in SHIMMED:
            part.after.add(origin)
            return self.add(origin, one.name) + (f" as {one.asname}" if one.asname else "")
        if origin in SHIMMED:
            return f"from {PLAYER}_shim import {one.name}" if isinstance(node, ast.ImportFrom) else f"import {PLAYER}_shim as {name}"
        node = copy(node)
        node.names = [one]
        return ast.unparse(node)


def _bundled(module: str) -> str:
    """Return the name of a module of the engine in the notebook."""
    return f"{PLAYER}_{module.removeprefix('autograder.').replace('.', '_')}"


def _bound(node: ast.stmt) -> set[str]:
    """Return the names that a statement at the top of a module defines or imports."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {alias.asname or alias.name for alias in node.names}
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return {name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)}


def _used(node: ast.AST) -> set[str]:
    """Return the names in a definition, but not those in annotations, which are never evaluated."""
    values = [value for field, value in ast.iter_fields(node) if field not in ("annotation", "returns")]
    parts = [part for value in values for part in (value if isinstance(value, list) else [value])]
    own = {node.id} if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) else set()
    return own.union(*(_used(part) for part in parts if isinstance(part, ast.AST)))


def _loading(lesson: Lesson, materials: Materials, recordings: Recordings) -> str:
    """Write the cell that brings an exercise's checks, and what was recorded of them."""
    exercise, rerun = materials.exercise, materials.diagnosis.reruns.rerun
    asked = exercise.checks.read_text(encoding="utf-8").replace("from autograder.api import", f"from {PLAYER} import")
    seeds = {check.id: seed_of(PUBLIC, exercise.id, check.id) for check in materials.checks}
    sections = {section.id: section.title for section in lesson.sections}
    recorded = {
        "recordings": json.loads(msgspec.json.encode(recordings)),
        "asked": {check.id: [*map(consulted, rerun(check, seeds[check.id], None).answers)] for check in materials.checks},
        "sections": {one.section: sections.get(one.section, one.section) for one in materials.misconceptions},
    }
    packed = gzip.compress(json.dumps(recorded, ensure_ascii=False, separators=(",", ":")).encode(), mtime=0)
    given = [json.dumps(exercise.id), _quoted(asked), repr(seeds), repr(base64.b64encode(packed).decode())]
    props = exercise.starter.parent / "props.py"
    if props.is_file() and "student.props" in asked:
        given.append(_quoted(props.read_text(encoding="utf-8")))
    arguments = "".join(f"    {each},\n" for each in given)
    return f"# The checks of `{exercise.id}` with the published numbers. Run this cell, leave it as it is.\ncourse.load(\n{arguments})"


def _is_read(node: ast.stmt) -> bool:
    """Whether a value is read from a file beside the module: the bundle has the value."""
    return "__file__" in _used(node)


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
