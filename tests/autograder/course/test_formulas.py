"""Formulas become a line of text that means the same."""

import re

import pytest

from autograder.course.loading import read_course
from autograder.course.text import formulas_in_unicode, in_unicode


@pytest.mark.parametrize(
    ("formula", "line"),
    [
        (r"x_t", "xₜ"),
        (r"x_{t-1}", "xₜ₋₁"),
        (r"\beta_1,\dots,\beta_T", "β₁, …, β_T"),
        (r"\hat\varepsilon_\text{uncond}", "ε̂_uncond"),
        (r"a^{2k} + b^2", "a^(2k) + b²"),
        (r"x_{t_0}", "x_t₀"),
        (r"\sqrt{1-\bar\alpha_t}\,\varepsilon", "√(1 − ᾱₜ) ε"),
        (r"\sqrt{\beta_t}", "√βₜ"),
        (r"\sqrt{\alpha_2\alpha_1}", "√(α₂α₁)"),
        (r"\sqrt d", "√d"),
        (r"\frac12", "1/2"),
        (r"\frac{a+b}{c}", "(a + b)/c"),
        (r"\frac{1}{\sqrt{\alpha_t}}\Bigl(x_t - y\Bigr)", "(1/√αₜ)(xₜ − y)"),
        (r"\frac{1-\bar\alpha_{t-1}}{1-\bar\alpha_t}\beta_t", "((1 − ᾱₜ₋₁)/(1 − ᾱₜ))βₜ"),
        (r"\varepsilon \sim \mathcal N(0, I).", "ε ∼ 𝒩(0, I)."),
        (r"-x+(-y) \le 3", "−x + (−y) ≤ 3"),
        (r"\mathbb E\lVert \varepsilon - \varepsilon_\theta(x_t, t)\rVert^2", "𝔼‖ε − ε_θ(xₜ, t)‖²"),
        (r"\operatorname{softmax}\!\left(QK^\top\right)V", "softmax(QKᵀ)V"),
        (r"\alpha_1\alpha_2\cdots\alpha_t", "α₁α₂⋯αₜ"),
        (r"\{1, 2\}", "{1, 2}"),
        ("", ""),
        ("{", ""),
        (r"\frac", "/"),
    ],
)
def test_a_formula_is_written_in_unicode(formula, line):
    assert in_unicode(formula) == line


def test_formulas_of_a_text_are_found_and_dollars_kept():
    r"""Inline ones stay in their line, displayed ones get their own, and \$ is money."""
    assert formulas_in_unicode("For $x_t$:\n$$a\n= b$$\nIt costs \\$3.") == "For xₜ:\n\n\n> a = b\n\n\nIt costs $3."


def test_no_command_of_the_course_is_left(root):
    """Every formula of every lesson and card can be read without LaTeX."""
    for lesson in read_course(root).lessons:
        for text in (lesson.text, *(side for card in lesson.cards for side in (card.front, card.back, card.cloze))):
            for formula in re.findall(r"\$\$(.+?)\$\$|\$([^$\n]+)\$", text, re.DOTALL):
                assert not re.search(r"[\\{}]", in_unicode("".join(formula)))
