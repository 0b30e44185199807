"""The ladder (solutions/diffusion/README.md) shows measured numbers and names every file."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from solutions.diffusion.store import SHIPPED
from solutions.diffusion.trade_offs import calls_table

REFERENCE = SHIPPED.parent
LADDER = (REFERENCE / "README.md").read_text(encoding="utf-8")
PROSE = " ".join(LADDER.replace("**", "").split())


def metrics(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SHIPPED / f"{name}.json").read_text(encoding="utf-8"))["metrics"]
    return found


def share(value: float) -> str:
    return f"{value:.2f}".removeprefix("0")


def quality_rows() -> list[str]:
    """Return the rows of the demo model's table, one per w."""
    found = metrics("fashion")
    names = {"0": "w = 0, unconditional"}
    rows = {names.get(w, f"w = {w}"): each for w, each in found["by w, 20 ddim steps"].items()}
    rows["real training images instead"] = found["real against real"]["2000"]
    keys = ("coverage", "recall", "agreement")
    return [f"| {name} | {each['fd']:.1f} | {' | '.join(share(each[key]) for key in keys)} |" for name, each in rows.items()]


def steps_rows() -> list[str]:
    """Return the sentences about steps, and the row of the distilled model."""
    found = metrics("fashion")
    *fds, last = [f"{each['fd']:.1f}" for each in found["by ddim steps, w = 1"].values()]
    long, short = found["ddpm, w = 1"]["1000"], found["ddpm, w = 1"]["20 of ddim"]
    students = [f"{each['fd']:.1f}" for each in metrics("distilled")["by steps"].values()]
    return [
        f"At w = 1, DDIM with 2, 5, 10, 20 and 50 steps reaches a distance of {', '.join(fds)} and {last}.",
        f"DDPM with 1000 steps reaches {long['fd']:.1f}, where DDIM with 20 steps on equally few images ({long['n']}) reaches {short['fd']:.1f}, "
        f"and takes {long['cpu_seconds']:.0f} CPU seconds for 64 images instead of {short['cpu_seconds']:.0f}.",
        f"| Fréchet distance | {' | '.join(students)} |",
    ]


def calls_rows() -> list[str]:
    """Return the rows of the table of `calls`."""
    return [f"| {' | '.join(row)} |" for row in calls_table(metrics("fashion"))]


def latent_rows() -> list[str]:
    """Return the rows of the latent diffusion table."""
    found = metrics("latent")
    rows = {f"w = {w}": each for w, each in found["by w"].items()} | {"real images through the VAE": found["through the vae"]}
    return [f"| {name} | {each['fd']:.1f} | {share(each['coverage'])} | {share(each['agreement'])} |" for name, each in rows.items()]


def emoji_rows() -> list[str]:
    """Return the rows of the emoji model's table: by w, then what the measures give for images that are not generated."""
    found = metrics("emoji")
    keys = ("names", "unseen, colour", "unseen, shape", "unseen, both", "unseen, nearest", "names copied", "unseen copied")
    rows = {name: each for name, each in found.items() if isinstance(each, dict)}
    return [f"| {name} | {' | '.join(share(each[key]) for key in keys)} |" for name, each in rows.items()]


def adherence_rows() -> list[str]:
    """Return each text-to-image model's share of matching images, at its best w."""

    def best(by_w: dict[str, dict[str, float]]) -> str:
        w, each = max(by_w.items(), key=lambda item: item[1]["all"])
        return f"{share(each['all'])} ({w.replace('=', ' = ')})"

    found = {name: metrics(name) for name in ("shapes", "cascade", "unclip")}
    return [f"| `{name}` | {' | '.join(best(f[f'adherence, {kind}']) for kind in ('one', 'unseen', 'two'))} |" for name, f in found.items()]


def recaption_rows() -> list[str]:
    """Return the rows about training captions."""
    return [
        f"| {name} | {share(each['asked rich']['all'])} | {share(each['asked terse']['all'])} |"
        for name, each in metrics("recaption").items()
    ]


@pytest.mark.parametrize("rows", [quality_rows, steps_rows, calls_rows, latent_rows, emoji_rows, adherence_rows, recaption_rows])
def test_the_ladder_shows_what_was_measured(rows: Any) -> None:
    """Each row and sentence agrees, to the digits shown, with the .json files next to the weights."""
    assert [row for row in rows() if row not in PROSE] == []


def test_the_ladder_names_every_file() -> None:
    """Every module has a place in the ladder, under its path."""
    files = [file.relative_to(REFERENCE).as_posix() for file in sorted(REFERENCE.rglob("[a-z]*.py"))]
    assert [file for file in files if f"`{file}`" not in LADDER] == []


def test_the_ladder_begins_with_what_diffusion_is_made_of():
    """The first rungs are the files beside it, in this order; models and drawing, in folders of their own, come later."""
    first = ["schedules", "forward", "losses", "samplers", "guidance", "unet", "train"]
    named = [Path(name).stem for heading in re.findall("^## Rung.*", LADDER, re.MULTILINE) for name in re.findall(r"`([\w/]+\.py)`", heading)]
    assert [name for name in named if name in first] == first
    assert named.index("train") < named.index("fashion")


def test_the_ladders_images_are_there_and_were_made_by_its_commands() -> None:
    """Each image is a file, and each one in the gallery is written by a command on the page."""
    named = re.findall(r'\]\(([^)]+\.(?:png|svg))\)|src(?:set)?="([^"]+)"', LADDER)
    files = [one or other for one, other in named]
    assert files
    assert [file for file in files if not (REFERENCE / file).is_file()] == []
    assert [Path(file).name for file in files if file.startswith("gallery/") and f"--out {Path(file).name}" not in LADDER] == []
