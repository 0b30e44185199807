"""Whatever comes back in the place of an answer, each check of the course ends, and never with an exception of ours."""

import random
import warnings
from contextlib import contextmanager
from datetime import datetime
from inspect import isfunction
from itertools import cycle

import numpy as np
import pytest

from autograder.course.loading import read_course
from autograder.grading.attempt import load_materials
from autograder.grading.bounds import bounded
from autograder.grading.checks import run
from autograder.sandbox.guest.frameworks import is_out_of_memory
from autograder.sandbox.guests import Handle, Outcome
from tests.courses import ROOT

EXERCISES = read_course(ROOT).lessons[0].exercises
THING = Handle(1, "thing")
STRANGE = (
    None, True, 2**64 - 1, float("nan"), "x" * 60_000, b"bytes", datetime(2026, 1, 1), THING, [], [THING], [[[[1]]], "a", None],
    {}, {"a": THING}, {None: [1], 2.5: {}}, np.zeros(()), np.zeros((0, 3)), np.zeros((1,) * 8), np.full((4, 1, 8, 8), np.nan, np.float16),
    np.zeros(3, bool), np.full(10_000, -(2**63)), [np.zeros(3), np.zeros(2)], [np.zeros((5, 2, 3, 4), np.float32)] * 2,
)  # fmt: skip


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.id)
def test_no_value_that_can_cross_makes_a_check_raise(exercise, one_thread):
    """A strange value stands in every call's place, and then in some of them, the rest being right."""
    materials = load_materials(exercise)

    def player_of(value, share, seed=0):
        chance = random.Random(seed)

        def play(name, args, kwargs, questions):
            if chance.random() < share:
                return Outcome("returned", value=value)
            try:
                return Outcome("returned", value=materials.answers.answer(name, args, kwargs).value)
            except Exception:  # what is no function of the answer's own: an object's method, one of the props
                return Outcome("returned", value=value)

        return play

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for value in STRANGE:
            for check in materials.checks:
                run(check, player_of(value, 1), materials.answers, 1)
                for seed in range(3):
                    run(check, player_of(value, 0.4, seed), materials.answers, 1)


N = 2 << 20
HUGE = (  # what two of them make together does not fit in any memory
    [np.zeros((N, 1), np.uint8), np.zeros((1, N), np.uint8)],
    [np.zeros((N // 128, 1, 1, 128), np.uint8), np.zeros((1, N), np.uint8)],
    [[np.zeros((N // 2, 1), np.uint8), np.zeros((1, N // 2), np.uint8)]],
    [np.zeros((2, N // 2), np.uint8)],
    [np.zeros((N // 2, 2), np.uint8)],
    [{"a.weight": np.zeros(3_000_000, np.float16)}],
    [{"a.weight": np.zeros((N,), np.int8), "b": np.zeros((1, 0), np.float32)}],
    [0.5, np.zeros((N, 1), np.uint8), np.zeros((1, N), np.uint8)],
    [THING, np.zeros((N, 1), np.uint8), np.zeros((1, N), np.uint8)],
    [THING, {"a": np.zeros(3_000_000, np.float16)}],
)
ASKED = (  # what is asked of a callback: it has a shape, or the question is refused
    [np.zeros((N // 24, 2, 3, 4), np.uint8), np.zeros((N // 24, 1), np.uint8), np.zeros((N // 24, 6), np.uint8)],
    [np.zeros((N // 24, 2, 3, 4), np.uint8), np.zeros((1, N // 24), np.uint8), np.zeros((N // 24, 6), np.uint8)],
    [np.zeros((5, 2, 3, 4), np.float32), np.zeros((N, 1), np.uint8), np.zeros((5, 6), np.uint8)],
    [np.zeros((5, 2, 3, 4), np.float32), np.zeros((1, N), np.uint8), np.zeros((1, 6), np.uint8)],
    [np.zeros((N, 1, 1, 1), np.uint8), np.zeros((N, 1), np.uint8), np.zeros((N, 1), np.uint8)],
    [np.zeros((N // 2, 2), np.uint8), np.zeros((N // 2, 1), np.uint8)],
    [np.zeros((4, 2, 3, 5), np.float32), np.zeros((N, 1, 1, 1, 1, 1, 1, 1), np.uint8)],
    [[np.zeros(N, np.uint8)], [[np.zeros(N, np.uint8)]]],
    [np.zeros((N,), np.uint8)],
    [10**18],
)


@contextmanager
def refused():
    """Let a callback raise anything but that memory ran out."""
    try:
        yield
    except Exception as error:
        if is_out_of_memory(error):
            raise


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.id)
def test_no_value_makes_a_check_need_much_memory(exercise, one_thread):
    """Shapes are demanded before values are used, so two MiB never take a hundred to look at."""
    materials = load_materials(exercise)

    def player_of(values):
        turn = cycle(values)

        def play(name, args, kwargs, questions):
            for callback in filter(isfunction, (*args, *kwargs.values())):
                for given in ASKED:
                    with refused():
                        callback(*given)
            return Outcome("returned", value=next(turn))

        return play

    for values in HUGE:
        for check in materials.checks:
            with bounded(100 << 20, 20):
                run(check, player_of(values), materials.answers, 1)
