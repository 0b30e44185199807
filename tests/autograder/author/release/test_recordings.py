"""A release says what the clone says, word for word: over all starters, all misconceptions, and all questions.

Files are run in this process, with the misconceptions' functions in the student's place, so that hundreds take seconds.
"""

import shutil
from functools import cache

import msgspec
import pytest

from autograder.course.errors import CourseError
from autograder.course.loading import read_course
from autograder.course.model import Key, Notes
from autograder.grading.attempt import load_materials
from autograder.grading.diagnosis import load_misconceptions
from autograder.grading.marking import mark
from autograder.grading.questions import VARIANTS, functions_of, namespace_of, question_text, variant, working
from autograder.grading.recorded import pack, unpack
from autograder.grading.reference import Answers, load_module
from autograder.learner import repro
from tests.autograder.grading import test_readings, test_rewrites
from tests.courses import ROOT
from tests.in_process import judged, judged_source

COURSE = read_course(ROOT)
LESSON = COURSE.lessons[0]
EXERCISES = {exercise.id: exercise for exercise in LESSON.exercises}
MISCONCEPTIONS = [(name, misconception.id) for name, exercise in EXERCISES.items() for misconception in load_misconceptions(exercise.misconceptions)]


pytestmark = pytest.mark.usefixtures("one_thread")


@cache
def clones(name):
    return load_materials(EXERCISES[name])


@pytest.fixture(scope="module")
def releases(release):
    """Give an exercise's materials as the release has them, loaded once."""
    exercises = {exercise.id: exercise for exercise in release.exercises}
    return cache(lambda name: load_materials(exercises[name]))


@pytest.fixture
def feedback(tmp_path):
    """Give all that materials say of functions in a student's place: results, notes, and the lines that repeat a failure."""

    def feedback(materials, function_of):
        made, name = judged(materials, function_of), materials.exercise.id
        lines = {
            check.id: repro.line(name, check.id, made.transcripts[check.id], materials.answers.function, tmp_path / ".course", repro.Reach("", ""))
            for check in made.checks
            if check.outcome == "failed" and check.id in made.transcripts
        }
        return [msgspec.structs.replace(check, seconds=0) for check in made.checks], made.notes, lines

    (tmp_path / ".course").mkdir()
    return feedback


@pytest.mark.parametrize(("name", "misconception"), MISCONCEPTIONS)
def test_a_misconception_is_told_the_same(name, misconception, feedback, releases):
    """The misconception's file: everything right but for one function."""
    own = clones(name)
    made = next(one for one in own.misconceptions if one.id == misconception)

    def function_of(asked):
        return made.function if asked == made.of else own.answers.function(asked)

    told = feedback(releases(name), function_of)
    assert told == feedback(own, function_of)
    assert misconception in {check.misconception for check in told[0]}


UNWRITTEN = {**test_readings.MISTAKES, **test_rewrites.MISTAKES}


@pytest.mark.parametrize(("exercise", "source"), [(name, source) for name, source, _ in UNWRITTEN.values()], ids=list(UNWRITTEN))
def test_a_mistake_that_nobody_described_is_told_the_same(exercise, source, releases):
    """The formula that the numbers follow, and what it is as if the answer had: with numbers alone, and without its code."""
    told = [msgspec.structs.replace(check, seconds=0) for check in judged_source(releases(exercise), source).checks]
    assert told == [msgspec.structs.replace(check, seconds=0) for check in judged_source(clones(exercise), source).checks]
    assert any(check.diagnosis and check.diagnosis.kind != "written" for check in told)


@pytest.mark.parametrize("name", EXERCISES)
def test_a_starter_is_told_the_same(name, feedback, releases):
    starter = Answers(load_module(EXERCISES[name].starter), clones(name).answers.props)
    assert feedback(releases(name), starter.function) == feedback(clones(name), starter.function)


@pytest.mark.parametrize("name", [name for name in EXERCISES if name not in COURSE.policy.limits_of])  # a training is held by its own tests
def test_an_answer_passes_with_recordings(name, feedback, releases):
    checks, notes, lines = feedback(releases(name), clones(name).answers.function)
    assert {check.outcome for check in checks} == {"passed"}
    assert (notes, lines) == (Notes(), {})


# ---- questions


@pytest.fixture(scope="module")
def functions(root, released, clone, release):
    return functions_of(root, clone), functions_of(released, release)


def answers(question, key, numbers, functions):
    """Give answers to a question with these numbers: right, every misconception's, every choice, and nonsense."""
    if question.kind == "number":
        arguments = [numbers[one] if isinstance(one, str) else one for one in question.arguments]
        misconceptions = [misconception.function(*arguments) for misconception in functions.misconceptions(question.computes) if misconception.id in question.detects]
        return [round(float(value), question.decimals + 2) for value in (functions.reference(question.computes)(*arguments), *misconceptions, 1234.5)] + ["0,79"]
    ids = [choice.id for choice in question.choices]
    if question.kind == "choice":
        return [*([[one] for one in ids] if question.several else ids), list(key.right) if question.several else "no-such-choice"]
    if question.kind == "order":
        return [ids, ids[::-1], list(key.right)]
    if question.kind == "match":
        return [dict(key.right)] + [dict.fromkeys(ids, option.id) for option in question.options]
    parts = [(part, answers(part, key.parts.get(part.id, Key()), numbers, functions)) for part in question.parts]
    return [{part.id: given[turn % len(given)] for part, given in parts} for turn in range(max(len(given) for _, given in parts))]


@pytest.mark.parametrize("question", LESSON.questions, ids=lambda question: question.id)
def test_every_answer_to_a_question_is_told_the_same(question, functions, clone, release):
    """With the published numbers, and with every variant that was recorded; with the working's lines."""
    own, recorded = functions
    key, key_there = clone.keys.get(question.id, Key()), release.keys.get(question.id, Key())
    for seed in [None, *range(VARIANTS)] if question.numbers else [None]:
        numbers = variant(question, seed, own)
        assert variant(question, seed, recorded) == numbers
        for given in answers(question, key, numbers, own):
            held = given if seed is None else {"seed": seed, "answer": given}
            assert mark(question, key_there, held, recorded) == mark(question, key, held, own)
        for part in (question, *question.parts):
            own_key = key if part is question else key.parts.get(part.id, Key())
            assert recorded.working(part, numbers) == working(part, own_key, numbers, namespace_of(question, own))


def test_a_seed_of_any_size_is_one_of_the_variants(functions, clone):
    own, recorded = functions
    question = next(one for one in clone.questions if one.numbers)
    assert variant(question, VARIANTS * 1000 + 7, recorded) == variant(question, VARIANTS * 1000 + 7, own) == variant(question, 7, recorded)
    assert question_text(question, variant(question, 7, recorded))


# ---- what recordings refuse


def test_other_numbers_than_the_published_are_refused(releases, release):
    """A release cannot grade: it says so, and where to."""
    materials = releases("forward")
    with pytest.raises(CourseError) as refused:
        materials.answers.answer("forward_step", (1.0, 0.5, 0.25), {})
    path = release.exercises[1].recordings
    assert str(refused.value) == (
        f"{path}: no answer of `forward_step` to these numbers was recorded: a student release knows the published numbers only\n"
        "  fix: grade in a clone of the course, with its solutions"
    )
    with pytest.raises(TypeError, match=r"^`forward_step` is recorded: there is no code of it in a student release$"):
        materials.answers.function("forward_step")(1, 2, 3)


def test_recordings_of_other_checks_are_refused(released, tmp_path):
    """A file of checks that was edited says nothing that was recorded."""
    shutil.copytree(released, tmp_path / "course")
    checks = tmp_path / "course" / "exercises" / LESSON.id / "checks" / "forward.py"
    checks.write_text(checks.read_text() + "\n# edited\n")
    exercise = next(one for one in read_course(tmp_path / "course").lessons[0].exercises if one.id == "forward")
    with pytest.raises(CourseError) as refused:
        load_materials(exercise)
    assert str(refused.value) == (
        f"{exercise.recordings}: these recordings belong to another checks/forward.py or props.py\n"
        "  fix: download the release again, or rebuild it"
    )
    exercise.recordings.write_bytes(b"damaged")
    with pytest.raises(CourseError, match="these recordings cannot be read"):
        load_materials(exercise)


VALUES = [None, True, 3, 0.25, float("nan"), float("-inf"), "text", [1, (2.0, [])], {"a": 1, 2: ("b",)}]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_any_value_is_packed_and_unpacked(value):
    back = unpack(msgspec.json.decode(msgspec.json.encode(pack(value))))
    assert repr(back) == repr(value)
