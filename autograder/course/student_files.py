"""The files of a student: what they are given, which exercise a file is for, and whether it was worked on.

A file is recognised by its name or, where no name fits, by the functions that it defines. It is only searched: nothing is run or
compiled, and of a notebook only the code in its cells is decoded. Which of several files counts is decided in `choose`.
"""

import contextlib
import re
import textwrap
from collections.abc import Iterable, Sequence
from functools import lru_cache, reduce
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from autograder.course.model import Lesson
from autograder.course.own_practice import PRACTICE_WORDS, blank_answers
from autograder.course.text import decode

HIDDEN = ".course"  # where a workspace keeps what was done in it
README = Path(__file__).parent / "templates" / "workspace.md"


def names_of(exercise: str) -> tuple[str, ...]:
    """Return the names of an exercise's own files, the Python file before the notebook."""
    return ("answers.yaml",) if exercise == "practice" else (f"{exercise}.py", f"{exercise}.ipynb")


def exercises_of(lesson: Lesson) -> tuple[str, ...]:
    """Return the ids of what has a file: the exercises in the lesson's order, and "practice" if there are questions."""
    return (*(exercise.id for exercise in lesson.exercises), *(("practice",) if lesson.questions else ()))


# ---- what students are given


def given_files(root: Path, lesson: Lesson) -> dict[str, bytes]:
    """Return every file of a fresh workspace by name."""
    folder = root / "exercises" / lesson.id
    files = {exercise.starter.name: exercise.starter.read_bytes() for exercise in lesson.exercises}
    files |= {path.name: path.read_bytes() for path in (folder / "props.py", folder / f"{lesson.id}.ipynb") if path.is_file()}
    if lesson.questions:
        files["answers.yaml"] = blank_answers(lesson).encode()
    names = [names_of(exercise)[0] for exercise in exercises_of(lesson)]
    listed, practice = (textwrap.fill(text, 79) for text in (f"Files: {', '.join(names)}.", PRACTICE_WORDS[lesson.practice]))
    facts = {"title": lesson.title, "first": names[0], "files": listed, "practice": practice, "hidden": HIDDEN}
    facts["notebook"] = f"{lesson.id}.ipynb"
    return files | {"README.md": README.read_text(encoding="utf-8").format(**facts).encode()}


class Handout(Struct, frozen=True):
    """What a lesson's files are recognised by.

    `parts` holds for each exercise its functions with their code in the starter, or the ids of the questions; `given` the code of
    every file that students are given, and `others` the names of those that belong to no exercise. `beside` has the names of files of
    other lessons, by lesson.
    """

    lesson: str
    parts: dict[str, dict[str, str]]
    given: frozenset[str]
    others: tuple[str, ...]
    beside: dict[str, frozenset[str]] = {}


def read_handout(root: Path, lesson: Lesson, beside: Iterable[Lesson] = ()) -> Handout:
    """Read what students are given for a lesson; work for the lessons `beside` it is none for this one."""
    parts = {one.id: definitions(one.starter.read_text(encoding="utf-8")) for one in lesson.exercises}
    if lesson.questions:
        parts["practice"] = {question.id: "" for question in lesson.questions}
    files = given_files(root, lesson)
    given = frozenset(bare(code_of(name, data)) for name, data in files.items())
    elsewhere = {other.id: frozenset(_names_in(other)) for other in beside if other.id != lesson.id}
    named = (*files, *(name for names in elsewhere.values() for name in names))
    return Handout(lesson.id, parts, given, tuple(name for name in named if name not in _names_in(lesson)), elsewhere)


def _names_in(lesson: Lesson) -> set[str]:
    return {name for exercise in exercises_of(lesson) for name in names_of(exercise)} | {f"{lesson.id}.ipynb"}


# ---- what a file is

Form = Literal["py", "ipynb", "yaml", "text"]
FORMS: dict[str, Form] = {
    **dict.fromkeys((".py", ".pyw", ".py3"), "py"),
    ".ipynb": "ipynb",
    **dict.fromkeys((".yaml", ".yml", ".md"), "yaml"),  # answers may be written in Markdown, code cannot
    **dict.fromkeys((".txt", ".json"), "text"),
}  # fmt: skip
_APPENDED = re.compile(r"(?<=.)\.(txt|text|json|py|bak|orig|tmp|download)$", re.IGNORECASE)  # behind the real ending: `forward.py.txt`
_COPY = re.compile(  # what browsers, systems, Jupyter and people add to the name of a copy or of a new version
    r"(?<![\s+_.-])[\s+_.-]*(\(\w+\)|[\s+_.-](copy|kopie|copie|copia) *\d*)$|^(copy|kopie|copie|copia)[ _-](of|von|de|di)[ _-]"
    r"|(?<![\s+_-])[\s+_-]+v?\d{1,3}(\.\d+)?$|(?<![\s_-])[\s_-]+(final|new|neu|fixed|updated|corrected|submission|solution|solved)$",
    re.IGNORECASE,
)
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]+|\d+")
_DEFINED = re.compile(r"(?:(?:async[ \t]+)?def|class)[ \t]+(\w+)|(\w+)[ \t]*(?::[^=\n]+)?=(?!=)")
_TEXT = re.compile(r'''("""|\'\'\').*?\1''', re.DOTALL)
_BODY = r"(?:raise NotImplementedError.*|pass|\.\.\.|return(?: None)?|super\(\)\.__init__\(.*\))"
_HEAD = r"(?:(?:async +)?def|class) .*"
# what a function that nobody wrote is made of, in this version of the starter or another
_UNWRITTEN = re.compile(rf"^[^\S\n]*(?:@.*|{_HEAD}[:,(\\] *(?:#.*)?|{_HEAD}: *{_BODY}|{_BODY})$", re.MULTILINE)
_ANSWER = re.compile(r"""^[\s{]*["']?([\w-]+)["']?\s*:""")

EXACT, COPY, WORD, CONTENT = range(4)  # how well a file fits an exercise, best first: by its name, as a copy, by a word in it, by content


class Work(Struct, frozen=True):
    """A file as far as recognising it needs: its name's parts, the code or answers in it, and what they define."""

    form: Form
    stem: str  # without the ending, and what was added to that
    code: str
    bare: str  # the code without comments: equal if nothing but those differ
    defined: dict[str, str]  # functions and classes with their code, or the keys of answers


def read_work(name: str, source: bytes) -> Work:
    """Look into a file."""
    form = form_held(name, source)
    code = code_of(f".{form}", source)
    answered = {match[1]: "" for match in map(_ANSWER.match, code.splitlines()) if match}
    return Work(form, split(name)[0], code, bare(code), answered if form == "yaml" else definitions(code))


def form_held(name: str, source: bytes) -> Form:
    """Return what a file holds: what its name's ending says, unless that says nothing or its content is plainly code of the other form."""
    form = split(name)[1]
    text = "" if form == "yaml" else _text(source)
    if text.lstrip().startswith("{") and '"cell_type"' in text:
        return "ipynb"
    return "py" if form == "py" or definitions(text) else "yaml" if form == "text" else form


def split(name: str) -> tuple[str, Form]:
    """Split a file's name into its stem and what it holds; "text" if the ending does not say."""
    left = name.strip()
    while "." in left[1:] and (shorter := _APPENDED.sub("", left)) != left and FORMS.get(_ending(shorter), "text") != "text":
        left = shorter
    stem, form = left.rpartition(".")[0].strip(), FORMS.get(_ending(left))
    return (stem, form) if stem and form else (name.strip(), "text")


def is_read(name: str) -> bool:
    """Return whether a file of this name may hold work: its ending is a known one, or it has none."""
    return split(name)[1] != "text" or _ending(name) in FORMS or "." not in name.strip().lstrip(".")


def _ending(name: str) -> str:
    return "." + name.rpartition(".")[2].strip().lower()


class Fit(Struct, frozen=True):
    """How well a file fits an exercise; `whole` if it bears the lesson's name and so may hold every exercise."""

    level: int
    whole: bool = False


def fits_of_name(name: str, handout: Handout) -> dict[str, Fit]:
    """Return the exercises that a name fits, each with how well."""
    return _fits_of_name(name, handout.lesson, tuple(handout.parts))


@lru_cache(10_000)  # a class has few names
def _fits_of_name(name: str, lesson: str, exercises: tuple[str, ...]) -> dict[str, Fit]:
    stem, form = split(name)
    bare_stem = reduce(lambda longer, _: _COPY.sub("", longer) or longer, range(8), stem)  # no real name has more additions
    own = {exercise: Fit(level) for exercise in exercises if (level := _level(name, stem, bare_stem, form, names_of(exercise))) is not None}
    whole = _level(name, stem, bare_stem, form, (f"{lesson}.py", f"{lesson}.ipynb"))
    return {exercise: Fit(whole, True) for exercise in exercises if whole is not None and exercise != "practice"} | own


def _level(name: str, stem: str, bare_stem: str, form: Form, names: Sequence[str]) -> int | None:
    wanted = names[0].rpartition(".")[0]
    if form != "text" and not any(each.endswith(f".{form}") for each in names):
        return None
    if name in names:
        return EXACT
    if bare_stem.strip().casefold() == wanted.casefold():
        return COPY
    words, sought = ([word.casefold() for word in _WORDS.findall(text)] for text in (stem, wanted))
    return WORD if any(words[start : start + len(sought)] == sought for start in range(len(words))) else None


def fits_of(work: Work, name: str, handout: Handout) -> dict[str, Fit]:
    """Return the exercises that a file can answer, each with how well it fits.

    A name that only contains a word is believed if the file also defines something of that exercise. A file named after one exercise
    answers another only if it defines more than half of it: it may just use a copy of one function.
    """
    named = fits_of_name(name, handout)
    elsewhere = any(not fit.whole for fit in named.values())
    found: dict[str, Fit] = {}
    for exercise, parts in handout.parts.items():
        if (exercise == "practice") == (work.form == "yaml"):
            fit, count = named.get(exercise, Fit(CONTENT)), sum(part in work.defined for part in parts)
            if fit.level <= COPY or (count and (fit.level == WORD or not elsewhere or 2 * count > len(parts))):
                found[exercise] = fit
    return found


def is_worked_on(work: Work, exercise: str, fit: Fit, handout: Handout) -> bool:
    """Return whether a file holds more for an exercise than the starter: a changed function, or other code if it defines none."""
    if exercise == "practice":
        return any(_ANSWER.sub("", line).partition("#")[0].strip(" \t{},") for line in work.code.splitlines())
    own = [(work.defined[name], code) for name, code in handout.parts[exercise].items() if name in work.defined]
    if own or fit.whole:
        return any(mine != starter and _UNWRITTEN.sub("", _TEXT.sub("", mine)).strip() for mine, starter in own)
    return work.bare not in ("", *handout.given)


def is_given(name: str, work: Work | None, handout: Handout) -> bool:
    """Return whether a file is as it was given, but for comments and blank lines, or belongs to no exercise of this lesson."""
    return name in handout.others or (work is not None and work.bare in handout.given)


def bare(code: str) -> str:
    """Return code without comments on lines of their own, blank lines, and spaces at the ends of lines."""
    lines = (line.rstrip() for line in code.splitlines())
    return "\n".join(line for line in lines if line and not line.lstrip().startswith("#"))


def definitions(code: str) -> dict[str, str]:
    """Return the functions, classes and variables that code defines at its top level, each with its own code; of two, the last."""
    found: dict[str, str] = {}
    lines = bare(code).split("\n")
    starts = [number for number, line in enumerate(lines) if not line[:1].isspace() and line[:1] not in ")]}"]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=False):
        if match := _DEFINED.match(lines[start]):
            found[match[1] or match[2]] = "\n".join(lines[start:end])
    return found


class _Cell(Struct, omit_defaults=True):
    cell_type: str = ""
    source: str | list[str] = ""
    input: str | list[str] = ""  # of format 3
    metadata: msgspec.Raw = msgspec.Raw()


class _Sheet(Struct):
    cells: list[_Cell] = []


class _Notebook(Struct):
    cells: list[_Cell] = []
    worksheets: list[_Sheet] = []  # of format 3


def code_of(name: str, source: bytes) -> str:
    """Return the text of a file, and of a notebook the student's code; "" if the notebook is damaged. Wrong bytes are replaced."""
    text = _text(source)
    return "\n".join("".join(cell.source or cell.input) for cell in _code_cells(text) or ()) if name.endswith(".ipynb") else text


def without_outputs(source: bytes) -> bytes:
    """Return a notebook with its code cells alone, those that are locked empty; one that is damaged stays whole."""
    cells = _code_cells(_text(source))
    return source if cells is None else msgspec.json.encode(_Notebook(cells))


def _text(source: bytes) -> str:
    try:
        return decode(source).text
    except ValueError:
        return source.decode("utf-8", errors="replace")


def _code_cells(notebook: str) -> list[_Cell] | None:
    """Read a notebook's code cells, those that nbgrader locks as empty ones, and no more; None if it is damaged, or made of too many."""
    if notebook.count("{") > 200_000:  # a notebook has thousands; of millions, each would take a hundred bytes
        return None
    try:
        found = msgspec.json.decode(notebook, type=_Notebook)
    except (msgspec.MsgspecError, RecursionError, ValueError):
        return None
    sheets = (found.cells, *(sheet.cells for sheet in found.worksheets))
    code = [cell for cells in sheets for cell in cells if cell.cell_type == "code"]
    return [_Cell("code", metadata=cell.metadata) if _is_locked(cell) else cell for cell in code]


def _is_locked(cell: _Cell) -> bool:
    with contextlib.suppress(msgspec.MsgspecError, RecursionError, AttributeError):
        return bool(msgspec.json.decode(cell.metadata).get("nbgrader", {}).get("locked"))
    return False


# ---- which of several files counts

Prefer = Literal["py", "notebook", "newest"]
WORKED, UNREADABLE, UNTOUCHED = range(3)


class Candidate(Struct, frozen=True):
    """A file that may answer an exercise. `place` is less for a file that lies where it should."""

    name: str  # as it was handed in, with its folders
    form: Form
    fit: Fit
    state: int
    code: str = ""  # without comments: equal code is the same work
    place: int = 0
    time: float = 0.0


def candidate(name: str, work: Work, exercise: str, fit: Fit, handout: Handout, *, place: int = 0, time: float = 0.0) -> Candidate:
    """Return a file that was read as a candidate for an exercise."""
    readable = work.code or work.form != "ipynb"
    state = (WORKED if is_worked_on(work, exercise, fit, handout) else UNTOUCHED) if readable else UNREADABLE
    return Candidate(name, work.form, fit, state, work.bare, place, time)


def own_name(exercise: str, chosen: Candidate, lesson: str) -> str:
    """Return the name that a file should have: the exercise's, or that of the lesson's notebook."""
    if exercise == "practice" or chosen.form != "ipynb":
        return names_of(exercise)[0]
    return f"{lesson}.ipynb" if chosen.fit.whole else names_of(exercise)[1]


class Choice(Struct, frozen=True):
    """The file that counts, if it is known, and others that were worked on too."""

    taken: Candidate | None = None
    rivals: tuple[Candidate, ...] = ()


def choose(candidates: Iterable[Candidate], prefer: Prefer = "py") -> Choice:
    """Choose the file that counts: one that was worked on before a starter, then as the policy prefers, then by name and place.

    If two that differ and were worked on are equally good, none is chosen, and both are rivals.
    """
    distinct: dict[str, Candidate] = {}
    for one in sorted(candidates, key=lambda one: (one.state, *_rank(one, prefer))):
        distinct.setdefault(one.code or one.name, one)
    best = [one for one in distinct.values() if one.state == next(iter(distinct.values())).state]
    latest = [one for one in best if prefer == "newest" and one.time == max(other.time for other in best)]
    if len(latest) == 1:
        best = [*latest, *(one for one in best if one is not latest[0])]
    elif len(best) > 1 and best[0].state != UNTOUCHED and _rank(best[0], prefer) == _rank(best[1], prefer):
        return Choice(None, tuple(best))
    return Choice(best[0], tuple(best[1:]) if best[0].state != UNTOUCHED else ()) if best else Choice()


def _rank(one: Candidate, prefer: Prefer) -> tuple[bool, bool, bool, int, int]:
    otherwise_named = one.fit.level > COPY
    return otherwise_named, (one.form == "ipynb") != (prefer == "notebook"), one.fit.whole, one.fit.level, one.place
