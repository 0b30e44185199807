"""The student's own formula, read off their numbers: what is said, in full, and when nothing is."""

from functools import cache

import numpy as np
import pytest

from autograder.course.loading import read_course
from autograder.grading.attempt import PUBLIC, load_materials
from autograder.grading.checks import seed_of
from autograder.grading.coefficients import Formula, Sum
from autograder.grading.readings import read
from tests.autograder.learner.conftest import RIGHT
from tests.courses import ROOT
from tests.in_process import judged_source

LESSON = read_course(ROOT).lessons[0]
EXERCISES = {exercise.id: exercise for exercise in LESSON.exercises}
FAIR = ROOT / "tests" / "fairness" / LESSON.id

pytestmark = pytest.mark.usefixtures("one_thread")


def changed(exercise, old, new, style="plain"):
    """Give a right file with one part replaced."""
    text = RIGHT if exercise == "forward" else (FAIR / exercise / f"{style}.py").read_text()
    assert old in text
    return exercise, text.replace(old, new)


JUMP = "a ** .5 * x0 + (1 - a) ** .5 * eps"
BACK = "(x_t - (1 - a) ** .5 * eps) / a ** .5"

# a mistake that no misconception describes: the exercise, the file, and what is said of the function
MISTAKES = {
    "a root left out and another quantity": (
        *changed("forward", JUMP, "a ** .5 * x0 + (1 - a) * a * eps"),
        "You multiplied ε by ᾱ_t·(1 − ᾱ_t) (0.234 at t = 100). The formula has √(1 − ᾱ_t) (0.791). The factor of x_0 is right.",
    ),
    "two mistakes": (
        *changed("forward", JUMP, "a * x0 - (1 - a) ** .5 * eps"),
        "You multiplied x_0 by ᾱ_t (0.374 at t = 100). The formula has √ᾱ_t (0.612): the root is missing. "
        "You multiplied ε by −√(1 − ᾱ_t) (−0.791 at t = 100). The formula has √(1 − ᾱ_t) (0.791): the sign is wrong.",
    ),
    "no known quantity": (
        *changed("forward", JUMP, "a ** .5 * x0 + (1 - a) ** .7 * eps"),
        "At t = 100, your result is 0.612·x_0 + 0.720·ε; 0.612·x_0 + 0.791·ε was expected: look at the factor of ε.",
    ),
    "left out": (
        *changed("forward", JUMP, "a ** .5 * x0"),
        "You left out ε. The formula multiplies it by √(1 − ᾱ_t) (0.791). The factor of x_0 is right.",
    ),
    "not multiplied": (
        *changed("forward", JUMP, "x0 + (1 - a) ** .5 * eps"),
        "You did not multiply x_0 by anything. The formula multiplies it by √ᾱ_t (0.612). The factor of ε is right.",
    ),
    "a root too many": (
        *changed("forward", JUMP, "a ** .25 * x0 + (1 - a) ** .5 * eps"),
        "You multiplied x_0 by √(√ᾱ_t) (0.782 at t = 100). The formula has √ᾱ_t (0.612): there is a root too many. The factor of ε is right.",
    ),
    "upside down": (
        *changed("forward", JUMP, "a ** .5 * x0 + eps / (1 - a) ** .5"),
        "You multiplied ε by 1/√(1 − ᾱ_t) (1.26 at t = 100). The formula has √(1 − ᾱ_t) (0.791): yours is upside down. The factor of x_0 is right.",
    ),
    "the same multiple": (
        *changed("forward", JUMP, "a ** .5 * x0 + 1.1 * (1 - a) ** .5 * eps"),
        "You multiplied ε by 1.1·√(1 − ᾱ_t) (0.87 at t = 100). The formula has √(1 − ᾱ_t) (0.791). The factor of x_0 is right.",
    ),
    "a constant": (*changed("forward", JUMP, f"{JUMP} - 0.5"), "You added −0.5 to every value. All else is right."),
    "clamped": (
        *changed("forward", JUMP, f"np.clip({JUMP}, -1, 1)"),
        "You clamped the result to [−1, 1], which changed 86 of 360 values at t = 100. All else is right.",
    ),
    "something else": (*changed("forward", JUMP, f"{JUMP} ** 2"), "No factors of x_0 and ε give your result: you did something else to one of them, or added something else."),
    "the minus of a quantity that may be 0": (
        *changed("guidance", "eps_uncond + w * (eps_cond - eps_uncond)", "-w * eps_uncond + eps_cond"),
        "You multiplied ε_uncond by −w (0 at w = 0). The formula has 1 − w (1). You did not multiply ε_cond by anything. The formula multiplies it by w.",
    ),
    "one noise for the batch": (
        *changed("forward", JUMP, "a ** .5 * x0 + (1 - a) ** .5 * eps[:1]"),
        "You took ε of the first sample for the whole batch. Each sample has its own. All else is right.",
    ),
    "one image for the batch": (
        *changed("forward", JUMP, "a ** .5 * x0[0] + (1 - a) ** .5 * eps"),
        "You took x_0 of the first sample for the whole batch. Each sample has its own. All else is right.",
    ),
    "one noise for the batch, in each step": (
        *changed("ddim", "eta, draw_noise(t))", "eta, draw_noise(t)[:1])"),
        "You took z of the first sample for the whole batch. Each sample has its own. All else is right.",
    ),
    "half precision": (
        *changed("forward", JUMP, f"({JUMP}).astype(np.float16)"),
        "Your result is right to within 0.000647, and no nearer: look for rounding, half precision, or a small number that is added.",
    ),
    "rounded": (
        *changed("forward", JUMP, f"np.round({JUMP}, 2)"),
        "Your result is right to within 0.005, and no nearer: look for rounding, half precision, or a small number that is added.",
    ),
    "along the width": (
        *changed("distill", ".reshape(-1, *[1] * (x.dim() - 1))", ""),
        "Your factors change along axis 3, counted from 0. They belong to the samples, which axis 0 counts: give them the shape (B, 1, 1, ...).",
    ),
    "not a number": (
        *changed("forward", BACK, BACK.replace("1 - a", "a - 1")),
        "360 of 360 values at t = 1 are infinite or NaN: something is divided by 0, or the root of a negative number is taken.",
    ),
    "one result of two": (
        *changed("ddpm", "(1 - bars[t]) * betas[t]\n\n", "(1 - bars[t]) * betas[t] ** 2\n\n"),
        "Your variance is β_t·β̃_t (0.0012 at t = 12). The formula has β̃_t (0.0337).",
    ),
    "the other result of two": (
        *changed("ddpm", "return on_x0 * x0 + on_x_t * x_t", "return 1.5 * on_x0 * x0 + on_x_t * x_t"),
        "At t = 12, your mean is 1.066·x_t − 0.088·ε̂; 1.018·x_t − 0.059·ε̂ was expected: look at the factors of x_t and ε̂.",
    ),
    "in each step": (
        *changed("ddim", "eta, draw_noise(t))", "eta, 2 * draw_noise(t))"),
        "In each step: you multiplied z by 2·σ (0.643 at t = 52). The formula has σ (0.321). The factors of x_t and ε̂ are right.",
    ),
    "in one step": (
        *changed("ddpm", "x = ddpm_step(x, t,", "x = (1 + (t == 3)) * ddpm_step(x, t,"),
        "At t = 3, your result is 2.047·x_t − 0.324·ε̂ + 0.291·z; 1.023·x_t − 0.162·ε̂ + 0.146·z was expected: "
        "look at the factors of x_t, ε̂ and z.",
    ),
    "in the first image": (
        *changed("ddim", "x = x_T", "x = x_T / 2"),
        "In the input of `eps_model`: you multiplied x_T by 0.5. The formula leaves it as it is.",
    ),
    "two answers in a step": (
        *changed("guidance", "guided_eps(eps_model(x, t, nothing), ", "guided_eps(2 * eps_model(x, t, nothing), "),
        "In each step: you multiplied ε_uncond by 2·(the step's factor of ε̂)·(1 − w) (0.453 at t = 48). "
        "The formula has (the step's factor of ε̂)·(1 − w) (0.227). The factors of x_t and ε_cond are right.",
    ),
    "two answers in one": (
        *changed("guidance", "x - noise[t] * eps", "x - noise[t] * eps / 2", "one_batch"),
        "At t = 48, your result is 1.128·x_t − 0.505·ε_uncond + 0.842·ε_cond; 1.128·x_t + 0.227·ε_uncond − 0.378·ε_cond was expected: "
        "look at the factors of ε_uncond and ε_cond.",
    ),
    "another t given to the model": (
        *changed("ddim", "eps_model(x, t)", "eps_model(x, max(t_prev, 1))"),
        "In a step: you took ε̂ at t = 47. The formula takes it at t = 55.",
    ),
    "given to the model": (
        *changed("loss", "bar.sqrt() * x0 + (1 - bar).sqrt()", "(1 - bar).sqrt() * x0 + bar.sqrt()"),
        "In the input of `eps_model`: you swapped the factors of x_0 and ε: √ᾱ_t belongs to x_0, √(1 − ᾱ_t) to ε.",
    ),
}


@cache
def materials(name):
    return load_materials(EXERCISES[name])


def ideas(exercise, source, secret=PUBLIC):
    """Give what is told of each function that is wrong."""
    checks = judged_source(materials(exercise), source, secret).checks
    return {check.diagnosis.of: check.diagnosis for check in checks if check.diagnosis}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_what_the_numbers_show_is_said(mistake):
    exercise, source, sentence = MISTAKES[mistake]
    told = next(iter(ideas(exercise, source).values()))
    assert (told.kind, told.sentence) == ("coefficients", sentence)


@pytest.mark.parametrize(("jump", "says"), [
    ("((a.astype(np.float16) ** .5).astype(float)) * x0 + ((1 - a.astype(np.float16)) ** .5).astype(float) * eps", "·x_0 + "),
    ("a ** .5 * (x0 + 0.1) + (1 - a) ** .5 * eps", "No factors of x_0 and ε"),
])  # fmt: skip
def test_what_is_hardly_wrong_or_differs_between_calls_is_no_trouble(jump, says):
    """Factors that differ in the fourth decimal are shown with more; what is added is a constant only if it is the same in each call."""
    exercise, source = changed("forward", JUMP, jump)
    made = judged_source(materials(exercise), source, PUBLIC)
    assert made.notes.fault == ""
    assert any(says in check.message for check in made.checks if check.outcome == "failed")


def test_the_square_of_what_has_no_root_is_told_as_a_square():
    found = ideas(*changed("guidance", "eps_uncond + w * (eps_cond - eps_uncond)", "(1 - w) * eps_uncond + w ** 2 * eps_cond"))
    assert "You multiplied ε_cond by w·w" in found["guided_eps"].sentence
    assert "The formula has w: yours is its square." in found["guided_eps"].sentence


def test_no_formula_is_read_where_all_values_are_right():
    """A sampler that asks its network once too often misses what the check demands beside, and nothing in its formula is wrong."""
    exercise, source = changed("ddpm", "    x = x_T\n", "    x = x_T\n    eps_model(x, 3)\n    eps_model(x, 3)\n")
    failed = [check for check in judged_source(materials(exercise), source).checks if check.outcome == "failed"]
    assert [(check.id, check.diagnosis) for check in failed] == [("the_model_is_asked_for_every_t", None)]


def test_one_value_for_all_is_no_range_that_the_result_was_clamped_to():
    told = ideas(*changed("forward", f"return {JUMP}", "return np.full(np.shape(x0), 0.37)"))
    assert "clamped" not in told["noise_to"].sentence


def test_with_secret_numbers_the_same_is_said_and_none_of_them_is_told():
    exercise, source, sentence = MISTAKES["two mistakes"]
    checks = judged_source(materials(exercise), source, b"a secret").checks
    assert next(check.message for check in checks if check.diagnosis).endswith(sentence)
    assert ideas(exercise, source, b"a secret") == ideas(exercise, source)


def test_a_factor_that_two_expressions_equal_has_no_name():
    """Where the tables that a check draws cannot distinguish them, no name is better than a wrong one."""
    one = Sum(np.array([1.0, 2.0, 4.0]) * 0.2, {"x": np.array([1.0, 2.0, 4.0])}, ["x"], {})
    near = {"a": [0.2], "b": [0.2 + 1e-9], "c": [0.4]}
    told = read([(one, Formula({"x": [0.4]}, near), 1e-6)], {"x": "x"})
    assert told.wrong[0].own == ("", pytest.approx(0.2))
    assert told.wrong[0].right == ("c", 0.4)


def test_what_is_neither_right_nor_clearly_wrong_is_not_read():
    one = Sum(np.array([1.0, 2.0, 4.0]) * 0.50005, {"x": np.array([1.0, 2.0, 4.0])}, ["x"], {})
    assert read([(one, Formula({"x": [0.5]}, {}), 1e-4)], {"x": "x"}) is None
    assert read([(one, Formula({"x": [0.5]}, {}), 1e-6)], {"x": "x"}) is not None


@pytest.mark.parametrize("name", [name for name in EXERCISES if name != "train"])
def test_nothing_is_read_off_right_answers(name):
    """In any style, with the published numbers and with fresh ones: their calls show no wrong factor, and no value that is unexplained."""
    for path in sorted((FAIR / name).glob("*.py")):
        for secret in (PUBLIC, b"a secret"):
            made = judged_source(materials(name), path.read_text(), secret)
            seeds = {check.id: seed_of(secret, name, check.id) for check in materials(name).checks}
            functions = {check.of for check in materials(name).checks}
            read_off = [materials(name).diagnosis.read(of, made.transcripts, seeds) for of in functions]
            assert [reading for readings in read_off for reading in readings] == []
