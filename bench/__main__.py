"""What `make bench` runs: each part by its name, one table.

    python -m bench                     all parts, about thirteen minutes on two idle cores
    python -m bench torch memory        only these

`torch`, `computing`, `numpy`: rates of three kinds of file and of the bare machine, about a minute each. `wrong`: rates of
wrong files by how their idea is found, three minutes. `guest`: one guest, with each wall, a minute. `memory`: whether it
grows, a minute. `class`: the example class times 50 with its hangs, five minutes. `reviews`: flashcards with years of
answers, half a minute.
Rates, CPU times and ratios are taken three times; median, least and most are printed.
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from functools import partial

import click

from bench.memory import memory
from bench.reviews import reviews
from bench.throughput import guests, hangs, rates, wrong

PARTS: dict[str, Callable[[], None]] = {
    "torch": partial(rates, "torch loaded"),
    "computing": partial(rates, "computing with torch"),
    "numpy": partial(rates, "numpy only"),
    "wrong": wrong,
    "guest": guests,
    "memory": memory,
    "class": hangs,
    "reviews": reviews,
}


@click.command(help=__doc__)
@click.argument("parts", nargs=-1, type=click.Choice(list(PARTS)))
def main(parts: tuple[str, ...]) -> None:
    """Print the table, and what the machine was like."""
    where = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, Linux {platform.release()}"
    print(f"{where}, {time.strftime('%Y-%m-%d')}, load before: {os.getloadavg()[0]:.1f}\n")
    print("| what | median | range | unit |\n| --- | --- | --- | --- |")
    for part in parts or PARTS:
        PARTS[part]()
    print(f"\nload after: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main(prog_name="python -m bench")
