"""`course new`: what it writes is lint-clean at once and graded, and nothing that exists is changed."""

import shutil

import pytest
from click.testing import CliRunner
from msgspec import structs

from autograder.author.lint.rules import check_course
from autograder.author.scaffold import new_card, new_lesson
from autograder.cli.main import main
from autograder.course.errors import UsageError
from autograder.course.loading import read_course


@pytest.fixture
def course(tmp_path):
    """A course with one lesson that `course new` has begun."""
    root = tmp_path / "course"
    (root / "solutions").mkdir(parents=True)
    (root / "course.yaml").write_text('title: New\ntrack: Vision\nphase: "1"\n')
    new_lesson(root, "01_scaling")
    return root


def typed(root, *words, status=0):
    done = CliRunner().invoke(main, ["--course", str(root), *words], catch_exceptions=False)
    assert done.exit_code == status, done.output
    return done.output


def test_what_it_writes_has_no_findings(course):
    """A lesson, and one more of everything in it."""
    for words in (["exercise", "doubled"], ["card", "more"], ["question", "again"], ["misconception", "result_doubled", "--of", "scaled.scaled"]):
        assert typed(course, "new", *words).endswith("Now edit what is written there, and run: course lint\n")
    assert check_course(course) == []
    lesson = read_course(course).lessons[0]
    assert ([one.id for one in lesson.exercises], len(lesson.cards), len(lesson.questions)) == (["doubled", "scaled"], 2, 2)


def test_it_lists_what_it_wrote_and_says_what_to_do(course):
    assert typed(course, "new", "lesson", "02_cropping", "--title", "Cropping") == (
        "lessons/02_cropping/lesson.md\nlessons/02_cropping/flashcards.yaml\nexercises/02_cropping/scaled.py\n"
        "exercises/02_cropping/checks/scaled.py\nsolutions/02_cropping/scaled.py\nsolutions/02_cropping/misconceptions/scaled.py\n"
        "exercises/02_cropping/hints.yaml\nexercises/02_cropping/practice.yaml\nsolutions/02_cropping/practice.yaml\n"
        "Now edit what is written there, and run: course lint --lesson 02_cropping\n"
    )
    assert read_course(course).lessons[1].title == "Cropping"


def test_nothing_that_exists_is_changed(course):
    before = {path: path.read_bytes() for path in course.rglob("*") if path.is_file()}
    typed(course, "new", "card", "more")
    typed(course, "new", "exercise", "doubled")
    for path, data in before.items():
        assert path.read_bytes().startswith(data), path


REFUSED = {
    "an id of no lesson": (["lesson", "Bad"], "`Bad` is no id of a lesson\n  fix: write two digits and a name in small letters, like 01_first_lesson\n"),
    "a lesson that is there": (["lesson", "01_scaling"], "{root}/lessons/01_scaling: there already\n  fix: choose another id\n"),
    "no name of a file": (["exercise", "my-ex"], "`my-ex` is no name of an exercise\n  fix: write small letters, digits and underscores, like first_steps\n"),
    "an exercise that is there": (["exercise", "scaled"], "{root}/exercises/01_scaling/scaled.py: there already\n  fix: choose another name\n"),
    "a card that is there": (["card", "scale"], "there is a card `scale` already\n  fix: choose another id\n"),
    "no id of a question": (["question", "A b"], "`A b` is no id of a question\n  fix: write small letters, digits and hyphens, like a-short-name\n"),
    "no such function": (["misconception", "x", "--of", "scaled.nothing"], "01_scaling has no function `scaled.nothing`\n  fix: name one with --of EXERCISE.FUNCTION\n"),
    "a misconception that is there": (
        ["misconception", "factor_added", "--of", "scaled.scaled"],
        "there is a `factor_added` in scaled.py already\n  fix: choose another name, with letters and underscores, like factor_added\n",
    ),
    "no name of a function": (
        ["misconception", "a-b", "--of", "scaled.scaled"],
        "`a-b` is not a valid function name\n  fix: choose another name, with letters and underscores, like factor_added\n",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("words", "told"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_begun_is_told(course, words, told):
    assert typed(course, "new", *words, status=2) == told.format(root=course)


def test_a_lesson_without_a_card_or_a_section_says_what_is_missing_first(course):
    (course / "lessons/01_scaling/flashcards.yaml").unlink()
    shutil.rmtree(course / "solutions/01_scaling/misconceptions")
    (course / "solutions/01_scaling/practice.yaml").write_text((course / "solutions/01_scaling/practice.yaml").read_text().replace(", card: scale", ""))
    assert typed(course, "new", "misconception", "x", "--of", "scaled.scaled", status=2) == (
        "01_scaling has no card yet\n  fix: a misconception brings one back: `course new card ID`\n"
    )
    typed(course, "new", "exercise", "doubled")
    assert not (course / "solutions/01_scaling/misconceptions").exists()
    lesson = structs.replace(read_course(course).lessons[0], sections=())
    with pytest.raises(UsageError) as told:
        new_card(course, lesson, "x")
    assert str(told.value) == "01_scaling has no objective or no section yet\n  fix: write them in lessons/01_scaling/lesson.md first"
