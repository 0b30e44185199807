"""What a card looks like: figures, formulas, intervals in words."""

import io
from datetime import timedelta

import pytest
from click.testing import CliRunner
from rich.console import Console

from autograder.cli.main import main
from autograder.cli.review_screen import shown_text
from autograder.course.loading import read_course
from autograder.learner.review.deck import in_words
from tests.autograder.learner.review.conftest import MORNING


@pytest.mark.parametrize(
    ("interval", "words"),
    [
        (timedelta(minutes=1), "1 min"), (timedelta(minutes=5, seconds=30), "6 min"), (timedelta(minutes=90), "2 h"),
        (timedelta(days=1), "1 day"), (timedelta(days=8), "8 days"), (timedelta(days=75), "2.5 months"), (timedelta(days=800), "2.2 years"),
    ],
)  # fmt: skip
def test_an_interval_is_told_in_one_unit(interval, words):
    assert in_words(interval) == words


def printed(text):
    console = Console(file=io.StringIO(), width=80)
    console.print(shown_text(text))
    return console.file.getvalue().strip()


def test_formulas_can_be_read_and_a_figure_is_named():
    assert printed(r"$\sqrt{1-\beta_t}$ in ![a strip of pictures](figures/strip.svg)") == "√(1 − βₜ) in Image: a strip of pictures (o opens it)"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("--tag uniform-noise", "no card has the tag `uniform-noise`\n  fix: did you mean `uniform_noise`?\n"),
        ("--objective xyz", "no card has the objective `xyz`\n  fix: take one of forward-step, text-to-image, three-families, training-loss, two-directions\n"),
        ("", "a review needs a terminal\n  fix: run `course review` in a terminal, without a pipe\n"),
    ],
)  # fmt: skip
def test_what_cannot_be_reviewed_is_told(root, tmp_path, monkeypatch, arguments, said):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    done = CliRunner().invoke(main, ["--course", str(root), "review", *arguments.split()])
    assert (done.exit_code, done.stderr) == (2, said)


def test_nothing_due_needs_no_terminal(root, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    done = CliRunner().invoke(main, ["--course", str(root), "review", "--new", "0"])
    assert (done.exit_code, done.stdout) == (0, "Nothing is due. Nothing is left for today.\n")


def test_merging_says_what_came(root, opened, tmp_path, monkeypatch):
    deck = opened(read_course(root).lessons[0], place=tmp_path / "other")
    deck.answer(deck.next_card(MORNING), 3, MORNING)
    deck.close()
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    other = str(tmp_path / "other" / "reviews.sqlite")
    said = [CliRunner().invoke(main, ["--course", str(root), "review", "--merge", other]).output for _ in range(2)]
    assert said == [f"{other}: 1 new entry, 0 were here already.\n", f"{other}: 0 new entries, 1 was here already.\n"]


REVIEW = b'{"id":"a","device":"b","number":1,"at":1780000000000,"zone":0,"kind":"review","card":"12_diffusion/noise-scale","rating":3}\n'


@pytest.mark.parametrize(
    ("lines", "code", "said"),
    [
        (b"hello\n{\"a\":1}\n", 2, ", line 1: not a review\n  fix: choose a file that Cards or `course review` saved\n"),
        (b"\n{}", 2, ", line 2: not a review\n  fix: choose a file that Cards or `course review` saved\n"),
        (REVIEW + b"hello\n", 0, ": 1 new entry, 0 were here already. Line 2 is not a review and was left out.\n"),
        (b"a\nb\n" + REVIEW, 0, ": 1 new entry, 0 were here already. 2 lines are not reviews and were left out, the first in line 1.\n"),
        (b"x" * 9000 + b"\n" + REVIEW, 0, ": 1 new entry, 0 were here already. Line 1 is not a review and was left out.\n"),
        (b"", 0, ": 0 new entries, 0 were here already.\n"),
    ],
)  # fmt: skip
def test_a_line_that_is_no_review_is_told_with_its_place(root, tmp_path, monkeypatch, lines, code, said):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    (tmp_path / "bad.jsonl").write_bytes(lines)
    done = CliRunner().invoke(main, ["--course", str(root), "review", "--merge", str(tmp_path / "bad.jsonl")])
    assert (done.exit_code, done.output) == (code, f"{tmp_path}/bad.jsonl{said}")
