"""Fresh numbers are clean and repeatable, and distinguish misconceptions; every answer, however strange, gets its mark."""

import math
from decimal import Decimal
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from autograder.course.answers import Names, read_answers
from autograder.course.errors import CourseError
from autograder.course.kinds import Mark, Remark
from autograder.course.model import Choice, Key, Misconception, Question, Range, Wrong
from autograder.course.text import plain
from autograder.grading.feedback import mark_message
from autograder.grading.marking import mark
from autograder.grading.questions import Functions, detectable, namespace_of, question_text, values, variant, working


def step(x, beta, eps):
    """The right answer."""
    return math.sqrt(1 - beta) * x + math.sqrt(beta) * eps


MISCONCEPTIONS = [
    Misconception("scaled_by_beta", "step", "You scaled the noise by β.", "by-hand", "noise", lambda x, b, e: math.sqrt(1 - b) * x + b * e),
    Misconception("signal_untouched", "step", "The image must shrink.", "by-hand", "signal", lambda x, b, e: x + math.sqrt(b) * e),
    Misconception("no_root", "step", "Take the root.", "by-hand", "signal", lambda x, b, e: (1 - b) * x + math.sqrt(b) * e),
    Misconception("never_told", "step", "Not in `detects`.", "by-hand", "signal", lambda x, b, e: 0.25),
]
FUNCTIONS = Functions(lambda name: {"forward.step": step}[name], lambda name: [misconception for misconception in MISCONCEPTIONS if name == f"forward.{misconception.of}"])

FRESH = Question(
    id="fresh-step",
    kind="number",
    text="x = [[x]], β = [[beta]], ε = [[eps]]. And [[nothing]]?",
    line=3,
    section="one-step",
    card="formula",
    points=4,
    numbers={"x": Range(0.5, -0.9, 0.9, 0.1), "beta": Range(0.04, 0.02, 0.2, 0.02, "β"), "eps": Range(1.5, -2.0, 2.0, 0.1, "ε")},
    computes="forward.step",
    arguments=("x", "beta", "eps"),
    tolerance=0.002,
    detects=("scaled_by_beta", "signal_untouched", "no_root"),
)
CHOICES = (Choice("vae", "VAE"), Choice("gan", "GAN"), Choice("diffusion", "Diffusion"))
CHOICE = Question("which", "choice", "Which?", 1, section="s", card="c", points=2, choices=CHOICES)
SEVERAL = Question("some", "choice", "Which?", 1, choices=CHOICES, several=True)
ORDER = Question("loop", "order", "Order.", 1, choices=(Choice("b", "B"), Choice("a", "A"), Choice("c", "C")))
MATCH = Question("pairs", "match", "Match.", 1, choices=CHOICES[:2], options=(Choice("one", "1"), Choice("two", "2")))
PARTS = Question("both", "parts", "Take [[x]].", 1, section="s", points=6, numbers=FRESH.numbers, parts=(
    Question("a", "number", "One step?", 1, computes="forward.step", arguments=("x", "beta", "eps"), tolerance=0.002, detects=FRESH.detects),
    Question("b", "choice", "Which?", 1, points=2, choices=CHOICES),
))  # fmt: skip
CHOICE_KEY = Key("gan", {"vae": Wrong("Blurred.", "more_guidance_is_better", "trilemma")})
SEVERAL_KEY = Key(("vae", "gan"), {"diffusion": Wrong("Slow."), "gan": Wrong("GANs too.")})
ORDER_KEY = Key(("a", "b", "c"), {"c>a": Wrong("First a.", "taken_away")})
MATCH_KEY = Key({"vae": "one", "gan": "two"}, {"gan": Wrong("unused"), "gan=one": Wrong("Not one.", None, "card")})
PARTS_KEY = Key(parts={"b": CHOICE_KEY})


def marked(line, question=FRESH, key=None):
    """Mark what a student writes after `question: `."""
    return mark(question, key or Key(), read_answers(f"q: {line}".encode(), Names()).given["q"], FUNCTIONS)


# ---- numbers


def test_without_a_seed_the_numbers_are_the_published_ones():
    assert variant(FRESH, None, FUNCTIONS) == {"x": 0.5, "beta": 0.04, "eps": 1.5}


def test_a_seed_gives_the_same_fresh_numbers_wherever_they_are_drawn():
    """Written down once: a student's seed must mean the same for ever."""
    assert variant(FRESH, 7, FUNCTIONS) == variant(FRESH, 7, FUNCTIONS) == {"x": -0.9, "beta": 0.04, "eps": 1.5}
    assert variant(FRESH, 8, FUNCTIONS) != variant(FRESH, 7, FUNCTIONS)


def test_fresh_numbers_are_clean_lie_on_the_grid_and_tell_every_misconception():
    """No 0.30000000000000004, none outside its range, none that hides a misconception; the published ones are never drawn."""
    published = variant(FRESH, None, FUNCTIONS)
    for seed in range(200):
        numbers = variant(FRESH, seed, FUNCTIONS)
        assert numbers != published
        assert all(len(plain(number)) <= 5 and FRESH.numbers[name].low <= number <= FRESH.numbers[name].high for name, number in numbers.items())
        right, misconceptions = values(FRESH, numbers, FUNCTIONS)
        known = sorted([right, *(value for _, value in misconceptions)])
        assert min(b - a for a, b in pairwise(known)) > 2.5 * 0.002


def test_a_whole_grid_gives_whole_numbers_and_both_ends():
    """Fit to be an index, and the last value of the grid can be drawn."""
    question = Question("t", "choice", "t = [[t]]", 1, numbers={"t": Range(500, 1, 4, 1)}, choices=CHOICES)
    drawn = [variant(question, seed, FUNCTIONS)["t"] for seed in range(50)]
    assert set(drawn) == {1, 2, 3, 4}
    assert {type(t) for t in drawn} == {int}


def test_numbers_that_can_never_distinguish_are_the_authors_fault():
    """After a thousand draws the question says so."""
    question = Question(**{**{name: getattr(FRESH, name) for name in FRESH.__struct_fields__}, "tolerance": 10})
    with pytest.raises(CourseError) as error:
        variant(question, 1, FUNCTIONS)
    assert str(error.value) == (
        "practice.yaml:3: question `fresh-step`: in 1000 draws, no numbers distinguished all of its misconceptions\n"
        "  fix: widen the ranges of its numbers, or drop one of `detects`"
    )


@pytest.mark.parametrize("beta", [1.5, math.nan])
def test_numbers_that_a_function_cannot_take_are_drawn_again(beta):
    assert not detectable(FRESH, {"x": 0.5, "beta": beta, "eps": 1.0}, FUNCTIONS)


# ---- text


@pytest.mark.parametrize(("number", "text"), [(0.1 + 0.2, "0.30000000000000004"), (0.3, "0.3"), (-0.0, "0"), (5.0, "5"), (1e-5, "0.00001"), (1000, "1000")])
def test_a_number_is_shown_plainly(number, text):
    assert plain(number) == text


def test_the_text_has_the_numbers_choices_and_parts():
    """All that is needed to answer, with the ids to answer with."""
    numbers = {"x": 0.3, "beta": 0.1, "eps": -1.0}
    assert question_text(FRESH, numbers) == "x = 0.3, β = 0.1, ε = −1. And [[nothing]]?"
    assert question_text(PARTS, numbers) == (
        "Take 0.3.\n\n**a.** One step?\n\n**b.** Which?\n\n- `vae`: VAE\n- `gan`: GAN\n- `diffusion`: Diffusion"
    )
    assert question_text(MATCH, {}) == "Match.\n\n- `vae`: VAE\n- `gan`: GAN\n\n- `one`: 1\n- `two`: 2"


def test_the_working_is_computed_with_the_readers_numbers():
    """Numbers, expressions with and without a format, and no minus before a zero."""
    key = Key(working=("x = [[x]]", "[[= sqrt(x) :.4f]] · [[= step(x, 0, 0)]] and [[= -x * 0 :.2f]]", "[[= len('abc')]] [[= [x, 1][1] :d]]"))
    names = {"sqrt": math.sqrt, "step": step}
    assert working(FRESH, key, {"x": 0.25}, names) == ("x = 0.25", "0.5000 · 0.250 and 0.00", "3 1")


def test_the_working_of_parts_goes_part_by_part():
    key = Key(working=("Begin.",), parts={"a": Key(working=("[[= x :.1f]]", "so"))})
    assert working(PARTS, key, {"x": 0.5}, {}) == ("Begin.", "a. 0.5", "so")


def test_a_working_that_fails_names_the_expression():
    with pytest.raises(ValueError) as error:
        working(FRESH, Key(working=("[[= y + 1]]",)), {}, {})
    assert str(error.value) == "`y + 1` fails with NameError: name 'y' is not defined"


def test_the_namespace_has_the_functions_of_the_answers_module():
    names = namespace_of(FRESH, FUNCTIONS)
    assert names["step"] is step
    assert names["sqrt"] is math.sqrt
    assert names["np"] is np
    assert "_x" not in names


# ---- a number


def test_the_right_answer_earns_all_points():
    assert marked("0.790") == marked("0.79") == marked("0.7915") == marked('"0.790"') == Mark(4, "passed", (), None, "one-step", "formula")
    assert marked("−0.382", Question("n", "number", "", 1, computes="forward.step", arguments=(-0.5, 0.04, 0.54), tolerance=0.002)).points == 1


@pytest.mark.parametrize("line", ["0,790", "0,79", "+0,7915", '"0,790"', "7,9e-1", "0,79  # by hand"])
def test_a_decimal_comma_is_a_decimal_point(line):
    assert marked(line) == marked("0.790")


def test_in_braces_a_decimal_comma_is_none_between_entries():
    right = f"{step(**variant(FRESH, 7, FUNCTIONS)):.3f}".replace(".", ",")
    assert marked(f"{{seed: 7, answer: {right}}}").outcome == "passed"
    assert marked("{a: 0,790, b: gan}", PARTS, PARTS_KEY) == marked("{a: 0.790, b: gan}", PARTS, PARTS_KEY)


def test_a_comma_before_three_digits_may_be_a_thousand_where_three_decimals_are_not_what_is_asked_for():
    for line in ("1,234", "-12,500", "999,000"):
        made = mark(replace(FRESH, decimals=2), Key(), line, FUNCTIONS)
        told = f"`{line}` may have three decimals or be in the thousands: write a decimal point, and nothing between thousands."
        assert (mark_message(FRESH, made), made.readable) == (told, False)
        assert mark_message(FRESH, marked(line)).startswith(f"{_WHERE} {line.replace(',', '.')}.")
    for line in ("0,123", "1234,5", "1,23"):
        assert mark(replace(FRESH, decimals=2), Key(), line, FUNCTIONS).readable


@pytest.mark.parametrize(
    ("line", "misconception", "card", "sentence"),
    [
        ("0.550", "scaled_by_beta", "noise", "You scaled the noise by β."),
        ("0.800", "signal_untouched", "signal", "The image must shrink."),
        ("0.780", "no_root", "signal", "Take the root."),
    ],
)
def test_a_misconceptions_answer_is_told_as_the_misconception(line, misconception, card, sentence):
    """The very value of a misconception gets its sentence, section and card."""
    made = marked(line)
    numbers = {"x": 0.5, "beta": 0.04, "eps": 1.5}
    assert made == Mark(0, "failed", (Remark("known_number", given=line, numbers=numbers, sentence=sentence),), misconception, "by-hand", card)
    assert mark_message(FRESH, made) == f"Your answer for x = 0.5, β = 0.04, ε = 1.5 is {line}. {sentence}"


_LIKE = "write one number with 3 decimals, like 0.123."
_WHERE = "Your answer for x = 0.5, β = 0.04, ε = 1.5 is"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('"-0,790"', f"{_WHERE} -0.790. That is not right, and it matches no known mistake: compute it again, line by line."),
        ("0,8", "0.8 is rounded too far: with fewer than 3 decimals, the right answer and a mistake look the same."),
        ("0, 79", f"`0, 79` is not a number: {_LIKE}"),
        ("1,234.5", f"`1,234.5` is not a number: {_LIKE}"),
        ("1,234,567", f"`1,234,567` is not a number: {_LIKE}"),
        ("0.8", "0.8 is rounded too far: with fewer than 3 decimals, the right answer and a mistake look the same."),
        ("1", "1 is rounded too far: with fewer than 3 decimals, the right answer and a mistake look the same."),
        ("0.80", f"{_WHERE} 0.80. The image must shrink."),
        ("0.250", f"{_WHERE} 0.250. That is not right, and it matches no known mistake: compute it again, line by line."),
        ("0.7921", f"{_WHERE} 0.7921. That is not right, and it matches no known mistake: compute it again, line by line."),
        ("", "There is no answer yet."),
        ('""', "There is no answer yet."),
        ("true", f"`true` is not a number: {_LIKE}"),
        ("about 0.8", f"`about 0.8` is not a number: {_LIKE}"),
        ("[0,79]", f"A list is not a number: {_LIKE}"),
        ("{a: 1}", f"A map is not a number: {_LIKE}"),
        (".nan", f"`.nan` is not a number: {_LIKE}"),
        ("1e300", f"This is not an ordinary number: {_LIKE}"),
        ("0.5`\\e[31m" + "x" * 50, "`0.5\\e[31m" + "x" * 30 + f"…` is not a number: {_LIKE}"),
        ("{seed: x, answer: 1}", "`seed` should be a whole number, like 7."),
        ("{seed: true, answer: 1}", "`seed` should be a whole number, like 7."),
        ("{seed: 7, answer: 0, 79}", "A fresh variant is written `{seed: 7, answer: 0.123}`: `seed` and `answer`, nothing else."),
        ("{seed: 7}", "There is no answer yet."),
    ],
)  # fmt: skip
def test_an_answer_that_is_not_right_is_told_why(line, told):
    """Every message in full; none earns a point or names a misconception that was not made."""
    made = marked(line)
    assert (mark_message(FRESH, made), made.points, made.outcome) == (told, 0, "failed")
    assert made.misconception == ("signal_untouched" if line == "0.80" else None)


@pytest.mark.parametrize("answer", [math.nan, math.inf, -math.inf, Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"), 10**5000, -1e300], ids=list("abcdefgh"))
def test_numbers_that_are_none_are_told(answer):
    assert mark_message(FRESH, mark(FRESH, Key(), answer, FUNCTIONS)) == f"This is not an ordinary number: {_LIKE}"


def test_a_fresh_variant_is_marked_with_its_own_numbers():
    """The seed's numbers decide, and the message names them."""
    numbers = variant(FRESH, 7, FUNCTIONS)
    assert marked(f"{{seed: 7, answer: {step(**numbers):.3f}}}").outcome == "passed"
    assert mark_message(FRESH, marked("{seed: 7, answer: 0.790}")).startswith("Your answer for x = −0.9, β = 0.04, ε = 1.5 is 0.790.")


def test_the_numbers_that_a_part_does_not_use_and_those_without_a_symbol_are_not_named():
    made, drawn = marked("0.790"), {**FRESH.numbers, "eps": Range(1.5, -2.0, 2.0, 0.1, "")}
    made = replace(made, outcome="failed", remarks=(Remark("wrong_number", given="0.790", numbers={"x": 0.5, "beta": 0.04, "eps": 1.5}),))
    assert mark_message(replace(FRESH, numbers=drawn, arguments=("x", "eps")), made).startswith("Your answer for x = 0.5 is 0.790.")


def test_in_fifty_variants_right_passes_and_each_misconception_is_told_as_itself():
    for seed in range(50):
        right, misconceptions = values(FRESH, variant(FRESH, seed, FUNCTIONS), FUNCTIONS)
        assert marked(f"{{seed: {seed}, answer: {right:.3f}}}").outcome == "passed"
        assert [marked(f"{{seed: {seed}, answer: {value:.3f}}}").misconception for _, value in misconceptions] == [misconception.id for misconception, _ in misconceptions]


# ---- the other kinds


@pytest.mark.parametrize(
    ("question", "key", "line"),
    [
        (CHOICE, CHOICE_KEY, "gan"),
        (CHOICE, CHOICE_KEY, "[GAN]"),
        (CHOICE, CHOICE_KEY, "{seed: 3, answer: gan}"),
        (SEVERAL, SEVERAL_KEY, "[gan, vae]"),
        (SEVERAL, SEVERAL_KEY, "[gan, vae, gan]"),
        (ORDER, ORDER_KEY, "[a, b, c]"),
        (MATCH, MATCH_KEY, "{gan: two, vae: One}"),
        (CHOICE, CHOICE_KEY, "'“gan”'"),
        (CHOICE, CHOICE_KEY, "(gan)"),
        (CHOICE, CHOICE_KEY, "gan."),
        (SEVERAL, SEVERAL_KEY, "vae, gan"),
        (ORDER, ORDER_KEY, "a -> b -> c"),
        (ORDER, ORDER_KEY, "a b c"),
    ],
)
def test_right_choices_earn_all_points(question, key, line):
    made = marked(line, question, key)
    assert (made.outcome, made.points, made.remarks) == ("passed", question.points, ())


@pytest.mark.parametrize(
    ("question", "key", "line", "told"),
    [
        (CHOICE, CHOICE_KEY, "vae", "You chose “VAE”. Blurred."),
        (CHOICE, CHOICE_KEY, "diffusion", "“Diffusion” is not right."),
        (CHOICE, CHOICE_KEY, "diffusoin", "There is no choice `diffusoin`: did you mean `diffusion`?"),
        (CHOICE, CHOICE_KEY, "7", "There is no choice `7`: take one of vae, gan, diffusion."),
        (CHOICE, CHOICE_KEY, "true", "There is no choice `true`: take one of vae, gan, diffusion."),
        (CHOICE, CHOICE_KEY, "[gan, vae]", "Choose one."),
        (CHOICE, CHOICE_KEY, "0.5", "Answer with one of vae, gan, diffusion."),
        (CHOICE, CHOICE_KEY, "{a: gan}", "Answer with one of vae, gan, diffusion."),
        (CHOICE, CHOICE_KEY, "{seed: 1, answr: gan}", "A fresh variant is written `{seed: 7, answer: ...}`: `seed` and `answer`, nothing else."),
        (SEVERAL, SEVERAL_KEY, "[vae, gan, diffusion]", "You chose “Diffusion”. Slow."),
        (SEVERAL, SEVERAL_KEY, "vae", "You left out “GAN”. GANs too."),
        (SEVERAL, SEVERAL_KEY, "gan", "What you chose is right, but something is missing."),
        (SEVERAL, SEVERAL_KEY, "[[vae]]", "Answer with a list of vae, gan, diffusion."),
        (ORDER, ORDER_KEY, "[c, b, a]", "You put “C” before “A”. First a."),
        (ORDER, ORDER_KEY, "[b, a, c]", "You put “B” before “A”. It is the other way round."),
        (ORDER, ORDER_KEY, "[a, b]", "List each of these once: b, a, c."),
        (ORDER, ORDER_KEY, "[a, b, b, c]", "List each of these once: b, a, c."),
        (ORDER, ORDER_KEY, "abc", "There is no choice `abc`: take one of b, a, c."),
        (MATCH, MATCH_KEY, "{vae: two, gan: one}", "You matched “GAN” with “1”. Not one."),
        (MATCH, MATCH_KEY, "{vae: two, gan: two}", "You matched “VAE” with “2”. They do not belong together."),
        (MATCH, MATCH_KEY, "{vae: one}", "`gan` has no match yet."),
        (MATCH, MATCH_KEY, "{vae: one, gna: two}", "There is no item `gna`: did you mean `gan`?"),
        (MATCH, MATCH_KEY, "{vae: one, gan: [two]}", "`gan` has no match yet."),
        (MATCH, MATCH_KEY, "{vae: , gan: }", "There is no answer yet."),
        (MATCH, MATCH_KEY, "one", "Match each of these: `pairs: {vae: ..., gan: ...}`."),
        (PARTS, PARTS_KEY, "0.790", "Answer part by part: `both: {a: ..., b: ...}`."),
        (PARTS, PARTS_KEY, "{a: , b: ''}", "There is no answer yet."),
        (PARTS, PARTS_KEY, "{a: 0.790, c: gan}", "Part 2 of 2: There is no answer yet.\nThere is no part `c`: take one of a, b."),
    ],
)  # fmt: skip
def test_wrong_choices_get_their_own_sentence(question, key, line, told):
    """Every message in full."""
    made = marked(line, question, key)
    assert (mark_message(question, made), made.outcome) == (told, "failed")


def test_a_wrong_choice_brings_its_misconception_and_its_card():
    remark = Remark("known_choice", items=("vae",), sentence="Blurred.")
    assert marked("vae", CHOICE, CHOICE_KEY) == Mark(0, "failed", (remark,), "more_guidance_is_better", "s", "trilemma")


def test_parts_share_the_points_by_their_weights():
    """Six points, a part of weight one and a part of weight two; the first misconception that has a name is named."""
    assert marked("{a: 0.790, b: gan}", PARTS, PARTS_KEY) == Mark(6, "passed", (), None, "s", None)
    assert marked("{a: 0.100, b: gan}", PARTS, PARTS_KEY).points == 4
    half = marked("{a: 0.790, b: vae}", PARTS, PARTS_KEY)
    remark = Remark("known_choice", part="b", items=("vae",), sentence="Blurred.")
    assert half == Mark(2, "failed", (remark,), "more_guidance_is_better", "s", "trilemma")
    assert mark_message(PARTS, half) == "Part 2 of 2: You chose “VAE”. Blurred."
    none = marked("{a: 0.550}", PARTS, PARTS_KEY)
    assert (none.points, none.misconception) == (0, "scaled_by_beta")
    assert mark_message(PARTS, none) == f"Part 1 of 2: {_WHERE} 0.550. You scaled the noise by β.\nPart 2 of 2: There is no answer yet."


def test_a_fresh_variant_of_parts_gives_all_parts_its_numbers():
    right = step(**variant(PARTS, 3, FUNCTIONS))
    assert marked(f"{{seed: 3, answer: {{a: {right:.3f}, b: gan}}}}", PARTS, PARTS_KEY).outcome == "passed"


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.decimals() | st.text(max_size=30) | st.binary(max_size=5) | st.complex_numbers(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["seed", "answer", "a", "b", "vae", "gan", ""]), inner, max_size=4),
    max_leaves=8,
)


@given(answer=ANYTHING)
@pytest.mark.parametrize(
    ("question", "key"),
    [(FRESH, Key()), (CHOICE, CHOICE_KEY), (SEVERAL, SEVERAL_KEY), (ORDER, ORDER_KEY), (MATCH, MATCH_KEY), (PARTS, PARTS_KEY)],
    ids=lambda value: value.id if isinstance(value, Question) else "",
)
def test_no_answer_of_any_kind_raises(question, key, answer):
    """A mark always, with points within bounds; a failed one says something."""
    made = mark(question, key, answer, FUNCTIONS)
    assert 0 <= made.points <= question.points
    assert (made.points == question.points) == (made.outcome == "passed")
    assert mark_message(question, made) or made.outcome == "passed"
