"""Which courses are loaded: a course that merely lies around runs none of its Python, whatever the command."""

import json
import os
import shutil

import click
import pytest
from click.testing import CliRunner

from autograder.cli.main import COMMANDS, main
from autograder.course import trust
from autograder.course.errors import UsageError
from autograder.learner.repro import again
from autograder.learner.workspace import workspace_above
from tests.conftest import STRANGER
from tests.courses import CLONE

TINY = CLONE / "tests" / "broken_courses" / "tiny"


@pytest.fixture(autouse=True)
def own_settings(tmp_path, monkeypatch):
    """Settings of a user who has confirmed nothing."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    return tmp_path / "settings"


@pytest.fixture
def hostile(tmp_path):
    """A course that works, and whose every Python file leaves a mark when it is run."""
    place = shutil.copytree(TINY, tmp_path / "somewhere" / "course")
    for file in place.rglob("*.py"):
        file.write_text(f"{file.read_text()}\nopen({str(tmp_path / 'mark')!r}, 'w').close()\n")
    return place


def course(*words):
    done = CliRunner().invoke(main, [str(word) for word in words], catch_exceptions=False)
    return done.output, done.exit_code


def refusal(place):
    return (
        f"{place}: this course is not confirmed, and loading it would run its Python as you\n"
        f"  fix: if you trust whoever wrote it, confirm it once: `course trust {place}`\n"
    )


def commands():
    """Yield every command that can be typed, with something for each of its arguments."""
    context = click.Context(main)
    for name in (name for listed in COMMANDS.values() for name in listed if name != "trust"):
        command = main.get_command(context, name)
        for words, each in [((name, child), one) for child, one in getattr(command, "commands", {}).items()] or [((name,), command)]:
            needed = ["1" if isinstance(one.type, click.IntRange) else "forward.py" for one in each.params if isinstance(one, click.Argument)]
            options = [word for one in each.params if isinstance(one, click.Option) and one.required for word in (one.opts[0], _value(one))]
            yield pytest.param([*words, *needed, *options], id=" ".join(words))


def _value(option):
    return next(iter(option.type.choices)) if isinstance(option.type, click.Choice) else "made"


@pytest.mark.parametrize("planted", ["course.yaml here", "course.yaml above", "workspace", "workspace with a relative path", "workspace above"])
@pytest.mark.parametrize("command", list(commands()))
def test_no_command_runs_the_python_of_a_course_that_lies_around(command, planted, hostile, tmp_path, monkeypatch):
    """Whatever is typed in an unpacked archive or a submission, the course in it is not loaded."""
    here = hostile / "class" if planted.endswith("above") else hostile
    if planted.startswith("workspace"):
        here = tmp_path / "work"
        named = os.path.relpath(hostile, here) if "relative" in planted else str(hostile)
        (here / ".course").mkdir(parents=True)
        (here / ".course" / "course.json").write_text(json.dumps({"course": named, "lesson": "13_adding", "given": {}}))
        here = here / "inner" if "above" in planted else here
    here.mkdir(exist_ok=True)
    (here / "forward.py").write_text("")
    monkeypatch.chdir(here)
    said, status = course(*command)
    assert not (tmp_path / "mark").exists()
    assert status in (1, 2)
    if command[0] in ("check", "lint", "grade", "start", "read", "serve", "release", "notebook", "site", "map", "doctor"):
        assert said.endswith(refusal(hostile))
        assert status == 2


def test_a_line_that_repeats_a_failure_loads_no_course_that_lies_around(hostile, tmp_path, monkeypatch):
    (tmp_path / "work" / ".course").mkdir(parents=True)
    (tmp_path / "work" / ".course" / "course.json").write_text(json.dumps({"course": str(hostile), "lesson": "13_adding", "given": {}}))
    monkeypatch.chdir(tmp_path / "work")
    with pytest.raises(UsageError) as refused:
        again("sums", "sum")
    assert f"{refused.value}\n" == refusal(hostile)


def test_the_installed_course_is_loaded_without_a_question(tmp_path, monkeypatch):
    """In a clone with an editable installation, nobody has to confirm anything."""
    monkeypatch.chdir(CLONE / "examples" / "class")
    said, status = course("read", "--contents", "--lesson", "12")
    assert status == 0
    monkeypatch.chdir(tmp_path)
    assert course("read", "--contents", "--lesson", "12") == (said, 0)


def test_a_course_is_loaded_when_it_is_named_and_once_confirmed_everywhere(hostile, tmp_path, monkeypatch, own_settings):
    """`course start --course` says what to type, to be spared naming it in the workspace."""
    monkeypatch.chdir(tmp_path)
    said, _ = course("--course", hostile, "start", "work")
    assert f"To use this course without --course: course trust {hostile}\n" in said
    monkeypatch.chdir(tmp_path / "work")
    assert course("read", "--contents") == (refusal(hostile), 2)
    place = own_settings / "denoising-course" / "trusted-courses.json"
    assert course("trust", hostile) == (f"{hostile} may be loaded from now on. To take that back, delete its line in {place}.\n", 0)
    assert course("trust", hostile / ".." / "course")[1] == 0
    assert json.loads(place.read_text()) == [str(hostile)]
    assert course("read", "--contents")[1] == 0
    monkeypatch.chdir(hostile / "lessons")
    assert course("lint")[1] == 0
    assert "To use this course" not in course("start", tmp_path / "again", "--lesson", "12")[0]


def test_a_confirmed_course_stands_for_no_other(hostile, tmp_path, monkeypatch):
    """Neither one inside it, nor one that a link leads to."""
    course("trust", hostile)
    other = shutil.copytree(hostile, tmp_path / "other")
    shutil.copytree(other, hostile / "exercises" / "inner")
    (tmp_path / "link").symlink_to(other)
    for place, told in ((tmp_path / "link", other), (hostile / "exercises" / "inner",) * 2):
        monkeypatch.chdir(place)
        assert course("lint") == (refusal(told), 2)


def test_only_a_course_can_be_confirmed(tmp_path):
    assert course("trust", tmp_path) == (f"{tmp_path}: no course.yaml there\n  fix: give the folder that holds course.yaml\n", 2)


@pytest.mark.parametrize("part", ["", "course.yaml", "exercises/13_adding/checks/sums.py", "solutions", "lessons/13_adding/lesson.md"])
@pytest.mark.parametrize("words", [("lint",), ("--course", ".", "lint"), ("trust", ".")], ids=lambda words: words[0])
def test_a_course_with_a_part_of_another_user_is_never_loaded(words, part, hostile, tmp_path, monkeypatch, give_away):
    """Not when it was confirmed, and not when it is named: its owner can change it at any time."""
    course("trust", hostile)
    give_away(hostile / part)
    monkeypatch.chdir(hostile)
    told = hostile / part if os.geteuid() == 0 else hostile
    assert course(*words) == (f"{told}: it belongs to another user\n  fix: use one of your own, or make a copy that is yours\n", 2)
    assert not (tmp_path / "mark").exists()


def test_a_part_of_another_user_is_found_behind_a_link_too(hostile, tmp_path, monkeypatch, give_away):
    shutil.move(hostile / "exercises", tmp_path / "elsewhere")
    (hostile / "exercises").symlink_to(tmp_path / "elsewhere")
    give_away(tmp_path / "elsewhere" / "13_adding")
    monkeypatch.chdir(hostile)
    said, status = course("--course", hostile, "lint")
    assert "it belongs to another user" in said
    assert status == 2


def test_links_that_lead_in_a_circle_are_followed_once(hostile):
    for name in "abc":
        (hostile / "lessons" / name).symlink_to(hostile)
    assert trust.trusted(hostile, named=True) == hostile


@pytest.mark.parametrize("part", [".course", ".course/course.json"])
def test_a_workspace_of_another_user_is_not_taken_for_ones_own(part, tmp_path, monkeypatch, give_away):
    """In a folder like /tmp, anybody can leave a workspace above the current folder, with files that `course check` would run."""
    monkeypatch.chdir(tmp_path)
    course("start", "work", "--lesson", "12")
    give_away(tmp_path / "work" / part)
    with pytest.raises(UsageError, match="it belongs to another user"):
        workspace_above(tmp_path / "work")


@pytest.mark.parametrize("text", ["", "{}", "[1, null]", '"/"', "[", "\xff"], ids=["empty", "object", "numbers", "text", "broken", "not UTF-8"])
def test_a_damaged_list_confirms_nothing(text, hostile, monkeypatch, own_settings):
    course("trust", hostile)
    (own_settings / "denoising-course" / "trusted-courses.json").write_bytes(text.encode("latin-1"))
    monkeypatch.chdir(hostile)
    assert course("lint") == (refusal(hostile), 2)
    assert course("trust", ".")[1] == 0
    assert course("lint")[1] == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_list_that_another_user_wrote_confirms_nothing(hostile, monkeypatch, own_settings):
    """As under sudo, which may keep the home of the user who typed it."""
    course("trust", hostile)
    os.chown(own_settings / "denoising-course" / "trusted-courses.json", STRANGER, -1)
    monkeypatch.chdir(hostile)
    assert course("lint") == (refusal(hostile), 2)


def test_a_folders_name_cannot_be_a_command_or_change_the_terminal(hostile, tmp_path):
    """What is printed is pasted into a shell, and shown on a terminal."""
    evil = hostile.rename(tmp_path / "a; touch b $(c)")
    assert trust.confirming(evil) == f"course trust '{tmp_path}/a; touch b $(c)'"
    ringing = evil.rename(tmp_path / "a\x1b[2J\nb")
    with pytest.raises(UsageError) as refused:
        trust.trusted(ringing)
    assert str(refused.value) == (
        f"{tmp_path}/a [2J b: this course is not confirmed, and loading it would run its Python as you\n"
        "  fix: if you trust whoever wrote it, confirm it once: `course trust DIR`"
    )
