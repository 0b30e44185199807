"""What is made once and read by many tests, however many processes run them."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Callable
from typing import Any

import pytest


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[], Any]) -> Any:
    """Give what `make` gives (plain data), made by whichever process of the run comes first."""
    base = factory.getbasetemp()
    shared = base.parent if base.name.startswith("popen-") else base  # pytest-xdist's processes each have a folder of their own
    with open(shared / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        written = shared / f"{name}.json"
        if not written.exists():
            written.write_text(json.dumps(make()), encoding="utf-8")
        return json.loads(written.read_text(encoding="utf-8"))
