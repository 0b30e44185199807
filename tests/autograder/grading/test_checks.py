"""Comparing values, and what a check may use."""

import re

import numpy as np
import pytest

from autograder.course.errors import CourseError, SandboxFault
from autograder.grading.checks import asked, check, close, executed_by, expect, load_checks, rows, run, seed_of, shaped, untouched
from autograder.grading.comparison import difference
from autograder.grading.reference import Answers, ObjectProxy
from autograder.sandbox.guests import Handle, Outcome

SAME = {
    "a float and an int": (1.0, 1),
    "a number and a 0-d array": (np.array(0.5), 0.5),
    "float32 within the tolerance": (np.float32(0.1), 0.1),
    "nested lists for an array": ([[1, 2], [3, 4]], np.array([[1.0, 2], [3, 4]])),
    "an integer array for a float one": (np.array([1, 2]), np.array([1.0, 2.0])),
    "infinities of one sign": (np.array([np.inf, 1]), np.array([np.inf, 1])),
    "texts": ("clean", "clean"),
    "None": (None, None),
    "a tuple of unlike things": ((np.zeros(2), 0.5), (np.zeros(2), 0.5)),
    "a list for a tuple": ([np.zeros(2), 0.5], (np.zeros(2), 0.5)),
    "dicts": ({"a": 1.0}, {"a": 1}),
    "truth values": (True, True),
}


@pytest.mark.parametrize(("got", "expected"), SAME.values(), ids=SAME.keys())
def test_equal_values_of_one_kind_are_the_same(got, expected):
    assert difference(got, expected, 1e-6, 0) == ""


DIFFERENT = {
    "a wrong number": (0.7289, 0.664, "0.7289 where 0.664 was expected"),
    "numbers alike in four digits": (0.66401, 0.66402, "0.66401 where 0.66402 was expected"),
    "one wrong entry": (np.array([1.0, 2.0]), np.array([1.0, 3.0]), "2 at [1] where 3 was expected (1 of 2 values differ)"),
    "NaN": (np.array([np.nan, 1]), np.array([0.0, 1]), "nan at [0] where 0 was expected (1 of 2 values differ)"),
    "infinity for a number": (float("inf"), 1.0, "inf where 1 was expected"),
    "the other infinity": (-np.inf, np.inf, "-inf where inf was expected"),
    "axes in another order": (np.zeros((2, 3)), np.zeros((3, 2)), "shape (2, 3) where (3, 2) was expected: the axes are in another order"),
    "one entry too few": (np.zeros(1000), np.zeros(1001), "shape (1000,) where (1001,) was expected: axis 0 is 1 too short"),
    "one entry too many": (np.zeros((4, 3)), np.zeros((4, 2)), "shape (4, 3) where (4, 2) was expected: axis 1 is 1 too long"),
    "an axis too many": (np.zeros((4, 1, 3)), np.zeros((4, 3)), "shape (4, 1, 3) where (4, 3) was expected: axis 1, of length 1, is too many"),
    "an axis too few": (np.zeros((3, 9)), np.zeros((4, 3, 9)), "shape (3, 9) where (4, 3, 9) was expected: axis 0, of length 4, is missing"),
    "another shape altogether": (np.zeros((2, 3)), np.zeros((4, 5)), "shape (2, 3) where (4, 5) was expected"),
    "two axes too few": (np.zeros(3), np.zeros((2, 2, 3)), "shape (3,) where (2, 2, 3) was expected"),
    "one entry for a number": (np.zeros(1), 0.0, "an array of shape (1,) where a number was expected"),
    "None": (None, np.zeros(2), "None where an array of shape (2,) was expected: does every path end with `return`?"),
    "truth for a number": (True, 1.0, "a bool where a number was expected"),
    "truths for an array": (np.array([True, False]), np.array([1.0, 0.0]), "an array of truth values of shape (2,) where an array of shape (2,) was expected"),
    "texts that look like numbers": (["1", "2"], np.array([1.0, 2.0]), "a sequence where an array of shape (2,) was expected"),
    "None in a list": ([None, 1], np.array([np.nan, 1]), "a sequence where an array of shape (2,) was expected"),
    "an object": (Handle(1, "generator"), 1.0, "an object of type generator where a number was expected"),
    "an object that a check may call": (ObjectProxy(None, "f", "f 1", Handle(1, "map")), 1.0, "an object of type map where a number was expected"),
    "too few values": (("y",), (1.0, "x"), "1 value where 2 were expected"),
    "a right value too few": ((1.0,), (1.0, "x"), "1 value where 2 were expected: value 2 is missing"),
    "the first value too few": (("x",), (1.0, "x"), "1 value where 2 were expected: value 1 is missing"),
    "too many values": ((1.0, "x"), ("x",), "2 values where 1 was expected"),
    "one of several": ((np.zeros(2), 1.0), (np.zeros(2), 2.0), "value 2: 1 where 2 was expected"),
    "another key": ({"a": 1}, {"b": 1}, "the keys ['a'] where ['b'] were expected"),
    "a value under a key": ({"a": 1}, {"a": 2}, "`a`: 1 where 2 was expected"),
    "another text": ("noise", "clean", "'noise' where 'clean' was expected"),
}  # fmt: skip


@pytest.mark.parametrize(("got", "expected", "words"), DIFFERENT.values(), ids=DIFFERENT.keys())
def test_every_difference_is_said_in_words(got, expected, words):
    assert difference(got, expected, 1e-6, 0) == words


def test_nan_equals_nan_only_when_misconceptions_are_compared():
    assert difference(np.nan, np.nan, 1e-6, 0) != ""
    assert difference(np.nan, np.nan, 1e-6, 0, nan_equal=True) == ""


class Answer:
    """A module-like answer with one function."""

    @staticmethod
    def double(x):
        return 2 * x

    @staticmethod
    def sample(model, x):
        return model(x, 2) + model(x, 1)


ANSWERS = Answers(Answer)


def transcript_of(function, **executed):
    one = check(points=1, of="double")(function).check
    return run(one, executed_by(lambda name: executed.get(name) or getattr(Answer, name)), ANSWERS, seed=1)


def doubles(student, reference, rng):
    """Doubles"""
    x = rng.uniform(-1, 1, 3)
    close(student.double(x), reference.double(x))


def test_a_right_answer_passes():
    assert transcript_of(doubles).passed


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 80 bytes")])
def test_memory_that_runs_out_while_a_function_of_ours_plays_is_no_evidence(error):
    def full(x):
        raise error

    with pytest.raises(MemoryError):
        transcript_of(doubles, double=full)


def test_a_failed_comparison_is_written_down_and_the_check_goes_on():
    def twice(student, reference):
        """Doubles"""
        close(student.double(1.0), 2.0)
        close(student.double(2.0), 4.0)

    transcript = transcript_of(twice, double=lambda x: 3 * x)
    assert [c.words for c in transcript.comparisons] == ["gave 3 where 2 was expected", "gave 6 where 4 was expected"]
    assert [c.call for c in transcript.comparisons] == [0, 1]


def test_an_exception_ends_the_check():
    transcript = transcript_of(doubles, double=lambda x: 1 / 0)
    assert transcript.ended.raised.kind == "ZeroDivisionError"
    assert not transcript.passed


def test_a_value_that_the_check_cannot_use_is_refused_and_never_our_fault():
    def uses(student, reference):
        """Uses"""
        close(student.double(1.0).mean(), 2.0)

    transcript = transcript_of(uses, double=lambda x: "text")
    assert transcript.ended == Outcome("refused", detail="what it returned cannot be used: 'str' object has no attribute 'mean'")


def test_a_check_that_fails_before_it_calls_anything_is_our_fault():
    def broken(student, reference):
        """Broken"""
        raise KeyError("a name")

    with pytest.raises(SandboxFault, match=re.escape("the check `broken` fails by itself: 'a name'")):
        transcript_of(broken)


SHAPES = {
    "an array": (np.zeros((2, 3)), (2, 3), ""),
    "nested lists": ([[1, 2], [3, 4]], (2, 2), ""),
    "a number": (0.5, (), ""),
    "another shape": (np.zeros((3, 2)), (2, 3), "gave shape (3, 2) where (2, 3) was expected"),
    "a column for a row": (np.zeros((5, 1)), (5,), "gave shape (5, 1) where (5,) was expected"),
    "text": ("0.5", (), "gave a text where a number was expected"),
    "an array for a number": (np.zeros(1), (), "gave an array of shape (1,) where a number was expected"),
    "ragged lists": ([[1.0], [1.0, 2.0]], (2, 2), "gave a sequence where an array of shape (2, 2) was expected"),
}


@pytest.mark.parametrize(("value", "shape", "words"), SHAPES.values(), ids=SHAPES.keys())
def test_a_shape_is_demanded_before_a_check_computes(value, shape, words):
    """Any other shape is a wrong value, and the check goes no further."""

    def measures(student, reference):
        """Measures"""
        expect(shaped(student.double(1.0), *shape).dtype == np.float64, "is no array")

    transcript = transcript_of(measures, double=lambda x: value)
    assert (transcript.passed, transcript.ended, [c.words for c in transcript.comparisons]) == (not words, None, [words])


ROWS = {
    "too many": (np.zeros((7, 2)), "shape (7, 2), where at most 6 rows of (2,) were expected"),
    "other rows": (np.zeros((3, 1)), "shape (3, 1), where at most 6 rows of (2,) were expected"),
    "a number": (1.0, "shape (), where at most 6 rows of (2,) were expected"),
}


@pytest.mark.parametrize(("value", "words"), ROWS.values(), ids=ROWS.keys())
def test_a_callback_takes_rows_of_one_shape_and_few_of_them(value, words):
    assert rows(np.zeros((3, 2)), 2, most=6) == 3
    with pytest.raises(ValueError) as caught:
        rows(value, 2, most=6)
    assert str(caught.value) == words


def test_a_check_that_compares_nothing_never_passes():
    def silent(student, reference):
        """Silent"""
        student.double(1.0)

    assert not transcript_of(silent).passed


def test_the_tolerance_follows_the_references_own_float32_error():
    answered = ANSWERS.answer("double", (np.full(3, 1e6 + 0.1),), {})
    assert answered.atol == pytest.approx(20 * abs(2 * (1e6 + 0.1) - float(np.float32(2) * np.float32(1e6 + 0.1))))
    assert ANSWERS.answer("double", (1.0,), {}).atol == 1e-6


def test_float32_arguments_allow_a_relative_error():
    assert ANSWERS.answer("double", (np.ones(2, np.float32),), {}).rtol == 1e-5


def test_callbacks_are_written_down_with_their_arguments():
    def watches(student, reference):
        """Watches"""

        def model(x, t):
            return x * t

        close(student.sample(model, 1.0), 3.0)
        expect([args[1] for args in asked("model")] == [2, 1], "asked for other steps")

    assert transcript_of(watches).passed
    wrong = transcript_of(watches, sample=lambda model, x: model(x, 3))
    assert wrong.comparisons[1].words == "asked for other steps"


def test_a_change_in_place_fails_by_name():
    def stays(student, reference):
        """Stays"""
        close(student.double(np.ones(2)), np.full(2, 2.0))
        untouched()

    one = check(points=1, of="double")(stays).check
    transcript = run(one, lambda *_: Outcome("returned", value=np.full(2, 2.0), changed=("x",)), ANSWERS, seed=1)
    assert transcript.first_failure.words == "changed its argument `x` in place: work on a copy"


def test_numbers_differ_between_secrets_exercises_and_checks_and_repeat():
    seeds = {seed_of(secret, exercise, name) for secret in (b"a", b"b") for exercise in ("e", "f") for name in ("x", "y")}
    assert len(seeds) == 8
    assert seed_of(b"a", "e", "x") in seeds


BAD = {
    "no title": ("@check(points=1, of='f')\ndef one(student, reference):\n    pass\n", "{path}:3: check `one` has no title\n  fix: give it a one-line docstring"),
    "no checks": ("x = 1\n", "{path}: no checks\n  fix: write a function with @check(points=..., of=...)"),
}  # fmt: skip


@pytest.mark.parametrize(("source", "message"), BAD.values(), ids=BAD.keys())
def test_a_check_file_that_cannot_be_is_refused_with_its_line(tmp_path, source, message):
    path = tmp_path / "checks.py"
    path.write_text("from autograder.api import check\n\n" + source if "check" in source else source)
    with pytest.raises(CourseError) as caught:
        load_checks(path)
    assert str(caught.value) == message.format(path=path)
