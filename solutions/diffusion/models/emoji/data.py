"""1,377 emoji at 32 px with their names, and the same emoji in other colours.

    emoji32.xz        the images, 32 x 32 x 3 bytes each
    emoji32.txt       a line for each: its group and its name, separated by a tab
    emoji32.LICENSE   the licences of both

Made from two packages of Debian 12, `fonts-noto-color-emoji` 2.042-0+deb12u1 (images: Apache-2.0) and `unicode-data` 15.0.0-1 (names,
from `emoji-test.txt`: the Unicode licence), by

    apt-get install fonts-noto-color-emoji unicode-data
    python -m solutions.diffusion emoji-data

These are all emoji that are a single code point, so no flags of countries and no skin tones, and of families and keycaps one each.

Recolouring: where an emoji has one vivid hue and its name no colour, the hue is rotated to each of six, and the colour's word is put in
front of the name: "blue tangerine". One colour of each such noun is held out: it never occurs in training, although both words do.
"""

import lzma
import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from solutions.diffusion.models.emoji.colours import HUES, colouring, nearest_colour, rotate

FILE = Path(__file__).parent / "emoji32.xz"
FONT = Path("/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf")
NAMES = Path("/usr/share/unicode/emoji/emoji-test.txt")
NOTICES = (Path("/usr/share/doc/fonts-noto-color-emoji/copyright"), Path("/usr/share/doc/unicode-data/copyright"))
SIDE, DRAWN = 32, 136  # pixels: of an image, and of the font's own bitmaps, whose height is 128
SIZE = 109  # the only size that the font has
COLOUR_WORDS = {*HUES, "black", "white", "brown", "pink", "grey"}
RECOLOURED_GROUPS = {"Animals & Nature", "Food & Drink", "Travel & Places", "Activities", "Objects"}
Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Emoji:
    """One emoji: its group in Unicode's list and its name, in small letters and without punctuation."""

    group: str
    name: str


@dataclass(frozen=True)
class Captioned:
    """Images in [-1, 1], a caption for each, and the index of the emoji that it shows. # (N, 3, SIDE, SIDE), N, (N,)"""

    images: Tensor
    captions: list[str]
    emoji: Tensor


@cache
def load_emoji(file: Path = FILE) -> tuple[Captioned, list[Emoji]]:
    """Return all emoji as they are drawn, captioned with their names, and their groups."""
    lines = file.with_suffix(".txt").read_text(encoding="utf-8").splitlines()
    emoji = [Emoji(*line.split("\t")) for line in lines]
    pixels = np.frombuffer(lzma.decompress(file.read_bytes()), np.uint8).reshape(-1, SIDE, SIDE, 3)
    return Captioned(to_images(pixels), [each.name for each in emoji], torch.arange(len(emoji))), emoji


def to_images(pixels: Pixels) -> Tensor:
    """Return bytes as images in [-1, 1]. # (N, SIDE, SIDE, 3) -> (N, 3, SIDE, SIDE)"""
    return torch.from_numpy(pixels.astype(np.float32)).permute(0, 3, 1, 2).contiguous() / 127.5 - 1


@cache
def training_set(file: Path = FILE) -> Captioned:
    """Return what the model learns from: all emoji as they are drawn, and after them the recoloured ones for training."""
    plain, extra = load_emoji(file)[0], recoloured(file)[0]
    return Captioned(torch.cat([plain.images, extra.images]), plain.captions + extra.captions, torch.cat([plain.emoji, extra.emoji]))


@cache
def recoloured(file: Path = FILE) -> tuple[Captioned, Captioned]:
    """Return the recoloured emoji for training, and those whose colour was held out: one for each recoloured noun."""
    plain, emoji = load_emoji(file)
    hues = colouring(plain.images)
    training: list[tuple[int, str]] = []
    held_out: list[tuple[int, str]] = []
    for nth, index in enumerate(has_one_hue(plain.images, emoji)):
        own = int(nearest_colour(hues.mean[index]))
        others = [colour for colour in range(len(HUES)) if colour != own]
        unseen = others[nth % len(others)]
        for colour, word in enumerate(HUES):
            (held_out if colour == unseen else training).append((index, word))
    return _recolour(plain, hues.mean, training), _recolour(plain, hues.mean, held_out)


def has_one_hue(images: Tensor, emoji: list[Emoji]) -> list[int]:
    """Return the indices of the things of one vivid hue that have at most three words and no colour in their name."""
    found = colouring(images)
    vivid = (found.concentration > 0.95) & (found.share > 0.5) & (found.value > 0.65) & (found.saturation > 0.55)
    return [
        index
        for index, each in enumerate(emoji)
        if vivid[index] and each.group in RECOLOURED_GROUPS and len(each.name.split()) <= 3 and not COLOUR_WORDS & {*each.name.split()}
    ]


def _recolour(plain: Captioned, hues: Tensor, pairs: list[tuple[int, str]]) -> Captioned:
    rows = torch.tensor([index for index, _ in pairs])
    wanted = torch.tensor([HUES[word] for _, word in pairs])
    captions = [f"{word} {plain.captions[index]}" for index, word in pairs]
    return Captioned(rotate(plain.images[rows], wanted - hues[rows]), captions, rows)


def make_files(file: Path = FILE, font: Path = FONT, names: Path = NAMES) -> int:
    """Render the font into `file`, write names and licences next to it, and return how many emoji there are.

    If a file of the packages is missing, FileNotFoundError names the packages.
    """
    missing = [path for path in (font, names, *NOTICES) if not path.exists()]
    if missing:
        raise FileNotFoundError(f"{missing[0]} is missing: apt-get install fonts-noto-color-emoji unicode-data")
    listed = single_code_points(names.read_text(encoding="utf-8"))
    file.write_bytes(lzma.compress(render([code for code, _ in listed], font).tobytes(), preset=9 | lzma.PRESET_EXTREME))
    file.with_suffix(".txt").write_text("".join(f"{each.group}\t{each.name}\n" for _, each in listed), encoding="utf-8")
    file.with_suffix(".LICENSE").write_text(licences(), encoding="utf-8")
    return len(listed)


def licences() -> str:
    """Return the notices of both packages, each below its file's name."""
    return "\n\n".join(f"=== {path} ===\n\n{path.read_text(encoding='utf-8')}" for path in NOTICES)


def single_code_points(listing: str) -> list[tuple[int, Emoji]]:
    """Read `emoji-test.txt` and return code point, group and name of each emoji that is a single code point, variation selector aside.

    A line is `263A FE0F ; fully-qualified # ☺️ E0.6 smiling face`.
    """
    found, group = [], ""
    for line in listing.splitlines():
        group = line.removeprefix("# group: ") if line.startswith("# group: ") else group
        if "; fully-qualified" in line:
            codes = [code for code in line.split(";")[0].split() if code != "FE0F"]
            if len(codes) == 1:
                found.append((int(codes[0], 16), Emoji(group, plain_words(re.split(r" E\d+\.\d+ ", line)[1]))))
    return found


def plain_words(name: str) -> str:
    """Return a name in small letters, without accents and punctuation: `Japanese “no vacancy” button` is `japanese no vacancy button`."""
    letters = unicodedata.normalize("NFKD", name.lower().replace("’", "")).encode("ascii", "ignore").decode()
    return " ".join(re.findall("[a-z0-9]+", letters))


def render(codes: list[int], font: Path = FONT) -> Pixels:
    """Draw each code point on white, centred in a square, and scale it down. # (N, SIDE, SIDE, 3)"""
    face = ImageFont.truetype(str(font), SIZE, layout_engine=ImageFont.Layout.BASIC)
    images = []
    for code in codes:
        canvas = Image.new("RGB", (DRAWN, DRAWN), "white")
        ImageDraw.Draw(canvas).text((0, (DRAWN - 128) // 2), chr(code), font=face, embedded_color=True)
        images.append(np.asarray(canvas.resize((SIDE, SIDE), Image.Resampling.LANCZOS)))
    return np.stack(images)
