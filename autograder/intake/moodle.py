"""Moodle's "Download all submissions": a folder for each student, or the same in each file's name.

    Jane Doe_123456_assignsubmission_file_/forward.py
    Jane Doe_123456_assignsubmission_file_forward.py

The number is the participant's, which Moodle's grading worksheet calls "Participant 123456". Text typed into a form
(`onlinetext`) is no file and is left out.
"""

from __future__ import annotations

import re
from collections import defaultdict

from autograder.intake.hand_ins import HandIn, Student
from autograder.intake.trees import Tree, joined, text_of

WANTED = "folders named NAME_123456_assignsubmission_file, as Moodle hands them out"
_NAMED = re.compile(r"(?P<name>.+)_(?P<id>\d+)_assignsubmission_(?P<what>[a-z]+)_?(?P<file>.*)")


def claims(tree: Tree, lesson: str) -> bool:
    """Say whether something here is named as Moodle names it."""
    return any(_NAMED.fullmatch(name) for name in tree.names())


def students(tree: Tree, lesson: str) -> list[Student]:
    """Gather each student's files by participant number."""
    files: dict[str, dict[str, str]] = defaultdict(dict)
    called: dict[str, str] = {}
    for name in tree.names():
        match = _NAMED.fullmatch(name)
        if match is None:
            if not name.startswith("."):
                tree.notes.append(f"{text_of(name)}: not named as Moodle names submissions, so it is left out")
            continue
        called[match["id"]] = text_of(match["name"])
        if match["what"] != "file":
            files[match["id"]].update({})
        elif match["file"]:
            files[match["id"]].setdefault(match["file"], name)
        else:
            files[match["id"]].update({file: joined(name, file) for file in tree.names(name)})
    names = list(called.values())
    return [
        Student(
            name=called[id] if names.count(called[id]) == 1 else f"{called[id]} ({id})",
            hand_ins=(HandIn(tree, files=own),),
            id=id,
            aliases=(called[id],),
        )
        for id, own in sorted(files.items(), key=lambda item: called[item[0]])
    ]
