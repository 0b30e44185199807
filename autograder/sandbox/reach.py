"""What a guest may reach: the files it may read, and the user it may become."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import sysconfig
from pathlib import Path

from autograder.inside import stand_ins


def readable_paths() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """List what a guest may read (the standard library, the given packages), and the folders that it may only list."""
    library = {Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib")}
    others = ("site-packages", "dist-packages", "__pycache__")
    files = [entry for folder in library for entry in folder.iterdir() if entry.name not in others]
    listed = set(library)
    for name in stand_ins.READABLE:
        spec = importlib.util.find_spec(name) if "." not in name else None
        if spec and spec.origin:
            origin = Path(spec.origin)
            files.append(origin.parent if origin.stem == "__init__" else origin)
            listed.add(origin.parents[1] if origin.stem == "__init__" else origin.parent)
    files += [folder / "numpy.libs" for folder in listed if (folder / "numpy.libs").is_dir()]
    return tuple(sorted(map(str, files))), tuple(sorted(map(str, listed)))


def free_user(slot: int) -> int | None:
    """Choose an unused user for guests, where this process is root and that user could read Python; None otherwise."""
    import pwd

    if os.geteuid() != 0:
        return None
    user = 61184 + slot % 4000  # a range that systemd, too, gives to nobody for long
    with contextlib.suppress(KeyError):
        pwd.getpwuid(user)
        return None
    readable, listed = readable_paths()
    folders = {parent for path in (*readable, *listed) for parent in Path(path).resolve().parents}
    return user if all(folder.stat().st_mode & 0o005 == 0o005 for folder in folders) else None
