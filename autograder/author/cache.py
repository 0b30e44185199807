"""What takes long to compute, kept until something that it was computed from changes.

The user's cache folder holds one file for each result, with a hash of what it was computed from: files of the course, the engine and the
versions of its dependencies. Nothing slow is imported unless something has to be computed.
"""

import contextlib
import hashlib
import os
import platform
import re
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Generic, TypeVar

import msgspec
import platformdirs

from autograder.course.errors import Finding
from autograder.course.loading import CONTENT, package_name

T = TypeVar("T")

ENGINE = Path(__file__).parents[1]
GRADING = ("api.py", "author/recording.py", "course", "grading", "sandbox/guest")  # of the engine: what a result of grading depends on
MOST = 100  # results of one kind that are named by what they were computed from: older ones go


class Kept(msgspec.Struct, Generic[T]):
    """A result, and the hash of everything that it was computed from."""

    key: str
    result: T


def check_course_once(root: Path, only: str | None, findings: Callable[[], list[Finding]], *, fresh: bool = False) -> list[Finding]:
    """Return the `findings` of a course or of one lesson, from the cache unless it is out of date or `fresh` is set."""
    name = hashlib.sha256(f"{root.resolve()}\0{only or ''}".encode()).hexdigest()[:16]
    return _kept(f"lint-{name}", _key(_contents(root, CONTENT)), list[Finding], findings, fresh)


def graded_once(kind: str, files: Iterable[Path], root: Path, result: type[T], compute: Callable[[], T]) -> T:
    """Return what `compute` computes from these files and folders below `root`, with the grading; equal files give an equal result."""
    key = _key(_contents(root, [str(path.relative_to(root)) for path in files]), GRADING)
    made = _kept(f"{kind}-{key[:16]}", key, result, compute)
    with contextlib.suppress(OSError):
        for old in sorted(_folder().glob(f"{kind}-*"), key=lambda path: path.stat().st_mtime)[:-MOST]:
            old.unlink()
    return made


def _folder() -> Path:
    return platformdirs.user_cache_path(package_name(), appauthor=False)


def _kept(name: str, key: str, result: type[T], compute: Callable[[], T], fresh: bool = False) -> T:
    place = _folder() / f"{name}.json"
    kept = None if fresh else _read(place, result)
    if kept is not None and kept.key == key:
        return kept.result
    written = msgspec.json.encode(Kept(key, compute()), enc_hook=str)
    with contextlib.suppress(OSError):
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(written)
    return _decoded(written, result).result  # so that it is the same as when it is read


def _decoded(written: bytes, result: type[T]) -> Kept[T]:
    return msgspec.json.decode(written, type=Kept[result], dec_hook=lambda kind, text: kind(text))  # type: ignore[valid-type]


def _read(place: Path, result: type[T]) -> Kept[T] | None:
    try:
        return _decoded(place.read_bytes(), result)
    except (OSError, msgspec.MsgspecError, TypeError):  # missing or damaged
        return None


def _key(contents: Iterable[bytes], engine: Iterable[str] = ("",)) -> str:
    made = hashlib.sha256()
    for part in (*_versions(), *contents, *_contents(ENGINE, engine)):
        made.update(len(part).to_bytes(8, "big") + part)
    return made.hexdigest()


def _versions() -> Iterator[bytes]:
    yield platform.python_version().encode()
    for name in sorted({re.split(r"[^\w.-]", one, maxsplit=1)[0] for one in requires(package_name()) or ()}):
        with contextlib.suppress(PackageNotFoundError):
            yield f"{name} {version(name)}".encode()


def _contents(root: Path, names: Iterable[str]) -> Iterator[bytes]:
    """Yield the paths below `root` and the contents of files and folders, following links, without compiled files."""
    tops = [root / name for name in names]
    walked = [Path(folder, file) for top in tops for folder, _, files in os.walk(top, followlinks=True) for file in files]
    for path in sorted(path for path in (*tops, *walked) if path.is_file() and path.suffix != ".pyc"):
        yield str(path.relative_to(root)).encode()
        yield path.read_bytes()
