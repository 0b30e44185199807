"""Wrong answers that many share and no misconception explains: found, shown to who grades, and made a misconception."""

import json
import re
import shutil
import sqlite3
from contextlib import closing

import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from autograder.author.misconceptions import begin_misconception
from autograder.cli.main import main
from autograder.course.errors import UsageError
from autograder.course.loading import read_course
from autograder.course.model import CheckResult, Failure, HandedIn, Idea, Notes, Result, Submission
from autograder.course.policy import Limits
from autograder.course.store import columns
from autograder.grading.attempt import attempt, load_materials
from autograder.grading.reference import digest
from autograder.instructor.gradebook import SCHEMA, TABLES, Attempted, Gradebook, Kept
from autograder.instructor.measures import Group, groups
from tests.courses import ROOT
from tests.shared import SharedSandbox

FORWARD = next(exercise for exercise in read_course(ROOT).lessons[0].exercises if exercise.id == "forward")
SEVEN = "def forward_step(x_prev, beta, eps): return x_prev - beta * eps * 7\n"
SOURCES = {
    "ada": SEVEN,
    "bo": "def forward_step(x_prev, beta, eps):\n    seven = 7\n    return x_prev - seven * eps * beta\n",
    "cy": "def forward_step(x_prev, beta, eps): return x_prev + 3\n",
    "di": "def forward_step(x_prev, beta, eps): return (1 - beta) ** .5 * x_prev + beta * eps\n",
    "ed": "def forward_step(x_prev, beta, eps): return {1: 2, 'a': x_prev}\n",
    "flo": "def forward_step(x_prev, beta, eps): raise ValueError\n",
    "gus": "def forward_step(x_prev, beta, eps): raise ValueError\n",
}


@pytest.fixture(scope="module")
def notes(walls):
    materials = load_materials(FORWARD)
    with SharedSandbox(Limits()) as sandbox:
        made = {}
        for student, source in SOURCES.items():
            submission = Submission(student, "12_diffusion", "forward", "forward.py", source.encode(), None, "present")
            made[student] = attempt(submission, materials, sandbox, b"a secret").notes
    return made


def result(student):
    return Result(student, "12_diffusion", "forward", "graded", 0, 20, (), "", "0", "round-1", "", "0")


def test_equal_wrong_values_make_a_group_however_they_are_written(notes):
    """In no group: a misconception, an answer that nobody shares, and no value at all."""
    (found,) = groups(Attempted(result(student), own, HandedIn()) for student, own in notes.items())
    assert (found.exercise, found.function, found.students) == ("forward", "forward_step", ("ada", "bo"))
    assert found.words.startswith("`forward_step(")


def test_no_value_is_kept(notes):
    assert len(notes["ada"].shared_errors["forward_step"]) == 32
    assert "forward_step" not in notes["di"].shared_errors
    assert "forward_step" not in notes["flo"].shared_errors


def noted(shared, function="forward_step", words="gave 2."):
    return Notes({"c": Failure("value", function, f"{function}(1)", words=words)}, {function: shared})


def test_the_largest_group_comes_first():
    pairs = [("a", "1"), ("b", "1"), ("c", "2"), ("d", "2"), ("e", "2"), ("f", "3")]
    made = groups(Attempted(result(student), noted(shared), HandedIn()) for student, shared in pairs)
    assert [group.students for group in made] == [("c", "d", "e"), ("a", "b")]
    assert made[0].words == "`forward_step(1)` gave 2."


def test_one_idea_makes_a_group_whatever_the_values_are():
    """Each fitting misconception begins with what these students are told already."""
    idea = Idea("rewrite", "forward_step", "It is as if the root were missing from β_t.")
    told = CheckResult("c", "Check", 0, 1, "failed", diagnosis=idea)
    made = groups(Attempted(replace(result(student), checks=(told,)), noted(student), HandedIn()) for student in "ab")
    assert made == [Group("forward", "forward_step", ("a", "b"), "`forward_step(1)` gave 2.", idea.sentence, "12_diffusion")]
    begun = begin_misconception("forward_step", 2, FORWARD, "no_root", made[0].idea)
    assert '"""TODO: say what was done, and what puts it right. They are told: It is as if the root were missing from β_t."""' in begun


def test_notes_of_an_earlier_version_are_found(tmp_path):
    """They were sentences by check, hashes under alike:FUNCTION, and a fault of ours."""
    call = "`forward_step(x=array (4, 8))` gave 2 where 1 was expected. Try."
    old = {"alike:forward_step": "1f", "by_hand": call, "jump": "`forward.py` raised KeyError."}
    with Gradebook(tmp_path / "gradebook.sqlite") as book:
        book.keep("run", [Kept(result(student)) for student in ("ada", "bo", "cy")])
    with closing(sqlite3.connect(tmp_path / "gradebook.sqlite")) as db, closing(sqlite3.connect(":memory:")) as first, db:
        SCHEMA.migrations[0](first)
        db.execute("UPDATE attempts SET private = ? WHERE student != 'cy'", (json.dumps(old),))
        db.execute("""UPDATE attempts SET private = '{"fault": "its worker ended"}' WHERE student = 'cy'""")
        for table in TABLES:
            for column in columns(db, table) - columns(first, table):
                db.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
        db.execute("PRAGMA user_version = 1")
    [known] = json.loads((tmp_path / "private" / "rounds.json").read_text())
    (tmp_path / "private" / "rounds.json").write_text(json.dumps([known | {"seals": False}]))
    with Gradebook(tmp_path / "gradebook.sqlite") as book:
        assert groups(own[-1] for own in book.attempts("run")) == [Group("forward", "forward_step", ("ada", "bo"), call, lesson="12_diffusion")]
        assert [one.notes for (one,) in book.attempts("run")][2] == Notes(fault="its worker ended")


def test_any_dict_has_a_hash_in_any_order():
    assert digest({1: 2, "a": [3]}) == digest({"a": [3], 1: 2})
    assert digest({1: 2}) != digest({"1": 2})


def test_a_misconception_begins_with_the_functions_parameters_and_what_is_to_do():
    group = Group("forward", "forward_step", ("ada", "bo"), "")
    assert begin_misconception(group.function, len(group.students), FORWARD, "seven_times") == (
        '\n\n@misconception(of="forward_step", section="TODO", card="TODO")\n'
        "def seven_times(x_prev, beta, eps):\n"
        '    """TODO: say what was done, and what puts it right."""\n'
        '    raise NotImplementedError("write what these 2 students wrote")\n'
    )


REFUSED = {
    "two words": "`two words` is not a valid function name\n  fix: use letters and underscores, like noise_left_out",
    "beta_as_standard_deviation": "there is a `beta_as_standard_deviation` in forward.py already\n  fix: choose another name",
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_name_that_cannot_be_is_refused(name):
    with pytest.raises(UsageError) as refused:
        begin_misconception("forward_step", 1, FORWARD, name)
    assert str(refused.value) == REFUSED[name]


def course(*arguments):
    return CliRunner().invoke(main, [*map(str, arguments)], catch_exceptions=False)


def test_of_several_attempts_the_one_that_counts_is_looked_at(tmp_path):
    """`course grade` shows the groups of the best attempts where these count, so `course misconceptions` numbers the same ones."""
    shutil.copytree(ROOT / "tests" / "broken_courses" / "tiny", tmp_path / "course")
    policy = tmp_path / "course" / "course.yaml"
    policy.write_text(policy.read_text(encoding="utf-8") + "  counts: best\n", encoding="utf-8")
    with Gradebook(tmp_path / "gradebook.sqlite") as book:
        book.begin("run", {})
        for number, (score, shared) in enumerate([(9, "best"), (3, "last")], 1):
            for student in ("ada", "bo"):
                own = noted(shared, "total", f"gave the {shared}.")
                book.keep("run", [Kept(replace(result(student), score=score), own, HandedIn(attempt=number))])
    for counts in ("best", "last"):
        policy.write_text(re.sub(r"counts: \w+", f"counts: {counts}", policy.read_text(encoding="utf-8")), encoding="utf-8")
        assert f"1: `total(1)` gave the {counts}.\n" in course("--course", tmp_path / "course", "misconceptions", "list", tmp_path).stdout


@pytest.mark.usefixtures("walls")
def test_the_command_lists_groups_and_refuses_what_is_not_there(tmp_path):
    for student in ("ada", "bo"):
        (tmp_path / "class" / student).mkdir(parents=True)
        (tmp_path / "class" / student / "forward.py").write_text(SOURCES[student])
    graded = course("grade", tmp_path / "class", "--out", tmp_path / "out", "--exercise", "forward")
    assert f"Turn one of these into a misconception: `course misconceptions new {tmp_path}/out GROUP NAME`." in graded.stdout.replace("\n", "")
    assert "forward_step" in course("misconceptions", "list", tmp_path / "out").stdout
    refused = course("misconceptions", "new", tmp_path / "out", 2, "seven_times")
    fix = f"take one of the 1 that `course misconceptions list {tmp_path}/out` shows"
    assert (refused.exit_code, refused.stderr) == (2, f"there is no group 2 in {tmp_path}/out\n  fix: {fix}\n")
    nowhere = course("misconceptions", "list", tmp_path)
    assert nowhere.stderr == f"{tmp_path}: no graded results in this folder\n  fix: give the folder that `course grade --out` wrote\n"
