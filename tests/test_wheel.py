"""What students install, sdist and wheel: built as `make wheel` builds them, without solutions; the wheel is used in an environment of its own."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from tests.autograder.author.release.searching import leaks
from tests.autograder.learner.conftest import RIGHT
from tests.courses import CLONE
from tests.once import once

BUILT = ("autograder", "solutions", "pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE")


def run(*command, **options):
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=180, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def copied(place):
    """Copy what a wheel is built from, without what was built there before."""
    for name in BUILT:
        if (CLONE / name).is_dir():
            shutil.copytree(CLONE / name, place / name, ignore=shutil.ignore_patterns("__pycache__", "weights", "student_release"))
        else:
            shutil.copy(CLONE / name, place / name)


def held(folder):
    """The files of a folder, with what is in them."""
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="session")
def wheel(released, tmp_path_factory):
    """Build it from the sdist, and that from a copy of the clone."""

    def built():
        place = tmp_path_factory.mktemp("wheel")
        copied(place)
        shutil.copytree(released, place / "build" / "student_release")
        run(sys.executable, "-m", "build", "--no-isolation", "--outdir", place / "dist", place)
        return str(next((place / "dist").glob("*.whl")))

    return Path(once(tmp_path_factory, "wheel", built))


@pytest.fixture(scope="session")
def installed(wheel, tmp_path_factory):
    """Install it without network into an environment that borrows numpy and torch, and nothing of this clone. Gives its folder."""

    def made():
        place = tmp_path_factory.mktemp("installed") / "env"
        run(sys.executable, "-m", "venv", "--without-pip", place)
        python = place / "bin" / "python"
        own = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}  # where it names the clone, pip finds it installed
        run(sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--no-index", wheel, env=own)
        packages = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
        (packages / "borrowed.pth").write_text(f"{sysconfig.get_path('purelib')}\n")  # a line is a path; .pth files there are not read
        return str(place)

    return Path(once(tmp_path_factory, "installed", made))


@pytest.fixture
def student(installed, tmp_path):
    """Type a command in an empty folder far from the clone; gives what is printed, and the exit status."""
    settings = {**os.environ, "PATH": f"{installed / 'bin'}{os.pathsep}{os.environ['PATH']}", "COLUMNS": "100"}
    settings.pop("PYTHONPATH", None)

    def typed(*command, cwd=tmp_path):
        done = subprocess.run([str(installed / "bin" / "course"), *command], cwd=cwd, env=settings, capture_output=True, text=True, timeout=120)
        return done.stdout + done.stderr, done.returncode

    return typed


def test_no_solution_is_in_the_wheel(wheel, root, tmp_path):
    """Neither a file, nor a line of code, nor the name of the package."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
        names = archive.namelist()
    assert [name for name in names if name.startswith("solutions") or "/solutions/" in name] == []
    assert next(tmp_path.glob("*.dist-info/top_level.txt")).read_text() == "autograder\n"
    assert "autograder/py.typed" in names
    assert list(leaks(tmp_path / "autograder" / "student_release", root)) == []


def test_the_sdist_holds_what_the_wheel_is_built_from_and_no_solution(wheel, released, tmp_path):
    """That it suffices is held by `wheel`, which is built from it: the same release, and the same modules."""
    (source,) = wheel.parent.glob("*.tar.gz")
    run("tar", "-xf", source, "-C", tmp_path)
    (folder,) = tmp_path.iterdir()
    assert held(folder / "build" / "student_release") == held(released)
    assert sorted(path.name for path in folder.iterdir() if path.is_dir()) == ["autograder", "build", "denoising_course.egg-info"]
    assert "solutions" not in "".join(path.read_text() for path in folder.glob("*.egg-info/*.txt"))
    assert (folder / "autograder" / "py.typed").is_file()


@pytest.mark.parametrize("kind", ["--wheel", "--sdist"])
def test_without_a_release_nothing_is_built_and_it_is_said_why(tmp_path, kind):
    copied(tmp_path)
    done = subprocess.run([sys.executable, "-m", "build", kind, "--no-isolation", str(tmp_path)], capture_output=True, text=True, timeout=180)
    assert done.returncode != 0
    assert "there is no student release in build/student_release: run `make wheel`, or install with `pip install -e .`" in done.stdout + done.stderr


@pytest.mark.usefixtures("walls")
def test_a_student_who_installed_the_wheel_goes_from_start_to_submission(student, tmp_path):
    """The packaged release is found, a misconception is named from recordings, and the submission is packed."""
    said, status = student("start", "diffusion")
    assert (said.split(":")[0], status) == ("Created in diffusion", 0)
    here = tmp_path / "diffusion"
    origin = json.loads((here / ".course" / "course.json").read_text())
    assert origin["course"].endswith("autograder/student_release")
    (here / "forward.py").write_text(RIGHT.replace("beta ** .5 * eps", "beta * eps"))
    said, status = student("check", "forward.py", cwd=here)
    assert status == 1
    assert "You scaled the noise by β." in " ".join(said.split())
    assert "Reread: One step by hand (course read one-step-by-hand)" in said
    (here / "forward.py").write_text(RIGHT)
    assert student("check", "forward.py", cwd=here)[1] == 0
    assert student("read", "one-step-by-hand", cwd=here)[1] == 0
    said, status = student("submit", cwd=here)
    assert "20 points by the public checks" in said
    assert (status, (here / "diffusion.zip").is_file()) == (0, True)


def test_the_students_path_of_ci_works_without_walls(installed, root, tmp_path):
    """What CI does on macOS and Windows, as far as it can be done here."""
    wide = {**os.environ, "PATH": f"{installed / 'bin'}{os.pathsep}{os.environ['PATH']}", "XDG_DATA_HOME": str(tmp_path)}
    said = run(sys.executable, root / ".ci" / "student.py", "--no-walls", cwd=tmp_path, env=wide)
    assert said.endswith("The student's path works.\n")


@pytest.mark.parametrize("command", [["release", "--out", "x"], ["grade", ".", "--out", "x"], ["lint"], ["notebook"]], ids=lambda command: command[0])
def test_what_needs_solutions_is_refused_with_an_installed_release(student, command):
    said, status = student(*command)
    assert said.endswith("student_release: a student release, without solutions\n  fix: do this in a clone of the course\n")
    assert status == 2
