"""A lesson's symbols and terms: which of them a formula contains, and how the words are found."""

import pytest

from autograder.course.glossary import Entry, symbols_in

SYMBOLS = [Entry(name, "It is.", "one", 1) for name in (r"$x_0$", r"$x_t$", r"$t$", r"$\alpha_t$", r"$\bar\alpha_t$", r"$\varepsilon$", r"$\hat\varepsilon$", "$w$")]

FORMULAS = {
    "in the glossary's order": (r"w\,x_t + x_0", ["$x_0$", "$x_t$", "$t$", "$w$"]),
    "no part of a longer one": (r"\sqrt{\bar\alpha_2}\;\hat\varepsilon", [r"$\bar\alpha_t$", r"$\hat\varepsilon$"]),
    "any index": (r"\alpha_{s-1}\,\varepsilon_s", [r"$\alpha_t$", r"$\varepsilon$"]),
    "no letter of a word": (r"\operatorname{softmax}(QK^\top) + \text{two}", []),
}


@pytest.mark.parametrize(("formula", "wanted"), FORMULAS.values(), ids=FORMULAS)
def test_a_formula_contains_its_symbols(formula, wanted):
    assert [entry.name for entry in symbols_in(formula, SYMBOLS)] == wanted


WORDS = {
    "plural, large, over a line": ("skip connection", "With Skip\nconnections.", "Skip\nconnections"),
    "a name is as it is written": ("CLIP", "A clip, a CLIP.", "CLIP"),
    "no part of a word": ("latent", "latently, non-latent, latent", "latent"),
}


@pytest.mark.parametrize(("name", "text", "wanted"), WORDS.values(), ids=WORDS)
def test_words_are_found(name, text, wanted):
    found = Entry(name, "It is.", "one", 1).pattern.search(text)
    assert found[0] == wanted
