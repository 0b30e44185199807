"""Practice that counts: each student's own numbers and order of choices, told without an answer and found again when grading."""

import gzip
import json
import re
import shutil
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from autograder.author.lint.rules import check_course
from autograder.author.recording import record_practice
from autograder.author.release import build, build_gradescope
from autograder.cli.main import main
from autograder.course.errors import CourseError, UsageError
from autograder.course.kinds import Drawn, mark_answer
from autograder.course.loading import read_course
from autograder.course.model import Key, Submission
from autograder.course.own_practice import POOL, Own, calls_of, key_of, place_of, practised, relabelled, token_of, who
from autograder.course.student_files import read_handout
from autograder.grading.marking import mark_answers
from autograder.grading.questions import (
    VARIANTS,
    PracticeRecordings,
    counting,
    functions_of,
    question_text,
    values,
    variant,
)
from autograder.grading.recorded import read_gz
from autograder.grading.rounds import CacheKeys, open_round
from autograder.instructor import gradescope
from autograder.instructor.intake import open_class
from autograder.instructor.roster import Person
from autograder.learner.check import ANSWERED, own_problems
from autograder.learner.practice import choose, sheet
from tests.courses import ROOT

TINY = ROOT / "tests" / "broken_courses" / "tiny"
STUDENTS = ["501", "502", "ada@example.org", "Zoë Ångström"]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A course where practice counts, the folder of its grades, and the release for its students."""
    place = tmp_path_factory.mktemp("own")
    shutil.copytree(TINY, place / "course")
    with (place / "course" / "course.yaml").open("a") as file:
        file.write("  practice: own\n")
    build(place / "course", place / "release", place / "grades")
    return place


@pytest.fixture(scope="module")
def lesson(place):
    return read_course(place / "course").lessons[0]


@pytest.fixture(scope="module")
def functions(place, lesson):
    return functions_of(place / "course", lesson)


@pytest.fixture(scope="module")
def token(place):
    return token_of(open_round(place / "grades").secret)


@pytest.fixture(scope="module")
def students(place):
    """What a student's release knows: the lesson, and the functions of its questions."""
    found = read_course(place / "release").lessons[0]
    return found, functions_of(place / "release", found)


def right(lesson, functions, token, student):
    """Answer all questions as this student is asked them, with the keys of the clone."""

    def answer(asked, key, numbers):
        if asked.parts:
            return {part.id: answer(part, key.parts[part.id], numbers) for part in asked.parts}
        if asked.computes:
            return round(values(asked, numbers, functions)[0], asked.decimals)
        return list(key.right) if isinstance(key.right, tuple) else key.right

    own = Own(token, who(student))
    made = {}
    for question in lesson.questions:
        asked, key = relabelled(question, lesson.keys.get(question.id, Key()), own)
        made[question.id] = answer(asked, key, counting(question, token, place_of(question, own), functions))
    return made


def handed_in(answers, student="Ada", ids=()):
    source = answers if isinstance(answers, bytes) else json.dumps(answers, ensure_ascii=False).encode()
    return Submission(student, "13_adding", "practice", "answers.yaml", source, "", "present", ids=tuple(ids))


def score(submission, lesson, functions, token):
    return sum(check.points for check in mark_answers(submission, lesson, functions, token).checks)


MOST = 8  # points of the tiny course


# ---- what is asked, and what it earns


@pytest.mark.parametrize("student", STUDENTS)
def test_right_answers_to_ones_own_numbers_earn_everything(lesson, functions, token, student):
    answers = right(lesson, functions, token, student)
    assert score(handed_in(answers, student), lesson, functions, token) == MOST
    assert score(handed_in({"for": student} | answers, "Ada", ["7", student]), lesson, functions, token) == MOST


def test_no_student_earns_everything_with_the_answers_of_another(lesson, functions, token):
    """Numbers, letters and orders differ; what two have in common by chance is some of it, never all."""
    made = {str(number): right(lesson, functions, token, str(number)) for number in range(12)}
    others = [score(handed_in(made[one], other), lesson, functions, token) for one in made for other in made if one != other]
    assert max(others) < MOST
    assert sum(others) / len(others) < MOST / 2


@pytest.mark.parametrize("student", STUDENTS)
def test_a_student_is_told_exactly_what_is_marked(lesson, functions, token, students, student):
    """From the release alone: the same numbers, the same choices under the same letters, for every question."""
    told = sheet(*students, student)
    own = Own(token, who(student))
    for (asked, text), question in zip(told, lesson.questions, strict=True):
        numbers = counting(question, token, place_of(question, own), functions)
        assert asked == relabelled(question, Key(), own)[0]
        assert text == question_text(asked, numbers)


def test_students_differ_in_numbers_and_in_the_order_of_choices(students):
    texts = {question.id: set() for question in students[0].questions}
    for number in range(60):
        for question, text in sheet(*students, str(number)):
            texts[question.id].add(text)
    assert {name: len(found) for name, found in texts.items() if name != "both-ways"} == {"fresh-sum": pytest.approx(45, abs=15), "why-carry": 2, "by-hand": 6, "names": 4}
    assert len(texts["both-ways"]) > 10


def test_choices_are_letters_and_options_are_numbers(students):
    asked = {question.id: question for question, _ in sheet(*students, "501")}
    assert [one.id for one in asked["by-hand"].choices] == ["a", "b", "c"]
    assert [one.id for one in asked["names"].options] == ["1", "2"]
    assert [one.id for one in asked["both-ways"].parts[1].choices] == ["a", "b", "c"]


@pytest.mark.parametrize("course", [TINY, ROOT], ids=["tiny", "diffusion"])
def test_each_key_follows_its_choices_whatever_their_order(course):
    """The right answer of the shuffled question is right, and each sentence for a wrong one is still told for the same choice."""
    lesson = read_course(course).lessons[0]
    for question in lesson.questions:
        for part, key in [(question, lesson.keys.get(question.id, Key())), *((one, lesson.keys[question.id].parts[one.id]) for one in question.parts)]:
            if key.right is None:
                continue
            for student in "abcdefgh":
                asked, known = relabelled(part, key, Own("token", student))
                answer = list(known.right) if isinstance(known.right, tuple) else known.right
                assert mark_answer(asked, known, answer, Drawn({}, lambda part: (0, []))).outcome == "passed"
                texts = {one.id: one.text for one in asked.choices}
                before = {one.id: one.text for one in part.choices}
                said = {texts[name]: told.sentence for name, told in known.wrong.items() if name in texts}
                assert said == {before[name]: told.sentence for name, told in key.wrong.items() if name in before}
                assert len(known.wrong) == len(key.wrong)


def test_ids_of_choices_and_seeds_are_no_answers(lesson, functions, token):
    """They are the same for everybody, or chosen by the student."""
    answers = right(lesson, functions, token, "Ada") | {"why-carry": "place", "fresh-sum": {"seed": 3, "answer": 0.5}}
    made = {check.id: check for check in mark_answers(handed_in(answers), lesson, functions, token).checks}
    assert (made["why-carry"].outcome, made["fresh-sum"].outcome) == ("failed", "failed")


def test_the_numbers_are_the_rounds(lesson, functions):
    """Answers of another round are wrong, and the token tells nothing of the secret's other uses."""
    tokens = [token_of(secret) for secret in (b"1", b"2")]
    answers = right(lesson, functions, tokens[0], "Ada")
    assert score(handed_in(answers), lesson, functions, tokens[0]) == MOST
    assert score(handed_in(answers), lesson, functions, tokens[1]) < MOST
    assert b"1".hex() not in tokens[0]


# ---- whose numbers


@pytest.mark.parametrize(
    ("written", "normal"),
    [("501", "501"), (501, "501"), ("00501", "501"), (" Ada  Lovelace ", "adalovelace"), ("ADA@Example.org", "ada@example.org"), ("000", "0"), ("", ""), (None, "none"), ("½", "½")],
)
def test_ids_are_compared_without_case_spaces_and_zeros_before(written, normal):
    assert who(written) == normal


def test_answers_for_another_student_are_refused_in_words(lesson, functions, token):
    answers = {"for": "502"} | right(lesson, functions, token, "502")
    made = mark_answers(handed_in(answers, "Ada Lovelace", ["501", "ada", "Ada Lovelace"]), lesson, functions, token).checks
    assert {(check.points, check.outcome, check.reason) for check in made} == {(0, "failed", "refused")}
    assert made[0].message == "`answers.yaml` answers the numbers of `502`, and you are `501`: see your own with `course practice --for-grading 501`"


def test_answers_that_do_not_say_whose_they_are_count_for_any_of_ones_own_ids(lesson, functions, token):
    """A student who forgets the line loses nothing."""
    for own in ("501", "ada", "Ada Lovelace"):
        submission = handed_in(right(lesson, functions, token, own), "Ada Lovelace", ["501", "ada"])
        assert score(submission, lesson, functions, token) == MOST


def test_a_group_answers_one_sheet_of_any_member_and_all_earn_its_points(place, lesson, functions, token, tmp_path):
    """Whoever is in no group, or hands in alone, still answers their own numbers."""
    answers = right(lesson, functions, token, "502")
    for name in ("Ada Lovelace, Bo Berg", "Cy Cole"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "answers.yaml").write_text(json.dumps({"for": 502} | answers, ensure_ascii=False))
    people = [Person("Ada Lovelace", "501"), Person("Bo Berg", "502"), Person("Cy Cole", "503")]
    found = open_class(tmp_path, "13_adding", people=people).submissions(read_handout(place / "course", lesson), ["practice"], every=False)
    assert {one.student: score(one, lesson, functions, token) for one in found} == {"Ada Lovelace": MOST, "Bo Berg": MOST, "Cy Cole": 0}


@pytest.mark.parametrize("claim", [[], {}, True, 1.5, "x" * 300, "\x1b[2J", "`"], ids=repr)
def test_any_claim_is_refused_without_harm(lesson, functions, token, claim):
    (first, *_) = mark_answers(handed_in({"for": claim}), lesson, functions, token).checks
    assert first.reason == "refused"
    assert first.message.isprintable()


def test_an_answers_file_that_cannot_be_read_is_refused(lesson, functions, token):
    (first, *_) = mark_answers(handed_in(b"a: [\n"), lesson, functions, token).checks
    assert first.message.startswith("`answers.yaml` cannot be read: ")


# ---- what a release holds


def test_a_release_has_no_key_of_a_choice_and_no_answer_to_numbers_that_count(place, lesson, functions, token, students):
    recorded = read_gz(place / "release" / "recordings" / "13_adding" / "practice.json.gz", PracticeRecordings)
    keys = json.loads(gzip.decompress((place / "release" / "recordings" / "13_adding" / "keys.json.gz").read_bytes()))
    assert (recorded.token, {name: len(pool) for name, pool in recorded.pool.items()}) == (
        token,
        {"fresh-sum": POOL, "why-carry": 0, "by-hand": 0, "names": 0, "both-ways": POOL},
    )
    assert keys.keys() == {"fresh-sum", "both-ways"}
    assert all(not key.get("right") and not key.get("wrong") for top in keys.values() for key in (top, *top.get("parts", {}).values()))
    known = {(name, *arguments) for name, computed in recorded.values.items() for arguments, _ in computed}
    assert not any(known & calls_of(question, numbers) for question in lesson.questions for numbers in recorded.pool[question.id])


def test_a_release_holds_no_sentence_about_a_choice(place):
    """Searched in every file, unpacked: neither what is right nor what is said to a wrong choice."""
    held = b"".join(
        gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes() for path in (place / "release").rglob("*") if path.is_file()
    ).decode(errors="replace")
    for sentence in ("Habits have reasons", "There is nothing to carry before", "A minus takes away", "Five leaves one over", "Four is twice two"):
        assert sentence not in held
    assert re.search(r'"right":\s*\S', held) is None or '"right":null' in held


def test_the_answers_that_a_release_knows_do_not_pass(place, lesson, functions, token, students):
    """What a student could do without reading the lesson: look every question up in the recordings, as `practice_keys` does."""
    found, recorded = students
    stolen = {}
    for question in found.questions:
        key = found.keys.get(question.id, Key())
        numbers = counting(question, token, place_of(question, Own(token, "ada")), recorded)
        answers = {}
        for part in (question, *question.parts):
            try:
                answers[part.id] = values(part, numbers, recorded)[0] if part.computes else (key.parts.get(part.id, key)).right
            except (CourseError, ZeroDivisionError):
                answers[part.id] = None
        stolen[question.id] = {part.id: answers[part.id] for part in question.parts} or answers[question.id]
    assert score(handed_in(msgspec.json.encode(stolen)), lesson, functions, token) == 0


def test_no_number_of_the_course_that_counts_is_ever_practised():
    """Over all 200 sets and 50 variants of each question of the lesson: no answer to the ones is an answer to the others."""
    own = replace(read_course(ROOT).lessons[0], practice="own")
    functions = functions_of(ROOT, own)
    drawn = {question.id: [variant(question, seed, functions) for seed in (None, *range(VARIANTS))] for question in practised(own)}
    known = {call for question in practised(own) for numbers in drawn[question.id] for call in calls_of(question, numbers)}
    for question in own.questions:
        if question.numbers:
            pool = [counting(question, "token", place, functions) for place in range(POOL)]
            assert not any(known & calls_of(question, numbers) for numbers in pool), question.id
            assert len({msgspec.json.encode(numbers) for numbers in pool}) >= 30, question.id


def test_questions_are_practised_without_their_choices(lesson):
    assert [(one.id, [part.id for part in one.parts]) for one in practised(lesson)] == [("fresh-sum", []), ("both-ways", ["forth"])]
    assert key_of(lesson, practised(lesson)[1]).parts.keys() == {"forth"}
    open_lesson = replace(lesson, practice="open")
    assert practised(open_lesson) == lesson.questions
    assert key_of(open_lesson, lesson.questions[4]) == lesson.keys["both-ways"]


def test_an_open_release_is_as_it_was(tmp_path):
    build(TINY, tmp_path / "release")
    lesson = read_course(tmp_path / "release").lessons[0]
    assert lesson.keys["why-carry"].right == "place"
    made = record_practice(lesson, functions_of(TINY, read_course(TINY).lessons[0]))
    assert (made.token, made.pool) == ("", {})


# ---- building it


def test_a_release_needs_the_round(place, tmp_path):
    for make in (build, build_gradescope):
        with pytest.raises(UsageError) as refused:
            make(place / "course", tmp_path / "out")
        assert str(refused.value) == (
            "practice counts in this course, and each student's numbers follow from the round\n"
            "  fix: give it with --round OUT: the folder that `course grade` writes, or will write"
        )


def test_gradescope_grades_with_the_round_of_the_release(place, tmp_path):
    made = build_gradescope(place / "course", tmp_path / "out", place / "grades")
    shutil.unpack_archive(made, tmp_path / "there")
    assert open_round(tmp_path / "there").secret == open_round(place / "grades").secret


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ('{"users": [{"email": "ada@example.org", "id": 7, "name": "Ada"}, {"name": "Bo"}]}', ("ada@example.org", "7", "Ada", "Bo")),
        ("{}", ()),
        ("[1]", ()),
        ('{"users": [1]}', ()),
        ("", ()),
    ],
)
def test_gradescope_says_who_the_students_are(tmp_path, text, ids):
    (tmp_path / "submission_metadata.json").write_text(text)
    assert gradescope._ids(tmp_path / "submission_metadata.json") == ids
    assert gradescope._ids(tmp_path / "nowhere.json") == ()


def test_lint_finds_nothing_in_a_course_where_practice_counts(place):
    assert check_course(place / "course") == []


def test_what_is_reused_depends_on_who_it_is(place):
    """A roster that names a student's number decides which numbers are asked."""
    course = read_course(place / "course")
    keys = CacheKeys(course, open_round(place / "grades"), ())
    one, other = handed_in({}, "Ada", ["501"]), handed_in({}, "Ada", ["502"])
    assert keys.key(one) != keys.key(other)
    assert keys.key(replace(one, exercise="sums", name="sums.py")) == keys.key(replace(other, exercise="sums", name="sums.py"))
    open_course = read_course(TINY)
    keys = CacheKeys(open_course, open_round(place / "grades"), ())
    assert keys.key(one) == keys.key(other)


# ---- at home


def test_only_the_form_of_answers_is_checked_at_home(lesson, functions, token):
    answers = {"for": "501"} | right(lesson, functions, token, "501")
    assert own_problems(lesson, json.dumps(answers).encode()) == []
    wrong = {"why-carry": "z", "by-hand": ["a", "b"], "names": {"a": 1}, "fresh-sum": "0, 5", "both-ways": {"forth": 5}, "extra": 1}
    assert own_problems(lesson, json.dumps(wrong).encode()) == [
        "It does not say whose numbers it answers: write `for: ID` above them.",
        "fresh-sum: `0, 5` is not a number: write one number with 3 decimals, like 0.123.",
        "why-carry: There is no choice `z`: take one of a, b.",
        "by-hand: List each of these once: a, b, c.",
        "names: `b` has no match yet.",
        "both-ways: Part 2 of 2: There is no answer yet.",
        "There is no question `extra`.",
    ]
    assert own_problems(lesson, b"a: [")[0].startswith("It cannot be read: ")


def course(*words, typed=None):
    done = CliRunner().invoke(main, [str(word) for word in words], input=typed, catch_exceptions=False, env={"COLUMNS": "100"})
    return re.sub(r"[ \t]+\n", "\n", done.output), done.exit_code


@pytest.fixture
def home(place, tmp_path, monkeypatch):
    """A student's workspace of the release."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    course("trust", place / "release")
    assert course("--course", place / "release", "start", "work")[1] == 0
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


def test_a_student_reads_the_sheet_answers_it_and_is_graded(home, place, lesson, functions, token, walls):
    said, status = course("practice", "--for-grading", "00501")
    assert status == 0
    assert said.count("point") >= len(lesson.questions)
    assert said.endswith('Answer in answers.yaml, below this line: for: "00501"\n')
    text = Path("answers.yaml").read_text(encoding="utf-8")
    assert text.startswith(
        "# Answers to the practice questions of 13_adding. They count, with your own numbers.\n"
        "# To read them: course practice --for-grading ID, with your number, login or name.\n"
        "# The same ID goes here, in quotes.\nfor:\n"
    )
    assert "why-carry:  # one of: a, b\n" in text
    said, status = course("check", "answers.yaml")
    assert status == 1
    Path("answers.yaml").write_text(json.dumps({"for": "00501"} | right(lesson, functions, token, "501")))
    assert course("check", "answers.yaml") == (f"answers.yaml\n  {ANSWERED}\n", 0)
    said, _ = course("submit", "--out", home / "ada.zip")
    assert "answers.yaml" not in said.partition("ada.zip")[0]
    for name in ("ada", "bo"):
        (home.parent / "class" / name).mkdir(parents=True)
        shutil.copy(home / "answers.yaml", home.parent / "class" / name)
    (home.parent / "roster.csv").write_text("name,student id\nada,501\nbo,502\n")
    arguments = ["grade", home.parent / "class", "--out", place / "grades", "--roster", home.parent / "roster.csv", "--exercise", "practice", "--json"]
    said, _ = course("--course", place / "course", *arguments)
    lines = [json.loads(line) for line in (place / "grades" / "results.jsonl").read_text().splitlines()]
    assert {line["student"]: line["score"] for line in lines} == {"ada": MOST, "bo": 0}
    assert "and you are `502`" in lines[1]["checks"][0]["message"]


def test_practising_goes_on_with_other_numbers_and_without_choices(home, students):
    assert [choose(students[0], _Nothing(), None).id] == ["fresh-sum"]
    said, status = course("practice", "both-ways", typed="5.0\n\n")
    assert "Which are even?" not in said
    assert "In answers.yaml" not in said
    said, status = course("practice", "why-carry")
    assert (said, status) == ("`why-carry` counts, so nothing is marked here\n  fix: see it as you are asked it: `course practice --for-grading ID`\n", 2)
    assert course("progress")[1] == 0


class _Nothing:
    """The state of somebody who has done nothing."""

    def events(self, kind, subject=None):
        return iter(())


def test_a_sheet_is_refused_where_there_is_none(home, place, students):
    for lesson, functions, student, said in (
        (replace(students[0], practice="open"), students[1], "501", "practice is open here: everybody answers the lesson's own numbers\n  fix: answer them with `course practice`"),
        (students[0], functions_of(place / "course", students[0]), "501", "this course is no release, so it does not know the round\n  fix: take a release: `course release --out OUT --round GRADES`, with the folder that `course grade` writes"),
        (students[0], students[1], " ", "whose questions?\n  fix: give your number, login or name as your course knows it: `--for-grading 501`"),
    ):  # fmt: skip
        with pytest.raises(UsageError) as refused:
            sheet(lesson, functions, student)
        assert str(refused.value) == said
