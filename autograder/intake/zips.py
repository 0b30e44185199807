"""Zips as `course submit` packs them, one for each student, each named like its student; or one such zip alone.

The manifest is the student's word. It names no student here, for anybody could write another's name; its hashes only tell a
file that was changed on the way.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from autograder.explain import clean
from autograder.intake.archives import LARGEST_ZIP, Archive
from autograder.intake.folder import apart
from autograder.intake.hand_ins import HandIn, Student
from autograder.intake.trees import Tree, Unreadable, text_of

WANTED = "a zip named like each student, as `course submit` packs it"
_MANIFEST = "manifest.json"


def claims(tree: Tree, lesson: str) -> bool:
    """Say whether there are zips here and no folders, or whether this is a student's zip itself."""
    names = [name for name in tree.names() if not name.startswith(".")]
    return _alone(tree, lesson) or (any(map(_is_zip, names)) and not any(tree.kind(name) == "folder" for name in names))


def students(tree: Tree, lesson: str) -> list[Student]:
    """Take every zip for a student. One that cannot be opened is a submission that cannot be read."""
    if _alone(tree, lesson) and isinstance(tree, Archive):
        tree.notes += _changed(tree, lesson)
        return [Student(text_of(tree.name)[: -len(".zip")], (HandIn(tree),))]
    found = [name for name in tree.names() if _is_zip(name)]
    named = apart([name[: -len(".zip")] for name in found])
    return [Student(named[name[: -len(".zip")]], (_hand_in(tree, name, lesson),)) for name in found]


def _hand_in(tree: Tree, name: str, lesson: str) -> HandIn:
    """Open a zip for a moment, to compare what it says of itself; its files are read when it is graded."""
    try:
        archive = Archive(tree.read(name, LARGEST_ZIP), clean(name, 80))
    except Unreadable as error:
        return HandIn(tree, files={}, problem=str(error))
    tree.notes += _changed(archive, lesson)
    return HandIn(tree, files={name: name})


def _changed(archive: Archive, lesson: str) -> list[str]:
    """Say where an archive is not what its manifest says."""
    try:
        manifest: Any = msgspec.json.decode(archive.read(_MANIFEST, 1 << 16))
        files = {str(path): str(said["sha256"]) for path, said in manifest["files"].items()}
    except (Unreadable, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return []
    other = clean(str(manifest.get("lesson")), 40)
    notes = [] if other == lesson else [f"{archive.name}: packed for the lesson `{other}`"]
    for path, said in list(files.items())[:100]:
        try:
            if hashlib.sha256(archive.read(path)).hexdigest() != said:
                notes.append(f"{archive.name}: `{clean(path, 80)}` was changed after it was packed")
        except Unreadable:
            notes.append(f"{archive.name}: `{clean(path, 80)}` is named in its manifest, and cannot be read")
    return notes


def _alone(tree: Tree, lesson: str) -> bool:
    return isinstance(tree, Archive) and tree.kind(_MANIFEST) == "file"


def _is_zip(name: str) -> bool:
    return name.lower().endswith(".zip") and not name.startswith(".")
