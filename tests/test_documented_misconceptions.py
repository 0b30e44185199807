"""Each misconception that diffusion's literature documents is where a student can meet it: in the text, on a card, and as a function or a wrong choice."""

import re
from collections import Counter

import pytest

from autograder.author.lint.context import LintContext
from autograder.course.loading import read_course
from autograder.course.references import choose_lesson
from autograder.course.text import WARNING
from tests.courses import ROOT

LESSON = choose_lesson(read_course(ROOT), "12_diffusion")
BELIEFS = (  # nobody computes them: a choice must ask
    "ddim_needs_training", "good_image_in_one_step", "more_guidance_is_better", "more_steps_are_better", "noise_of_one_step",
    "pixels_not_scaled", "pure_noise_at_the_end", "technique_for_application", "uniform_noise", "vae_generates",
)  # fmt: skip
COMPUTED = (
    "alpha_for_alpha_bar", "beta_as_standard_deviation", "clamped_on_the_way", "embedding_ignored", "eta_upside_down", "jump_roots_swapped",
    "missing_root_on_noise", "missing_root_on_signal", "never_dropped", "noise_at_the_last_step", "noise_times_variance", "other_convention",
    "signal_untouched", "softmax_over_places", "sum_for_mean", "sum_for_product", "t_along_the_width", "told_one_too_low",
)  # fmt: skip
CONTEXT = LintContext(ROOT, LESSON)
TAGS = {tag for card in LESSON.cards for tag in card.tags}


def test_the_text_warns_of_every_one():
    warned = [name for warning in WARNING.finditer(LESSON.text) for name in re.split(", *", warning["ids"])]
    assert sorted(warned) == sorted((*BELIEFS, *COMPUTED))


@pytest.mark.parametrize("misconception", [*BELIEFS, *COMPUTED])
def test_a_card_names_it(misconception):
    assert misconception in TAGS


def test_what_is_computed_is_a_function_and_a_belief_is_asked_for():
    assert set(COMPUTED) <= CONTEXT.computed
    assert set(BELIEFS) <= {wrong.misconception for _, wrong in CONTEXT.wrongs}


def test_a_card_names_nothing_that_a_student_cannot_meet():
    assert {*BELIEFS, *CONTEXT.computed} >= TAGS


def test_misconceptions_are_many_and_each_has_a_sentence_of_its_own():
    functions = [one for own in CONTEXT.misconceptions.values() for one in own]
    sentences = Counter((one.of, one.sentence) for one in functions)
    assert len(functions) >= 60
    assert max(sentences.values()) == 1
