"""Pairs that are alike: found through renaming and reordering, silent about the starter and what all wrote, and nothing is run."""

import json
import random
from pathlib import Path

import pytest
from click.testing import CliRunner

from autograder.cli.main import main
from autograder.course.loading import read_course
from autograder.course.model import Submission
from autograder.course.student_files import code_of
from autograder.instructor.similar import MANY, RUN, WINDOW, fingerprints, similar_pairs, starters

ROOT = Path(__file__).resolve().parents[3]
STARTER = "def noise_to(x0, t, eps, alpha_bars):\n    raise NotImplementedError\n"
OWN = """
def noise_to(x0, t, eps, alpha_bars):
    kept = [alpha_bars[i] for i in range(len(alpha_bars)) if i == t]
    total = sum(kept) / max(1, len(kept))
    signal, noise = total ** 0.5, (1 - total) ** 0.5
    if not isinstance(x0, list):
        return signal * x0 + noise * eps
    return [signal * a + noise * b for a, b in zip(x0, eps)]
"""
RENAMED = """
# all my own work
def noise_to(image, step, random_part, table):
    chosen = [table[k]
              for k in range(len(table)) if k == step]
    mean = sum(chosen) / max(1, len(chosen))
    s, n = mean ** 0.5, (1 - mean) ** 0.5  # the two shares
    if not isinstance(image, list):
        return s * image + n * random_part
    return [s * p + n * q for p, q in zip(image, random_part)]
"""
OTHER = """
import numpy as np
def noise_to(x0, t, eps, alpha_bars):
    shape = (-1,) + (1,) * (np.ndim(x0) - 1)
    a = np.asarray(alpha_bars)[t].reshape(shape) if np.ndim(t) else alpha_bars[t]
    return np.sqrt(a) * np.asarray(x0) + np.sqrt(1 - a) * np.asarray(eps)
"""


def submission(student, source, name="forward.py"):
    return Submission(student, "12_diffusion", "forward", name, source.encode(), "", "present")


def found(sources, least=0.6):
    return similar_pairs([submission(name, source) for name, source in sources.items()], {"forward": [STARTER]}, least)


def test_renaming_comments_and_layout_hide_nothing():
    (pair,) = found({"ada": OWN, "bo": RENAMED, "cy": OTHER})
    assert (pair.first, pair.second, pair.share) == ("ada", "bo", 1.0)


def test_functions_in_another_order_are_found():
    more = "\ndef shift(values):\n    return [values[(k + 3) % len(values)] ** 2 - 1 for k in range(len(values)) if values[k] > 0]\n"
    (pair,) = found({"ada": OWN + more, "bo": more + RENAMED, "cy": OTHER})
    assert pair.share > 0.8
    assert pair.lines[0][0] < 9 < pair.lines[0][-1]


def test_what_the_starter_holds_counts_nothing():
    assert similar_pairs([submission("ada", OWN), submission("bo", OWN)], {"forward": [STARTER, OWN]}, 0) == []


def test_what_many_wrote_is_common_ground():
    few, many = MANY[0], MANY[0] + 1
    assert len(found({f"s{n}": OWN for n in range(few)})) == few * (few - 1) // 2
    assert found({f"s{n}": OWN for n in range(many)}) == []


def test_a_long_enough_shared_stretch_is_always_found():
    """The promise of winnowing: RUN + WINDOW - 1 tokens in common share a kept hash, wherever they stand."""
    draw = random.Random(3)
    words = ["+", "*", "-", "1", "2", "3", "(", ")", "abs", "len", "max", "[", "]"]
    for _ in range(50):
        shared = [draw.choice(words) for _ in range(RUN + WINDOW - 1)]
        one, two = ([draw.choice(words) for _ in range(draw.randint(0, 30))] for _ in range(2))
        texts = (" ".join(["(", *before, *shared, "7"]) for before in (one, two))
        first, second = (fingerprints(text) for text in texts)
        assert first.keys() & second.keys()


def test_a_notebooks_code_is_compared_with_a_files():
    cells = [{"cell_type": "markdown", "source": OTHER}, {"cell_type": "code", "source": RENAMED.splitlines(keepends=True)}]
    assert code_of("forward.ipynb", json.dumps({"cells": cells}).encode()) == RENAMED


@pytest.mark.parametrize("source", [b"\xff\xfe\x00", b"def f(:\n  'open", b"[" * 100_000, b'{"cells": 3}', b""], ids=["bytes", "broken", "deep", "no cells", "empty"])
@pytest.mark.parametrize("name", ["forward.py", "forward.ipynb"])
def test_what_cannot_be_read_is_like_nothing(name, source):
    students = [Submission(student, "12_diffusion", "forward", name, source, "", "present") for student in ("a", "b")]
    assert similar_pairs(students, {"forward": [STARTER]}, 0) == []


def test_a_hostile_line_of_megabytes_keeps_nobody_busy():
    """Uncut, these quotes would take Python's tokenizer hours."""
    assert fingerprints("'\\" * 3_000_000) == {}


def test_what_follows_on_a_long_line_hides_nothing_before_it():
    assert fingerprints(OWN) == fingerprints("".join(f"{line}  # {'x' * 1000}\n" for line in OWN.splitlines()))


def test_the_starter_of_every_exercise_is_known():
    lesson = read_course(ROOT).lessons[0]
    given = starters(lesson)
    assert given.keys() == {exercise.id for exercise in lesson.exercises}
    untouched = [submission(student, given["forward"][0]) for student in ("ada", "bo")]
    assert similar_pairs(untouched, given, 0) == []


def test_the_command_shows_pairs_and_calls_nobody_a_cheat(tmp_path):
    for student, source in {"ada": OWN, "bo": RENAMED, "cy": OTHER}.items():
        (tmp_path / student).mkdir()
        (tmp_path / student / "forward.py").write_text(source)
    arguments = ["--course", str(ROOT), "similar", str(tmp_path), "--exercise", "forward"]
    said = CliRunner().invoke(main, arguments, env={"COLUMNS": "100"}).output
    assert "│ forward  │   100 % │ ada     │ 2-" in said
    assert said.endswith("1 similar pair among 3 students. Similar is not copied: read both before you ask anyone.\n")
    assert [pair["second"] for pair in json.loads(CliRunner().invoke(main, [*arguments, "--json"]).output)] == ["bo"]
