"""A course of two lessons goes through every command of `course --help`: as a clone, as a release of it, and as the wheel of that."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import NamedTuple

import pytest

from autograder.cli.main import COMMANDS
from tests.courses import CLONE, SECOND, with_second_lesson
from tests.test_second_lesson import ADA, STEP
from tests.test_wheel import copied, run

TYPE = """
import json, os, sys
from pathlib import Path
from click.testing import CliRunner
from autograder.cli.main import main
from autograder.web.server import Serving

Serving.run = lambda site: site._socket.close()  # nobody visits
home, course, steps, said = Path.cwd(), sys.argv[1:], json.load(sys.stdin), []
for place, words, typed, files in steps:
    for name, text in files.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text)
    os.chdir(home / place)
    done = CliRunner().invoke(main, [*course, *words], input=typed, catch_exceptions=False)
    said.append([done.exit_code, done.output])
json.dump(said, sys.stdout)
"""
RIGHT = (SECOND / "solutions" / "13_edges" / "filters.py").read_text(encoding="utf-8")
EDGES = "ws/13_edges"


class Step(NamedTuple):
    """A command, what it shows, and where, with which files; its exit status in a clone, and in what has no solutions if it is another."""

    words: str
    shows: str = ""
    at: str = ""
    typed: str = ""
    files: dict[str, str] = {}  # noqa: RUF012  # a default of a tuple, never changed
    status: int = 0
    released: int | None = None


def needs_solutions(words: str, shows: str = "", files: dict[str, str] | None = None, status: int = 0) -> Step:
    return Step(words, shows, files=files or {}, status=status, released=2)


WALK = (
    Step("start ws --lesson 12", "Created in ws: schedule.py"),
    Step("start --lesson 13", "Created in 13_edges: filters.py", "ws"),
    Step("read filters", "At each place the kernel is laid over the image", EDGES),
    Step("check filters.py", "You counted the padding once.", EDGES, files={f"{EDGES}/filters.py": ADA}, status=1),
    Step("hint filters.py", "How far can the kernel move", EDGES),
    Step("check filters.py", "7 of 7 points", EDGES, files={f"{EDGES}/filters.py": RIGHT}),
    Step("show-solution filters", "def correlate", EDGES, released=2),
    Step("practice places", "Right", EDGES, "28\n"),
    Step("progress", "edges", EDGES),
    Step("use files", "", EDGES),
    Step("reset edges.py", "edges", EDGES),
    Step("submit", "13_edges.zip: 3 files of 13_edges, 7 points", EDGES),
    Step("serve", "Filters and edges: http://127.0.0.1:", EDGES),
    Step("review --objective edges --new 0", "Nothing is due.", EDGES),
    Step("stats", "", "ws"),
    Step("optimise --defaults", "default", "ws"),
    Step("deck --to csv --out cards.csv", "", "ws"),
    Step("site --out site", "Open site/index.html"),
    needs_solutions("grade class --out out --lesson 13 --workers 1", "Ada", {"class/Ada/13_edges/filters.py": ADA, "class/Ada/forward.py": STEP}),
    needs_solutions("grade class --out out --exercise forward --workers 1", "13_edges/filters"),
    needs_solutions("report out", "12_diffusion/forward"),
    needs_solutions("show Ada 13_edges/filters --out out", "output_size"),
    needs_solutions("override Ada 13_edges/filters --bonus 1 --reason early --out out", "13_edges/filters: 5 before, 6 now."),
    needs_solutions("drop Ada --out out"),
    needs_solutions("drop Ada --undo --out out"),
    needs_solutions("feedback out"),
    needs_solutions("export out --to csv --out grades.csv"),
    needs_solutions("regrade out", "0 changed"),
    needs_solutions("similar out --lesson 13", "0 similar pairs"),
    Step("doctor --json", '"walls"'),
    needs_solutions("new card kernels --lesson 13", "lessons/13_edges/flashcards.yaml"),
    needs_solutions("new misconception kernel_left_out --of filters.correlate --lesson edges"),
    needs_solutions("lint --lesson 13", "No findings."),
    Step("map --lesson 13", "kernel_turned"),
    needs_solutions("misconceptions list out", "No unexplained wrong answer"),
    needs_solutions("misconceptions new out 1 shared", "there is no group 1", status=2),
    needs_solutions("notebook --lesson 13", "2 exercises"),
    needs_solutions("release --lesson 13 --out release", "recordings of"),
    needs_solutions("trust release", "may be loaded from now on"),  # there is one only in a clone
)


def walked(home: Path, *course: str, python: str = "") -> list[tuple[int, str]]:
    """Type every command of the walk in the folder `home`; give the exit status and what is printed of each."""
    steps = [(one.at, one.words.split(), one.typed, one.files) for one in WALK]
    own = {"XDG_CONFIG_HOME": str(home / "config"), "XDG_CACHE_HOME": str(home / "cache"), "COLUMNS": "100", "PYTHONPATH": python or str(CLONE)}
    done = subprocess.run([sys.executable, "-P", "-c", TYPE, *course], input=json.dumps(steps), cwd=home, env={**os.environ, **own},
                          capture_output=True, text=True, timeout=300)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert sorted(path.parent.name for path in (home / "site").glob("*/index.html")) == ["12_diffusion", "13_edges"]
    return [(status, output) for status, output in json.loads(done.stdout)]


@pytest.fixture(scope="module")
def clone(tmp_path_factory, walls):
    """The folder in which a clone of two lessons was taken through the walk, and what was said."""
    base = tmp_path_factory.mktemp("clone")
    return base, walked(base, "--course", str(with_second_lesson(base / "course")))


@pytest.fixture(scope="module")
def two(clone, released, tmp_path_factory):
    """The release of both: that of ours, which other tests built, with that of the second lesson (they are the same, see test_folder.py)."""
    place = shutil.copytree(released, tmp_path_factory.mktemp("two") / "release")
    shutil.copytree(clone[0] / "release", place, dirs_exist_ok=True)
    return place


@pytest.fixture(scope="module")
def release(two, tmp_path_factory):
    """What is said in a release."""
    return walked(tmp_path_factory.mktemp("release"), "--course", str(two))


@pytest.fixture(scope="module")
def wheel(two, tmp_path_factory):
    """What is said where the wheel of the release is installed, with no course named."""
    base = tmp_path_factory.mktemp("wheel")
    (base / "source").mkdir()
    copied(base / "source")
    shutil.copytree(two, base / "source" / "build" / "student_release")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", base, base / "source")
    with zipfile.ZipFile(next(base.glob("*.whl"))) as archive:
        archive.extractall(base / "installed")
    return walked(tmp_path_factory.mktemp("student"), python=str(base / "installed"))


def test_every_command_has_a_step():
    assert {one.words.split()[0] for one in WALK} == {name for commands in COMMANDS.values() for name in commands}


@pytest.mark.parametrize("way", ["clone", "release", "wheel"])
def test_two_lessons_go_through_every_command(way, request):
    """Each does what it does for one lesson, or says that it needs solutions."""
    said = request.getfixturevalue(way)
    for step, (status, output) in zip(WALK, said[1] if way == "clone" else said, strict=True):
        wanted, shows = (step.status, step.shows) if way == "clone" or step.released is None else (step.released, " fix: ")
        assert (status, shows in " ".join(output.split())) == (wanted, True), f"{step.words}: {output}"
