"""What a lesson shows of the mistakes that its text warns of, from its `mistakes.yaml`: what one writes, and what that looks like."""

import ast
from pathlib import Path

from msgspec import Struct

from autograder.course.errors import CourseError
from autograder.course.loading import Folders
from autograder.course.model import Lesson


class Mistake(Struct, frozen=True, forbid_unknown_fields=True):
    """One mistake: the line that one `writes`, or else the words that one `says`, how that `looks` in a sentence, and images of it."""

    looks: str
    writes: str = ""
    says: str = ""
    images: str = ""
    line: int = 0

    @property
    def made(self) -> str:
        """What one writes or says, as Markdown."""
        return f"`{self.writes}`" if self.writes else f"“{self.says}”"


def read_mistakes(root: Path, lesson: Lesson) -> dict[str, Mistake]:
    """Read what a lesson shows of mistakes, by their ids; empty if it has no such file. Raise `CourseError` with every finding."""
    folders, path = Folders(root), root / "lessons" / lesson.id / "mistakes.yaml"
    if not path.is_file():
        return {}
    found, _ = folders.typed(path, dict[str, Mistake], folders.text(path, "the mistakes") or "{}")
    complain = folders.about(path)
    for name, one in found.items():
        if bool(one.writes) == bool(one.says):
            problem = f"`{name}` has {'both `writes` and' if one.says else 'neither `writes` nor'} `says`"
            complain(one.line, problem, "give one: the line that one writes, or the words that one says")
        elif problem := _no_python(one.writes):
            fix = "correct it, or give the words that one `says`"
            complain(one.line, f"`{name}`: what one writes is no line of Python: {problem}", fix)
    if folders.findings:
        raise CourseError(folders.findings)
    return found


def _no_python(line: str) -> str:
    try:
        ast.parse(line)
    except SyntaxError as error:
        return str(error.msg)
    return "it has several" if "\n" in line.strip() else ""
