"""A filled notebook in the hands of `course grade`: what the files get, it gets."""

import json
import re
import subprocess
import sys

import pytest

from tests.autograder.author.notebook.test_notebook import LESSON, ROOT, SHIPPED, filled

HANDED_IN = ("schedule", "ddim", "latent")


def sources():
    """Give a right file, one with a misconception, and one that asks for something that is not there."""
    fair = ROOT / "tests" / "fairness" / LESSON.id
    return {
        "schedule": (fair / "schedule" / "loops.py").read_text(),
        "ddim": (fair / "ddim" / "plain.py").read_text().replace("(1 - b - sigma**2)", "(1 - b)"),
        "latent": (fair / "latent" / "plain.py").read_text().replace("vae.encode(x)", "vae.encode_all(x)"),
    }


@pytest.mark.usefixtures("walls")
def test_a_filled_notebook_is_graded_as_the_files_are(tmp_path):
    """Every check alike: outcome, points, misconception, words; but for where a line is."""
    given = sources()
    for student in ("files", "notebook"):
        (tmp_path / "class" / student).mkdir(parents=True)
    for name, source in given.items():
        (tmp_path / "class" / "files" / f"{name}.py").write_text(source)
    (tmp_path / "class" / "notebook" / SHIPPED.name).write_text(json.dumps(filled(json.loads(SHIPPED.read_text()), given)))
    chosen = [word for name in HANDED_IN for word in ("--exercise", name)]
    command = [sys.executable, "-m", "autograder", "grade", tmp_path / "class", "--out", tmp_path / "out", "--seed", "7", *chosen]
    done = subprocess.run([str(word) for word in command], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [json.loads(line) for line in (tmp_path / "out" / "results.jsonl").read_text().splitlines()]
    made = {(row["student"], row["exercise"]): row for row in rows}
    assert set(made) == {(student, name) for student in ("files", "notebook") for name in HANDED_IN}
    for name in HANDED_IN:
        as_file, as_cell = made["files", name], made["notebook", name]
        assert (as_cell["status"], as_cell["score"]) == (as_file["status"], as_file["score"])
        assert [told(check) for check in as_cell["checks"]] == [told(check) for check in as_file["checks"]]
    assert [made["notebook", name]["score"] for name in HANDED_IN] == [20, 13, 16.5]  # the sampler uses the step
    assert {check["misconception"] for check in made["notebook", "ddim"]["checks"]} == {None, "noise_on_top"}


def told(check):
    """Return a check's result without its seconds and without the names of cells."""
    text = re.sub(r"cell [0-9]+, line", "line", json.dumps(check))
    return {key: value for key, value in json.loads(text).items() if key != "seconds"}
