"""From words to tokens and back, and the encoder that lets words attend to each other."""

import pytest
import torch

from solutions.diffusion.models.text import LENGTH, VOCABULARY, TextEncoder, TextPooler, parse, tokens
from solutions.diffusion.shapes import ALL, RELATIONS, Scene, SceneObject, random_scene

KNOWN = "a, small, large, red, green, blue, yellow, circle, square, triangle, above, below, left, of, right"


def test_tokens_are_the_words_in_order_and_then_nothing() -> None:
    """Each word's index in the vocabulary, padded with token 0."""
    row = tokens(["A small red circle"])[0].tolist()
    assert [VOCABULARY[i] for i in row] == ["a", "small", "red", "circle"] + [""] * (LENGTH - 4)


def test_null_caption_is_token_0_throughout() -> None:
    """The empty prompt is the null condition."""
    assert tokens([""]).tolist() == [[0] * LENGTH]


def test_every_caption_fits_and_is_read_back() -> None:
    """`parse` inverts `str`, for one object, for two, and for terse captions."""
    rng = torch.Generator().manual_seed(0)
    scenes = [Scene((item,)) for item in ALL] + [random_scene(rng, count=2) for _ in range(100)]
    scenes += [Scene((SceneObject("circle"), SceneObject("square", "red")), relation) for relation in RELATIONS]
    assert tokens([str(scene) for scene in scenes]).shape == (len(scenes), LENGTH)
    assert [parse(str(scene)) for scene in scenes] == scenes


@pytest.mark.parametrize(
    ("caption", "message"),
    [
        ("a pink circle", f"prompt `a pink circle`: unknown word `pink`; choose from {KNOWN}"),
        (
            "a red red circle",
            "prompt `a red red circle`: write `a [size] [colour] shape`, optionally followed by a relation and a second object",
        ),
        ("a red", "prompt `a red`: write `a [size] [colour] shape`, optionally followed by a relation and a second object"),
        (
            "a circle above",
            "prompt `a circle above`: write `a [size] [colour] shape`, optionally followed by a relation and a second object",
        ),
        ("a " * 11, f"prompt `{'a ' * 11}`: 11 words, but at most 10 are allowed"),
    ],
    ids=["unknown", "twice", "no shape", "no second", "too long"],
)
def test_what_cannot_be_read_is_named(caption: str, message: str) -> None:
    """One line that lists the valid choices, or says how a caption is built."""
    with pytest.raises(ValueError) as error:
        parse(caption)
    assert str(error.value) == message


def test_order_of_words_reaches_the_encoding() -> None:
    """`a red circle above a blue square` is not `a blue square above a red circle`, word for word."""
    torch.manual_seed(0)
    encoder = TextEncoder(width=32, layers=1)
    one, other = encoder(tokens(["a red circle above a blue square", "a blue square above a red circle"]))
    assert one.shape == (LENGTH, 32)
    assert (one[1] - other[5]).abs().max() > 0.1  # `red`, at its two positions


def test_each_word_attends_to_the_others() -> None:
    """Changing one word changes all vectors."""
    torch.manual_seed(0)
    one, other = TextEncoder(width=32, layers=1)(tokens(["a red circle", "a red square"]))
    assert ((one - other).abs().amax(dim=1) > 1e-4).all()


def test_pooled_caption_is_at_first_the_mean_of_its_words() -> None:
    """The MLP starts at zero; once it is not, word order matters."""
    torch.manual_seed(0)
    words, pooler = torch.randn(2, LENGTH, 16), TextPooler(16)
    torch.testing.assert_close(pooler(words), words.mean(dim=1))
    pooler.out.weight.data.normal_()
    assert (pooler(words) - pooler(words.flip(1))).abs().max() > 0.01
