"""The error model: what it changes in an answer, what it says of it, and when it says nothing."""

import ast

import numpy as np
import pytest

from autograder.course.model import Check
from autograder.grading import reruns
from autograder.grading.checks import close
from autograder.grading.coefficients import Quantities
from autograder.grading.feedback import rewrite_words
from autograder.grading.letters import places, put, text
from autograder.grading.reference import Answers, load_module
from autograder.grading.rewrites import matches, rewrites, rules
from autograder.grading.sketch import Table, sketch
from tests.autograder.grading.test_readings import EXERCISES, changed, ideas, materials

pytestmark = pytest.mark.usefixtures("one_thread")

BASE = """
def area(width, height, scale=2.0):
    part = scale * width ** 0.5
    for i in range(height, 0, -1):
        grow(part)
    return part - height


def grow(value):
    return value
"""
LETTERS = {"width": "w", "height": "h", "scale": "s", "part": "p", "grow()": "growing"}
MODEL = Quantities(letters=LETTERS, kinds={"number": ("width", "height", "scale")})


@pytest.fixture
def told(tmp_path):
    """Give what is told of a source, each with its rank."""

    def told(source, model=MODEL, of="area"):
        path = tmp_path / "answer.py"
        path.write_text(source)
        return {(one.where, one.words): one for one in rewrites(path, of, model)}

    return told


def test_each_rule_is_applied_wherever_it_fits(told):
    made = told(BASE)
    expected = {
        ("p", "the root were missing from w"),
        ("p", "the factor s were missing from s·√w"),
        ("p", "h stood in place of w"),
        ("", "h were added, not subtracted"),
        ("", "the loop started one step too late"),
        ("", "growing were missing"),
        ("", "growing were done twice"),
        ("", "s were ignored, and always 2"),
        ("", "the result had the wrong sign"),
        ("", "w and h had changed places"),
    }
    assert expected <= set(made)


def test_a_rewrite_gives_what_it_says(told):
    made = told("def area(width, height):\n    return width ** 0.5 - height\n")
    assert made["", "the root were missing from w"].function(9, 1) == 8
    assert made["", "h were added, not subtracted"].function(9, 1) == 4
    assert made["", "h stood in place of w"].function(9, 4) == -2
    assert made["", "w and h had changed places"].function(9, 4) == -7
    assert made["", "the logarithm of the result were returned"].function(9, 2) == 0


def test_a_bracket_in_the_wrong_place_is_told(told):
    made = told("def area(width, height, scale):\n    return (width - height) / scale + height\n")
    assert made["", "h were not divided by s"].function(9, 3, 3) == 3
    assert made["", "w were not divided by s"].function(9, 3, 3) == 11
    assert made["", "h were divided by s, too"].function(9, 3, 3) == 3


def test_two_mistakes_at_once_are_told_in_two_sentences_and_one_made_twice_in_one(tmp_path):
    path = tmp_path / "answer.py"
    path.write_text("def area(width, height):\n    return width ** 0.5 - height ** 0.5\n")
    made = {rewrite_words([one.said]): one for one in rewrites(path, "area", MODEL, several=50) if one.several}
    assert made["It is as if the root were missing from w and h."].function(9, 4) == 5
    assert made["It is as if the root were missing from w. It is also as if half of h were taken, where the root belongs "
                "(** 1/2 is the power 1, divided by 2)."].function(9, 4) == 7  # fmt: skip


def test_of_two_mistakes_at_once_so_many_are_made_as_are_asked_for_and_fewer_of_a_sampler(tmp_path):
    path = tmp_path / "answer.py"
    plain = "def area(width, height):\n    return width ** 0.5 - height ** 0.5 + width * height\n"
    walks = plain.replace("    return", "    for i in height:\n        width(i)\n    return")
    made = []
    for source in (plain, walks):
        path.write_text(source)
        made.append(sum(one.several for one in rewrites(path, "area", MODEL, several=10)))
    assert made == [10, 2]


def test_two_changes_of_one_place_are_not_made_at_once(tmp_path):
    path = tmp_path / "answer.py"
    path.write_text("def area(width, height):\n    return (width ** 0.5) ** 0.5\n")
    assert [one for one in rewrites(path, "area", MODEL, several=50) if one.several] == []


def test_a_rewrite_that_never_ends_is_stopped_and_gives_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(reruns, "REWRITE_SECONDS", 0.01)
    path = tmp_path / "answer.py"
    path.write_text("def area(width, height):\n    while height > 0:\n        height = height - width\n    return height\n")
    check = Check("c", "c", 1, "area", (), lambda student, reference: close(student.area(2, 5), reference.area(2, 5)))
    made = reruns.Reruns((check,), Answers(load_module(path)), MODEL, path)
    words = [one.words for one in made.candidates("area")]
    assert made.rewritten(check, 0, words.index("w were added, not subtracted")) == []
    assert made.rewritten(check, 0, words.index("the result had the wrong sign"))[0].value == sketch(1)


def test_a_function_that_the_answer_uses_is_changed_too(told):
    source = "def area(width, height):\n    return side(width) * height\n\n\ndef side(width):\n    return width ** 0.5\n"
    made = told(source)["", "the root were missing from w"]
    assert made.function(9, 2) == 18


def test_a_factor_on_the_wrong_side_of_a_call_is_told(tmp_path):
    """It is one of what goes in, or of the result: there as a factor, and as a divisor."""
    model = Quantities(letters={"width": "w", "height": "h", "side()": "the side"})
    path = tmp_path / "answer.py"
    path.write_text("def area(width, height):\n    return side(width * height) + side(width) / height\n\n\ndef side(width):\n    return width ** 2 + 1\n")
    made = {one.words: one.function(2, 4) for one in rewrites(path, "area", model) if "goes in" in one.words}
    assert made == {
        "the result of the side were multiplied by h, where what goes in must be multiplied by it": 5 * 4 + 5 / 4,
        "the result of the side were divided by h, where what goes in must be multiplied by it": 5 / 4 + 5 / 4,
        "what goes into the side were multiplied by h, where the result must be divided by it": 65 + 65,
        "what goes into the side were divided by h, where the result must be divided by it": 65 + 1.25,
    }


def test_many_are_compared_at_once_as_each_alone():
    rng = np.random.default_rng(0)
    values = [*rng.normal(size=(40, 5)), rng.normal(size=3), np.array([np.nan, 0, 0, 0, 0])]
    own, known = sketch(values[7] + 1e-4), [sketch(one) for one in values]
    near = [i for i, one in enumerate(known) if not own.differs(one, 1e-3, 0)]
    assert near == [7]
    assert Table(enumerate(known)).near(own, 1e-3, 0) == [*near, 41]  # what is not finite contradicts no guard


def test_what_has_no_letters_is_not_told(told):
    """A sentence never holds the answer's code."""
    assert told("def area(a, b):\n    return (a - b) ** 0.5\n", Quantities(letters={"a": "A"})).keys() == {
        ("", words)
        for words in (
            "the result had the wrong sign",
            "1 over the result were returned",
            "the square of the result were returned",
            "the root of the result were returned",
            "twice the result were returned",
            "half the result were returned",
            "the mean of the result were taken off",
            "the logarithm of the result were returned",
            "ten times the logarithm (to base 10) of the result were returned",
            "the result were clamped to [−1, 1]",
        )
    }


def test_places_are_put_back():
    tree = ast.parse("a = b + c")
    before = ast.dump(tree)
    for place in places(tree):
        with put(place, ast.Constant(1) if isinstance(place.node, ast.expr) else ast.Pass()):
            assert ast.dump(tree) != before
    assert ast.dump(tree) == before


FORMULAS = {
    "a ** 0.5 * (b - c)": "√a·(b − c)",
    "(a - b) / (c / d)": "(a − b)/(c/d)",
    "a - (b - c)": "a − (b − c)",
    "-a ** 2": "−a²",
    "table[a - 1]": "T_{a−1}",
    "table.double()[a]": "T_a",
    "rest(table)[a - 1]": "1 − T_{a−1}",
    "f(a, b + c)": "f of (b + c)",
    "a < b": "a < b",
    "unknown(a)": "",
    "a + unknown": "",
}


@pytest.mark.parametrize("source", FORMULAS)
def test_a_formula_is_written_in_letters(source):
    letters = {**{name: name for name in "abcd"}, "table[]": "T_{}", "f()": "f of {1}", "rest()": "1 − {0}"}
    assert text(ast.parse(source).body[0].value, letters) == FORMULAS[source]


def test_every_rule_fits_what_it_describes():
    """Its left side is an instance of itself, and gives something else."""
    kinds = {kind: (kind, "another") for kind in ("image", "step", "number", "loss", "angle")}
    model = Quantities(kinds=kinds, tables={"table": (np.cumsum,), "cumprod()": (np.cumsum,)})
    for rule in rules()[0]:
        made = list(matches(rule, rule.old if "name" not in ast.dump(rule.old) else ast.Name("step", ast.Load()), ["number"], ["another"], model))
        assert made, ast.unparse(rule.old)
        assert all(ast.dump(one["to"]) != ast.dump(one["from"]) for one in made)


# a mistake that numbers alone do not name: the exercise, the file, and what is said of the first function that is wrong
MISTAKES = {
    "a root in a sum of two": (
        *changed("ddpm", "(1 - betas[t]).sqrt()", "(1 - betas[t])"),
        "In the mean, it is as if the root were missing from 1 − β_t.",
    ),
    "an argument": (*changed("loss", "eps_model(x_t, t)", "eps_model(x_t, 0)"), "In the call of the model, it is as if 0 stood in place of t."),
    "a sign": (*changed("loss", "loss.backward()", "(-loss).backward()"), "It is as if the loss had the wrong sign."),
    "an axis": (
        *changed("attention", "torch.softmax(scores, dim=3)", "torch.softmax(scores, dim=1)", "einsum"),
        "In what was read, it is as if the softmax ran along axis −3, not along axis −1.",
    ),
    "a table": (
        *changed("ddim", "a, b = alpha_bars[t], alpha_bars[t_prev]", "one = alpha_bars / alpha_bars.roll(1)\n    a, b = one[t], one[t_prev]"),
        "It is as if α stood in place of ᾱ.",
    ),
    "a loop": (*changed("guidance", "range(steps, 0, -1)", "range(steps, 1, -1)"), "It is as if the loop ended one step too early."),
    "one that is guarded where it divides by 0": (
        *changed("ddim", "((1 - b) / (1 - a) * (1 - a / b)).sqrt()", "((1 - a) / (1 - b) * (1 - a / b)).sqrt() if t_prev else 0"),
        "In σ, it is as if (1 − ᾱ_prev)/(1 − ᾱ_t) were upside down.",
    ),
    "two roots": (
        *changed("ddim", "(x_t - (1 - a).sqrt() * eps_hat) / a.sqrt()", "(x_t - (1 - a) * eps_hat) / a"),
        "In x̂_0, it is as if the root were missing from 1 − ᾱ_t and ᾱ_t.",
    ),
    "a comparison": (*changed("guidance", "u < p", "u <= p"), "It is as if u ≤ p stood in place of u < p."),
    "two ways to say it": (
        *changed("ddim", "return b.sqrt() * x0", "return a.sqrt() * x0"),
        "In x̂_0, it is as if ᾱ_prev stood in place of ᾱ_t. Or: It is as if ᾱ_t stood in place of ᾱ_prev.",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_what_an_answer_is_as_if_is_said(mistake):
    exercise, source, sentence = MISTAKES[mistake]
    told = next(iter(ideas(exercise, source).values()))
    assert (told.kind, told.sentence) == ("rewrite", sentence)


RANDOM = {
    "noise_to": changed("forward", "(1 - a) ** .5 * eps\ndef predict", "(1 - a) ** .5 * np.random.randn(*np.shape(x0))\ndef predict"),
    "training_step": changed("loss", "noise_mse(model, x0, t, eps, alpha_bars)", "noise_mse(model, x0, t, torch.randn_like(eps), alpha_bars)"),
}
OWN = "Called again with the same arguments, your function gives another result: it draws random numbers of its own. Use those that it is given."


@pytest.mark.parametrize("of", RANDOM)
def test_noise_of_ones_own_is_said_since_no_two_calls_agree(of):
    told = ideas(*RANDOM[of])[of]
    assert told.kind == "coefficients"
    assert told.sentence.endswith(OWN)


def test_what_fits_nothing_is_not_named():
    exercise, source = changed("timestep", "torch.cat((torch.cos(angles), torch.sin(angles)), dim=-1)", "torch.cat((torch.cos(angles), torch.tan(angles)), dim=-1)", "shift")
    assert ideas(exercise, source) == {}


def test_one_huge_entry_does_not_hide_what_the_others_are():
    one, other = (sketch(np.array([first, 0.5, 0.25, 1e32])) for first in (0.1, 0.2))
    assert one.differs(other, 1e-4, 1e-5)
    assert not one.differs(sketch(np.array([0.1, 0.5, 0.25, 1e32 * (1 + 1e-7)])), 1e-4, 1e-5)


def test_where_no_number_is_finite_there_is_no_evidence():
    """Any two mistakes that give NaN everywhere look alike."""
    assert not sketch(np.full(3, np.nan)).any_finite
    assert sketch(np.array([np.nan, 0.0])).any_finite
    assert sketch(np.zeros(3)).any_finite
    assert sketch("a text").any_finite


def test_a_network_of_ones_own_is_not_compared_with_ours():
    """Nor how it was trained: the lesson describes no misconception of it, since its numbers identify none."""
    assert materials("train").misconceptions == ()
    assert not materials("train").diagnosis.describes("train")
    exercise = EXERCISES["train"]
    assert ideas("train", exercise.starter.read_text()) == {}
