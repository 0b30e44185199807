"""Cached findings of `course lint`, valid until something that it reads changes.

The user's cache folder holds one file for each course and lesson, with a hash of the course, the engine and the versions of its
dependencies. Nothing slow is imported unless the rules have to run.
"""

import contextlib
import hashlib
import os
import platform
import re
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

import msgspec
import platformdirs

from autograder.course.errors import Finding
from autograder.course.loading import package_name

CONTENT = ("course.yaml", "lessons", "exercises", "solutions")
ENGINE = Path(__file__).parents[2]


class Kept(msgspec.Struct):
    """The findings of one run, and the hash of everything that it read."""

    key: str
    findings: list[Finding]


def check_course_once(root: Path, only: str | None = None, *, fresh: bool = False) -> list[Finding]:
    """Return the findings of `check_course`, from the cache unless it is out of date or `fresh` is set."""
    name = hashlib.sha256(f"{root.resolve()}\0{only or ''}".encode()).hexdigest()[:16]
    place, key = platformdirs.user_cache_path(package_name(), appauthor=False) / f"lint-{name}.json", _key(root)
    kept = None if fresh else _read(place)
    if kept is not None and kept.key == key:
        return kept.findings
    from autograder.author.lint.rules import check_course

    findings = check_course(root, only)
    with contextlib.suppress(OSError):
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(msgspec.json.encode(Kept(key, findings), enc_hook=str))
    return findings


def _read(place: Path) -> Kept | None:
    try:
        return msgspec.json.decode(place.read_bytes(), type=Kept, dec_hook=lambda kind, text: kind(text))
    except (OSError, msgspec.MsgspecError, TypeError):  # missing or damaged
        return None


def _key(root: Path) -> str:
    made = hashlib.sha256()
    for part in (*_versions(), *_contents(root, CONTENT), *_contents(ENGINE.parent, (ENGINE.name,))):
        made.update(len(part).to_bytes(8, "big") + part)
    return made.hexdigest()


def _versions() -> Iterator[bytes]:
    yield platform.python_version().encode()
    for name in sorted({re.split(r"[^\w.-]", one, maxsplit=1)[0] for one in requires(package_name()) or ()}):
        with contextlib.suppress(PackageNotFoundError):
            yield f"{name} {version(name)}".encode()


def _contents(root: Path, names: tuple[str, ...]) -> Iterator[bytes]:
    """Yield the paths below `root` and the contents of files and folders, following links, without compiled files."""
    tops = [root / name for name in names]
    walked = [Path(folder, file) for top in tops for folder, _, files in os.walk(top, followlinks=True) for file in files]
    for path in sorted(path for path in (*tops, *walked) if path.is_file() and path.suffix != ".pyc"):
        yield str(path.relative_to(root)).encode()
        yield path.read_bytes()
