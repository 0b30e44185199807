"""What attacks get through: ours, and where they apply nbgrader and otter, in one run.

    make attacks
    python -m bench.attacks --ours      without the others (they take minutes, and otter an environment of its own)

The attacks are those of `tests/hostile/`. One got through when it did what it must not (it says `BREACH`), or has points
that it did not earn. The others are handed those attacks that try to forge a score, to see what is hidden, or to start
something; what would harm a machine without walls is kept from them.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from bench.others import by_nbgrader, by_otter
from tests.hostile import arena
from tests.hostile.attack import RIGHT, Attack
from tests.hostile.test_hostile import GROUPS

Through = set[str]
# Others don't keep what is printed, so what an attack says of itself goes to a file of its own.
TELLING = """def print(*words, **options):
    with open({told!r}, "a") as file:
        file.write(" ".join(map(str, words)) + "\\n")


"""
HARMLESS_ANYWHERE = {"new-processes", "threads", "sockets", "loop"}  # beside the two groups below
FOR_OTHERS = ("forge_the_score", "look_around")


def name_of(group: object) -> str:
    return str(getattr(group, "__name__", "")).rpartition(".")[2]


ALL = {name_of(group): tuple(group.ATTACKS) for group in GROUPS}
OTHERS = [
    attack
    for name, group in ALL.items()
    for attack in group
    if attack.exercise == "forward" and (name in FOR_OTHERS or attack.id in HARMLESS_ANYWHERE)
]


def through_ours() -> Through:
    """Grade all attacks with `course grade`; name those that got through."""
    attacks = [attack for group in ALL.values() for attack in group]
    with tempfile.TemporaryDirectory() as folder:
        report = arena.run(attacks, Path(folder))
    if report["left"] or report["harm"]:
        print("left behind or harmed:", *report["left"], *report["harm"])
    results = report["results"]
    return {a.id for a in attacks if _got_through(a, results[a.id]["score"], results[a.id]["stdout"])}


def through_others(grade: Callable[[dict[str, str], Path], dict[str, float]]) -> Through:
    """Hand attacks to another autograder, with an honest solution beside them that must get its points."""
    with tempfile.TemporaryDirectory() as folder, arena.staged(OTHERS, Path(folder)) as (_, _, class_folder, _):
        told = {attack.id: Path(folder) / f"{attack.id}.txt" for attack in OTHERS}
        sources = {a.id: TELLING.format(told=str(told[a.id])) + (class_folder / a.id / "forward.py").read_text() for a in OTHERS}
        points = grade(sources | {"honest": RIGHT}, Path(folder) / "other")
        said = {name: path.read_text(errors="replace") if path.exists() else "" for name, path in told.items()}
    if not points["honest"]:
        sys.exit("an honest solution got no points, so this says nothing")
    return {attack.id for attack in OTHERS if _got_through(attack, points[attack.id], said[attack.id])}


def _got_through(attack: Attack, points: float, said: str) -> bool:
    return "BREACH" in said or (attack.earns == "nothing" and points > 0)


def table(through: dict[str, Through]) -> Iterable[str]:
    """Give the rows: for each group, how many attacks, and how many of those that were tried got through."""
    tried = {name: OTHERS if name != "ours" else [a for group in ALL.values() for a in group] for name in through}
    yield "| attacks | " + " | ".join(f"through {name}" for name in through) + " |"
    yield "| --- |" + " ---: |" * len(through)
    for group, attacks in ALL.items():
        cells = []
        for name, got in through.items():
            own = [attack.id for attack in attacks if attack in tried[name]]
            cells.append(f"{len(got & set(own))} of {len(own)}" if own else "not tried")
        yield f"| {group.replace('_', ' ')} | " + " | ".join(cells) + " |"


def main() -> None:
    """Print the table, and what got through by name."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ours", action="store_true", help="without nbgrader and otter")
    asked = parser.parse_args()
    through = {"ours": through_ours()}
    if not asked.ours:
        through |= {"nbgrader": through_others(by_nbgrader), "otter": through_others(by_otter)}
    print("\n".join(table(through)))
    for name, got in through.items():
        print(f"\nthrough {name}: {', '.join(sorted(got)) or 'none'}")
    sys.exit(1 if through["ours"] else 0)


if __name__ == "__main__":
    main()
