"""The course is read strictly, with the line of everything; a student's answers leniently, within narrow limits."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from autograder.course.errors import CourseError
from autograder.course.loading import read_course, read_policy, survey
from autograder.course.model import Key, Range, Wrong

TINY = Path(__file__).parents[2] / "broken_courses" / "tiny"


@pytest.fixture
def tiny(tmp_path):
    """A copy of the tiny course, to change."""
    return shutil.copytree(TINY, tmp_path / "course", ignore=shutil.ignore_patterns("__pycache__"))


def change(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


# ---- the course


def test_a_lesson_is_found_by_its_folders_and_read_whole():
    """No list names lesson 13, and all of it is there, in order and with lines."""
    course = read_course(TINY)
    [lesson] = course.lessons
    assert (course.title, course.policy.reveal, course.policy.limits.memory_mib) == ("A tiny course", "all", 1024)
    assert (lesson.id, lesson.number, lesson.minutes, lesson.prerequisites) == ("13_adding", 13, 1, ("Counting.",))
    assert [(section.id, section.title, section.line) for section in lesson.sections] == [
        ("what-a-sum-is", "What a sum is", 15),
        ("carrying", "Carrying", 28),
    ]
    assert [(card.id, card.tags, card.line) for card in lesson.cards] == [("sum", ("taken_away",), 1), ("carry", (), 7)]
    assert [(question.id, question.kind, question.line) for question in lesson.questions[:2]] == [
        ("fresh-sum", "number", 1),
        ("why-carry", "choice", 16),
    ]
    assert lesson.questions[0].numbers["a"] == Range(0.5, -1, 1, 0.1)
    assert lesson.keys["why-carry"] == Key("place", {"habit": Wrong("Habits have reasons.", "taken_away", "carry")}, line=5)
    assert lesson.text.split("\n")[14] == "## What a sum is {#what-a-sum-is}"


def test_a_section_may_belong_to_the_appendix(tiny):
    change(tiny / "lessons/13_adding/lesson.md", "{#carrying}", "{#carrying .appendix}")
    lesson = read_course(tiny).lessons[0]
    assert [(section.id, section.title, section.appendix) for section in lesson.sections] == [
        ("what-a-sum-is", "What a sum is", False),
        ("carrying", "Carrying", True),
    ]
    assert [section.id for section in lesson.main] == ["what-a-sum-is"]


def test_an_exercise_is_its_four_files():
    """A starter brings its checks, answer and misconceptions."""
    [exercise] = read_course(TINY).lessons[0].exercises
    assert [path.relative_to(TINY).as_posix() for path in (exercise.starter, exercise.checks, exercise.answer, exercise.misconceptions)] == [
        "exercises/13_adding/sums.py",
        "exercises/13_adding/checks/sums.py",
        "solutions/13_adding/sums.py",
        "solutions/13_adding/misconceptions/sums.py",
    ]
    assert "torch" not in exercise.imports


def test_exercises_come_in_the_order_of_the_front_matter(tiny):
    """Named exercises first, the others after them by name; a starter that imports torch is known by it."""
    for name in ("alone", "zero"):
        for folder in ("exercises/13_adding", "exercises/13_adding/checks", "solutions/13_adding", "solutions/13_adding/misconceptions"):
            (tiny / folder / f"{name}.py").write_text("import torch\n")
    (tiny / "exercises/13_adding/props.py").write_text("")
    change(tiny / "lessons/13_adding/lesson.md", "minutes: 1\n", "minutes: 1\nexercises: [zero, sums]\n")
    exercises = read_course(tiny).lessons[0].exercises
    assert [(exercise.id, "torch" in exercise.imports) for exercise in exercises] == [("zero", True), ("sums", False), ("alone", True)]


def test_an_exercise_that_is_named_but_not_there_is_told(tiny):
    """The order cannot name a file that is missing."""
    change(tiny / "lessons/13_adding/lesson.md", "minutes: 1\n", "minutes: 1\nexercises: [sum]\n")
    with pytest.raises(CourseError) as error:
        read_course(tiny)
    assert str(error.value) == "lessons/13_adding/lesson.md: `exercises` names `sum`, and there is no such file\n  fix: did you mean `sums`?"


def test_a_student_release_is_read_without_its_answers(tiny):
    """Where there are no solutions at all, none are asked for."""
    shutil.rmtree(tiny / "solutions")
    assert read_course(tiny).lessons[0].keys == {}


def test_an_empty_folder_is_told_what_it_lacks(tmp_path):
    """A folder that is no course says so in two findings."""
    with pytest.raises(CourseError) as error:
        read_course(tmp_path)
    assert str(error.value) == (
        "course.yaml: the course's description is missing\n  fix: create this file\n"
        "lessons: there is no lesson here\n  fix: create a lesson's folder, like `lessons/01_first_lesson`"
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "course.yaml:1: this file is empty\n  fix: write a mapping"),
        ("- a\n", "course.yaml:1: this file should be a mapping, and is a list\n  fix: write a mapping"),
        ("a: b: c\n", "course.yaml:1: this is not YAML: mapping values are not allowed in this context\n"
         "  fix: look at this line and the one above: a missing space after `:`, a quote or bracket left open, or an indent that is off"),
        ("title: !!str x\ntrack: t\nphase: p\n", "course.yaml:1: the tag `tag:yaml.org,2002:str` is not read here\n  fix: remove it"),
        ("title: x\ntrack: t\nphase: p\n---\na: 1\n", "course.yaml:4: a second document begins here\n  fix: keep one document: remove the `---`"),
        ("? [a]\n: 1\ntitle: x\ntrack: t\nphase: p\n", "course.yaml:1: a key is a list or a mapping\n  fix: write a word as the key"),
        (f"title: {'[' * 17}{']' * 17}\n", "course.yaml:1: this is nested more than 16 levels deep\n  fix: use fewer levels"),
        ("title: x\ntrack: 2024-01-01\nphase: p\n", "course.yaml:2: `2024-01-01` is read in different ways by readers of YAML\n"
         '  fix: write "2024-01-01" for the text, or the number plainly'),
        ("title: x\ntrack: [t]\nphase:\n", "course.yaml:2: `track` should be text, and is a list\n  fix: write text\n"
         "course.yaml:3: `phase` is empty\n  fix: write text, or remove the key"),
        ("title: x\ntrack: t\nphase: p\ngrading: {reveal: titel, limits: {memory_mib: 1.5}}\n",
         "course.yaml:4: `grading`: `limits`: `memory_mib` should be a whole number, and is the number 1.5\n  fix: write a whole number\n"
         "course.yaml:4: `grading`: `reveal` is the text `titel`\n  fix: did you mean `titles`?"),
        ("title: x\ntrack: t\nphase: p\ngrading: {limits: {call_seconds: true}}\n",
         "course.yaml:4: `grading`: `limits`: `call_seconds` should be a number, and is `true`\n  fix: write a number"),
        ("title: x\ntrack: t\nphase: p\ngrading: {limits: {call_seconds: 1.0e+999}}\n",
         "course.yaml:4: `grading`: `limits`: `call_seconds` is too large\n  fix: write a number that a float can hold"),
        ("title: 'a\0b'\n", "course.yaml:1: this is not YAML: it holds a character that text cannot hold\n  fix: save the file again as plain UTF-8 text"),
    ],
    ids=lambda value: value[:24].strip() or "empty" if not value.startswith("course") else "",
)  # fmt: skip
def test_each_fault_of_a_yaml_file_has_its_line_and_its_fix(tiny, text, told):
    """Every message in full."""
    (tiny / "course.yaml").write_text(text)
    _, findings = survey(tiny)
    assert "\n".join(map(str, findings)).startswith(told)


def test_faults_of_several_files_are_told_together(tiny):
    """One run shows all, in the order of the files."""
    change(tiny / "lessons/13_adding/flashcards.yaml", "objective: add\n  section: carrying", "objective: ad\n  section: carrying")
    change(tiny / "exercises/13_adding/practice.yaml", "tolerance: 0.002", "tolerence: 0.002")
    change(tiny / "solutions/13_adding/practice.yaml", "right: place", "right: 3")
    with pytest.raises(CourseError) as error:
        read_course(tiny)
    assert [(str(finding.path.name), finding.line, finding.problem) for finding in error.value.findings] == [
        ("practice.yaml", 1, "question `fresh-sum`: a number needs `tolerance`"),
        ("practice.yaml", 14, "question `fresh-sum`: there is no key `tolerence`"),
        ("flashcards.yaml", 9, "card `carry`: there is no objective `ad`"),
        ("practice.yaml", 6, "`why-carry`: `right` should be text or a list or a mapping, and is the number 3"),
    ]


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        ("exercises", "    - id: even\n", "    - id: even\n      core: true\n",
         "question `both-ways`, part `even`: `core` belongs to the whole question, not to a choice"),
        ("exercises", "      kind: choice\n      several: true\n", "      kind: parts\n", "question `both-ways`, part `even`: a part cannot have parts"),
        ("exercises", "    - {id: habit, text: Out of habit.}\n", "", "question `why-carry`: there is only one choice"),
        ("exercises", "computes: sums.total\n  ", "computes: total\n  ", "question `fresh-sum`: `total` names no function"),
        ("exercises", "computes: sums.total\n  ", "computes: practice.total\n  ", "question `fresh-sum`: solutions/13_adding/practice.py is missing"),
        ("exercises", "    - id: even\n", "    - id: seed\n", "question `both-ways`: `seed` cannot be an id"),
        ("solutions", "  right: place", "  right: [place]", "question `why-carry`: `right` should be one choice"),
        ("solutions", "right: [two, four]", "right: two", "question `both-ways`, part `even`: `right` should be a list of choices"),
        ("solutions", "{plus: sum, minus: difference}", "{plus: sum}", "question `names`: `right` should give an option to each choice"),
        ("solutions", "{plus: sum, minus: difference}", "{plus: sum, minus: diff}", "question `names`: there is no option `diff`"),
        ("solutions", "fresh-sum:\n", "fresh-sum:\n  right: place\n", "question `fresh-sum`: a number has no `right`"),
        ("solutions", "  right: place\n", "", "question `why-carry`: `right` is missing"),
        ("solutions", "    even:\n", "    evn:\n", "there is no question `both-ways`, part `evn`"),
    ],
)  # fmt: skip
def test_questions_and_answers_are_held_to_their_kind(tiny, file, old, new, told):
    """What a kind needs, and what it may not have, is known before anything is marked."""
    change(tiny / file / "13_adding" / "practice.yaml", old, new)
    assert told in [finding.problem for finding in survey(tiny)[1]]


def test_reading_the_course_loads_neither_numpy_nor_torch(root):
    """Reading is fast, and runs nothing of the course."""
    code = "import sys; from pathlib import Path; from autograder.course.loading import read_course; read_course(Path(sys.argv[1]));"
    code += "print(sorted({'numpy', 'torch', 'solutions'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code, str(root)], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


AUTHORS_FILES = [path.relative_to(TINY) for path in sorted(TINY.rglob("*.yaml"))]


@pytest.fixture(scope="module")
def tiny_copy(tmp_path_factory):
    return Path(shutil.copytree(TINY, tmp_path_factory.mktemp("course") / "tiny"))


KEYS = st.sampled_from(["id", "kind", "parts", "numbers", "choices", "right", "wrong", "total", "grading", "limits"])
TREES = st.recursive(st.none() | st.integers() | st.text("ab"), lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner), max_leaves=8)


@given(st.sampled_from(AUTHORS_FILES), st.text("-:[]{} \n", max_size=12) | TREES.map(yaml.safe_dump))
def test_whatever_an_author_writes_is_a_course_or_findings(tiny_copy, name, text):
    """Every fault of an author is a CourseError that names a file; nothing else is ever raised."""
    (tiny_copy / name).write_text(text)
    try:
        survey(tiny_copy)
    finally:
        shutil.copy(TINY / name, tiny_copy / name)


@pytest.mark.parametrize("text", ["-", "- id: a\n  kind: parts\n  parts: [1, null]\n", "- {id: a, kind: number, numbers: 3}\n"])
def test_an_item_that_is_no_mapping_is_told_once(tiny_copy, text):
    (tiny_copy / "exercises" / "13_adding" / "practice.yaml").write_text(text)
    _, findings = survey(tiny_copy)
    shutil.copy(TINY / "exercises" / "13_adding" / "practice.yaml", tiny_copy / "exercises" / "13_adding" / "practice.yaml")
    assert any("practice.yaml" in str(finding.path) for finding in findings)


# ---- times of the policy

HEAD = "title: T\ntrack: T\nphase: P\ngrading:\n"


def test_a_time_without_a_zone_is_in_the_courses(tmp_path):
    text = "  time_zone: Europe/Berlin\n  due: 2026-11-20 23:59\n  due_of: {a: 2026-07-01 23:59, b: 2026-07-01 23:59Z}\n  reveal_from: 2026-11-21 08:00\n"
    (tmp_path / "course.yaml").write_text(HEAD + text)
    policy = read_policy(tmp_path)
    times = [policy.due, policy.due_of["a"], policy.due_of["b"], policy.reveal_from]
    assert [time.isoformat() for time in times] == [
        "2026-11-20T23:59:00+01:00",
        "2026-07-01T23:59:00+02:00",
        "2026-07-01T23:59:00+00:00",
        "2026-11-21T08:00:00+01:00",
    ]


ZONES = {
    "near another": ("Europe/Berln", "did you mean `Europe/Berlin`?"),
    "an abbreviation of nothing": ("QQQ", "write it as in the IANA database, like Europe/Berlin"),
}


@pytest.mark.parametrize(("zone", "fix"), ZONES.values(), ids=ZONES.keys())
def test_an_unknown_zone_is_told_in_full(tmp_path, zone, fix):
    (tmp_path / "course.yaml").write_text(f"{HEAD}  time_zone: {zone}\n  due: 2026-11-20 23:59\n")
    with pytest.raises(CourseError) as caught:
        read_policy(tmp_path)
    assert str(caught.value) == f"course.yaml:5: `time_zone`: there is no time zone `{zone}`\n  fix: {fix}"
