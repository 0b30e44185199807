"""A folder for each student, with the files in it or in a folder named like the lesson. What is no other kind is this one."""

from __future__ import annotations

import hashlib
import os

from autograder.intake.hand_ins import HandIn, Student
from autograder.intake.trees import Tree, text_of

WANTED = "a folder named like each student, with the files in it"


def claims(tree: Tree, lesson: str) -> bool:
    """Say whether there is a folder at all."""
    return bool(_folders(tree))


def students(tree: Tree, lesson: str) -> list[Student]:
    """Take every folder for a student, also one that cannot be read; what is hidden is left alone."""
    named = apart(_folders(tree))
    return [Student(named[folder], (HandIn(tree, folder, problem=problem(tree, folder)),)) for folder in named]


def problem(tree: Tree, folder: str) -> str:
    """Say why a student's folder as a whole cannot be read; nothing where it can."""
    if tree.kind(folder) == "link":
        return "the student's folder is a link, which is not followed"
    trouble = tree.trouble(folder)
    return f"the student's folder cannot be read: {trouble}" if trouble else ""


def apart(folders: list[str]) -> dict[str, str]:
    """Give each folder its student's name; where two would be the same text, the later ones get a hash behind it."""
    named: dict[str, str] = {}
    taken: set[str] = set()
    for folder in folders:
        name = text_of(folder)
        if name in taken:
            name = f"{name} ({hashlib.sha256(os.fsencode(folder)).hexdigest()[:8]})"
        taken.add(name)
        named[folder] = name
    return named


def _folders(tree: Tree) -> list[str]:
    return [name for name in tree.names() if not name.startswith(".") and tree.kind(name) in ("folder", "link")]
