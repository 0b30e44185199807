"""Which letters of a text are variables, and how they are written."""

import pytest

from autograder.course.symbols import html_of, in_latex, replaced


def found(html):
    """The text with each variable as a formula between dollars."""
    return replaced(html, lambda symbol: f"${in_latex(symbol)}$")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("x_t, x_{t−1} and x_T at t", "$x_t$, $x_{t-1}$ and $x_T$ at $t$"),
        ("√(1 − ᾱ_t) · ε̂", "√(1 − $\\bar α_t$) · $\\hat ε$"),
        ("ε_cond and t_mid", "$ε_\\text{cond}$ and $t_\\text{mid}$"),
        ("x̂₀, αₜ₋₁, σ² and w′", "$\\hat x_0$, $α_{t-1}$, $σ^2$ and $w'$"),
        ("(B, C, H, W), f(t), t/T, 1..T, 2π", "($B$, $C$, $H$, $W$), $f$($t$), $t$/$T$, 1..$T$, 2$π$"),
        ("w's, <em>T</em>, ε-prediction.", "$w$'s, <em>$T$</em>, $ε$-prediction."),
    ],
)
def test_a_variable_is_found_with_all_that_belongs_to_it(text, shown):
    assert found(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "A step I take, a U-Net, T5, DALL-E 2, a t-shirt, v-prediction, 2D, x0",
        "the image's, the image&#x27;s, don't, e.g. this, i.e. that",
        "3 s, 0.5 s, 16 × 16 x 3",
        "<code>x_t</code>s, <pre>t</pre>, <math alttext=\"t\"><mi>t</mi></math>, <b title=\"x_t\">bold</b>",
        "betas[t], u[i], alpha_bars, t_along_the_width, x.shape",
        "<strong>V</strong>AE, <em>all</em>s, vitamin\u00a0C, à la carte, &beta;, &lt;b&gt;bold&lt;/b&gt;",
    ],
)
def test_words_names_units_and_code_stay(text):
    assert found(text) == text


def test_for_other_platforms_there_are_italics_and_indices_and_all_is_escaped():
    assert html_of("You used `x_t`, not x̂_{t−1} < w′.") == (
        "You used <code>x_t</code>, not <i>x̂</i><sub><i>t</i>−1</sub> &lt; <i>w</i>′."
    )
    assert html_of("ε_cond, σ²") == "<i>ε</i><sub>cond</sub>, <i>σ</i><sup>2</sup>"
