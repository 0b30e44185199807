"""What becomes of hostile submissions: graded like any other, by the public command, beside honest students."""

from __future__ import annotations

import json
import unicodedata
from typing import Any

import pytest

from autograder.grading.checks import load_checks
from tests.once import once

from . import (
    arena,
    borrow_the_points,
    break_the_protocol,
    cost_the_grader,
    escape,
    exhaust,
    forge_the_score,
    leave_behind,
    look_around,
    strange_values,
)
from .attack import Attack

GROUPS = (
    forge_the_score, borrow_the_points, strange_values, cost_the_grader, break_the_protocol, look_around, escape, exhaust, leave_behind,
)  # fmt: skip
ATTACKS: tuple[Attack, ...] = tuple(attack for group in GROUPS for attack in group.ATTACKS)

RESULT_BYTES = 256 << 10  # of a line of results.jsonl: the output, and a few lines for each check

pytestmark = pytest.mark.xdist_group("hostile")  # one process grades them all, once


@pytest.fixture(scope="session")
def report(walls: None, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Grade all attacks once."""
    return dict(once(tmp_path_factory, "hostile", lambda: arena.run(ATTACKS, tmp_path_factory.mktemp("arena"))))


def test_every_attack_has_its_own_name_and_a_promise() -> None:
    """A table of attacks names each once and says in a sentence what must hold."""
    assert len({attack.id for attack in ATTACKS}) == len(ATTACKS)
    assert all(" " in attack.promise and not attack.promise.endswith(".") for attack in ATTACKS)


def test_every_attack_is_graded_and_the_run_ends_well(report: dict[str, Any]) -> None:
    """Hostile files are graded like others: exit status 0, nobody missing, nothing judged our fault."""
    assert report["status"] == 0, report["said"]
    assert set(report["results"]) == {attack.id for attack in ATTACKS} | set(arena.HONEST)
    assert {name for name, result in report["results"].items() if result["status"] != "graded"} == set()


def test_honest_students_beside_them_lose_nothing(report: dict[str, Any]) -> None:
    """What honest students earn and print is as if nobody else were there."""
    for name in arena.HONEST:
        result = report["results"][name]
        assert (result["score"], result["stdout"]) == (result["max_score"], ""), name


def test_nothing_is_left_behind(report: dict[str, Any]) -> None:
    """When the run is over there is no process, shared memory, queue or file that was not there before."""
    assert report["left"] == []


def test_nobody_outside_was_touched(report: dict[str, Any]) -> None:
    """No call came in, no victim died or was slowed, no bait was changed."""
    assert report["harm"] == []


def test_what_people_read_holds_no_control_character(report: dict[str, Any]) -> None:
    """Feedback and scores are plain text, whatever a stranger prints, raises or calls its types."""
    assert report["stained"] == []


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.id)
def test_attack(attack: Attack, report: dict[str, Any]) -> None:
    """The promise of the attack's line in the table holds."""
    result = report["results"][attack.id]
    checks, printed = result["checks"], result["stdout"]
    failed = [check for check in checks if check["outcome"] == "failed"]
    story = "\n".join([attack.promise, printed[:2000], *(check["message"][:300] for check in failed)])
    assert "BREACH" not in printed, story
    assert "TRIED" in printed or not attack.tries, story
    assert _earned(checks, attack), story
    assert result["score"] == sum(check["points"] for check in checks), story
    of = {check.id: check.of for check in load_checks(arena.ROOT / "exercises" / "12_diffusion" / "checks" / f"{attack.exercise}.py")}
    told = {check["reason"] for check in failed if check["reason"] != "raised" or of[check["id"]] in attack.source}  # or it has no such function
    assert told <= attack.reasons, story
    assert len(printed.encode()) <= arena.OUTPUT_BYTES, story
    assert len(json.dumps(result)) <= RESULT_BYTES, story
    assert not any(map(_unfit, checks)), story


def _earned(checks: list[dict[str, Any]], attack: Attack) -> bool:
    """Say whether just those checks passed that may, each for its own points."""
    passed = {check["id"] for check in checks if check["outcome"] == "passed"}
    fair = all(check["points"] == (check["max_points"] if check["id"] in passed else 0) for check in checks)
    if attack.earns in ("part", "some"):
        return fair and (attack.earns == "some" or len(passed) < len(checks))
    return fair and passed == {"nothing": set(), "all": {check["id"] for check in checks}}.get(str(attack.earns), attack.earns)


def _unfit(check: dict[str, Any]) -> bool:
    """Say whether a message is longer than anyone reads, or could colour a terminal."""
    return len(check["message"]) > 1500 or any(unicodedata.category(c) == "Cc" for c in check["message"])
