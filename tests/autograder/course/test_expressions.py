"""A number question without Python: a formula, mistakes as formulas, in a clone and in a release; wrong ones are told at their line."""

import gzip
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from autograder.author.release import build
from autograder.cli.main import main
from autograder.course.errors import CourseError
from autograder.course.loading import read_course
from autograder.course.model import Key
from autograder.grading.marking import mark
from autograder.grading.questions import functions_of, variant

TINY = Path(__file__).resolve().parents[2] / "broken_courses" / "tiny"
FUNCTION = "  computes: sums.total\n  arguments: [a, b]\n  decimals: 3\n  tolerance: 0.002\n  detects: [taken_away, second_forgotten]\n"
WORKING = 'fresh-sum:\n  working:\n    - "Add [[b]] to [[a]]."\n    - "[[a]] + ([[b]]) = [[= total(a, b) :.3f]]"\n'
FORMULAS = """\
fresh-sum:
  computes: "a + b"
  mistakes:
    taken-away: {formula: "a - b", sentence: You took b away.}
    root-taken: {formula: "a + sqrt(b)", sentence: There is no root., card: carry}
  working: ["[[a]] + ([[b]]) = [[= a + b :.3f]]"]
"""


def changed(root, folder, old, new):
    path = root / folder / "13_adding" / "practice.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.fixture
def clone(tmp_path):
    """A course whose first question is answered by a formula."""
    root = shutil.copytree(TINY, tmp_path / "clone", ignore=shutil.ignore_patterns("__pycache__"))
    changed(root, "exercises", FUNCTION, "  decimals: 3\n  tolerance: 0.002\n")
    changed(root, "solutions", WORKING, FORMULAS)
    return root


def marked(root, answer_of):
    """Mark an answer to the published numbers, and to other ones."""
    lesson = read_course(root).lessons[0]
    functions, question = functions_of(root, lesson), lesson.questions[0]
    for seed in (None, 3):
        numbers = variant(question, seed, functions)
        answer = round(answer_of(**numbers), 3)
        yield mark(question, lesson.keys.get(question.id, Key()), answer if seed is None else {"seed": seed, "answer": answer}, functions)


def told(made):
    return made.misconception, made.section, made.card, made.remarks[0].sentence if made.remarks else ""


def test_a_formula_answers_and_its_mistakes_are_told_as_misconceptions_are(clone, tmp_path):
    """Here and in a release, which holds what they give and none of the formulas."""
    assert CliRunner().invoke(main, ["--course", str(clone), "lint"]).output.endswith("No findings.\n")
    build(clone, tmp_path / "release")
    for root in (clone, tmp_path / "release"):
        assert [made.points for made in marked(root, lambda a, b: a + b)] == [2, 2]
        for made in marked(root, lambda a, b: a - b):
            assert told(made) == ("taken-away", "what-a-sum-is", "", "You took b away.")
        for made in marked(root, lambda a, b: a + b**0.5):
            assert told(made) == ("root-taken", "what-a-sum-is", "carry", "There is no root.")
        assert {told(made) for made in marked(root, lambda a, b: a * 7 + 3)} == {(None, "what-a-sum-is", None, "")}
    files = (path for path in (tmp_path / "release").rglob("*") if path.is_file())
    contents = [gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes() for path in files]
    assert not any(b"sqrt(b)" in content or b'"a - b"' in content for content in contents)


COMPLAINTS = {
    "a name that is no number": ('"a + b"', '"a + c"', "question `fresh-sum`: `a + c`: there is no number `c`\n  fix: take one of a, b, sqrt, "),
    "no formula": ('"a - b"', '"a -"', "question `fresh-sum`: `a -` is no formula: invalid syntax\n  fix: write it as in Python: sqrt(1 - beta) * x"),
    "nothing": ('  computes: "a + b"\n', "", "question `fresh-sum`: nothing computes the answer\n  fix: add `computes:` with a formula of the question's numbers"),
    "a choice": ("  right: place\n", '  right: place\n  computes: "1"\n', "question `why-carry`: `computes` has no place here: a choice has none\n  fix: remove it"),
    "a part": ("    forth:\n", '    forth:\n      computes: "1"\n', "question `both-ways`, part `forth`: `computes` has no place here: the question names a function\n"),
}


@pytest.mark.parametrize(("old", "new", "complaint"), COMPLAINTS.values(), ids=COMPLAINTS)
def test_what_is_wrong_with_a_formula_is_told_at_its_line(clone, old, new, complaint):
    changed(clone, "solutions", old, new)
    with pytest.raises(CourseError) as fault:
        read_course(clone)
    [found] = fault.value.findings
    assert complaint in str(found)
    line = (clone / "solutions" / "13_adding" / "practice.yaml").read_text(encoding="utf-8").splitlines()[found.line - 1]
    assert not new or new.splitlines()[-1].strip() in line


def test_a_function_still_needs_its_arguments(clone):
    changed(clone, "exercises", "  decimals: 3\n", "  computes: sums.total\n  decimals: 3\n")
    with pytest.raises(CourseError) as fault:
        read_course(clone)
    assert "question `fresh-sum`: a function needs `arguments`\n  fix: add `arguments: ...`" in str(fault.value)
