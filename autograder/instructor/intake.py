"""Where submissions enter: a folder or a zip is opened, its platform detected or given, and its students matched with the roster.

`platforms` knows how each platform names its files, `roster` who is in the class, `uploads` how a file is read. Nothing is graded here.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from autograder.course.errors import UsageError
from autograder.course.model import Person, Submission
from autograder.course.student_files import Handout, Prefer
from autograder.instructor.archives import Archive
from autograder.instructor.file_tree import FileTree, Folder, Subtree, Unreadable, innermost, joined, visible
from autograder.instructor.platforms import FOLDER, PLATFORMS, ZIPS, Platform
from autograder.instructor.roster import join
from autograder.instructor.uploads import Student, Upload, read_submissions


class ClassUploads(Struct):
    """What a class uploaded. `notes` grows while submissions are read: what was skipped, renamed or is not in the roster."""

    kind: str
    students: list[Student]
    people: list[Person]
    notes: list[str]
    missing: tuple[str, ...] = ()  # names in the roster without a submission

    def submissions(self, handout: Handout, exercises: list[str], *, every: bool, prefer: Prefer = "py") -> Iterator[Submission]:
        """Read the submissions one by one; with `every`, each attempt at an exercise and not only the last."""
        for student in self.students:
            yield from read_submissions(student, handout, exercises, self.notes.append, every=every, prefer=prefer)


def open_class(path: Path, lesson: str, kind: str | None = None, people: Sequence[Person] = ()) -> ClassUploads:
    """Open a class's folder or zip, and match it with the roster, if there is one. Raise `UsageError` if there is no class in it."""
    tree = _open_tree(path)
    detected, tree = _detect(tree, lesson) if kind is None else (kind, _root(tree, lesson, PLATFORMS[kind]))
    platform = PLATFORMS[detected]
    students = platform.students(tree, lesson) if platform.matches(tree) else []
    if not students:
        if kind in (None, "folder"):
            raise UsageError(f"{path}: no student's folder in it", "put each student's files into a folder named after the student")
        raise UsageError(f"{path}: no submissions from `{kind}` in it", f"give {platform.wanted}, or leave --from out")
    missing: tuple[str, ...] = ()
    if people:
        students, unmatched = join(students, people)
        tree.notes += unmatched
        missing = tuple(student.name for student in students if not student.uploads)
    return ClassUploads(detected, students, _merge_people(students, people), tree.notes, missing)


def open_folder(path: Path, student: str) -> Student:
    """Open one student's own folder."""
    return Student(student, (Upload(Folder(path)),))


def _open_tree(path: Path) -> FileTree:
    if path.is_dir():
        folder = Folder(path)
        if problem := folder.problem(""):
            raise UsageError(f"{path}: {problem}", "make the folder readable, or run this as a user who may read it")
        return folder
    if not path.is_file():
        raise UsageError(f"{path}: no such folder or zip", "give the folder that holds one folder for each student, or a platform's zip")
    try:
        opened = Archive(path, path.name)
        opened.notes += [f"`{one.file}` is skipped, because {one.why}" for one in opened.skipped]
        return opened
    except Unreadable:
        raise UsageError(f"{path}: neither a folder nor an intact zip", "download it again, or unpack it and give the folder") from None


def _detect(tree: FileTree, lesson: str) -> tuple[str, FileTree]:
    """Return the first platform that matches, here or, if it finds several students there, in the only folder that is here."""
    special = {name: platform for name, platform in PLATFORMS.items() if platform is not FOLDER}
    for name, platform in special.items():
        if platform.matches(tree):
            return name, tree
    inner = Subtree(tree, innermost(tree, lesson))
    for name, platform in special.items():
        if platform is ZIPS and isinstance(tree, Folder):  # more likely one student who uploaded several
            continue
        if inner.folder and platform.matches(inner) and len(platform.students(inner, lesson)) > 1:
            return name, inner
    return "folder", _root(tree, lesson, FOLDER)


def _root(tree: FileTree, lesson: str, platform: Platform) -> FileTree:
    """Return where a platform's files begin: here, or below folders that hold nothing but one folder, which a zip may have around them."""
    if platform is not FOLDER:
        return tree if platform.matches(tree) else Subtree(tree, innermost(tree, lesson))
    if not isinstance(tree, Archive):
        return tree
    folder = innermost(tree, lesson)
    names = visible(tree, folder)
    holds_students = names and lesson not in names and all(tree.kind(joined(folder, name)) == "folder" for name in names)
    return Subtree(tree, folder if holds_students else folder.rpartition("/")[0])


def _merge_people(students: list[Student], roster: Sequence[Person]) -> list[Person]:
    known = {person.student: person for person in roster}
    for student in students:
        if student.id or student.login:
            person = known.get(student.name, Person(student.name))
            known[student.name] = replace(person, id=person.id or student.id, login=person.login or student.login)
    return list(known.values())
