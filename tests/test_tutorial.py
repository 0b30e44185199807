"""The tutorial for authors, followed step by step: every block is a file that is written, or commands whose output is compared."""

import os
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from autograder.cli.main import main

TEXT = (Path(__file__).resolve().parents[1] / "docs" / "author.md").read_text(encoding="utf-8")
SECTION = TEXT.partition("## A lesson in an hour\n")[2].partition("\n## ")[0]
BLOCKS = re.findall(r"([^\n]*)\n\n```(\w+)\n(.*?)```", SECTION, re.DOTALL)  # the line before, the language, the text


def same(printed, shown):
    """Whether an output is what the tutorial shows, where `...` stands for any lines."""
    pattern = "".join(r"(?:.*\n)*" if line == "...\n" else re.escape(line) for line in shown.splitlines(keepends=True))
    return re.fullmatch(pattern, printed) is not None


@pytest.mark.usefixtures("walls")
def test_a_newcomer_gets_a_lesson_from_nothing_to_a_graded_submission(tmp_path, monkeypatch):
    """Lint-clean, with an exercise and a misconception, and the submission is told its mistake."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    for before, language, text in BLOCKS:
        if language != "text":
            path = tmp_path / re.findall(r"`([^`]*[/.][^`]*)`", before)[0]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            continue
        for command, shown in re.findall(r"\$ course (.*)\n((?:[^$].*\n)*)", text):
            done = CliRunner().invoke(main, command.split(), catch_exceptions=False)
            assert same(done.output, shown), done.output
    (feedback,) = (tmp_path / "results" / "feedback").glob("ada-*.md")
    assert "You added the brightness before you scaled. Scale the image first, then add." in feedback.read_text(encoding="utf-8")
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) > 10
    assert os.listdir(tmp_path / "lessons") == ["01_brightness"]
