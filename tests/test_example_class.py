"""The example class, graded by the public command: every student gets what `expected.yaml` says."""

from __future__ import annotations

import csv
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.courses import ROOT
from tests.once import once

CLASS = ROOT / "examples" / "class"
COMMAND = "course grade examples/class --out build/demo --seed 12 --exercise forward --exercise practice"
EXPECTED: dict[str, Any] = yaml.safe_load((CLASS / "expected.yaml").read_text(encoding="utf-8"))
EXERCISES = ("forward", "practice")

pytestmark = pytest.mark.xdist_group("example-class")


@pytest.fixture(scope="session")
def run(walls: None, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Grade the class once, as docs/grade.md does: the exit status, what is printed, the results, the table of scores."""
    return dict(once(tmp_path_factory, "example-class", lambda: _grade(tmp_path_factory.mktemp("example-class"))))


def _grade(out: Path) -> dict[str, Any]:
    words = shlex.split(COMMAND.replace("build/demo", str(out)))[1:]
    course = str(Path(sys.executable).with_name("course"))
    done = subprocess.run([course, *words], capture_output=True, text=True, cwd=ROOT, env=os.environ | {"COLUMNS": "100"})
    results = [json.loads(line) for line in (out / "results.jsonl").read_text(encoding="utf-8").splitlines()]
    with open(out / "grades.csv", encoding="utf-8", newline="") as file:
        grades = list(csv.DictReader(file))
    return {"out": str(out), "status": done.returncode, "said": done.stderr, "printed": done.stdout, "results": results, "grades": grades}


def _result(run: dict[str, Any], student: str, exercise: str) -> dict[str, Any]:
    (one,) = [result for result in run["results"] if (result["student"], result["exercise"]) == (student, exercise)]
    return dict(one)


def _told(check: dict[str, Any]) -> str:
    """Give the misconception that a failed check named, or else the reason why it failed."""
    return str(check["misconception"] or check["reason"])


def test_the_class_has_thirty_students_ten_right_twelve_misconceptions_four_broken_four_hostile() -> None:
    """Every folder is expected, every expected student has a folder, and the kinds are as many as promised."""
    kinds = [student["kind"] for student in EXPECTED.values()]
    assert {kind: kinds.count(kind) for kind in kinds} == {"correct": 10, "mistake": 12, "broken": 4, "hostile": 4}
    assert {folder.name for folder in CLASS.iterdir() if folder.is_dir()} == set(EXPECTED)


def test_the_run_ends_well_and_everybody_has_a_result(run: dict[str, Any]) -> None:
    """Wrong, broken and hostile files are graded: exit status 0, two results a student, in both files."""
    assert run["status"] == 0, run["said"]
    assert len(run["results"]) == len(run["grades"]) == len(EXPECTED) * len(EXERCISES)
    assert {(one["student"], one["exercise"]) for one in run["results"]} == {(name, e) for name in EXPECTED for e in EXERCISES}


@pytest.mark.parametrize("student", EXPECTED)
def test_code_gets_its_score_check_by_check(student: str, run: dict[str, Any]) -> None:
    """The score is the points of all checks but those that fail, and those that need them."""
    expected, result = EXPECTED[student]["forward"], _result(run, student, "forward")
    failed = {check["id"]: check["message"] for check in result["checks"] if check["outcome"] == "failed"}
    assert set(failed) == set(expected.get("failed", [])), failed
    assert (result["status"], result["score"], result["max_score"]) == (expected["status"], expected["score"], 20)


@pytest.mark.parametrize("student", EXPECTED)
def test_each_misconception_is_named_as_itself(student: str, run: dict[str, Any]) -> None:
    """A misconception is named, with its section and card; where there is none to name, the reason is right and nothing is named."""
    result = _result(run, student, "forward")
    failed = [check for check in result["checks"] if check["outcome"] == "failed"]
    assert {check["id"]: _told(check) for check in failed} == EXPECTED[student]["forward"].get("named", {})
    assert all((check["misconception"] is None) == (check["section"] is None) == (check["card"] is None) for check in failed)


@pytest.mark.parametrize("student", EXPECTED)
def test_answers_get_their_score(student: str, run: dict[str, Any]) -> None:
    """Answers are marked, and a misconception made by hand is named as the one in code: where it was made, and nowhere else."""
    expected, result = EXPECTED[student]["practice"], _result(run, student, "practice")
    named, failed = expected.get("named", {}), [check for check in result["checks"] if check["outcome"] != "passed"]
    told = {check["id"]: _told(check) for check in failed if check["misconception"] or check["id"] in named}
    assert (result["status"], result["score"], told) == (expected["status"], expected["score"], named)


def test_the_table_of_scores_says_the_same(run: dict[str, Any]) -> None:
    """grades.csv holds each result's status and score."""
    table = {(row["student"], row["exercise"]): (row["status"], float(row["score"])) for row in run["grades"]}
    assert table == {(one["student"], one["exercise"]): (one["status"], one["score"]) for one in run["results"]}


def test_the_thief_found_nothing(run: dict[str, Any]) -> None:
    """The student who looks for the answers prints what was found: nothing."""
    stdout = _result(run, "Alex Thornton", "forward")["stdout"]
    assert "solutions -> ModuleNotFoundError" in stdout
    assert "GOT" not in stdout


def test_output_without_end_is_kept_up_to_64_kib(run: dict[str, Any]) -> None:
    """Of what the endless printer printed, the beginning is kept."""
    assert len(_result(run, "Sam Whitlock", "forward")["stdout"].encode()) == 64 << 10
