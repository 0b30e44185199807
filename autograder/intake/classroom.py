"""Clones of GitHub Classroom's repositories: a folder for each student, named ASSIGNMENT-USERNAME, with `.git` in it.

Only the files that lie there are read: no git is run, for a repository's own settings can run anything. What its commits say of
the time is the student's word, so it is not taken.
"""

from __future__ import annotations

from autograder.intake.folder import apart, problem
from autograder.intake.hand_ins import HandIn, Student
from autograder.intake.trees import Tree

WANTED = "a folder with `.git` in it for each student, as `gh classroom clone` leaves them"


def claims(tree: Tree, lesson: str) -> bool:
    """Say whether every folder here is a clone."""
    folders = _folders(tree)
    return bool(folders) and all(tree.kind(f"{folder}/.git") in ("folder", "file") for folder in folders)


def students(tree: Tree, lesson: str) -> list[Student]:
    """Take every clone for a student, named by what is left when the assignment's name is taken off."""
    folders = _folders(tree)
    start = _shared_start(folders)
    named = apart(folders)
    return [
        Student(
            name=named[folder].removeprefix(start) or named[folder],
            hand_ins=(HandIn(tree, folder, problem=problem(tree, folder)),),
            login=folder.removeprefix(start),
            aliases=tuple("-".join(folder.split("-")[cut:]) for cut in range(1, folder.count("-") + 1)),
        )
        for folder in folders
    ]


def _folders(tree: Tree) -> list[str]:
    return [name for name in tree.names() if not name.startswith(".") and tree.kind(name) == "folder"]


def _shared_start(folders: list[str]) -> str:
    """Find what all names begin with, up to a hyphen; of one name alone nothing is taken off."""
    if len(folders) < 2:
        return ""
    first, last = min(folders), max(folders)  # what these two share, all between them share
    same = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))
    return first[: first.rfind("-", 0, same) + 1]
