"""Make the fonts of the site: `python -m docs.fonts` fetches IBM Plex from npm and keeps the letters that a course is written with.

A file is fetched in its named version, compared with the checksum in `fonts.yaml`, reduced, and named anew: the licence reserves the name
Plex for the whole fonts. Upright text keeps the weights between regular and bold. The same fontTools makes the same bytes.
"""

import base64
import hashlib
import io
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import yaml
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from fontTools.varLib.instancer import instantiateVariableFont

FOLDER = Path(__file__).parents[1] / "autograder" / "web" / "static" / "fonts"
LIST = FOLDER / "fonts.yaml"
TEXT = (
    "20-7E A0-FF 2C6-2DD 300-304 308 30C 370-3FF 2010-2026 2030-203A 2044 2070-209C 20AC 2122 2190-2193 2212 221A 221E 2248 "
    "2260-2265 25CA 2713"
)
NAMES = "100-17F 218-21B 1E9E"  # letters of names and of other languages: only a page that has one loads them
EMPHASIS = "20-7E A0-FF 300-304 370-3FF 2010-2026 2212"
CODE = "20-7E A0-FF 370-3FF 2010-2026 2190-2193 2212 221A 2248 2260-2265"
MATHS = (
    "20-7E A0 AC AF B1 B7 D7 F7 302-304 308 338 370-3FF 2016 2026 2032-2034 2057 2070-209C 20D7 2102 210E 2112 2115 211D 2124 "
    "2190-2199 21A6 21D0-21D4 2200-2265 226A-226B 2282-2287 2295-2297 22A4-22A5 22C5-22C6 22EE-22F1 2308-230B 27E8-27E9 "
    "1D434-1D467 1D49F 1D4A9 1D4B0 1D4B3 1D6E2-1D71B"
)
RANGES = {"sans": TEXT, "sans-names": NAMES, "sans-italic": EMPHASIS, "mono": CODE, "maths": MATHS}
FACES = {
    "sans": ("Course Sans", "Regular"),
    "sans-names": ("Course Sans", "Regular"),
    "sans-italic": ("Course Sans", "Italic"),
    "mono": ("Course Mono", "Regular"),
    "maths": ("Course Maths", "Regular"),
}
BAR = 540  # thousandths of an em: the ink of α
FEATURES = ["ccmp", "kern", "locl", "mark", "mkmk", "liga", "ssty", "dtls", "flac"]  # the last three: formulas


def main() -> None:
    """Fetch, reduce and write every font, with its licence, and print the sizes."""
    listed: dict[str, dict[str, Any]] = yaml.safe_load(LIST.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        for name, one in listed.items():
            with tarfile.open(_fetched(one, Path(folder))) as archive:
                whole, licence = (archive.extractfile(f"package/{file}").read() for file in (one["from"], "LICENSE.txt"))  # type: ignore[union-attr]
            made = reduced(whole, name)
            (FOLDER / f"{name}.woff2").write_bytes(made)
            (FOLDER / "LICENSE.txt").write_bytes(licence.replace(b"\r\n", b"\n"))  # one for the whole family
            print(f"{name}.woff2: {len(made):,} of {len(whole):,} bytes, sha256 {hashlib.sha256(made).hexdigest()}")


def _fetched(one: dict[str, Any], folder: Path) -> Path:
    """Return the archive of a package from npm, once it is the one that we know."""
    packed = ["npm", "pack", "--silent", f"{one['package']}@{one['version']}"]
    path = folder / subprocess.run(packed, cwd=folder, check=True, capture_output=True, text=True).stdout.strip()
    integrity = "sha512-" + base64.b64encode(hashlib.sha512(path.read_bytes()).digest()).decode()
    if integrity != one["integrity"]:
        raise SystemExit(f"{one['package']} {one['version']}: the archive is not the one in {LIST.name}")
    return path


def reduced(whole: bytes, name: str) -> bytes:
    """Keep the letters of RANGES and the weights from 400 to 700, rename the font, and pack it as WOFF2."""
    font = TTFont(io.BytesIO(whole), recalcTimestamp=False)
    options = Options(hinting=False, notdef_outline=True, layout_features=FEATURES, name_IDs=["*"])
    options.drop_tables += ["meta", "STAT"]  # STAT names the weights for menus; Firefox complains of the names that go
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=characters(name))
    subsetter.subset(font)
    if "fvar" in font:
        instantiateVariableFont(font, {"wght": 400 if name == "sans-italic" else (400, 400, 700), "wdth": 100}, inplace=True)
    if name == "maths":
        _widen_bar(font)
    _rename(font, *FACES[name])
    font.flavor = "woff2"
    packed = io.BytesIO()
    font.save(packed)
    return packed.getvalue()


def _widen_bar(font: TTFont) -> None:
    """Make the bar of ᾱ as wide as the letter, as a character and as an accent: Plex's own is half of it, and looks like a dot."""
    glyphs, names = font["glyf"], font.getBestCmap()
    for point in (0xAF, 0x304):
        bar = glyphs[names[point]]
        points, *_ = bar.getCoordinates(glyphs)
        points.translate((-(bar.xMin + bar.xMax) / 2, 0))
        points.scale((BAR / (bar.xMax - bar.xMin), 1))
        points.translate((BAR / 2 if point == 0xAF else 0, 0))
        points.toInt()
        bar.coordinates = points
        bar.recalcBounds(glyphs)
        font["hmtx"][names[point]] = (BAR if point == 0xAF else 0, bar.xMin)


def _rename(font: TTFont, family: str, style: str) -> None:
    """Give a font its name; copyright and licence stay."""
    names, whole = font["name"], f"{family} {style}"
    names.names = [entry for entry in names.names if entry.nameID in (0, 13, 14)]
    for number, text in {1: family, 2: style, 3: whole, 4: whole, 6: whole.replace(" ", "-"), 16: family}.items():
        names.setName(text, number, 3, 1, 0x409)


def characters(name: str) -> set[int]:
    """Return the code points that a font keeps, as far as the whole one has them."""
    ends = [[int(end, 16) for end in each.split("-")] for each in RANGES[name].split()]
    return {point for each in ends for point in range(each[0], each[-1] + 1)}


if __name__ == "__main__":
    main()
