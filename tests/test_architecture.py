"""The house: which room may import which, who prints, who knows YAML, and that the wall has no door."""

import ast
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ENGINE = ROOT / "autograder"

# From the ground up: a room may import those before it, and its own.
ROOMS = [
    ["errors", "model", "outcome"],
    ["inside", "boot"],
    ["content"],
    ["sandbox"],
    ["recordings"],
    ["objects", "comparison"],
    ["checks"],
    ["diagnosis"],
    ["explain"],
    ["questions"],
    ["replay"],
    ["sitting"],
    ["attempt"],
    ["rounds", "gradebook"],
    ["grounds"],
    ["intake"],
    ["grades"],
    ["bulk"],
    ["similar"],
    ["export", "report"],
    ["running", "filing"],
    ["grading"],
    ["regrading"],
    ["formulas"],
    ["lint"],
    ["lint_cache"],
    ["reading"],
    ["flashcards", "notebook"],
    ["release"],
    ["workspace"],
    ["site"],
    ["cli"],
    ["__main__"],
]
FLOOR = {room: floor for floor, rooms in enumerate(ROOMS) for room in rooms}
MODULES = sorted(path for path in ENGINE.rglob("*.py") if path.read_text(encoding="utf-8").strip())


def room_of(path):
    return path.relative_to(ENGINE).parts[0].removesuffix(".py")


def imports(path):
    """Yield (line, dotted name) of all that a module imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def faults(path):
    """Say what a module imports that its room may not."""
    own = room_of(path)
    for line, name in imports(path):
        parts = name.split(".")
        if parts[0] in ("solutions", "exercises"):
            yield f"{path.relative_to(ROOT)}:{line}: the engine knows no lesson, and imports {name}"
        if parts[0] != "autograder" or len(parts) < 2:
            continue
        if own == "inside" and parts[1] != "inside":
            yield f"{path.relative_to(ROOT)}:{line}: the untrusted side imports {name}"
        elif parts[1] != own and FLOOR[parts[1]] >= FLOOR[own]:
            yield f"{path.relative_to(ROOT)}:{line}: {own} imports {parts[1]}, which stands above or beside it"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ENGINE)))
def test_a_room_imports_only_rooms_below_it(path):
    assert list(faults(path)) == []


def test_every_room_has_its_floor():
    assert {room_of(path) for path in MODULES} <= set(FLOOR)


def test_the_rule_finds_an_intruder(tmp_path, monkeypatch):
    """The test of the test: a file of `inside` that imports the checks, and an engine file that imports a solution."""
    monkeypatch.setitem(globals(), "ENGINE", tmp_path)
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    intruder = tmp_path / "inside" / "guest.py"
    intruder.parent.mkdir()
    intruder.write_text("from autograder import checks\nfrom solutions.diffusion import forward\n")
    assert list(faults(intruder)) == [
        "inside/guest.py:1: the untrusted side imports autograder.checks",
        "inside/guest.py:2: the engine knows no lesson, and imports solutions.diffusion.forward",
    ]
    below = tmp_path / "model.py"
    below.write_text("from autograder.cli.main import main\n")
    assert list(faults(below)) == ["model.py:1: model imports cli, which stands above or beside it"]


def test_make_quick_names_tests_that_are_there():
    told = subprocess.check_output(["make", "-n", "quick"], cwd=ROOT, text=True)
    named = [word for word in told.split() if word.startswith("tests/")]
    assert len(named) > 5
    assert [name for name in named if not (ROOT / name).exists()] == []


def users_of(*names):
    return {str(path.relative_to(ENGINE)) for path in MODULES for _, name in imports(path) if name.split(".")[0] in names}


def test_only_content_knows_yaml():
    assert {name.split("/")[0] for name in users_of("yaml")} == {"content"}


def test_only_the_gradebook_keeps_grades_in_sqlite():
    """A student's own state and review log are no grades; nothing is graded by them."""
    assert users_of("sqlite3") - {"workspace/state.py", "flashcards/log.py", "flashcards/deck.py", "flashcards/merging.py"} == {"gradebook.py"}


def test_nothing_is_pickled():
    assert users_of("pickle", "dill", "cloudpickle", "marshal", "shelve") == set()


def test_only_the_command_line_prints_or_exits():
    """And what runs as a student's own code: behind the wall, or as a cell of the notebook."""
    for path in MODULES:
        if room_of(path) in ("cli", "inside") or path == ENGINE / "notebook" / "player.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                assert called not in ("print", "sys.exit", "exit", "quit"), f"{path}:{node.lineno} calls {called}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ENGINE)))
def test_every_module_says_what_it_is_for(path):
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
