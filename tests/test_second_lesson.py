"""A course with a second lesson: three folders, and everything works. The lesson is in `tests/second_lesson/`."""

import json
import os
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from msgspec import structs

from autograder.cli.context import opened_deck
from autograder.cli.main import main
from autograder.course.errors import UsageError
from autograder.course.loading import read_course
from autograder.course.references import choose_lesson
from autograder.learner.workspace import open_workspace
from autograder.web.server import ReaderSession
from tests.courses import with_second_lesson


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """A clone of the course with the second lesson added."""
    return with_second_lesson(tmp_path_factory.mktemp("two") / "clone")


def typed(root, *words, cwd=None, status=0, entered=""):
    """Type a command in a folder, in this process. Give what it prints."""
    before = os.getcwd()
    os.chdir(cwd or root)
    try:
        done = CliRunner().invoke(main, ["--course", str(root), *map(str, words)], input=entered, catch_exceptions=False)
    finally:
        os.chdir(before)
    assert done.exit_code == status, done.output
    return done.output


@pytest.fixture(scope="module")
def started(clone, tmp_path_factory):
    """A workspace of the first lesson to which the second was added, both begun."""
    place = tmp_path_factory.mktemp("home")
    said = [typed(clone, "start", "ws", "--lesson", "12", cwd=place), typed(clone, "start", "--lesson", "13", cwd=place / "ws")]
    return SimpleNamespace(said=said, folder=place / "ws", second=place / "ws" / "13_edges")


# ---- a workspace


def test_a_second_lesson_is_added_to_a_workspace_and_overwrites_nothing(started, clone):
    assert started.said[1].splitlines()[0] == "Created in 13_edges: filters.py, edges.py, answers.yaml, README.md"
    assert "schedule.py" in os.listdir(started.folder)
    (started.folder / "forward.py").write_text("mine")
    for where in (started.folder, started.second):
        for lesson in ("12", "edges"):
            typed(clone, "start", "--lesson", lesson, cwd=where)
    assert (started.folder / "forward.py").read_text() == "mine"
    assert sorted(path.name for path in started.folder.glob("*/.course")) == [".course"]


@pytest.mark.parametrize(("where", "lesson", "other"), [("folder", "12_diffusion", "edges"), ("second", "13_edges", "12")])
def test_every_command_of_a_workspace_takes_its_lesson(started, clone, where, lesson, other):
    """The one of the folder, and with --lesson another of the same workspace."""
    here, titles = getattr(started, where), {"12_diffusion": "Why a third family", "13_edges": "Filters"}
    theirs = next(one for one in titles if one != lesson)
    assert titles[lesson] in typed(clone, "read", "--contents", cwd=here)
    assert titles[theirs] in typed(clone, "read", "--contents", "--lesson", other, cwd=here)
    typed(clone, "deck", "--to", "json", "--out", here / "deck.json", cwd=here)
    assert {card["lesson"] for card in json.loads((here / "deck.json").read_text())["cards"]} == {lesson}
    for words in (["progress"], ["practice"], ["read"]):
        said = typed(clone, *words, cwd=here)
        assert said == typed(clone, *words, "--lesson", lesson, cwd=here)
        assert said != typed(clone, *words, "--lesson", other, cwd=here)
    with ReaderSession.open(clone, choose_lesson(read_course(clone), lesson), here) as session:
        assert (session.lesson.id, session.kept, session.workspace.folder) == (lesson, True, here)


def test_the_cards_of_a_workspace_are_reviewed_together(started, clone, monkeypatch):
    """One queue over all lessons, wherever in the workspace one is; --lesson gives those of one."""
    places = set()
    for where in (started.folder, started.second):
        monkeypatch.chdir(where)
        with opened_deck(clone) as opened:
            assert [lesson.id for lesson in opened.lessons] == ["12_diffusion", "13_edges"]
            places.add(opened.place)
        with opened_deck(clone, "13") as opened:
            assert [lesson.id for lesson in opened.lessons] == ["13_edges"]
    assert places == {started.folder / ".course"}
    workspace = open_workspace(started.second, clone)
    assert workspace.reviews == started.folder / ".course"


def test_a_lesson_that_is_not_in_the_workspace_is_told(clone, tmp_path):
    typed(clone, "start", "diffusion", cwd=tmp_path)
    assert typed(clone, "progress", "--lesson", "13", cwd=tmp_path / "diffusion", status=2) == (
        f"{tmp_path}/diffusion: this workspace has no lesson 13_edges\n  fix: add it: `course start --lesson 13_edges`\n"
    )


def test_a_folder_named_after_a_lesson_starts_that_lesson(clone, tmp_path):
    assert "filters.py" in typed(clone, "start", "edges", cwd=tmp_path)
    assert typed(clone, "start", "edges", cwd=tmp_path) == "Nothing to do: edges has every file.\n" + "".join(
        (f"To use this course without --course: course trust {clone}\n", "Next: cd edges, then course read, and course check filters.py\n")
    )
    assert typed(clone, "start", "ws", cwd=tmp_path, status=2) == (
        "the course has several lessons\n  fix: name one with --lesson: 12_diffusion, 13_edges\n"
    )


# ---- which lesson is meant


def test_an_id_may_be_short(clone):
    course = read_course(clone)
    for wanted in ("13_edges", "13", "edges"):
        assert choose_lesson(course, wanted).id == "13_edges"


def test_a_short_id_of_several_lessons_is_told(clone):
    course = read_course(clone)
    both = structs.replace(course, lessons=(course.lessons[1], structs.replace(course.lessons[1], id="13_corners")))
    with pytest.raises(UsageError) as told:
        choose_lesson(both, "13")
    assert str(told.value) == "`13` may be several lessons\n  fix: choose one of: 13_edges, 13_corners"
    with pytest.raises(UsageError) as told:
        choose_lesson(both, "3")
    assert str(told.value) == "no lesson `3`\n  fix: choose one of: 13_edges, 13_corners"


def test_every_command_that_is_about_a_lesson_spells_it_alike(clone):
    """With --lesson, and with one of two sentences of help."""
    for name in main.list_commands(None):
        options = {option for one in main.get_command(None, name).params for option in one.opts}
        about = name not in {"optimise", "report", "show", "override", "drop", "feedback", "regrade", "doctor", "misconceptions", "trust", "gradescope"}
        assert ("--lesson" in options) == about, name
