"""What is written: gradebook, rounds, tables and feedback."""

import csv
import json
import sqlite3
import stat
from datetime import UTC, datetime

import msgspec
import pytest

from autograder.course.errors import UsageError
from autograder.course.files import BATCH, write_texts
from autograder.course.model import CheckResult, Failure, HandedIn, Notes, Override, Result, Unused
from autograder.course.policy import Late, Policy
from autograder.grading.rounds import open_round
from autograder.instructor.grade import unknown_times
from autograder.instructor.gradebook import Attempted, Gradebook, Kept
from autograder.instructor.grades import GradingRules, StudentGrades
from autograder.instructor.outputs import result_files, student_markdown
from autograder.instructor.roster import Person, file_slug


def result(student="Ada", **changes):
    one = Result(student, "12_diffusion", "forward", "graded", 1.0, 2.0, (), "", "0", "round-1", "2026-01-01T00:00:00+00:00", "0.1.0")
    return msgspec.structs.replace(one, **changes)


def counted(**changes):
    """What a result counts where nothing was decided and nobody is late."""
    return GradingRules(Policy(), {}, {}, {}).grade(Attempted(result(**changes), Notes(), HandedIn()))


# ---- gradebook


def test_every_attempt_is_kept_and_the_last_of_a_run_counts(tmp_path):
    with Gradebook(tmp_path / "g.sqlite") as book:
        book.keep("run", [Kept(result(score=1.0))])
        book.keep("run", [Kept(result(score=2.0))])
        book.keep("other", [Kept(result(score=0.0), Notes({"check": Failure("value", "f", "f(1)", words="gave 2.")}))])
        assert [one.score for one in book.results("run")] == [2.0]
    with Gradebook(tmp_path / "g.sqlite") as book:
        assert [one.score for one in book.results("other")] == [0.0]


def test_results_come_by_student_lesson_and_exercise(tmp_path):
    with Gradebook(tmp_path / "g.sqlite") as book:
        for student, exercise in (("b", "forward"), ("a", "practice"), ("a", "forward")):
            book.keep("run", [Kept(result(student, exercise=exercise))])
        assert [(one.student, one.exercise) for one in book.results("run")] == [("a", "forward"), ("a", "practice"), ("b", "forward")]


def test_of_several_attempts_the_last_handed_in_counts_in_whatever_order_they_were_graded(tmp_path):
    with Gradebook(tmp_path / "g.sqlite") as book:
        for attempt, score in ((2, 1.0), (1, 2.0)):
            book.keep("run", [Kept(result(score=score), {}, HandedIn(attempt))])
        book.keep("run", [Kept(result(score=0.5), {}, HandedIn(2))])
        assert [one.score for one in book.results("run")] == [0.5]
        assert [one.score for one in book.results("run", lambda all_of_them: all_of_them[1])] == [2.0]


FIRST_COLUMNS = (
    "run TEXT NOT NULL, student TEXT NOT NULL, lesson TEXT NOT NULL, exercise TEXT NOT NULL, status TEXT NOT NULL, score REAL NOT NULL, max_score REAL NOT NULL, "
    "sha256 TEXT, round TEXT NOT NULL, graded_at TEXT NOT NULL, version TEXT NOT NULL, result TEXT NOT NULL, private TEXT NOT NULL"
)


def test_a_gradebook_from_before_attempts_had_numbers_is_read(tmp_path):
    (tmp_path / "private").mkdir()
    (tmp_path / "private" / "rounds.json").write_text('[{"name": "r", "secret": "c2VjcmV0"}]')
    with sqlite3.connect(tmp_path / "g.sqlite") as db:
        db.execute(f"CREATE TABLE attempts (id INTEGER PRIMARY KEY, {FIRST_COLUMNS})")
        db.execute(f"INSERT INTO attempts VALUES (NULL{', ?' * 13})", ("run", "Ada", "12_diffusion", "forward", "graded", 1, 2, "", "r", "", "", msgspec.json.encode(result()).decode(), "{}"))
    db.close()
    with Gradebook(tmp_path / "g.sqlite") as book:
        assert [attempt.handed_in for [attempt] in book.attempts("run")] == [HandedIn()]
        book.keep("run", [Kept(result("Bo"), {}, HandedIn(3, late=True))])
        assert [one.handed_in.attempt for [one] in book.attempts("run")] == [1, 3]


def test_the_class_and_what_was_decided_outlast_runs(tmp_path):
    one = Override("Ada", "12_diffusion", "forward", "by_hand", 2.0, "right idea", "2026-01-01T00:00:00+00:00")
    with Gradebook(tmp_path / "g.sqlite") as book:
        book.begin("run", {"exercises": ["forward"]})
        book.enrol([Person("Bo"), Person("Ada", email="ada@example.org")])
        book.enrol([Person("Bo", id="7")])
        book.override(one)
    with Gradebook(tmp_path / "g.sqlite") as book:
        assert book.request("run", dict) == {"exercises": ["forward"]}
        assert book.request("another", dict) is None
        assert book.people() == {"Ada": Person("Ada", email="ada@example.org"), "Bo": Person("Bo", id="7")}
        assert book.overrides() == book.overrides("Ada") == [one]
        assert book.overrides("Bo") == []


def test_a_damaged_gradebook_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "g.sqlite"
    path.write_text("this is no database, and it is long enough to be told from an empty file" * 20)
    with pytest.raises(UsageError) as caught:
        Gradebook(path)
    assert str(caught.value) == f"{path}: file is not a database\n  fix: move the file aside, or choose another --out"
    assert path.read_text().startswith("this is no database")


# ---- rounds


def test_the_secret_stays_until_a_new_round(tmp_path):
    first = open_round(tmp_path)
    assert open_round(tmp_path) == first
    second = open_round(tmp_path, new=True)
    assert (first.name, second.name) == ("round-1", "round-2")
    assert first.secret != second.secret
    assert open_round(tmp_path) == second


def test_only_the_owner_can_read_the_secret(tmp_path):
    open_round(tmp_path)
    assert stat.S_IMODE((tmp_path / "private" / "rounds.json").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "private").stat().st_mode) == 0o700


def test_a_seed_fixes_the_numbers_and_has_a_round_of_its_own(tmp_path):
    drawn, fixed = open_round(tmp_path), open_round(tmp_path, seed=12)
    assert (drawn.name, fixed.name) == ("round-1", "round-2")
    assert open_round(tmp_path, seed=12) == fixed
    assert open_round(tmp_path / "elsewhere", seed=12).secret == fixed.secret
    assert open_round(tmp_path, seed=13).secret != fixed.secret


def test_a_damaged_round_is_refused_and_not_replaced(tmp_path):
    open_round(tmp_path)
    path = tmp_path / "private" / "rounds.json"
    path.write_text("[{")
    with pytest.raises(UsageError) as caught:
        open_round(tmp_path)
    assert str(caught.value) == f"{path}: damaged\n  fix: move it aside; the next run starts a new round"
    assert path.read_text() == "[{"


# ---- tables


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1+1", "  =1+1"])
def test_a_cell_that_a_spreadsheet_would_compute_is_made_harmless(tmp_path, name):
    with result_files(tmp_path) as write:
        write(result(name))
    rows = list(csv.reader((tmp_path / "grades.csv").read_text(encoding="utf-8").splitlines()))
    assert rows[0] == ["student", "lesson", "exercise", "status", "score", "max_score"]
    assert rows[1][0] == "'" + name.strip()
    assert rows[1][4:] == ["1.0", "2.0"]


def test_jsonl_holds_the_contracts_fields(tmp_path):
    check = CheckResult("by_hand", "Title", 0, 2, "failed", "wrong", "words", "misconception", "section", "card", 0.5)
    with result_files(tmp_path) as write:
        write(result(checks=(check,)))
    line = json.loads((tmp_path / "results.jsonl").read_text(encoding="utf-8"))
    assert list(line) == ["student", "lesson", "exercise", "status", "score", "max_score", "checks", "stdout", "sha256", "round", "graded_at", "version"]
    assert list(line["checks"][0]) == ["id", "title", "points", "max_points", "outcome", "reason", "message", "misconception", "section", "card", "seconds", "failure", "diagnosis"]


# ---- feedback


def feedback(student, grades, sections, policy, now=None):
    return student_markdown(StudentGrades(Person(student), {grade.result.exercise: grade for grade in grades}, None, None), sections, policy, now)


def test_feedback_files_are_named_apart_and_safely():
    assert file_slug("Zoë Ångström").startswith("zoe-angstrom-")
    assert file_slug("../../etc/passwd").startswith("etc-passwd-")
    assert file_slug("李伟").startswith("student-")
    assert len({file_slug(name) for name in ("a b", "a-b", "A B", "a_b")}) == 4
    assert len(file_slug("x" * 5000)) < 60


def test_feedback_shows_the_misconception_its_section_and_its_card():
    check = CheckResult("by_hand", "By hand", 0, 2, "failed", "wrong", "`f(x_0=1)` gave 1 where 2 was expected. Use a root.", "misconception", "sec", "noise-scale")
    assert feedback("Ada", [counted(checks=(check,))], {"12_diffusion": {"sec": "One step by hand"}}, Policy()) == (
        "# Ada\n\n## forward: 1 of 2 points\n\n- ✗ **By hand** (0 of 2)\n"
        "  `f(x_0=1)` gave 1 where 2 was expected. Use a root.\n"
        "  Reread: One step by hand (`course read sec`)\n  Card: `noise-scale`\n"
    )


def test_feedback_reveals_what_the_policy_says():
    check = CheckResult("by_hand", "By hand", 0, 2, "failed", "wrong", "words", None)
    titles = feedback("Ada", [counted(checks=(check,))], {}, Policy(reveal="titles"))
    nothing = feedback("Ada", [counted(checks=(check,))], {}, Policy(reveal="nothing"))
    assert "By hand" in titles
    assert "words" not in titles
    assert "By hand" not in nothing


def test_what_a_student_wrote_is_never_markup():
    message = "`f()` raised <script>alert(1)</script>[x](javascript:y) *b* \x1b[31m `\n# heading"
    text = feedback("*Eve* <b>", [counted(checks=(CheckResult("c", "T", 0, 1, "failed", "raised", message),))], {}, Policy())
    assert "# \\*Eve\\* \\<b\\>" in text
    assert "<script>" not in text.replace("\\<script\\>", "")
    assert "\x1b" not in text
    assert "\n# heading" not in text


def test_what_one_fault_does_to_all_checks_is_said_once():
    """A file that does not load fails some checks, and leaves those between them waiting."""
    fault, waits = "`forward.py` raised SyntaxError.", "Not judged: it needs “A”, which did not pass."
    checks = (
        CheckResult("a", "A", 0, 1, "failed", "raised", fault),
        CheckResult("b", "B", 0, 1, "not_judged", "needs", waits),
        CheckResult("c", "C", 0, 1, "failed", "raised", fault),
        CheckResult("d", "D", 0, 1, "not_judged", "needs", waits),
    )
    grade = counted(checks=checks)
    assert feedback("Ada", [grade], {}, Policy()).split("\n\n", 2)[2] == (
        f"- ✗ **A** (0 of 1)\n  {fault}\n- – **B** (0 of 1)\n  {waits}\n- ✗ **C** (0 of 1)\n- – **D** (0 of 1)\n"
    )


def test_feedback_says_what_was_decided_what_lateness_takes_and_when_more_is_shown():
    due = datetime(2026, 11, 20, 12, tzinfo=UTC)
    decided = {("Ada", "12_diffusion", "forward"): {"by_hand": Override("Ada", "12_diffusion", "forward", "by_hand", 2, "the *idea* was right", "")}}
    rules = GradingRules(Policy(due=due, late=Late(10), reveal_from=due), {}, decided, {})
    check = CheckResult("by_hand", "By hand", 1, 2, "failed", "wrong", "words")
    grade = rules.grade(Attempted(result(checks=(check,)), Notes(), HandedIn(at=datetime(2026, 11, 21, 13, tzinfo=UTC))))
    start = "# Ada\n\n## forward: 2 of 2 points\n\nSubmitted 2 days late: 0.4 points are deducted, so 1.6 count.\n\n"
    said = "- ✗ **By hand** (2 of 2)\n  Your instructor gave 2 instead of 1: the \\*idea\\* was right\n"
    assert feedback("Ada", [grade], {}, rules.policy, due) == f"{start}{said}  words\n"
    assert feedback("Ada", [grade], {}, rules.policy, datetime(2026, 11, 20, tzinfo=UTC)) == f"{start}The checks are shown from 2026-11-20 12:00 UTC on.\n"
    assert feedback("Ada", [grade], {}, Policy(reveal="nothing"), due) == start.rstrip() + "\n"


def test_feedback_says_what_was_decided_where_nothing_was_graded():
    decided = {("Ada", "12_diffusion", "forward"): {"by_hand": Override("Ada", "12_diffusion", "forward", "by_hand", 2, "came by e-mail", "")}}
    grade = GradingRules(Policy(), {}, decided, {}).grade(Attempted(result(status="missing", score=0), Notes(), HandedIn()))
    said = "Nothing was submitted.\n\nYour instructor gave 2 points for `by_hand`: came by e-mail\n"
    assert feedback("Ada", [grade], {}, Policy()) == f"# Ada\n\n## forward: 2 of 2 points\n\n{said}"


def test_feedback_says_what_was_handed_in_and_not_taken():
    unused = (Unused("hw.rar", "RAR archives are not read", "hand in a zip"), Unused("*a*.pdf", "it is a document, not code"))
    grades = [
        GradingRules(Policy(), {}, {}, {}).grade(Attempted(result(exercise="forward", status="unrecognised", score=0), Notes(), HandedIn(unused=unused))),
        GradingRules(Policy(), {}, {}, {}).grade(Attempted(result(exercise="ddpm"), Notes(), HandedIn(name="my ddpm.py", unused=unused))),
    ]
    assert feedback("Ada", grades, {}, Policy()) == (
        "# Ada\n\nYou handed in `hw.rar`. It was not taken, because RAR archives are not read. Hand in a zip.\n\n"
        "You handed in `*a*.pdf`. It was not taken, because it is a document, not code.\n\n"
        "## forward: 0 of 2 points\n\nNone of the files that you submitted was taken for this exercise.\n\n"
        "## ddpm: 1 of 2 points\n\nYour file `my ddpm.py` was taken for this exercise.\n"
    )


def test_it_is_said_how_many_times_are_unknown():
    assert list(unknown_times(0)) == []
    said = "as on time: give a --roster with `handed in`, or the platform's worksheet"
    assert list(unknown_times(1)) == [f"1 result has no known time, so it counts {said}"]
    assert list(unknown_times(7)) == [f"7 results have no known time, so they count {said}"]


def test_many_texts_are_written_each_in_its_place(tmp_path):
    """As many as do not fit into one batch, each whole; what was there is replaced, and nothing else is left."""
    (tmp_path / "0.md").write_text("old")
    texts = {tmp_path / f"{number}.md": f"text {number}" for number in range(BATCH + 3)}
    write_texts(texts.items())
    assert {path: path.read_text() for path in tmp_path.iterdir()} == texts


def test_a_text_that_is_there_already_is_left_alone(tmp_path):
    """So a class that is graded again writes feedback only where something changed."""
    texts = {tmp_path / name: "one\r\ntwö\n" for name in "abc"}
    write_texts(texts.items())
    before = {path.name: path.stat().st_ino for path in texts}
    write_texts((texts | {tmp_path / "b": "another"}).items())
    assert [name for name, inode in before.items() if (tmp_path / name).stat().st_ino != inode] == ["b"]
    assert (tmp_path / "b").read_text(encoding="utf-8") == "another"
