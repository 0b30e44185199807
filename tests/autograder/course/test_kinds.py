"""A kind of question is one entry of a table: with a new entry, a question of it is loaded, checked, marked, typed and clicked."""

import re
import shutil
from pathlib import Path
from urllib.parse import urlencode

import pytest
from click.testing import CliRunner

from autograder.author.lint.rules import check_course
from autograder.cli.main import main
from autograder.course.errors import CourseError
from autograder.course.kinds import KINDS, Form, QuestionKind, Remark, failed, passed
from autograder.course.loading import read_course
from autograder.course.model import Submission
from autograder.course.own_practice import blank_answers
from autograder.grading.marking import mark_answers
from autograder.grading.questions import functions_of
from autograder.learner.start import start
from tests.autograder.web.conftest import serving
from tests.autograder.web.test_guard import ask

TINY = Path(__file__).parents[2] / "broken_courses" / "tiny"
ASKED = "- id: name-it\n  kind: word\n  objective: add\n  section: carrying\n  text: What is the result of adding called?\n"
HINT = "That is another word."


def mark_word(question, key, answer, drawn):
    return passed(question) if answer == key.right else failed(question, Remark("another_word", sentence=HINT))


def problem_with_word(question, right):
    return None if isinstance(right, str) else ("`right` should be a word", "write one")


@pytest.fixture
def course(tmp_path, monkeypatch):
    """The tiny course with a question of a kind that the engine learns by one entry."""
    root = shutil.copytree(TINY, tmp_path / "course", ignore=shutil.ignore_patterns("__pycache__"))
    for top, text in (("exercises", ASKED), ("solutions", "name-it:\n  right: sum\n")):
        with (root / top / "13_adding" / "practice.yaml").open("a", encoding="utf-8") as file:
            file.write(text)
    kind = QuestionKind("a word", frozenset(), lambda question: Form("one word"), mark_word, problem=problem_with_word)
    monkeypatch.setitem(KINDS, "word", kind)
    return root


def test_a_new_kind_is_loaded_and_its_answer_held_to_it(course):
    assert read_course(course).lessons[0].questions[-1].kind == "word"
    assert check_course(course) == []
    key = course / "solutions/13_adding/practice.yaml"
    key.write_text(key.read_text(encoding="utf-8").replace("right: sum\n", "right: [sum]\n"), encoding="utf-8")
    with pytest.raises(CourseError, match="question `name-it`: `right` should be a word"):
        read_course(course)


def test_without_its_entry_the_kind_is_unknown(course, monkeypatch):
    monkeypatch.delitem(KINDS, "word")
    with pytest.raises(CourseError, match=re.escape("question `name-it`: `kind` is the text `word`\n  fix: did you mean `order`?")):
        read_course(course)


def test_no_other_module_compares_kinds():
    """Whatever differs between kinds is in their entries."""
    engine = Path(__file__).parents[3] / "autograder"
    compared = re.compile(r"\b(question|part|whole)\.kind\s*(==|!=|in\b|not\b)")
    assert [path for path in engine.rglob("*.py") if compared.search(path.read_text(encoding="utf-8"))] == []
    assert [path for path in engine.rglob("*.html") if compared.search(path.read_text(encoding="utf-8"))] == []


def test_lint_finds_a_right_answer_that_a_new_kind_does_not_pass(course, monkeypatch):
    kind = QuestionKind("a word", frozenset(), lambda question: Form("one word"), lambda *asked: failed(asked[0], Remark("no", sentence=HINT)), problem=problem_with_word)
    monkeypatch.setitem(KINDS, "word", kind)
    assert [finding.problem for finding in check_course(course)] == [f"question `name-it`: the answer sum is marked as wrong ({HINT}), not as right"]


@pytest.mark.parametrize(("line", "outcome", "told"), [("name-it: sum", "passed", ""), ("name-it: product", "failed", HINT), ("", "failed", "There is no answer yet.")])
def test_a_new_kind_is_marked_in_answers_yaml(course, line, outcome, told):
    lesson = read_course(course).lessons[0]
    assert blank_answers(lesson).endswith("\nname-it:  # optional, one word\n")
    submission = Submission("ada", lesson.id, "practice", "answers.yaml", line.encode(), None, "present")
    check = mark_answers(submission, lesson, functions_of(course, lesson)).checks[-1]
    assert (check.id, check.outcome, check.message) == ("name-it", outcome, told)


def test_a_new_kind_is_asked_in_the_terminal(course, tmp_path, monkeypatch):
    start(tmp_path / "work", course, read_course(course).lessons[0])
    monkeypatch.chdir(tmp_path / "work")
    done = CliRunner().invoke(main, ["--course", str(course), "practice", "name-it"], input="product\n\nsum\n")
    assert done.exit_code == 0
    assert "One word: product" in done.output
    assert f"✗ {HINT}" in done.output
    assert "✓ Right." in done.output
    assert "To hand it in, write in answers.yaml: name-it: sum" in done.output


def test_a_new_kind_is_asked_on_a_page(course, tmp_path):
    start(tmp_path / "work", course, read_course(course).lessons[0])
    with serving(course, tmp_path / "work") as site:
        assert 'Your answer <span class="quiet">(one word)</span>' in ask(site.address + "question-name-it.html")[2]
        for answer, told in (("product", HINT), ("sum", "<h2>Right</h2>")):
            body = urlencode({"answer": answer}).encode()
            assert told in ask(site.address + "question-name-it.html", method="POST", body=body, X_Part="mark")[2]
