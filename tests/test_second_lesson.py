"""A course with a second lesson: three folders, and everything works. The lesson is in `tests/second_lesson/`."""

import json
import os
import re
import shutil
from datetime import datetime
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from msgspec import structs
from playwright.sync_api import expect

from autograder.cli.context import opened_deck
from autograder.cli.main import main
from autograder.course.errors import UsageError
from autograder.course.loading import read_course
from autograder.course.references import choose_lesson
from autograder.learner.review.deck import Deck
from autograder.learner.workspace import open_workspace
from autograder.web.app import write_site
from autograder.web.server import ReaderSession
from tests.autograder.web.conftest import serving, visit  # noqa: F401  # a fixture
from tests.autograder.web.test_guard import ask
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


def test_the_browser_reviews_the_cards_of_a_workspace_together(started, clone):
    """A card of another lesson says where it is from, and its figure is found below that lesson's id."""
    lessons = read_course(clone).lessons
    with Deck.open(started.folder / ".course", lessons) as deck:
        deck.bring(["13_edges/window"], datetime.now().astimezone(), "a mistake")
    figures = clone / "lessons" / "13_edges" / "figures"
    figures.mkdir(exist_ok=True)
    (figures / "one.svg").write_text("<svg/>")
    with serving(clone, started.folder) as site:
        status, _, page = ask(f"{site.address}cards.html")
        assert (status, 'name="face" value="13_edges/window"' in page) == (200, True)
        assert "From “Filters”, in Filters and edges" in page
        assert "Open its section" not in page
        assert ask(f"{site.address}13_edges/figures/one.svg")[0] == 200
    with serving(clone, started.second, lesson="13") as site:
        assert "Open its section" in ask(f"{site.address}cards.html")[2]


@pytest.mark.xdist_group("browser")
def test_the_site_of_both_lessons_opened_as_a_file_plays_and_marks(clone, visit, tmp_path):  # noqa: F811
    course = read_course(clone)
    place = write_site(course, course.lessons, tmp_path / "site").place
    page = visit((place / "index.html").as_uri())
    page.get_by_role("link", name="Filters and edges").click()
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Lesson", exact=True).click()
    page.locator("#widget-strength").scroll_into_view_if_needed()
    expect(page.locator("#widget-strength")).to_contain_text("Strength 5.00; the sum would be 7.")
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Practice").click()
    page.get_by_role("link", name="Turned").click()
    page.get_by_role("radio").first.check()
    page.get_by_role("button", name="Check").click()
    expect(page.locator("#mark")).to_contain_text("A kernel that is symmetric does not change when it is turned.")


def test_a_lesson_that_is_not_in_the_workspace_is_told(clone, tmp_path):
    typed(clone, "start", "diffusion", cwd=tmp_path)
    assert typed(clone, "progress", "--lesson", "13", cwd=tmp_path / "diffusion", status=2) == (
        f"{tmp_path}/diffusion: this workspace has no lesson 13_edges\n  fix: add it: `course start --lesson 13_edges`\n"
    )


def test_a_folder_named_after_a_lesson_starts_that_lesson(clone, tmp_path):
    assert "filters.py" in typed(clone, "start", "edges", cwd=tmp_path)
    assert typed(clone, "start", "edges", cwd=tmp_path) == "Nothing to do: edges has every file.\n" + "".join(
        (f"To use this course without --course: course trust {clone}\n", "Next:\n  cd edges\n  course read           the lesson, 2 minutes\n  course check --watch  open filters.py; each save is checked\n")
    ) + "  course practice       the core, about 5 minutes\n"
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


# ---- a class

ADA = """
import numpy as np
def output_size(size, kernel, stride=1, padding=0): return (size + padding - kernel) // stride + 1
def correlate(image, kernel): return np.einsum("ijab,ab->ij", np.lib.stride_tricks.sliding_window_view(image, kernel.shape), kernel)
"""
STEP = "def forward_step(x_prev, beta, eps): return (1 - beta) ** .5 * x_prev + beta * eps\n"


@pytest.fixture(scope="module")
def graded(clone, tmp_path_factory, walls):
    """A class that handed in for both lessons, in folders of their own or all together, graded one lesson after the other."""
    base = tmp_path_factory.mktemp("class")
    ada, bo = base / "class" / "Ada", base / "class" / "Bo"
    for folder in (ada / "12_diffusion", ada / "13_edges", bo):
        folder.mkdir(parents=True)
    (ada / "13_edges" / "filters.py").write_text(ADA)
    (ada / "13_edges" / "answers.yaml").write_text("places: 28\nturned: always\n")
    (ada / "12_diffusion" / "forward.py").write_text(STEP)
    (ada / "12_diffusion" / "answers.yaml").write_text("fresh-step: 0.790\n")
    shutil.copy(clone / "solutions" / "13_edges" / "edges.py", bo)
    (bo / "forward.py").write_text(STEP.replace("beta *", "beta ** .5 *"))
    said = [
        typed(clone, "grade", base / "class", "--out", base / "out", "--lesson", "edges", "--workers", 1),
        typed(clone, "grade", base / "class", "--out", base / "out", "--exercise", "forward", "--exercise", "practice", "--workers", 1, "--lesson", 12),
    ]
    return SimpleNamespace(clone=clone, base=base, out=base / "out", said=said)


def test_one_folder_holds_the_results_of_several_lessons(graded):
    rows = {tuple(line.split(",")[:3]): line.split(",")[3:5] for line in (graded.out / "grades.csv").read_text().splitlines()[1:]}
    assert rows == {
        ("Ada", "12_diffusion", "forward"): ["graded", "0.0"], ("Ada", "12_diffusion", "practice"): ["graded", "4.0"],
        ("Ada", "13_edges", "edges"): ["missing", "0.0"], ("Ada", "13_edges", "filters"): ["graded", "5.0"],
        ("Ada", "13_edges", "practice"): ["graded", "2.0"],
        ("Bo", "12_diffusion", "forward"): ["graded", "4.5"], ("Bo", "12_diffusion", "practice"): ["missing", "0.0"],
        ("Bo", "13_edges", "edges"): ["graded", "5.0"], ("Bo", "13_edges", "filters"): ["missing", "0.0"],
        ("Bo", "13_edges", "practice"): ["missing", "0.0"],
    }  # fmt: skip
    assert "Ada" in graded.said[0]
    assert "13_edges/filters" in graded.said[1]


def test_feedback_and_report_name_the_lesson(graded):
    told = next((graded.out / "feedback").glob("ada-*.md")).read_text()
    assert [line for line in told.splitlines() if line.startswith("## ")] == [
        "## 12_diffusion/forward: 0 of 20 points", "## 12_diffusion/practice: 4 of 70 points", "## 13_edges/filters: 5 of 7 points",
        "## 13_edges/edges: 0 of 5 points", "## 13_edges/practice: 2 of 4 points",
    ]  # fmt: skip
    assert "You counted the padding once. It is added on both sides." in told
    assert "It was not taken" not in told
    page = next((graded.out / "feedback").glob("ada-*.html")).read_text()
    assert "12_diffusion 4.4 %, 13_edges 43.8 %" in page
    report = (graded.out / "report.html").read_text()
    assert "Generating images by denoising: diffusion · Filters and edges" in report
    assert "13_edges/filters" in typed(graded.clone, "report", graded.out)


def test_every_command_that_reads_results_tells_lessons_apart(graded):
    clone, out, base = graded.clone, graded.out, graded.base
    said = typed(clone, "show", "Ada", "--out", out)
    assert [line.partition(":")[0] for line in said.splitlines() if line[:3] in ("12_", "13_")] == [
        "12_diffusion/forward", "12_diffusion/practice", "13_edges/filters", "13_edges/edges", "13_edges/practice",
    ]  # fmt: skip
    assert typed(clone, "show", "Ada", "practice", "--out", out, status=2) == (
        "several lessons have an exercise `practice`\n  fix: choose one of: 12_diffusion/practice, 13_edges/practice\n"
    )
    said = typed(clone, "override", "Ada", "13_edges/practice", "--bonus", 1, "--reason", "a good idea", "--out", out)
    assert said.splitlines()[1].startswith("13_edges/practice: 2 before, 3 now. Rewritten: ada-")
    typed(clone, "override", "Ada", "13_edges/practice", "--withdraw", "--reason", "a mistake", "--out", out)
    assert typed(clone, "feedback", out) == f"2 files in {out}/feedback/\n"
    assert re.search(r"10 results, \d+ graded again, 0 changed\.", typed(clone, "regrade", out))
    assert "0 similar pairs" in typed(clone, "similar", out, "--lesson", "edges")
    assert "0 similar pairs" in typed(clone, "similar", base / "class", "--lesson", "12")
    assert "No unexplained wrong answer" in typed(clone, "misconceptions", "list", out)
    for form, name in (("csv", "a.csv"), ("canvas", "b.csv"), ("moodle", "c.csv"), ("moodle-worksheet", "e.csv"), ("gradescope", "f"), ("mail", "g")):
        typed(clone, "export", out, "--to", form, "--out", base / name, "--lesson", "13")
        typed(clone, "export", out, "--to", form, "--out", base / f"all-{name}")
    assert (base / "a.csv").read_text().splitlines()[0].count("13_edges/") == 9
    assert ",12_diffusion percent,13_edges percent,percent," in (base / "all-a.csv").read_text().splitlines()[0]


def test_grading_a_lesson_again_keeps_the_other(graded):
    typed(graded.clone, "grade", graded.base / "class", "--out", graded.out, "--lesson", "13", "--student", "Bo", "--workers", 1)
    assert len((graded.out / "grades.csv").read_text().splitlines()) == 11
