"""Every attack on the walls of older kernels: with the first Landlock, and with namespaces where there is none.

What an attack may earn, and when one that does not end is stopped, doesn't depend on the kernel and is judged in `test_hostile`. Here each
other file is loaded and its functions are called, all of them in guests of one fork server, and what they say and leave behind is looked at.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from autograder.course.policy import Limits
from autograder.sandbox.guest import walls
from autograder.sandbox.preload import profile_for
from tests.once import once
from tests.shared import SharedSandbox, preloader

from . import arena
from .attack import HANGS
from .test_hostile import ATTACKS

KERNELS = {"the first Landlock": 1, "no Landlock": 0}
AT_WALLS = [attack for attack in ATTACKS if attack.reasons != HANGS]
IMAGES, BARS = np.linspace(-1, 1, 24).reshape(2, 3, 4), np.linspace(1, 0.1, 11)
CALLS: dict[str, tuple[Any, ...]] = {
    "linear_betas": (10,),
    "alpha_bars": (np.linspace(0, 0.1, 11),),
    "forward_step": (IMAGES, 0.1, IMAGES),
    "noise_to": (IMAGES, 3, IMAGES, BARS),
    "predict_x0": (IMAGES, 3, IMAGES, BARS),
}

pytestmark = [pytest.mark.xdist_group("hostile"), pytest.mark.usefixtures("namespaces")]


@pytest.fixture(scope="module", params=KERNELS)
def report(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Run all attacks on one kernel, once."""
    version = KERNELS[request.param]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(walls, "landlock_version", lambda: (version, "taken away for the test"))
        return dict(once(tmp_path_factory, f"kernel-{version}", lambda: run(tmp_path_factory.mktemp("arena"))))


def run(folder: Any) -> dict[str, Any]:
    """Run every attack; return what each printed, and what is left and harmed afterwards."""
    limits = Limits(**arena.LIMITS)
    for profile in sorted({profile_for(attack.source.encode()) for attack in AT_WALLS}):
        preloader(profile)  # before what is there is counted: it outlives the attacks
    with arena.watched(AT_WALLS, folder) as (sources, aftermath), SharedSandbox(limits) as sandbox:
        printed = {attack.id: attacked(sandbox, attack.exercise, sources[attack.id]) for attack in AT_WALLS}
        sandbox.close()
        return {"printed": printed, **aftermath()}


def attacked(sandbox: SharedSandbox, exercise: str, source: bytes) -> str:
    """Load one file, call what it defines of `forward`, and return what it printed."""
    with sandbox.open(profile_for(source)) as guest:
        loaded = guest.load(exercise, source)
        for name, arguments in CALLS.items():
            if guest.alive and name in (loaded.value or ()):
                guest.call((exercise, name), arguments, {})
        if guest.alive:
            guest._channel.drain()
    return guest.output.decode(errors="replace")


def test_no_attack_gets_through(report: dict[str, Any]) -> None:
    """Each tries what it tries on other kernels, and none succeeds."""
    assert {name: text[:300] for name, text in report["printed"].items() if "BREACH" in text} == {}
    tries = {attack.id for attack in AT_WALLS if attack.tries and attack.exercise == "forward"}
    assert {name for name in tries if "TRIED" not in report["printed"][name]} == set()


def test_nothing_is_left_behind_and_nobody_touched(report: dict[str, Any]) -> None:
    assert (report["left"], report["harm"]) == ([], [])
