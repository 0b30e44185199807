"""The same submissions in the hands of other autograders, each as its handbook has it: nbgrader and otter.

Both run a student's file and the tests in one process. The tests are the ones that people write: a call, a comparison,
an assertion, with the numbers of the lesson. nbgrader comes with the tests' environment; otter gets one of its own.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

Cell = dict[str, object]
ROOT = Path(__file__).resolve().parents[1]
OTTER = ROOT / "build" / "otter"  # an environment of its own: it pins what we don't want
OTTER_PACKAGES = ("otter-grader==7.0.0", "numpy", "pandas", "ipykernel")
SECONDS = 20  # that a cell, or a whole submission, may take
NAME = "forward"

# What a test asks: points and an expression that must hold. The numbers are the lesson's.
TESTS = (
    (2, "np.allclose(forward_step(0.8, 0.1, -0.3), 0.664, atol=5e-4)"),
    (2, "np.allclose(forward_step(0.5, 0.04, 1.5), 0.790, atol=5e-4)"),
    (2, "np.allclose(linear_betas(1000)[[0, 1, -1]], [0, 1e-4, 0.02])"),
    (2, "np.allclose(alpha_bars(linear_betas(1000))[[0, 500, 1000]], [1, 0.07858724, 4.0358e-05], rtol=1e-4)"),
    (3, "np.allclose(noise_to(np.array([0.5]), 100, np.array([1.5]), alpha_bars(linear_betas(1000))), [0.954917], atol=1e-4)"),
)
MOST = sum(points for points, _ in TESTS)


def by_nbgrader(sources: dict[str, str], folder: Path) -> dict[str, float]:
    """Grade sources by student with the real nbgrader. One that was not graded has no points."""
    folder.mkdir(parents=True)
    (folder / "nbgrader_config.py").write_text(
        f'c = get_config()\nc.CourseDirectory.course_id = "x"\nc.CourseDirectory.root = {str(folder)!r}\n'
        f"c.ExecutePreprocessor.timeout = {SECONDS}\nc.ClearSolutions.code_stub = {{'python': 'raise NotImplementedError'}}\n"
    )
    _write_notebook(folder / "source" / NAME / f"{NAME}.ipynb", _nbgrader_cells("raise NotImplementedError"))
    _nbgrader(folder, "generate_assignment", NAME)
    for student, source in sources.items():
        _write_notebook(folder / "submitted" / student / NAME / f"{NAME}.ipynb", _nbgrader_cells(source))
    _nbgrader(folder, "autograde", NAME)
    return {student: _nbgrader_mark(folder, student) for student in sources}


def by_otter(sources: dict[str, str], folder: Path) -> dict[str, float]:
    """Grade sources by student with the real otter, outside of a container. One that was not graded has no points."""
    (folder / "tests").mkdir(parents=True)
    for number, (points, test) in enumerate(TESTS, 1):
        case = {"code": f">>> bool({test})\nTrue", "hidden": True, "locked": False}
        suite = {"cases": [case], "scored": True, "setup": "", "teardown": "", "type": "doctest"}
        spec = {"name": f"q{number}", "points": points, "suites": [suite]}
        (folder / "tests" / f"q{number}.py").write_text(f"OK_FORMAT = True\ntest = {spec!r}\n")
    _otter(folder, "generate", "-t", "tests", "-o", "autograder.zip", "--no-config", "--no-requirements", "--no-environment")
    return {student: _otter_mark(folder, number, source) for number, (student, source) in enumerate(sources.items())}


def _nbgrader_cells(source: str) -> list[Cell]:
    def cell(name: str, text: str, **marks: object) -> Cell:
        about = {"schema_version": 3, "grade_id": name, "cell_type": "code", "grade": False, "solution": False, "locked": False, **marks}
        if about["cell_type"] == "code":
            del about["cell_type"]
        return {"cell_type": "code", "id": name, "metadata": {"nbgrader": about}, "execution_count": None, "outputs": [], "source": text}

    tests = [
        cell(f"test-{number}", f"import numpy as np\nassert {test}", grade=True, locked=True, points=points)
        for number, (points, test) in enumerate(TESTS, 1)
    ]
    return [cell("answer", source, solution=True), *tests]


def _write_notebook(path: Path, cells: list[Cell]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    about = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}, "language_info": {"name": "python"}}
    path.write_text(json.dumps({"cells": cells, "metadata": about, "nbformat": 4, "nbformat_minor": 5}))


def _nbgrader(folder: Path, *arguments: str) -> None:
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "HOME": str(folder)}
    command = [sys.executable, "-W", "ignore", "-m", "nbgrader", *arguments]
    subprocess.run(command, cwd=folder, env=environment, capture_output=True)  # a submission that fails makes its status 1


def _nbgrader_mark(folder: Path, student: str) -> float:
    from nbgrader.api import Gradebook, MissingEntry

    if not (folder / "autograded" / student / NAME / f"{NAME}.ipynb").exists():
        return 0.0
    try:
        with Gradebook(f"sqlite:///{folder}/gradebook.db") as gradebook:
            return float(gradebook.find_submission(NAME, student).score)
    except MissingEntry:
        return 0.0


def _otter(folder: Path, *arguments: str) -> None:
    """Run otter, in the environment that is made for it."""
    if not (OTTER / "bin" / "otter").exists():
        subprocess.run([sys.executable, "-m", "venv", str(OTTER)], check=True)
        subprocess.run([str(OTTER / "bin" / "python"), "-m", "pip", "install", "--quiet", *OTTER_PACKAGES], check=True, capture_output=True)
    environment = os.environ | {"PATH": f"{OTTER / 'bin'}{os.pathsep}{os.environ['PATH']}", "HOME": str(folder)}
    command = [str(OTTER / "bin" / "otter"), *arguments]
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            process.wait(3 * SECONDS)
        except subprocess.TimeoutExpired:  # otter would leave the kernel running
            kernels = [path.read_text() for path in Path(f"/proc/{process.pid}/task").glob("*/children")]
            for pid in (*map(int, " ".join(kernels).split()), process.pid):
                os.kill(pid, signal.SIGKILL)


def _otter_mark(folder: Path, number: int, source: str) -> float:
    place = folder / str(number)
    (place / "out").mkdir(parents=True)
    code: Cell = {"cell_type": "code", "id": "answer", "metadata": {}, "execution_count": None, "outputs": []}
    _write_notebook(place / f"{NAME}.ipynb", [code | {"source": f"import numpy as np\n{source}"}])
    _otter(folder, "run", "--no-logo", "-a", "autograder.zip", "-o", str(place / "out"), str(place / f"{NAME}.ipynb"))
    results = place / "out" / "results.json"
    tests = json.loads(results.read_text())["tests"] if results.exists() else []
    return sum(float(test.get("score", 0)) for test in tests)
