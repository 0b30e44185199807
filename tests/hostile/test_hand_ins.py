"""Hostile names, files and answers: one clear result each, and the honest student beside them loses nothing."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.once import once

from .attack import RIGHT

pytestmark = pytest.mark.xdist_group("hand-ins")

BOMB = "a: &a [1, 1]\n" + "\n".join(f"{new}: &{new} [*{old}, *{old}]" for old, new in zip("abcdefghi", "bcdefghij", strict=True))

# student's name, what answers.yaml holds, words that must be in what `fresh-step` is told
ANSWERS: tuple[tuple[str, str | bytes, str], ...] = (
    ("aliases that double ten times", BOMB, "anchors"),
    ("an alias to itself", "fresh-step: &a [*a]", "anchors"),
    ("a hundred thousand brackets", "fresh-step: " + "[" * 30_000, "line 1"),
    ("more than 64 KiB", "fresh-step: 0.790\n" + "#" * (64 << 10), "64 KiB"),
    ("a tag that runs code", "fresh-step: !!python/object/apply:os.system [id]", "tag"),
    ("a tag of our own", "fresh-step: !include solutions/12_diffusion/practice.yaml", "tag"),
    ("the answer twice", "fresh-step: 0.1\nfresh-step: 0.790", "than on line 1"),
    ("merged maps", "x: {fresh-step: 0.790}\n<<: {fresh-step: 0.790}", "answer"),
    ("not a number", "fresh-step: .nan", "number"),
    ("infinite", "fresh-step: .inf", ""),
    ("as a word", "fresh-step: nan", "not a number"),
    ("longer than a float", "fresh-step: 1e400", ""),
    ("longer than an integer", "fresh-step: " + "9" * 60_000, ""),
    ("true", "fresh-step: true", "not a number"),
    ("a date", "fresh-step: 2020-01-01", "not a number"),
    ("hexadecimal", "fresh-step: 0x1", ""),
    ("sixty to the power of", "fresh-step: 1:30", ""),
    ("a list", "fresh-step: [0.790, 0.790]", ""),
    ("a map", "fresh-step: {a: {b: {c: 0.790}}}", ""),
    ("a map with a strange key", "fresh-step: {? [1, 2] : 0.790}", ""),
    ("a seed without an answer", "fresh-step: {seed: 7}", ""),
    ("a seed that is a text", "fresh-step: {seed: seven, answer: 0.790}", "seed"),
    ("a seed below zero", "fresh-step: {seed: -1, answer: 0.790}", ""),
    ("a seed of many digits", "fresh-step: {seed: " + "9" * 5_000 + ", answer: 0.790}", ""),
    ("a seed that is a list", "fresh-step: {seed: [1], answer: 0.790}", "seed"),
    ("a question nobody asked", "fresh-steps: 0.790", "no answer"),
    ("markup", "fresh-step: <script>alert(1)</script>", "not a number"),
    ("colours", 'fresh-step: "\\e[31m0.790\\e[0m"', "not a number"),
    ("backwards", 'fresh-step: "\\u202e097.0"', "not a number"),
    ("other digits", "fresh-step: ٠٫٨٩٠", "is 0.890"),
    ("two documents", "fresh-step: 0.790\n---\nfresh-step: 0.1", "another answer"),
    ("the answer twice, in capitals", "fresh-step: 0.1\nFRESH_STEP: 0.790", "another answer"),
    ("two answers in one", "fresh-step: 0.790 0.1", "not a number"),
    ("a fraction of nothing", "fresh-step: 1/0", "not a number"),
    ("an answer below another heading", "a: {fresh-step: 0.790}\nb: {fresh-step: 0.790}", "no answer"),
    ("no map", "- fresh-step\n- 0.790", ""),
    ("not text", b"\xff\xfe\x00fresh-step", ""),
    ("a picture", b"\x89PNG\r\n\x1a\n\x00\x00", ""),
    ("a tab", "fresh-step:\n\t0.7 90", "not a number"),
    ("nothing at all", "", "no answer"),
)
HONEST = (  # each right, however it was typed
    ("an honest answer", "fresh-step: 0.790"),
    ("digits of another keyboard", "fresh-step: ٠٫٧٩٠"),
    ("a document twice", "fresh-step: 0.790\n---\nfresh-step: 0.790"),
    ("a tab before the answer", "fresh-step:\n\t0.790"),
)

# student's name, as a hostile student would choose it
NAMES = (
    "=cmd|'calc'!A1", "+1+1", "@SUM(A1)", "-rf", "--unsafe", "a, b; c", '"quoted"', "'; DROP TABLE results; --", "<script>alert(1)",
    "[link](javascript:alert(1))", "`code`", "# heading", "new\nline", "tab\tin it", "\x1b[31mred", "\u202egnp.exe", "zero\u200bwidth", "~root",
    "$(id)", "%s%n", "x" * 255, "con", "NUL", "results.jsonl", "12_diffusion", "emoji 🙂", "ｆｕｌｌｗｉｄｔｈ",
)  # fmt: skip


def _sparse(path: Path) -> None:
    path.touch()
    os.truncate(path, 1 << 40)


# names of which each pair would be one, composed or made harmless
TWINS = ("twin Zo\u00eb", "twin Zoe\u0308", "twin\x01", "twin\x02")

# student's name, how forward.py is made, the status it gets
FILES: tuple[tuple[str, Callable[[Path], object], str], ...] = (
    ("a link to a neighbour", lambda path: path.symlink_to(path.parents[1] / "an honest answer" / "forward.py"), "unreadable"),
    ("a link to a password", lambda path: path.symlink_to("/etc/passwd"), "unreadable"),
    ("a link to itself", lambda path: path.symlink_to(path), "unreadable"),
    ("a link to nothing", lambda path: path.symlink_to("nowhere"), "unreadable"),
    ("a pipe that nobody fills", lambda path: os.mkfifo(path), "unreadable"),
    ("a folder", lambda path: path.mkdir(), "unreadable"),
    ("a file of a terabyte of nothing", _sparse, "unreadable"),
    ("zero bytes in it", lambda path: path.write_bytes(b"x = 1\0\n"), "unreadable"),
    ("a codec that runs code", lambda path: path.write_bytes(b"# coding: unicode_escape\nx = '\\x41'\n"), "graded"),
    ("a codec that is none", lambda path: path.write_bytes(b"# coding: rot13\nk = 1\n"), "graded"),
    ("a codec of bytes", lambda path: path.write_bytes(b"# coding: zlib\nk = 1\n"), "graded"),
    ("a million brackets", lambda path: path.write_bytes(b"(" * 1_000_000), "graded"),
    ("a million minuses", lambda path: path.write_bytes(b"x = " + b"-" * 1_000_000 + b"1"), "graded"),
    ("a number of a million digits", lambda path: path.write_bytes(b"x = " + b"9" * 1_000_000), "graded"),
    ("lines without number", lambda path: path.write_bytes(b"\n" * 5_000_000), "graded"),
    ("a notebook of brackets", lambda path: path.with_suffix(".ipynb").write_bytes(b"[" * 1_000_000), "graded"),
    ("a notebook cut in half", lambda path: path.with_suffix(".ipynb").write_text('{"cells": [{"cell_type": "code", "sou'), "graded"),
    ("a notebook that is none", lambda path: path.with_suffix(".ipynb").write_text('{"cells": {"cell_type": 7}}'), "graded"),
    ("a notebook of ten thousand cells", lambda path: path.with_suffix(".ipynb").write_text(_cells(10_000)), "graded"),
)


def _cells(count: int) -> str:
    return json.dumps({"cells": [{"cell_type": "code", "source": "1 / 0"}] * count})


MARKUP = "def forward_step(x_prev, beta, eps):\n    raise ValueError('``` <script>alert(1)</script> ` [x](javascript:y)')\n"


@pytest.fixture(scope="session")
def run(walls: None, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Grade a class of all of them once."""
    return dict(once(tmp_path_factory, "hand-ins", lambda: _grade(tmp_path_factory.mktemp("hand-ins"))))


def _grade(folder: Path) -> dict[str, Any]:
    class_folder, out = folder / "class", folder / "out"
    for name, text, *_ in (*ANSWERS, *HONEST):
        _folder(class_folder, name).joinpath("answers.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    (class_folder / "an honest answer" / "forward.py").write_text(RIGHT)
    for name, make, _ in FILES:
        make(_folder(class_folder, name) / "forward.py")
    for name in (*NAMES, *TWINS):
        (_folder(class_folder, name) / "answers.yaml").write_text("fresh-step: 0.790")
    (_folder(class_folder, "markup in an exception") / "forward.py").write_text(MARKUP)
    command = [str(Path(sys.executable).with_name("course")), "grade", str(class_folder), "--out", str(out), "--seed", "12"]
    done = subprocess.run([*command, "--exercise", "forward", "--exercise", "practice"], capture_output=True, text=True)
    results = [json.loads(line) for line in (out / "results.jsonl").read_text("utf-8").splitlines()]
    feedback, pages = ([file.read_text("utf-8") for file in (out / "feedback").glob(f"*.{kind}")] for kind in ("md", "html"))
    said = done.stdout + done.stderr
    return {
        "status": done.returncode,
        "said": said,
        "results": results,
        "feedback": feedback,
        "pages": pages,
        "csv": (out / "grades.csv").read_text("utf-8"),
    }


def _folder(class_folder: Path, name: str) -> Path:
    folder = class_folder / name
    folder.mkdir(parents=True)
    return folder


def _result(run: dict[str, Any], student: str, exercise: str) -> dict[str, Any]:
    (one,) = [result for result in run["results"] if (result["student"], result["exercise"]) == (student, exercise)]
    return dict(one)


def test_everybody_has_two_results_and_the_honest_one_all_points(run: dict[str, Any]) -> None:
    """No file, name or answer stops the run or costs another student anything."""
    assert len(run["results"]) == 2 * (len(ANSWERS) + len(HONEST) + len(FILES) + len(NAMES) + len(TWINS) + 1)
    assert run["status"] in (0, 1), run["said"]
    assert "not_judged" not in {result["status"] for result in run["results"]}
    honest = _result(run, "an honest answer", "forward")
    assert honest["score"] == honest["max_score"]


@pytest.mark.parametrize(("student", "words"), [(name, words) for name, _, words in ANSWERS])
def test_answers_earn_points_only_where_they_are_right(student: str, words: str, run: dict[str, Any]) -> None:
    """An answer that is not the right number, in whatever dress, is told so in one short plain line."""
    result = _result(run, student, "practice")
    told = " ".join(check["message"] for check in result["checks"] if check["id"] == "fresh-step")
    assert result["score"] == 0, told
    assert words in told
    assert len(told) < 500
    assert not any(unicodedata.category(c) in ("Cc", "Cf") for c in told)


@pytest.mark.parametrize("student", [name for name, _ in HONEST])
def test_a_right_answer_earns_its_points_however_it_was_typed(student: str, run: dict[str, Any]) -> None:
    assert _result(run, student, "practice")["score"] == 4


@pytest.mark.parametrize(("student", "status"), [(name, status) for name, _, status in FILES])
def test_files_that_are_none_are_told_apart(student: str, status: str, run: dict[str, Any]) -> None:
    """What cannot be read is unreadable, what can be read and is nonsense is graded; neither earns a point."""
    result = _result(run, student, "forward")
    assert (result["status"], result["score"]) == (status, 0), result["checks"][:1]


def test_names_stay_apart_and_cannot_run_or_colour_anything(run: dict[str, Any]) -> None:
    """Each name has its own results and feedback; no formula, no control character, no live markup in what people open."""
    right = [result["student"] for result in run["results"] if result["exercise"] == "practice" and result["score"] == 4]
    assert len(right) == len(NAMES) + len(TWINS) + len(HONEST)
    assert len(run["feedback"]) == len(run["pages"]) == len({result["student"] for result in run["results"]})
    assert not [line for line in run["csv"].splitlines() if line.startswith(("=", "+", "-", "@"))]
    for text in (*run["feedback"], *run["pages"], run["csv"], run["said"]):
        assert not any(unicodedata.category(c) in ("Cc", "Cf") and c not in "\r\n" for c in text), text


def test_names_that_look_alike_are_kept_apart(run: dict[str, Any]) -> None:
    """Two folders whose names are written alike, or become alike when they are made harmless, are two students."""
    twins = [result["student"] for result in run["results"] if result["student"].startswith("twin")]
    assert len(set(twins)) == len(TWINS), set(twins)


def test_markup_in_feedback_is_shown_and_does_nothing(run: dict[str, Any]) -> None:
    """Neither a name nor an exception opens a tag or a link, with whatever number of backticks it comes."""
    text = "\n".join(run["feedback"])
    assert "<script>" not in text.replace("\\<script", "")
    assert "](javascript" not in text.replace("\\](javascript", "").replace("\\]\\(javascript", "")


def test_markup_in_pages_is_shown_and_does_nothing(run: dict[str, Any]) -> None:
    """What a page holds of a stranger's opens no tag and has no address; the page itself brings no script."""
    for page in run["pages"]:
        tags = re.findall(r"<[^>]*>", page)
        assert not [tag for tag in tags if "script" in tag.lower() or re.search(r"\son\w+\s*=", tag)]
