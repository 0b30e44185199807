"""The linter finds every planted fault, says nothing else, and says nothing of a good course."""

import shutil
from pathlib import Path

import msgspec
import pytest

from autograder.author.lint.context import LintContext, Rule
from autograder.author.lint.lesson import Length, agrees, coverage, length_of, sources
from autograder.author.lint.rules import RULES, check_course
from autograder.course.errors import Finding, UsageError
from autograder.course.loading import read_course
from tests.broken_courses.planted import ANSWERS, ASKED, CHECKS, PLANTED, TEXT

TINY = Path(__file__).parents[2] / "broken_courses" / "tiny"


@pytest.fixture
def tiny(tmp_path):
    """A copy of the tiny course, to break."""
    return shutil.copytree(TINY, tmp_path / "course", ignore=shutil.ignore_patterns("__pycache__"))


def plant(root, edits):
    """Make the edits of a planted fault."""
    for file, old, new in edits:
        path = root / file
        if new is None:
            path.unlink()
        elif old is None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(new if isinstance(new, bytes) else new.encode())
        else:
            text = path.read_text(encoding="utf-8")
            assert old in text
            path.write_text(text.replace(old, new), encoding="utf-8")


def told(findings):
    return "".join(f"{finding}\n" for finding in findings)


@pytest.mark.parametrize("name", PLANTED)
def test_planted_misconception_is_told_in_full_and_nothing_else_is(tiny, name):
    """Each misconception gives its findings, word for word, under the rules that hold it."""
    planted = PLANTED[name]
    plant(tiny, planted.edits)
    findings = check_course(tiny)
    assert told(findings) == planted.told
    assert {finding.rule for finding in findings} == set(planted.rules)


def test_a_good_course_has_no_findings():
    """The tiny course, a lesson 13 of folders alone, breaks no rule. (That the course itself has none is the example of docs/author.md.)"""
    assert check_course(TINY) == []


def with_text(text):
    return msgspec.structs.replace(read_course(TINY).lessons[0], text=text, sections=())


CLAIMS = (
    "It was found in 2015.", "A study of 2025 says so.", "DDPM (2020) is a model.", "It wins in 10 to 20 per cent of the cases.", "It is 3 % of all.",
    "As Ho and others found, it works.", "See Ho et al. for more.", "DDIM's paper calls it so.", "- an item since 1999", "| a row (2022) | x |",
)  # fmt: skip
NO_CLAIMS = (
    "A batch of 2000 images.", "With T = 1000 and t = 1999.", "Scale it by 50 %.", "Take 2048 of them.", "in 1920 × 1080 pixels", "From $2015 + 1$ on.",
    "`in 2015`", "# In 2015", "It has 16 × 16 pixels, of 2000.5 units.", "It was found in 2015<!-- source: a book -->.", "See arXiv:2006.11239, in 2020.",
    "It is 87<!--= 80 + 7 --> per cent of all.", "A model has 12 layers in 3 blocks.",
)  # fmt: skip


@pytest.mark.parametrize("text", CLAIMS)
def test_what_is_claimed_needs_a_source_in_a_lesson_that_gives_any(text):
    assert len([*sources(LintContext(TINY, with_text(f"{text}\n\nSo it is.<!-- source: a book -->")))]) == 1
    assert [*sources(LintContext(TINY, with_text(text)))] == []


@pytest.mark.parametrize("text", NO_CLAIMS)
def test_plain_numbers_and_what_has_a_source_need_none(text):
    assert [*sources(LintContext(TINY, with_text(f"{text}\n\nSo it is.<!-- source: a book -->")))] == []


def test_a_text_is_measured_by_what_is_read():
    """Neither comments, code, images nor the marks of links, headings and folds are words; a formula in a line is one."""
    text = """\
# A title

Seven words: $a + b$, [a link](#there), x<!--= 1 + 1 -->.

$$a = b$$

![A figure](figures/a-light.svg)

<details><summary>Predict first: why?</summary>

Because · 2.

</details>

```
no words here
```
"""
    assert length_of(with_text(text)) == Length(11, 1, 1)
    assert Length(220, 3, 4).minutes == 3


def test_two_runs_agree_about_a_check_that_draws_from_shared_generators(tiny):
    """Checks start with the random state that a guest has, whatever was drawn before."""
    draws = "    close(student.total(1.5, 2.25), torch.rand(()) + np.random.random() + random.random() + 9)"
    edits = [
        (CHECKS, "from autograder.api", "import random\n\nimport numpy as np\nimport torch\n\nfrom autograder.api"),
        (CHECKS, "    close(student.total(1.5, 2.25), reference.total(1.5, 2.25))", draws),
    ]
    plant(tiny, edits)
    findings = check_course(tiny)
    assert "check `by_hand` fails on the course's own answer" in told(findings)
    assert check_course(tiny) == findings


def test_every_rule_is_broken_by_a_planted_misconception():
    """No rule is without a test."""
    assert {rule.id for rule in RULES} <= {rule for planted in PLANTED.values() for rule in planted.rules}


def test_rules_have_ids_of_their_own_and_sentences():
    """A rule can be named, and says what it holds."""
    assert len({rule.id for rule in RULES}) == len(RULES)
    assert all(rule.sentence[0].isupper() and rule.sentence.endswith(".") for rule in RULES)


def test_all_findings_come_at_once(tiny):
    """Misconceptions in several files are told in one run, in the order of files and lines."""
    names = ["computed_number_out_of_date", "misconception_that_answers_right", "working_that_ends_elsewhere", "stray_file"]
    for name in names:
        plant(tiny, PLANTED[name].edits)
    files = [str(finding.path) for finding in check_course(tiny)]
    assert files == sorted(files)
    assert {ASKED, ANSWERS, TEXT, "solutions/13_adding/sum.py"} <= set(files)


def test_the_text_is_held_to_its_rules_even_where_the_questions_cannot_be_read(tiny):
    """A YAML misconception does not hide a wrong number in the lesson."""
    for name in ("unknown_key", "computed_number_out_of_date"):
        plant(tiny, PLANTED[name].edits)
    assert [finding.rule for finding in check_course(tiny)] == ["content", "text-computed"]


def test_one_lesson_can_be_checked_alone(tiny):
    """Only the findings of the named lesson are told; a lesson that isn't there is a usage error."""
    shutil.copytree(tiny / "lessons/13_adding", tiny / "lessons/14_more")
    assert check_course(tiny, "13") == []
    assert check_course(tiny, "14_more") != []
    with pytest.raises(UsageError) as error:
        check_course(tiny, "13_ading")
    assert str(error.value) == "no lesson `13_ading`\n  fix: choose one of: 13_adding, 14_more"


def test_a_caller_can_bring_rules_of_its_own(tiny):
    """Rules that need a sandbox are added where there is one."""
    rule = Rule("mine", "Nothing is well.", lambda context: iter([Finding(context.text, 7, "mine", "yours")]))
    assert [(finding.rule, finding.line) for finding in check_course(tiny, more=[rule])] == [("mine", 7)]


def test_the_map_lists_what_serves_an_objective(tiny):
    """Sections, questions, exercises, cards and misconceptions, by their ids."""
    [lesson] = read_course(tiny).lessons
    assert coverage(LintContext(tiny, lesson)) == {
        "add": {
            "sections": ("what-a-sum-is", "carrying"),
            "questions": ("fresh-sum", "why-carry", "by-hand", "names", "both-ways"),
            "exercises": ("sums",),
            "cards": ("sum", "carry"),
            "misconceptions": ("taken_away",),
        }
    }


@pytest.mark.parametrize(
    ("literal", "value", "same"),
    [
        ("0.664", 0.66407, True),
        ("0.664", 0.6646, False),
        ("−0.3", -0.31, True),
        ("0.30", -0.31, False),
        ("60,000", 60000, True),
        ("4.0e-5", 4.0358e-5, True),
        ("4.1e-5", 4.0358e-5, False),
        ("259", 259.4, True),
        ("0.01", 0.0, False),
    ],
)
def test_a_number_agrees_at_the_precision_it_is_written_in(literal, value, same):
    """Rounding is allowed to the last written digit, and no further."""
    assert agrees(literal, value) is same


@pytest.mark.parametrize("prose", ["Half is 0.05.", "arXiv 2305.08891", "`x = 3.14159`", "$3.14159$", "[a](https://doi.org/10.1111/x)", "1,000"])
def test_code_formulas_links_and_short_numbers_may_stay_bare(tiny, prose):
    """Only what looks measured in prose must be computed."""
    path = tiny / TEXT
    path.write_text(path.read_text(encoding="utf-8").replace("# Adding\n", f"# Adding\n\n{prose}\n"), encoding="utf-8")
    assert check_course(tiny) == []


def test_a_second_lesson_is_three_folders_and_no_code(root, tmp_path):
    """Lesson 13 beside lesson 12: both are found, and the new one breaks no rule (nor does the other, see docs/author.md's example)."""
    for top in ("lessons", "exercises", "solutions"):
        (tmp_path / top).mkdir()
        for source in (root, TINY):
            for folder in (source / top).glob("[!_]*"):
                (tmp_path / top / folder.name).symlink_to(folder)
    shutil.copy(root / "course.yaml", tmp_path)
    assert [lesson.id for lesson in read_course(tmp_path).lessons] == ["12_diffusion", "13_adding"]
    assert told(check_course(tmp_path, "13_adding")) == ""
