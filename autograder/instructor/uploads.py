"""What a student uploaded, and the submissions that are read from it.

An upload is the files of one student at one time, wherever a platform put them. If there are several, the last one that holds an
exercise's file is graded, or each of them where the best attempt counts. Files are read student by student, so a large class takes no
memory. Nothing here is run or judged. Every file is accounted for: it is taken for an exercise, it is as it was given, or it is listed
as unused with the reason. An exercise without a file is `missing` if nothing was handed in, `unreadable` if something could not be read,
and otherwise `unrecognised`.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator

from msgspec import Struct
from msgspec.structs import replace

from autograder.course.model import HandedIn, Submission, Unused
from autograder.course.student_files import (
    CONTENT,
    COPY,
    UNREADABLE,
    Candidate,
    Fit,
    Handout,
    Prefer,
    Work,
    candidate,
    choose,
    fits_of,
    fits_of_name,
    is_given,
    is_read,
    names_of,
    own_name,
    read_work,
    split,
    without_outputs,
)
from autograder.course.text import clean, decode
from autograder.instructor.archives import NotOpened, is_archive, open_inner
from autograder.instructor.file_tree import DEEPEST, LARGEST, LARGEST_NOTEBOOK, LARGEST_ZIP, FileTree, Unreadable, joined, require_size

MOST_FILES = 1_000  # that are looked at in one upload
MOST_BYTES = 32 << 20  # that are read of one upload
NESTED = 2  # archives in one another: a zip in a zip is opened, and none in that
MOST_ARCHIVES, MOST_HELD = 20, 96 << 20  # that are opened of one upload, and bytes of them in memory
MOST_UNUSED = 20  # that are listed
SMALL = 1 << 20  # bytes of a file whose name says nothing
CLUTTER = set(  # what programs add to a folder
    ".git .github .gitignore .gitattributes .course __MACOSX .DS_Store Thumbs.db desktop.ini __pycache__ .ipynb_checkpoints .venv venv "
    "site-packages node_modules .idea .vscode .mypy_cache .pytest_cache .ruff_cache manifest.json timestamp.txt".split()
)
THEMSELVES = "hand in the .py or .ipynb file itself"
KINDS = {  # why a file with such an ending cannot be taken, and what to do
    ("docx", "doc", "odt", "rtf", "pages", "pdf", "pptx", "tex", "md"): ("it is a document, not code", THEMSELVES),
    ("html", "htm", "mhtml"): ("it is a web page, not code", THEMSELVES),
    ("png", "jpg", "jpeg", "gif", "heic", "webp", "bmp", "svg"): ("it is an image, not code", THEMSELVES),
    ("pyc",): ("it is compiled", THEMSELVES),
    ("rar",): ("RAR archives are not read", "hand in a zip, or the files themselves"),
    ("url", "webloc", "gdoc", "lnk", "desktop"): ("it is only a shortcut to a file", "hand in the file itself"),
    ("part", "crdownload"): ("its download was not finished", "hand in the whole file"),
}
Note = Callable[[str], None]


class Upload(Struct, frozen=True):
    """Files of one time: those in `folder` of `tree`, or, if the platform renamed them, `files` by their original names."""

    tree: FileTree
    folder: str = ""
    files: dict[str, str] | None = None
    facts: HandedIn = HandedIn()
    problem: str = ""  # why it cannot be read at all

    def entries(self) -> dict[str, str]:
        """Return the path of each file or folder by its original name."""
        if self.files is not None:
            return self.files
        return {name: joined(self.folder, name) for name in self.tree.names(self.folder)}


class Student(Struct, frozen=True):
    """One student as a platform names them, with uploads in the order of their time; `id` is the platform's number."""

    name: str
    uploads: tuple[Upload, ...] = ()
    id: str = ""
    login: str = ""
    aliases: tuple[str, ...] = ()  # other names that a roster may have
    school_id: str = ""
    email: str = ""
    is_named_freely: bool = False  # the name may also be a login, an e-mail address or a number
    groups: tuple[str, ...] = ()  # names of a group that it may be from, beside the student's own
    together: tuple[str, ...] = ()  # all that the members of a group are known by, if a group handed it in

    @property
    def problem(self) -> str:
        """Why the student's folder cannot be read, or "". A damaged archive is the student's file, and no problem of the run."""
        return next((upload.problem for upload in self.uploads if upload.problem and upload.files is None), "")


def read_submissions(student: Student, handout: Handout, exercises: Iterable[str], note: Note, *, every: bool = False,
                     prefer: Prefer = "py") -> Iterator[Submission]:  # fmt: skip
    """Read a student's submissions, one for each exercise, or with `every` one for each attempt at it.

    `note` is told of each file that is taken under another name, and of each that is not taken.
    """
    contents = [_Contents(upload, handout, prefer) for upload in student.uploads]
    for line in dict.fromkeys(line for one in contents for line in one.notes()):
        note(f"{student.name}: {line}")
    for exercise in exercises:
        found = [(place, made) for place, one in enumerate(contents) if (made := one.submission(student.name, exercise))]
        attempts = [(place, one) for place, one in found if one.status != "unrecognised"] or [(0, one) for _, one in found[-1:]]
        for place, one in attempts if every else attempts[-1:]:
            unused = (each for other in contents[place:] for each in other.unused(exercise))
            yield replace(one, handed_in=replace(one.handed_in, unused=_shortened(unused)))
        if not attempts:
            names = names_of(exercise)
            yield Submission(student.name, handout.lesson, exercise, names[0], None, None, "missing", f"no {' or '.join(names)}")


def _shortened(unused: Iterable[Unused]) -> tuple[Unused, ...]:
    listed = tuple(dict.fromkeys(unused))
    more = len(listed) - MOST_UNUSED
    return (*listed[:MOST_UNUSED], Unused(f"{more} more files", "they are no exercise's files either")) if more > 0 else listed


class _File(Struct):
    """A file as it was handed in, with its folders. `work` is what was read of it; without that, `problem` says why not."""

    name: str
    tree: FileTree
    path: str
    source: bytes = b""
    sha256: str = ""
    work: Work | None = None
    fits: dict[str, Fit] = {}  # the exercises that it may be for
    problem: str = ""

    @property
    def base(self) -> str:
        return self.name.rpartition("/")[2]

    def load(self, most: int) -> int:
        """Read at most so many bytes, of a notebook its code alone, and return what that costs. Raise `Unreadable`."""
        notebook = split(self.base)[1] == "ipynb"
        whole = self.tree.read(self.path, LARGEST_NOTEBOOK if notebook else most)
        self.source = without_outputs(whole) if notebook and len(whole) > SMALL else whole
        require_size(self.base, len(self.source), LARGEST)
        self.sha256 = hashlib.sha256(whole).hexdigest()
        return max(len(self.source), len(whole) // 4)


class _Contents:
    """The files of one upload: which of them is taken for each exercise, and why each other one is not."""

    def __init__(self, upload: Upload, handout: Handout, prefer: Prefer):
        self._upload, self._handout = upload, handout
        self._files: dict[str, _File] = {}
        self._archives: list[int] = []  # the bytes that each holds
        self._clutter: list[str] = []
        self._unused: list[Unused] = []
        self._problem = upload.problem  # why every exercise that has no file is unreadable
        self._lost = ""  # why nothing at all is taken
        if not self._problem:
            self._find(upload.tree, upload.entries())
            self._read()
        if self._lost:
            self._problem, self._files = self._lost, {}
        self._choices = {exercise: choose(self._candidates(exercise), prefer) for exercise in handout.parts}
        self._concerns: dict[Unused, frozenset[str]] = {}  # the exercises that an unused file may be for, if it is known
        self._list_leftovers()

    # -- finding the files, those that lie higher first; archives are opened, also within others, as far as the limits go

    def _find(self, tree: FileTree, entries: dict[str, str], archive: str = "", nested: int = 0) -> None:
        for _ in range(DEEPEST):
            below: dict[str, str] = {}
            for name, path in entries.items():
                if tree.kind(path) == "folder" and tree.names(path) and not is_clutter(name):
                    below |= {f"{name}/{each}": joined(path, each) for each in tree.names(path)}
                else:
                    self._add(_File(archive + name, tree, path), nested)
            entries = below
        if entries:
            self._unused.append(Unused(clean(archive + next(iter(entries)), 120), f"it lies more than {DEEPEST} folders deep"))

    def _add(self, file: _File, nested: int) -> None:
        kind, shown = file.tree.kind(file.path), clean(file.name, 120)
        beside = self._handout.beside
        if is_clutter(file.base):
            self._clutter.append(shown)
        elif any(file.base in beside[folder] for folder in file.name.split("/")[:-1] if folder in beside):
            pass  # it lies where another lesson's file of this name does
        elif kind == "folder" and (problem := file.tree.problem(file.path)):
            self._problem = f"the folder {shown} cannot be read: {problem}"
        elif kind == "folder" and self._level_of_name(file) > COPY:
            pass  # it is empty
        elif kind == "link" and file.base == self._handout.lesson:
            self._lost = f"the folder {file.base} is a link, which is not followed"
        elif kind == "file" and is_archive(file.base):
            self._open(file, nested)
        elif len(self._files) < MOST_FILES:
            self._files[file.name] = file
        elif len(self._files) == MOST_FILES:
            self._unused.append(Unused("all further files", f"only {MOST_FILES} are looked at", "hand in the exercises' files alone"))

    def _open(self, file: _File, nested: int) -> None:
        shown = clean(file.name, 120)
        try:
            if nested == NESTED:
                raise NotOpened(shown, f"it lies within {NESTED} other archives")
            if len(self._archives) == MOST_ARCHIVES:
                raise NotOpened(shown, f"only {MOST_ARCHIVES} archives are opened")
            opened = open_inner(file.tree, file.path, LARGEST_ZIP)
            if sum(self._archives) + opened.held > MOST_HELD:
                raise NotOpened(shown, f"all archives together hold more than {MOST_HELD >> 20} MiB")
            self._archives.append(opened.held)
        except NotOpened as error:
            self._unused.append(Unused(shown, error.why, error.fix))
        except Unreadable as error:
            self._problem = self._problem or str(error)
            self._unused.append(Unused(shown, str(error)))
        else:
            self._unused += opened.skipped
            self._find(opened, {name: name for name in opened.names()}, f"{file.name}/", nested + 1)

    # -- reading what may be work, files with an exercise's name first

    def _read(self) -> None:
        left = MOST_BYTES
        for file in sorted(self._files.values(), key=self._level_of_name):
            named = self._level_of_name(file) < CONTENT
            if not is_read(file.base) or (not named and file.tree.kind(file.path) != "file"):
                continue
            try:
                left -= file.load(LARGEST if named else SMALL)
                if left < 0:
                    raise Unreadable(f"{clean(file.base, 80)} is left out, because more than {MOST_BYTES >> 20} MiB were handed in")
                file.work = read_work(file.base, file.source)
                file.fits = fits_of(file.work, file.base, self._handout)
                _require_text(file.base, file.source)
            except Unreadable as error:
                file.problem = str(error)
                if file.work is None:
                    file.fits = {one: fit for one, fit in fits_of_name(file.base, self._handout).items() if fit.level <= COPY}

    def _level_of_name(self, file: _File) -> int:
        return min((fit.level for fit in fits_of_name(file.base, self._handout).values()), default=CONTENT)

    # -- choosing

    def _candidates(self, exercise: str) -> Iterator[Candidate]:
        for name, file in self._files.items():
            if exercise in file.fits:
                yield self._candidate(name, file, exercise, file.fits[exercise])

    def _candidate(self, name: str, file: _File, exercise: str, fit: Fit) -> Candidate:
        folders = file.name.split("/")[:-1]
        place = 2 * len(folders) - 3 * (folders[-1:] == [self._handout.lesson])  # in the lesson's folder before beside it
        if file.work is None or file.problem:
            return Candidate(name, split(file.base)[1], fit, UNREADABLE, place=place)
        return candidate(name, file.work, exercise, fit, self._handout, place=place, time=file.tree.time(file.path))

    def submission(self, student: str, exercise: str) -> Submission | None:
        """Return the submission of an exercise; None if nothing was handed in that could be one."""
        chosen = self._choices[exercise].taken
        made = Submission(
            student, self._handout.lesson, exercise, names_of(exercise)[0], None, None, "unreadable", handed_in=self._upload.facts
        )
        if chosen is None:
            unused = [one for one in self.unused(exercise) if exercise in self._concerns.get(one, (exercise,))]
            if self._problem or not unused:
                return replace(made, problem=self._problem) if self._problem else None
            return replace(made, status="unrecognised", problem="; ".join(f"`{one.file}`: {one.why}" for one in unused[:MOST_UNUSED]))
        file = self._files[chosen.name]
        name = own_name(exercise, chosen, self._handout.lesson)
        other = "" if file.base == name else clean(file.name, 120)
        made = replace(made, name=name, problem=file.problem, handed_in=replace(made.handed_in, name=other))
        if file.problem:
            return made
        return replace(made, source=file.source, sha256=file.sha256, status="present")

    # -- accounting for the rest

    def unused(self, exercise: str) -> list[Unused]:
        """Return the files that are taken for no exercise, and those that are not taken for this one though they were worked on."""
        return [*self._unused, *self._rivals(exercise)]

    def _rivals(self, exercise: str) -> Iterator[Unused]:
        choice = self._choices[exercise]
        for one in choice.rivals:
            others = [choice.taken] if choice.taken else [other for other in choice.rivals if other is not one]
            names = " and ".join(f"`{clean(other.name, 120)}`" for other in others)
            why = f"{names} is graded for {exercise}" if choice.taken else f"{names} may be meant for {exercise} just as well"
            yield Unused(clean(one.name, 120), why, "hand in only the file that counts")

    def _list_leftovers(self) -> None:
        """List each file that is taken for no exercise; what is still as it was given holds nothing of the student's."""
        taken = {choice.taken.name: exercise for exercise, choice in self._choices.items() if choice.taken}
        rivals = {one.name for choice in self._choices.values() for one in choice.rivals}
        codes = {file.work.bare: name for name in (*rivals, *taken) if (file := self._files[name]).work}
        for name, file in self._files.items():
            if name not in taken and name not in rivals and not is_given(file.base, file.work, self._handout):
                self._unused.append(Unused(clean(name, 120), *self._reason(file, codes)))
                if file.work and file.fits:
                    self._concerns[self._unused[-1]] = frozenset(file.fits)
        if not self._files and not self._unused and self._clutter:
            self._unused.append(Unused(self._clutter[0], "programs make such files beside work", THEMSELVES))

    def _reason(self, file: _File, codes: dict[str, str]) -> tuple[str, str]:
        if file.work and file.work.bare in codes:
            return f"it is the same as `{clean(codes[file.work.bare], 120)}`", ""
        if (kind := file.tree.kind(file.path)) != "file":
            return "it is a link, which is not followed" if kind == "link" else "it is not a regular file", THEMSELVES
        if file.problem:
            return file.problem, ""
        ending = file.base.rpartition(".")[2].strip().lower()
        if known := next((reason for endings, reason in KINDS.items() if ending in endings), None):
            return known
        if file.work is None:
            return "no exercise takes a file of this kind", THEMSELVES
        if not file.source.strip():
            return "it is empty", "save it in your editor, and hand it in again"
        if file.fits:
            return "it holds no more than the starter", "hand in the file that you worked in"
        if file.work.form == "yaml":
            return "it answers none of the questions", "keep the names that the questions have in answers.yaml"
        return "it defines no function that an exercise asks for", "keep the names that the starters have"

    def notes(self) -> Iterator[str]:
        """Say what is taken under another name, and what is not taken."""
        used: dict[str, list[str]] = {}
        for exercise in self._choices:
            if (made := self.submission("", exercise)) and made.handed_in.name:
                used.setdefault(made.handed_in.name, []).append(made.name)
        yield from (f"`{name}` is used as {', '.join(dict.fromkeys(names))}" for name, names in used.items())
        for one in dict.fromkeys(each for exercise in self._choices for each in self.unused(exercise)):
            yield f"`{one.file}` was not taken, because {one.why}"


def is_clutter(name: str) -> bool:
    """Return whether programs make files or folders of this name."""
    return (base := name.rpartition("/")[2]) in CLUTTER or base.startswith("._")


def _require_text(name: str, source: bytes) -> None:
    try:
        decode(source)
    except ValueError as error:
        raise Unreadable(f"{clean(name, 80)} is {error}") from None
