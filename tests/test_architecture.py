"""The house: which package may import which, who prints, who knows YAML, and that the wall has no door."""

import ast
import re
import subprocess
from functools import cache

import pytest

from autograder.course.loading import read_course
from tests.courses import CLONE, OWN

ENGINE = CLONE / "autograder"

# From the ground up: a package may import those on the floors before its own. The audiences never import one another.
FLOORS = [
    ["course"],
    ["sandbox"],
    ["grading"],
    ["api", "instructor", "learner", "author"],
    ["web"],
    ["cli"],
]
FLOOR = {package: floor for floor, packages in enumerate(FLOORS) for package in packages}
ENTRIES = ("__init__", "__main__")  # what Python itself looks for
MODULES = sorted(path for path in ENGINE.rglob("*.py") if path.read_text(encoding="utf-8").strip())
MOST_FILES, MOST_LINES = 155, 350  # of the engine, and of one file of it


def package_of(path):
    return path.relative_to(ENGINE).parts[0].removesuffix(".py")


@cache
def imports(path):
    """List (line, dotted name) of all that a module imports, wherever in it."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)
    return found


def faults(path):
    """Say what a module imports that its package may not."""
    own, at_home = package_of(path), path.relative_to(CLONE)
    for line, name in imports(path):
        parts = name.split(".")
        if parts[0] in ("solutions", "exercises"):
            yield f"{at_home}:{line}: the engine knows no lesson, and imports {name}"
        if parts[0] != "autograder" or len(parts) < 2 or own in ENTRIES:
            continue
        if "sandbox/guest/" in path.as_posix() and parts[1:3] != ["sandbox", "guest"]:
            yield f"{at_home}:{line}: the untrusted side imports {name}"
        elif parts[1] != own and FLOOR[parts[1]] >= FLOOR[own]:
            yield f"{at_home}:{line}: {own} imports {parts[1]}, which stands above or beside it"


def modules_imported(path):
    """Yield the engine's modules that a module imports."""
    for _, name in imports(path):
        parts = name.split(".")[1:] if name.startswith("autograder.") else []
        for depth in (len(parts), len(parts) - 1):
            found = ENGINE.joinpath(*parts[:depth]).with_suffix(".py")
            if depth > 0 and found in MODULES:
                yield found
                break


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ENGINE)))
def test_a_package_imports_only_packages_below_it(path):
    assert list(faults(path)) == []


def test_every_package_has_its_floor():
    assert {package_of(path) for path in MODULES} <= {*FLOOR, *ENTRIES}


def test_no_module_imports_itself_by_way_of_others():
    """No circle, also none that an import within a function would hide."""
    above = {path: set(modules_imported(path)) for path in MODULES}
    while free := [path for path, others in above.items() if not others & set(above)]:
        for path in free:
            del above[path]
    assert sorted(str(path.relative_to(ENGINE)) for path in above) == []


def test_the_rule_finds_an_intruder(tmp_path, monkeypatch):
    """The test of the test: a file of the guest's that imports the checks, and an engine file that imports a solution."""
    monkeypatch.setitem(globals(), "ENGINE", tmp_path)
    monkeypatch.setitem(globals(), "CLONE", tmp_path)
    intruder = tmp_path / "sandbox" / "guest" / "runtime.py"
    intruder.parent.mkdir(parents=True)
    intruder.write_text("from autograder.grading import checks\nfrom solutions.diffusion import forward\n")
    assert list(faults(intruder)) == [
        "sandbox/guest/runtime.py:1: the untrusted side imports autograder.grading.checks",
        "sandbox/guest/runtime.py:2: the engine knows no lesson, and imports solutions.diffusion.forward",
    ]
    below = tmp_path / "course" / "model.py"
    below.parent.mkdir()
    below.write_text("from autograder.cli.main import main\n")
    assert list(faults(below)) == ["course/model.py:1: course imports cli, which stands above or beside it"]
    beside = tmp_path / "learner" / "check.py"
    beside.parent.mkdir()
    beside.write_text("from autograder.instructor.grade import GradeRequest\n")
    assert list(faults(beside)) == ["learner/check.py:1: learner imports instructor, which stands above or beside it"]


def test_a_newcomer_can_hold_it():
    assert len(list(ENGINE.rglob("*.py"))) <= MOST_FILES
    lines = {str(path.relative_to(ENGINE)): path.read_text(encoding="utf-8").count("\n") for path in MODULES}
    assert {name: count for name, count in lines.items() if count > MOST_LINES} == {}
    assert lines["grading/attempt.py"] < 150, "the whole story of one submission fits a few screens"


LESSON_FILES = sorted(
    path for top in ("exercises", "solutions") for path in (CLONE / top).glob("*/**/*.py") if path.relative_to(CLONE / top).parts[0][0].isdigit()
)


@pytest.mark.parametrize("path", LESSON_FILES, ids=lambda path: str(path.relative_to(CLONE)))
def test_a_lesson_imports_nothing_of_the_engine_but_its_api(path):
    assert {name for _, name in imports(path) if name.startswith("autograder") and not f"{name}.".startswith("autograder.api.")} == set()


def test_the_api_is_what_it_says():
    import autograder.api

    assert sorted(autograder.api.__all__) == sorted(name for name in vars(autograder.api) if name[0] != "_")


def test_make_quick_names_tests_that_are_there():
    told = subprocess.check_output(["make", "-n", "quick"], cwd=CLONE, text=True)
    named = [word for word in told.split() if word.startswith("tests/")]
    assert len(named) > 5
    assert [name for name in named if not (CLONE / name).exists()] == []


def test_a_framework_is_one_adapter():
    named = {str(path.relative_to(ENGINE)) for path in MODULES if re.search(r"\btorch\b", path.read_text(encoding="utf-8"))}
    assert named == {"sandbox/guest/frameworks.py"}


def users_of(*names):
    return {str(path.relative_to(ENGINE)) for path in MODULES for _, name in imports(path) if name.split(".")[0] in names}


def test_only_the_course_knows_yaml():
    assert {name.split("/")[0] for name in users_of("yaml")} == {"course"}


def test_the_engine_knows_no_lesson_by_name():
    """Neither the id of a lesson nor the title of ours, nor a long word of it; the package's own name comes from its metadata.

    Another lesson's title may be of words that the engine uses: Filters.
    """
    lessons = {lesson.id: lesson.title for lesson in read_course(CLONE).lessons}
    words = set(re.findall("[a-z]{7,}", f"{lessons[OWN]} {OWN}".lower()))
    assert "denoising" in words
    names = {*lessons, lessons[OWN]} | words
    files = [path for path in ENGINE.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    texts = {str(path.relative_to(ENGINE)): path.read_text(encoding="utf-8", errors="ignore").lower() for path in files}
    assert {file: name for file, text in texts.items() for name in names if name.lower() in text} == {}


def test_sqlite_is_opened_in_one_place():
    """Where versions, migrations, waiting and damage are dealt with; grades are kept in the gradebook alone."""
    assert users_of("sqlite3") == {"course/store.py"}
    opens = {f"autograder.course.store.{name}" for name in ("open_strictly", "open_leniently", "reading", "transaction")}
    users = {str(path.relative_to(ENGINE)) for path in MODULES if opens & {name for _, name in imports(path)}}
    of_learners = {"learner/workspace.py", "learner/review/log.py", "learner/review/merge.py"}
    assert users == {"instructor/gradebook.py", *of_learners}


def test_systems_are_told_apart_in_one_place():
    """Others ask it for what they need, so that each difference has its one test; the untrusted side looks for what there is."""
    named = re.compile(r"\bsys\.platform\b|\bos\.name\b|\bplatform\.system\b")
    asking = {str(path.relative_to(ENGINE)) for path in MODULES if named.search(path.read_text(encoding="utf-8"))}
    assert asking <= {"course/system.py", "cli/grade.py"}  # `course doctor` prints what system it is
    assert users_of("fcntl", "msvcrt", "termios", "tty") == set(), "imported where they are there, by `import_module`"


def test_nothing_is_pickled():
    assert users_of("pickle", "dill", "cloudpickle", "marshal", "shelve") == set()


def test_only_the_command_line_prints_or_exits():
    """And what runs as a student's own code: behind the wall, or as a cell of the notebook."""
    for path in MODULES:
        if package_of(path) == "cli" or ENGINE / "sandbox" / "guest" in path.parents or path == ENGINE / "author" / "notebook_player.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                assert called not in ("print", "sys.exit", "exit", "quit"), f"{path}:{node.lineno} calls {called}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ENGINE)))
def test_every_module_says_what_it_is_for(path):
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
