"""Read `widgets.yaml`: what of a lesson can be played with in a browser, and where the module lies that does it."""

from __future__ import annotations

import re
from pathlib import Path

from msgspec import Struct

from autograder.content.lessons import Folders
from autograder.errors import CourseError

PLACED = re.compile(r"^<!-- *widget: *(?P<id>[\w-]+) *-->$", re.MULTILINE)  # the line of a lesson's text in whose place it stands


class Widget(Struct, frozen=True, forbid_unknown_fields=True):
    """One thing to play with: its title, a sentence that says what to try, and the JavaScript module that draws it.

    `live` names the Python module below `solutions/` that computes its frames while one watches; the widget shows recorded ones
    where there is none.
    """

    title: str
    about: str
    module: str
    live: str = ""


def read_widgets(root: Path, lesson: str) -> dict[str, Widget]:
    """Return a lesson's widgets in their order; none where it has none. Raise `CourseError` with every finding."""
    folders, folder = Folders(root), root / "lessons" / lesson / "widgets"
    path = folder / "widgets.yaml"
    if not path.is_file():
        return {}
    found, at = folders.typed(path, dict[str, Widget], folders.text(path, "the widgets") or "{}")
    for name, widget in found.items():
        if not (folder / widget.module).is_file():
            line = at.value[name].value["module"].line if at.value else 1
            folders.about(path)(line, f"widget `{name}`: there is no module `{widget.module}`", "create it here, or mend its name")
    if folders.findings:
        raise CourseError(folders.findings)
    return found
