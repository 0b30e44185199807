"""Each wall taken away in turn: an attack that it stops succeeds, so the wall is no decoration and the attack can succeed."""

import os

import pytest

from . import arena
from .test_hostile import ATTACKS

# wall -> an attack that it alone stops
STOPPED = {"landlock": "open-and-list", "seccomp": "sockets", "limits": "files-without-end", "privileges": "page-zero"}


@pytest.mark.usefixtures("walls")
@pytest.mark.parametrize("wall", STOPPED)
def test_without_the_wall_its_attack_succeeds(wall, tmp_path):
    if wall == "privileges" and os.geteuid() != 0:
        pytest.skip("AN ORDINARY USER HAS NO PRIVILEGES TO GIVE UP, so this promise is tested as root only")
    attack = next(attack for attack in ATTACKS if attack.id == STOPPED[wall])
    report = arena.run([attack], tmp_path, without=wall)
    assert "BREACH" in report["results"][attack.id]["stdout"]
