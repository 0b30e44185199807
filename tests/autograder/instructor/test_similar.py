"""Pairs that are alike: found through renaming and reordering, silent about the starter and what all wrote, and nothing is run."""

import json
import random

import pytest
from click.testing import CliRunner

from autograder.cli.main import main
from autograder.course.loading import read_course
from autograder.course.model import Submission
from autograder.course.student_files import code_of
from autograder.instructor.similar import MANY, MOST_TOKENS, RUN, SIZE, WINDOW, fingerprints, read, similar_pairs, starters
from tests.courses import ROOT

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


def found(sources, least=0.6, **more):
    return similar_pairs([submission(name, source) for name, source in sources.items()], {"forward": [STARTER]}, least, **more).pairs


def test_renaming_comments_and_layout_hide_nothing():
    (pair,) = found({"ada": OWN, "bo": RENAMED, "cy": OTHER})
    assert (pair.first, pair.second, pair.share) == ("ada", "bo", 1.0)


def test_a_group_is_compared_with_others_once_and_not_with_itself():
    members = [Submission(name, "12_diffusion", "forward", "forward.py", OWN.encode(), "same", "present") for name in ("ada", "bo")]
    other = Submission("cy", "12_diffusion", "forward", "forward.py", RENAMED.encode(), "another", "present")
    [pair] = similar_pairs([*members, other], {"forward": [STARTER]}, 0.6, groups={"ada": "team 1", "bo": "team 1"}).pairs
    assert (pair.first, pair.second) == ("ada", "cy")
    everyone = dict.fromkeys(("ada", "bo", "cy"), "team 1")
    assert similar_pairs([*members, other], {"forward": [STARTER]}, 0.6, groups=everyone).pairs == []


def test_functions_in_another_order_are_found():
    more = "\ndef shift(values):\n    return [values[(k + 3) % len(values)] ** 2 - 1 for k in range(len(values)) if values[k] > 0]\n"
    (pair,) = found({"ada": OWN + more, "bo": more + RENAMED, "cy": OTHER})
    assert pair.share > 0.8
    assert pair.lines[0][0] < 9 < pair.lines[0][-1]


LINE = "def noise_to(x0, t, eps, alpha_bars):\n    return np.sqrt(alpha_bars[t]) * x0 + np.sqrt(1 - alpha_bars[t]) * eps\n"


def test_one_line_in_common_is_too_little_though_it_is_all_that_they_wrote(monkeypatch):
    """An exercise of a line has one solution. Who asks for less gets it, with how much it is."""
    monkeypatch.setitem(globals(), "STARTER", "import numpy as np\n")
    twelve = {f"s{number}": LINE for number in range(2)} | {f"t{number}": OWN.replace("total", f"x.{number}y{number}") for number in range(10)}
    assert [pair for pair in found(twelve) if pair.first[0] == "s"] == []
    (pair,) = (pair for pair in found(twelve, size=20) if pair.first[0] == "s")
    assert (pair.share, 20 <= pair.size < SIZE) == (1.0, True)


def test_what_the_starter_holds_counts_nothing():
    assert similar_pairs([submission("ada", OWN), submission("bo", OWN)], {"forward": [STARTER, OWN]}, 0).pairs == []


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
        first, second = (fingerprints(read(text)[0]) for text in texts)
        assert first.keys() & second.keys()


def test_a_notebooks_code_is_compared_with_a_files():
    cells = [{"cell_type": "markdown", "source": OTHER}, {"cell_type": "code", "source": RENAMED.splitlines(keepends=True)}]
    assert code_of("forward.ipynb", json.dumps({"cells": cells}).encode()) == RENAMED


@pytest.mark.parametrize(
    ("name", "source"),
    [("forward.py", b"def f(:\n  'open"), ("forward.py", b"[" * 100_000), ("forward.py", b""), ("forward.ipynb", b"\xff\xfe\x00"), ("forward.ipynb", b"[" * 100_000), ("forward.ipynb", b'{"cells": 3}'), ("forward.ipynb", b"")],
)  # fmt: skip
def test_what_cannot_be_read_is_like_nothing_and_is_listed(name, source):
    students = [Submission(student, "12_diffusion", "forward", name, source, "", "present") for student in ("a", "b")]
    found = similar_pairs(students, {"forward": [STARTER]}, 0)
    assert found.pairs == []
    assert [one.student for one in found.unread] == ["a", "b"]


LONG = "x" * 600
NOT_WHOLE = {
    "a long text before it": (f'"""{LONG}"""\n{OWN}', "only 500 characters of line 1 are read"),
    "a long text on one line": (f"NOTE = '{LONG}'\n{OWN}", "only 500 characters of line 1 are read"),
    "code far to the right": (f"x = 1\nif x:\n{' ' * 600}y = 2\n", "only 500 characters of line 3 are read"),
    "code behind much room": (f"x = 1;{' ' * 600}y = 2\n", "only 500 characters of line 1 are read"),
    "a text that is never closed": (OWN + '"""', "it is not Python from line 8 on"),
    "a bracket that is never closed": ("x = 1\ny = (\n", "it is not Python from line 2 on"),
    "wrong indentation": ("def f():\n        x = 1\n    y = 2\n", "it is not Python from line 2 on"),
    "very many tokens": ("x\n" * (MOST_TOKENS + 1), "only its first 100000 tokens are read"),
    "very much text": (f"x = 1\n{'# remark' * 10}\n" * 13_000, "only its first 1 MiB are read"),
    "no code": ("# nothing\n\n", "there is no code in it"),
}


@pytest.mark.parametrize(("source", "why"), NOT_WHOLE.values(), ids=NOT_WHOLE)
def test_a_file_that_is_not_read_whole_is_listed_with_the_reason(source, why):
    """Otherwise a copy would be hidden by whatever makes us stop."""
    (one,) = similar_pairs([submission("ada", source), submission("bo", OWN)], {"forward": [STARTER]}, 0).unread
    assert (one.exercise, one.student, one.why) == ("forward", "ada", why)


def test_a_long_text_above_a_copy_does_not_hide_it():
    (pair,) = found({"ada": f'"""{LONG}"""\nNOTE = "{LONG}"\n{OWN}', "bo": RENAMED, "cy": OTHER})
    assert pair.share == 1.0


@pytest.mark.parametrize("source", [OWN, STARTER, f"x = 1  # {LONG}\n", f"#{LONG}\nx = 1\n"], ids=["code", "starter", "long comment", "long line of comment"])
def test_a_file_that_is_read_whole_is_not_listed(source):
    assert similar_pairs([submission("ada", source)], {"forward": [STARTER]}, 0).unread == []


@pytest.mark.parametrize("encoding", ["utf-7", "unicode_escape", "utf-16", "latin-1"])
def test_code_is_read_as_python_reads_it(encoding):
    """A copy that declares another encoding runs as the original does, so it is compared as what it says there."""
    written = OWN.encode("utf-7").replace(b"kept", b"+AGsAZQBwAHQ-") if encoding == "utf-7" else OWN.encode(encoding)
    head = b"" if encoding == "utf-16" else f"# coding: {encoding}\n".encode()
    copy = Submission("bo", "12_diffusion", "forward", "forward.py", head + written.replace(b"\\n", b"\n"), "", "present")
    (pair,) = similar_pairs([submission("ada", OWN), copy], {"forward": [STARTER]}, 0).pairs
    assert pair.share == 1.0


def test_a_submission_that_cannot_be_read_at_all_is_listed_and_a_missing_one_is_not():
    broken = Submission("ada", "12_diffusion", "forward", "forward.py", None, None, "unreadable", "forward.py is a link, which is not followed")
    missing = Submission("bo", "12_diffusion", "forward", "forward.py", None, None, "missing", "no forward.py")
    (one,) = similar_pairs([broken, missing], {"forward": [STARTER]}, 0).unread
    assert (one.student, one.why) == ("ada", "forward.py is a link, which is not followed")


def test_a_hostile_line_of_megabytes_keeps_nobody_busy():
    """Uncut, these quotes would take Python's tokenizer hours."""
    assert fingerprints(read("'\\" * 3_000_000)[0]) == {}


def test_what_follows_on_a_long_line_hides_nothing_before_it():
    assert read(OWN) == read("".join(f"{line}  # {'x' * 1000}\n" for line in OWN.splitlines()))


def test_the_starter_of_every_exercise_is_known():
    lesson = read_course(ROOT).lessons[0]
    given = starters(lesson)
    assert given.keys() == {exercise.id for exercise in lesson.exercises}
    untouched = [submission(student, given["forward"][0]) for student in ("ada", "bo")]
    assert similar_pairs(untouched, given, 0).pairs == []


def test_the_command_shows_pairs_and_calls_nobody_a_cheat(tmp_path):
    for student, source in {"ada": OWN, "bo": RENAMED, "cy": OTHER}.items():
        (tmp_path / student).mkdir()
        (tmp_path / student / "forward.py").write_text(source)
    arguments = ["--course", str(ROOT), "similar", str(tmp_path), "--exercise", "forward"]
    said = CliRunner().invoke(main, arguments, env={"COLUMNS": "100"}).output
    assert "│ forward  │   100 % │ ada     │ 2-" in said
    assert said.endswith("1 similar pair among 3 students. Similar is not copied: read both before you ask anyone.\n")
    assert [pair["second"] for pair in json.loads(CliRunner().invoke(main, [*arguments, "--json"]).output)] == ["bo"]


def test_the_command_lists_what_it_could_not_read(tmp_path):
    (tmp_path / "ada\x1b[2J").mkdir()
    (tmp_path / "ada\x1b[2J" / "forward.py").write_text(f'"""{LONG}"""\n{OWN}')
    done = CliRunner().invoke(main, ["--course", str(ROOT), "similar", str(tmp_path), "--exercise", "forward", "--json"])
    assert (done.exit_code, done.stdout) == (0, "[]\n")
    assert done.stderr == "not read whole: ada�[2J, forward: only 500 characters of line 1 are read\n"
