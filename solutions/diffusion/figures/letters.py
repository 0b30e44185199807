"""The letters of the figures: the fonts of the site, so that a figure and the text around it are of one family.

matplotlib reads no WOFF2, and takes a formula's variables from an italic font. So the fonts are unpacked for as long as the process runs;
that of formulas twice, the second time with its italics in the places of the upright letters. Of the weights, the regular one is drawn.
"""

import atexit
import unicodedata
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from fontTools.ttLib import TTFont
from matplotlib.font_manager import fontManager

import autograder

FONTS = Path(autograder.__file__).parent / "web" / "static" / "fonts"
TEXT, MATHS, ITALIC = "Course Sans", "Course Maths", "Course Maths Italic"


@cache
def settings() -> dict[str, Any]:
    """Make the letters known to matplotlib, and return its settings for text and formulas. It warns of a letter that they lack."""
    for file in files().values():
        fontManager.addfont(file)
    upright = dict.fromkeys((f"mathtext.{style}" for style in ("rm", "bf", "bfit", "cal", "sf", "tt")), MATHS)
    return {"font.family": TEXT, "mathtext.fontset": "custom", "mathtext.fallback": None, **upright, "mathtext.it": ITALIC}


@cache
def files() -> dict[str, Path]:
    """Unpack the letters into a folder that goes when the process ends, and return the file of each family."""
    folder = TemporaryDirectory()
    atexit.register(folder.cleanup)
    made = {family: Path(folder.name, f"{family}.ttf") for family in (TEXT, MATHS, ITALIC)}
    text, maths = (TTFont(FONTS / f"{name}.woff2") for name in ("sans", "maths"))
    text.flavor = maths.flavor = None
    text["OS/2"].sTypoAscender = text["OS/2"].sCapHeight  # between this and the baseline is what matplotlib centres on a tick: digits
    text.save(made[TEXT])
    maths.save(made[MATHS])
    _make_italic(maths)
    maths.save(made[ITALIC])
    return made


def _make_italic(maths: TTFont) -> None:
    """Put the italics, which have code points of their own, where a keyboard's letters are."""
    for table in maths["cmap"].tables:
        table.cmap.update({_plain(point): glyph for point, glyph in table.cmap.items() if _is_italic(point)})
    for number, name in {1: ITALIC, 4: ITALIC, 6: ITALIC.replace(" ", "-"), 16: ITALIC}.items():
        maths["name"].setName(name, number, 3, 1, 0x409)


def _is_italic(point: int) -> bool:
    return unicodedata.name(chr(point), "").startswith(("MATHEMATICAL ITALIC", "PLANCK CONSTANT"))


def _plain(point: int) -> int:
    return int(unicodedata.decomposition(chr(point)).split()[-1], 16)
