"""README and the pages of docs/ show what the commands really print, and every link leads somewhere."""

import html
import os
import re
import shlex
import shutil
import subprocess
import sys
import unicodedata
from itertools import pairwise
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner

from autograder.cli.main import main
from autograder.course.lesson_text import prediction
from autograder.course.loading import CONTENT, read_course, read_policy, read_widgets
from autograder.course.text import FOLDED
from autograder.grading.questions import functions_of, values, variant
from docs.commands import page as commands_page
from tests.courses import CLONE
from tests.pages import PAGES, ROOT, blocks, read, shown
from tests.test_example_class import COMMAND, run  # noqa: F401  # the fixture: one graded class serves both

STUDENTS = (("README.md", "Learn"), ("docs/learn.md", "From an empty folder to a submission"))  # their commands follow one another
INSTRUCTORS = (("docs/grade.md", "After grading"),)
TUTORIAL = ("docs/author.md", "A lesson in an hour")
HELD = {  # blocks of other kinds, and the test that holds each
    ("docs/author.md", "Add to a lesson", "yaml"): "test_authors_formula_is_one_that_the_course_takes",
    ("docs/author.md", "Add to a lesson", "js"): "tests/autograder/web/test_browser.py",
    ("docs/author.md", "Add to a lesson", "markdown"): "test_authors_predictions_have_the_answers_that_they_show",
    ("docs/author.md", "Add to a lesson", "text"): "test_authors_widget_is_described_as_the_course_reads_it",
    ("docs/learn.md", "In a browser", "text"): "tests/autograder/web/test_command.py",
    ("docs/review.md", "A review session", "text"): "tests/test_review_terminal.py",
    ("docs/review.md", "Statistics", "text"): "tests/autograder/learner/review/test_stats.py",
    ("docs/grade.md", "Grade a class", "markdown"): "test_grade_shows_what_a_student_reads",
    ("docs/grade.md", "Set the grading policy", "yaml"): "test_grades_policy_is_one_that_the_course_takes",
}
ASKED = re.compile(r"^(?:A number with 3 decimals|Try again, or see the working \(w\)): ?(.*)$", re.MULTILINE)
DOCUMENTS = (*PAGES, "CHANGELOG.md", "bench/README.md", "solutions/diffusion/README.md")
LINK = re.compile(r'\]\((?!https?:)([^)\s]+)\)|(?:src|srcset)="(?!https?:)([^"]+)"')


def commands(text):
    """Yield each command of a console block, with the lines that it prints."""
    lines = text.splitlines()
    starts = [number for number, line in enumerate(lines) if line.startswith("$ ")] + [len(lines)]
    assert starts[0] == 0, lines[0]
    for start, end in pairwise(starts):
        yield lines[start].removeprefix("$ "), lines[start + 1 : end]


def alone():
    """Return each command that stands by itself, with the lines that it prints; one that several pages show stands once."""
    texts = [block.text for block in blocks() if block.kind == "console" and (block.page, block.section) not in STUDENTS + INSTRUCTORS]
    return [command for text in dict.fromkeys(texts) for command in commands(text) if command[0] != COMMAND]


def matches(printed, lines):
    """Compare with what a page shows, but for spaces at the ends; `...` stands for anything, alone on a line for any lines."""
    pattern = "".join(r"(.*\n)*" if line == "..." else re.escape(line.rstrip()).replace(re.escape("..."), ".*") + r"\n" for line in lines)
    return re.fullmatch(pattern, re.sub(r"[ \t]+\n", "\n", printed)) is not None


@pytest.mark.usefixtures("walls")
@pytest.mark.parametrize(("command", "lines"), alone(), ids=lambda value: value if isinstance(value, str) else "")
def test_pages_show_what_the_command_prints(command, lines, tmp_path):
    words = [word.replace("build/demo", str(tmp_path)) for word in shlex.split(command)]
    words = [sys.executable, "-m", "autograder", *words[1:]] if words[0] == "course" else words
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, env={**os.environ, "COLUMNS": "100", "XDG_CACHE_HOME": str(tmp_path)})
    assert matches(done.stdout.replace(str(tmp_path), "build/demo"), lines), done.stdout + done.stderr


@pytest.mark.usefixtures("walls")
@pytest.mark.parametrize(("page", "section"), STUDENTS)
def test_a_students_walk_shows_what_is_printed_from_an_empty_folder_on(page, section, tmp_path, monkeypatch):
    """Type what the page says a student types, write what it says is written, and see what it shows."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
    for block in blocks(page):
        if block.section == section and block.kind == "diff":
            write(block.text.splitlines())
        elif block.section == section:
            for command, printed in commands(block.text):
                type_in(command, printed, monkeypatch)


def type_in(command, lines, monkeypatch):
    """Type a command, and answers where the page shows that it asks."""
    words = shlex.split(command)
    if words[0] == "cd":
        monkeypatch.chdir(words[1])
        return
    typed = "".join(f"{answer}\n" for answer in ASKED.findall("\n".join(lines)))
    done = CliRunner().invoke(main, words[1:], input=typed + "\n", catch_exceptions=False)
    assert matches(done.output, lines), done.output


def write(lines):
    """Change a file as a diff's lines say."""
    path = Path(lines[0].removeprefix("--- "))
    text = path.read_text(encoding="utf-8")
    old, new = ("".join(f"{line[1:]}\n" for line in lines[1:] if line[0] == sign) for sign in "-+")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.xdist_group("example-class")
@pytest.mark.usefixtures("walls")
@pytest.mark.parametrize(("page", "section"), INSTRUCTORS)
def test_an_instructor_goes_on_from_the_graded_class(page, section, run, tmp_path, monkeypatch):  # noqa: F811  # the fixture
    """Type what the page says an instructor types after grading the class of examples, and see what it shows."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("COLUMNS", "100")
    demo = shutil.copytree(run["out"], tmp_path / "demo")
    texts = [block.text for block in blocks(page) if (block.section, block.kind) == (section, "console")]
    assert texts
    for command, printed in (each for text in texts for each in commands(text)):
        words = shlex.split(command.replace("build/demo", str(demo)))
        said = CliRunner().invoke(main, words[1:], catch_exceptions=False).stdout if words[0] == "course" else subprocess.check_output(words, text=True)
        assert matches(said.replace(str(demo), "build/demo"), printed), said


@pytest.mark.xdist_group("example-class")
def test_grade_shows_what_the_command_prints(run):  # noqa: F811  # the fixture
    texts = {block.text for block in blocks() if block.kind == "console" and COMMAND in block.text}
    shows = [lines for text in texts for command, lines in commands(text) if command == COMMAND]
    assert shows
    for lines in shows:
        assert matches(run["printed"].replace(run["out"], "build/demo"), lines), run["printed"]


@pytest.mark.xdist_group("example-class")
def test_grade_shows_what_a_student_reads(run):  # noqa: F811  # the fixture
    feedback = [path.read_text(encoding="utf-8") for path in Path(run["out"], "feedback").glob("*.md")]
    assert any(shown("docs/grade.md", "Grade a class", "markdown") in text for text in feedback)


def test_grades_policy_is_one_that_the_course_takes(tmp_path):
    """It stands for the course's own, and each of its keys says something."""
    policy = shown("docs/grade.md", "Set the grading policy", "yaml")
    course = re.sub(r"^grading:\n(?: .*\n?)*", "", read("course.yaml"), flags=re.MULTILINE)
    (tmp_path / "course.yaml").write_text(course + policy, encoding="utf-8")
    taken = read_policy(tmp_path)
    assert (taken.counts, taken.pass_mark, taken.weights, taken.late.most) == ("best", 60, {"forward": 2, "practice": 1}, 50)


def test_authors_formula_is_one_that_the_course_takes(tmp_path):
    """It answers the course's own question as the course's own function does, and its mistake is the one of that name."""
    root = shutil.copytree(ROOT, tmp_path / "course", ignore=lambda at, names: {"__pycache__"} if at != str(ROOT) else set(names) - {*CONTENT})
    for folder, start, text in (("exercises", "- id: fresh-step\n", ""), ("solutions", "fresh-step:\n", shown("docs/author.md", "Add to a lesson", "yaml"))):
        path = root / folder / "12_diffusion" / "practice.yaml"
        before, _, rest = path.read_text(encoding="utf-8").partition(start)
        own, _, after = rest.partition("\n\n")
        if not text:
            text = start + re.sub(r"  computes: (.*\n)+?(?=  decimals)|  detects:\n(    - .*\n?)+", "", own + "\n")
        path.write_text(f"{before}{text}\n{after}", encoding="utf-8")
    for place in (ROOT, root):
        lesson = read_course(place).lessons[0]
        functions, question = functions_of(place, lesson), lesson.questions[0]
        right, mistakes = values(question, variant(question, None, functions), functions)
        assert round(right, 3) == 0.790
        assert 0.550 in [round(value, 3) for _, value in mistakes]


def test_authors_predictions_have_the_answers_that_they_show():
    told = [prediction(folded) for folded in FOLDED.finditer(shown("docs/author.md", "Add to a lesson", "markdown"))]
    assert [(one.choices, one.answer) for one in told] == [(("It stays 1/4.", "It grows towards 1."), "It grows towards 1."), ((), "40"), ((), "301")]
    assert [one.ends for one in told] == [(), ("0", "100"), ("0", "1000")]
    assert told[2].curve.heights == tuple(f"{height:.2f}" for height in eval(told[2].curve.expression, {"np": np}))


def test_authors_widget_is_described_as_the_course_reads_it(tmp_path):
    widgets = tmp_path / "lessons" / "01_x" / "widgets"
    widgets.mkdir(parents=True)
    (widgets / "widgets.yaml").write_text(shown("docs/author.md", "Add to a lesson"), encoding="utf-8")
    (widgets / "brightness.js").write_text(shown("docs/author.md", "Add to a lesson", "js"), encoding="utf-8")
    assert read_widgets(tmp_path, "01_x")["brightness"].script == "brightness.js"


def test_every_block_is_run_or_held_by_a_test():
    """Blocks without a kind are commands that set up or start something: nothing that they print is shown."""
    others = [(block.page, block.section, block.kind) for block in blocks() if block.kind not in ("", "console", "diff")]
    assert sorted(block for block in others if block[:2] != TUTORIAL) == sorted(HELD)  # tests/test_tutorial.py runs every block of it
    walked = {block[:2] for block in blocks() if block.kind == "diff"}
    assert walked <= set(STUDENTS)
    assert [block.text for block in blocks() if block.kind == "" and ("$ " in block.text or "..." in block.text)] == []


def test_commands_are_documented_as_their_help_has_them():
    """`make docs` writes the page anew."""
    assert read("docs/commands.md") == commands_page()


@pytest.mark.parametrize("page", DOCUMENTS)
def test_every_command_that_a_page_names_is_there(page):
    context = click.Context(main)
    for first, second in re.findall(r"`course ([a-z]+)(?: ([a-z]+))?", read(page)):
        command = main.get_command(context, first)
        assert command, first
        assert not isinstance(command, click.Group) or second in ("", *command.list_commands(context)), f"{first} {second}"


def test_readme_stays_short_enough_for_a_first_visit():
    assert len(read("README.md").splitlines()) <= 120


# ---- files and links


@pytest.mark.parametrize("page", DOCUMENTS)
def test_every_path_that_a_page_names_is_there(page):
    tops = "autograder|bench|docs|examples|exercises|lessons|solutions|tests"
    named = re.findall(rf"`((?:{tops})/[\w./-]*)`", read(page))
    assert [path for path in named if not re.search(r"/(?:[LE]|01_brightness)[/.]", path) and not (CLONE / path).exists()] == []


def test_contributing_names_every_module_of_the_engine():
    """Each row of the table is a package, with its own modules and no others."""
    rows = re.findall(r"^\| `(\w+)` \|.*\| (.+) \|$", read("CONTRIBUTING.md").partition("## The engine")[2], re.MULTILINE)
    named = {package: set(re.findall(r"`(\w+)`", modules)) for package, modules in rows}
    packages = sorted(path.parent for path in (CLONE / "autograder").glob("*/__init__.py"))
    assert named == {path.name: {module.stem for module in path.glob("[!_]*.py")} for path in packages}




def anchors(page):
    """Return the anchors that GitHub gives a page's headings."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"```.*?```", "", page, flags=re.DOTALL), re.MULTILINE)
    kept = ("".join(c for c in title.lower() if c in "-_ " or unicodedata.category(c)[0] in "LN") for title in headings)
    return {title.replace(" ", "-") for title in kept}


@pytest.mark.parametrize("page", DOCUMENTS)
def test_every_link_leads_to_a_file_and_a_heading(page):
    for link in (html.unescape(one or other) for one, other in LINK.findall(read(page))):
        path, _, anchor = link.partition("#")
        target = ((ROOT / page).parent / path).resolve() if path else ROOT / page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target.read_text(encoding="utf-8")), link


def test_every_page_is_linked_from_readme():
    linked = {one.partition("#")[0] for one, _ in LINK.findall(read("README.md"))}
    assert {page for page in PAGES if page != "README.md"} <= linked
