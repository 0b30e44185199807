"""Sandboxes for tests: each has servers of its own, but one process of pytest imports a framework once for all of them."""

import atexit
from functools import cache

from autograder.sandbox.preload import Launched, Preloader
from autograder.sandbox.servers import Sandbox


@cache
def preloader(profile: str) -> Preloader:
    """Start what imports a profile, and keep it until this process ends."""
    started = Preloader(profile)
    atexit.register(started.close)
    return started


def forked(profile: str) -> Launched:
    """Fork a fork server off a preloader, as a class's workers have theirs."""
    return Launched(preloader(profile).server())


class SharedSandbox(Sandbox):
    """A sandbox that starts no server of its own."""

    def prepare(self, profile: str, launched: Launched | None = None) -> None:
        if profile not in self._servers:
            super().prepare(profile, launched or forked(profile))
