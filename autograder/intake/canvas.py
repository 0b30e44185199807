"""Canvas's "Download submissions": all files in one folder, with the student and the attempt in each name.

    doejane_LATE_12345_67890_forward-1.py      name, late or not, the student's number, the file's number, the file
    anon_Ab3xY_67890_forward.py                where the assignment hides names

Canvas writes `-1`, `-2` behind a file's name where the student handed in one of the same name before: that is the attempt.
"""

from __future__ import annotations

import re
from collections import defaultdict

from autograder.intake.hand_ins import HandIn, Student
from autograder.intake.trees import Tree, text_of
from autograder.model import HandedIn

WANTED = "files named NAME_12345_67890_FILE, as Canvas hands them out"
_NAMED = re.compile(r"(?P<name>.+?)(?P<late>_LATE)?_(?P<id>\d+)_\d+_(?P<file>.+)")
_HIDDEN = re.compile(r"(?P<late>LATE_)?(?P<name>anon_(?P<id>[A-Za-z0-9]{5}))_\d+_(?P<file>.+)")
_AGAIN = re.compile(r"(?P<stem>.+?)-(?P<number>[1-9]\d{0,2})(?P<suffix>\.[A-Za-z]+)")


def claims(tree: Tree, lesson: str) -> bool:
    """Say whether the files here are named as Canvas names them."""
    files = [name for name in tree.names() if not name.startswith(".") and tree.kind(name) != "folder"]
    return bool(files) and sum(bool(_match(name)) for name in files) * 2 > len(files)


def students(tree: Tree, lesson: str) -> list[Student]:
    """Gather each student's files by number, and by attempt. What is not named so is left out with a line."""
    found: dict[str, dict[int, dict[str, str]]] = defaultdict(lambda: defaultdict(dict))
    called: dict[str, str] = {}
    late: set[tuple[str, int]] = set()
    for path in tree.names():
        match = _match(path)
        if match is None:
            if not path.startswith("."):
                tree.notes.append(f"{text_of(path)}: not named as Canvas names files, so it is left out")
            continue
        number, name = _attempt(match["file"])
        found[match["id"]][number].setdefault(name, path)
        called[match["id"]] = text_of(match["name"])
        if match["late"]:
            late.add((match["id"], number))
    names = list(called.values())
    return [
        Student(
            name=called[id] if names.count(called[id]) == 1 else f"{called[id]} ({id})",
            hand_ins=tuple(HandIn(tree, files=files, facts=HandedIn(n, late=(id, n) in late)) for n, files in sorted(attempts.items())),
            id=id,
            aliases=(called[id],),
        )
        for id, attempts in sorted(found.items(), key=lambda item: called[item[0]])
    ]


def _match(path: str) -> re.Match[str] | None:
    return _HIDDEN.fullmatch(path) or _NAMED.fullmatch(path)


def _attempt(file: str) -> tuple[int, str]:
    """Split a file's name into which attempt it is and the name it had."""
    match = _AGAIN.fullmatch(file)
    return (int(match["number"]) + 1, match["stem"] + match["suffix"]) if match else (1, file)
