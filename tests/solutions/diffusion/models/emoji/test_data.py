"""The emoji: what ships, what it was rendered from, their colours, and the pairs that are held out."""

import hashlib
import os
import platform

import pytest
import torch

from solutions.diffusion.errors import InvalidRequest
from solutions.diffusion.models.emoji import data
from solutions.diffusion.models.emoji.colours import HUES, colour_of, colouring, distance, hue_chroma_value, nearest_colour, rotate
from solutions.diffusion.models.emoji.data import (
    FILE,
    FONT,
    NAMES,
    Emoji,
    licences,
    load_emoji,
    make_files,
    plain_words,
    recoloured,
    render,
    single_code_points,
    to_images,
    training_set,
)
from solutions.diffusion.models.emoji.text import LENGTH, tokens, vocabulary

DEBIAN_12 = {  # the files of the packages that the data was made from
    FONT: "e5899ed38b8ed83e08bd3ac5de09791e9d19d288333a796de1d35ad17396f1ec",
    NAMES: "8445f23ac8388e096be19d0262e14fceff856ff52093f2356dc89485f1a853db",
}

LISTING = """# group: Smileys & Emotion
1F600 ; fully-qualified # 😀 E1.0 grinning face
263A FE0F ; fully-qualified # ☺️ E0.6 smiling face
263A ; unqualified # ☺ E0.6 smiling face
1F44B 1F3FB ; fully-qualified # 👋🏻 E1.0 waving hand: light skin tone
1F3FB ; component # 🏻 E1.0 light skin tone
# group: Flags
1F1EB 1F1F7 ; fully-qualified # 🇫🇷 E2.0 flag: France
1F3C1 ; fully-qualified # 🏁 E0.6 chequered flag
"""


def flat(*colours: tuple[float, float, float]) -> torch.Tensor:
    """Return an image of one colour for each (r, g, b) of 0 to 1."""
    return torch.tensor(colours).view(-1, 3, 1, 1).expand(-1, 3, 8, 8) * 2 - 1


def test_every_emoji_has_an_image_and_a_name_of_its_own() -> None:
    """1,377 of them, from −1 to 1, on white; no name occurs twice."""
    plain, emoji = load_emoji()
    assert plain.images.shape == (len(emoji), 3, 32, 32) == (1377, 3, 32, 32)
    assert (plain.images.min(), plain.images.max()) == (-1, 1)
    assert (plain.images[:, :, 0, 0] == 1).all(dim=1).double().mean() > 0.95
    assert len(set(plain.captions)) == len(plain.captions)
    assert Emoji("Food & Drink", "banana") in emoji


def test_the_files_are_small_and_their_licences_lie_beside_them() -> None:
    """At most 2 MB in all, with the notices of the font and of Unicode."""
    assert sum(file.stat().st_size for file in FILE.parent.glob("emoji32.*")) < 2_000_000
    licences = FILE.with_suffix(".LICENSE").read_text(encoding="utf-8")
    assert "SIL OPEN FONT LICENSE Version 1.1" in licences
    assert "Apache License, Version 2.0" in licences
    assert "UNICODE, INC. LICENSE AGREEMENT" in licences


@pytest.fixture
def debian_12() -> None:
    """Demand the packages that the data was made from, in exactly their versions: a loud skip, but in CI on Debian 12 a failure."""
    for path, digest in DEBIAN_12.items():
        if path.exists() and hashlib.sha256(path.read_bytes()).hexdigest() == digest:
            continue
        why = f"{path} is not that of Debian 12 (apt-get install fonts-noto-color-emoji unicode-data): EMOJI NOT RENDERED AGAIN"
        if os.environ.get("CI") and platform.freedesktop_os_release().get("VERSION_CODENAME") == "bookworm":
            pytest.fail(why)
        pytest.skip(why)


@pytest.mark.usefixtures("debian_12")
def test_the_files_are_what_debians_packages_give() -> None:
    """Every pixel, every name and the licences."""
    listed = single_code_points(NAMES.read_text(encoding="utf-8"))
    assert [emoji for _, emoji in listed] == load_emoji()[1]
    assert torch.equal(to_images(render([code for code, _ in listed])), load_emoji()[0].images)
    assert licences() == FILE.with_suffix(".LICENSE").read_text(encoding="utf-8")


@pytest.mark.usefixtures("debian_12")
def test_files_that_are_made_can_be_read(tmp_path) -> None:
    """Three emoji, written and loaded."""
    names, file = tmp_path / "names.txt", tmp_path / "three.xz"
    names.write_text(LISTING, encoding="utf-8")
    assert make_files(file, names=names) == 3
    plain, emoji = load_emoji(file)
    assert emoji[0] == Emoji("Smileys & Emotion", "grinning face")
    assert torch.equal(plain.images, to_images(render([0x1F600, 0x263A, 0x1F3C1])))
    assert file.with_suffix(".LICENSE").is_file()


def test_without_the_font_the_packages_are_named(tmp_path) -> None:
    """One line says what is missing, and how to get it."""
    with pytest.raises(FileNotFoundError) as error:
        make_files(tmp_path / "emoji32.xz", font=tmp_path / "no.ttf")
    assert str(error.value) == f"{tmp_path}/no.ttf is missing: apt-get install fonts-noto-color-emoji unicode-data"


def test_only_single_code_points_are_taken_from_unicodes_list() -> None:
    """A variation selector doesn't count; flags, skin tones, families and what is not fully qualified do not belong."""
    assert single_code_points(LISTING) == [
        (0x1F600, Emoji("Smileys & Emotion", "grinning face")),
        (0x263A, Emoji("Smileys & Emotion", "smiling face")),
        (0x1F3C1, Emoji("Flags", "chequered flag")),
    ]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Japanese “no vacancy” button", "japanese no vacancy button"),
        ("piñata", "pinata"),
        ("jack-o-lantern", "jack o lantern"),
        ("man’s shoe", "mans shoe"),
        ("A button (blood type)", "a button blood type"),
    ],
)
def test_names_are_plain_words(name: str, words: str) -> None:
    """Small letters and digits, so that they can be typed."""
    assert plain_words(name) == words


def test_hues_are_those_of_the_colour_wheel() -> None:
    """Red 0, yellow 60, green 120, blue 240; grey has no chroma."""
    hue, chroma, value = hue_chroma_value(flat((1, 0, 0), (1, 1, 0), (0, 1, 0), (0, 0, 1), (0.5, 0.5, 0.5)))
    torch.testing.assert_close(hue[:4, 0, 0], torch.tensor([0.0, 60, 120, 240]))
    torch.testing.assert_close(chroma[:, 0, 0], torch.tensor([1.0, 1, 1, 1, 0]))
    torch.testing.assert_close(value[:, 0, 0], torch.tensor([1.0, 1, 1, 1, 0.5]))


def test_rotating_by_a_third_turns_red_to_green_and_keeps_grey() -> None:
    """And rotating back restores every image."""
    images = flat((1, 0, 0), (0.5, 0.5, 0.5), (1, 1, 1), (0.2, 0.7, 0.4))
    turned = rotate(images, torch.tensor([120.0] * 4))
    torch.testing.assert_close(turned[:3], flat((0, 1, 0), (0.5, 0.5, 0.5), (1, 1, 1)), atol=1e-5, rtol=0)
    torch.testing.assert_close(rotate(turned, torch.tensor([-120.0] * 4)), images, atol=1e-5, rtol=0)


def test_mean_hue_does_not_break_at_red() -> None:
    """350° and 10° have the mean 0°, not 180°; two opposite hues cancel out."""
    below, above = flat((1, 0, 1 / 6), (1, 1 / 6, 0)).chunk(2)
    assert distance(colouring(torch.cat([below, above], dim=3)).mean, torch.tensor(0.0)).item() == pytest.approx(0, abs=0.1)
    red, cyan = flat((1, 0, 0), (0, 1, 1)).chunk(2)
    assert colouring(torch.cat([red, cyan], dim=3)).concentration.item() == pytest.approx(0, abs=1e-3)


def test_colour_is_that_of_most_coloured_pixels() -> None:
    """A small red thing on white paper is red; grey, black and white have no colour."""
    images = flat((1, 1, 1), (0.2, 0.2, 0.2), (0.1, 0.3, 0.9))
    images[0, :, 2:5, 2:5] = flat((0.9, 0.1, 0.1))[0, :, :3, :3]
    assert colour_of(images) == ["red", None, "blue"]
    assert [list(HUES)[k] for k in nearest_colour(torch.tensor([359.0, 30.0, 120.0, 290.0])).tolist()] == ["red", "orange", "green", "purple"]


def test_recoloured_emoji_have_the_colour_that_their_caption_says() -> None:
    """By the checker that judges generated images; a handful of a hundred may be borderline."""
    for part in recoloured():
        right = [found == caption.split()[0] for found, caption in zip(colour_of(part.images), part.captions, strict=True)]
        assert sum(right) / len(right) > 0.99


def test_each_held_out_pair_has_words_that_were_trained_and_was_not_trained_itself() -> None:
    """One colour of every recoloured noun, never its own; each colour is held out about equally often."""
    training, held_out = recoloured()
    known = {word for caption in training_set().captions for word in caption.split()}
    assert not set(held_out.captions) & set(training_set().captions)
    assert {word for caption in held_out.captions for word in caption.split()} <= known
    assert len(training.captions) == (len(HUES) - 1) * len(held_out.captions)
    counts = [sum(caption.startswith(f"{word} ") for caption in held_out.captions) for word in HUES]
    assert min(counts) > len(held_out.captions) / 12
    own = nearest_colour(colouring(load_emoji()[0].images[held_out.emoji]).mean)
    assert all(caption.split()[0] != list(HUES)[k] for caption, k in zip(held_out.captions, own.tolist(), strict=True))


def test_no_emoji_whose_name_has_a_colour_is_recoloured() -> None:
    """So that there is no "blue red heart"."""
    nouns = {load_emoji()[0].captions[k] for k in recoloured()[1].emoji.tolist()}
    assert "tangerine" in nouns
    assert not [noun for noun in nouns if data.COLOUR_WORDS & {*noun.split()}]


def test_every_caption_fits_into_the_tokens() -> None:
    """The null caption is token 0 throughout; the same words give the same tokens, whatever their case."""
    ids = tokens(training_set().captions + recoloured()[1].captions)
    assert ids.shape == (len(training_set().captions) + len(recoloured()[1].captions), LENGTH)
    assert ids.max() == len(vocabulary())
    assert tokens([""]).tolist() == [[0] * LENGTH]
    assert torch.equal(tokens(["A “Blue” Tangerine!"]), tokens(["a blue tangerine"]))


@pytest.mark.parametrize(
    ("caption", "message"),
    [
        ("blue bananna", "prompt `blue bananna`: unknown word `bananna`; choose from banana, antenna"),
        ("qqqq", "prompt `qqqq`: unknown word `qqqq`; choose from the names of things and colours, such as cat, rocket, heart, banana, purple"),
        ("red " * 8 + "heart", f"prompt `{'red ' * 8}heart`: 9 words, but at most 8 are allowed"),
    ],
    ids=["close", "unknown", "too long"],
)
def test_what_cannot_be_read_is_named(caption: str, message: str) -> None:
    """One line, with words that are spelled alike."""
    with pytest.raises(InvalidRequest) as error:
        tokens([caption])
    assert str(error.value) == message
