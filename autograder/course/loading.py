"""Read a course: its lessons, exercises, questions, cards, hints and widgets, and report every fault with its file and line."""

import gzip
import re
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import PackageNotFoundError, entry_points
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from autograder.course.errors import CourseError, Finding, UsageError
from autograder.course.expressions import with_formulas
from autograder.course.model import Card, Course, Exercise, Key, Lesson, Objective, Question, Section
from autograder.course.policy import Policy
from autograder.course.references import check_cards, check_keys, check_policy, check_questions, localized, mappings
from autograder.course.schema import did_you_mean, read
from autograder.course.strict_yaml import Complain, Node, load

CONTENT = ("course.yaml", "exercises", "lessons", "solutions")  # what a clone of a course is made of, beside this package


class Help(Struct, frozen=True, forbid_unknown_fields=True):
    """The objectives of one exercise, the sections after which it can be begun or continued, and the hints for each of its functions.

    Each hint is closer to the answer than the one before. `minutes` says about how long it takes to write the file; 0 if nobody says so.
    """

    objectives: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()
    minutes: int = 0
    functions: dict[str, tuple[str, ...]] = {}


def read_hints(root: Path, lesson: str) -> dict[str, Help]:
    """Read a lesson's `hints.yaml`, by exercise; empty if there is none. Raise `CourseError` with every finding."""
    folders, path = Folders(root), root / "exercises" / lesson / "hints.yaml"
    if not path.is_file():
        return {}
    found, _ = folders.typed(path, dict[str, Help], folders.text(path, "the hints") or "{}")
    if folders.findings:
        raise CourseError(folders.findings)
    return found


def writing_minutes(root: Path, lesson: Lesson) -> dict[str, int]:
    """Return about how many minutes each file takes to write, by exercise; 0 where nobody says so. Raise as `read_hints` does."""
    helps = read_hints(root, lesson.id)
    return {one.id: helps.get(one.id, Help()).minutes for one in lesson.exercises}


PLACED = re.compile(r"^<!-- *widget: *(?P<id>[\w-]+) *-->$", re.MULTILINE)  # the line of a lesson's text that a widget replaces


class Widget(Struct, frozen=True, forbid_unknown_fields=True):
    """One widget: its title, a sentence that says what to try, and the JavaScript file that draws it.

    `figure` is an image, as Markdown, which takes its place on paper and where there is no JavaScript.
    `live` names the Python module in `solutions/` that computes its frames on demand, and `needs` the packages which that imports; where
    one is missing, or there is no such module, the widget shows recorded frames. With `onnx`, the page can run ONNX graphs itself.
    """

    title: str
    about: str
    script: str
    live: str = ""
    needs: tuple[str, ...] = ()
    figure: str = ""
    onnx: bool = False


def read_widgets(root: Path, lesson: str) -> dict[str, Widget]:
    """Read a lesson's widgets, in their order; empty if it has none. Raise `CourseError` with every finding."""
    folders, folder = Folders(root), root / "lessons" / lesson / "widgets"
    path = folder / "widgets.yaml"
    if not path.is_file():
        return {}
    found, node = folders.typed(path, dict[str, Widget], folders.text(path, "the widgets") or "{}")
    for name, widget in found.items():
        if not (folder / widget.script).is_file():
            line = node.value[name].value["script"].line if node.value else 1
            folders.about(path)(line, f"widget `{name}`: there is no script `{widget.script}`", "create it here, or correct its name")
    if folders.findings:
        raise CourseError(folders.findings)
    return found


@cache
def package_name() -> str:
    """Return the name under which this package is installed: that of the distribution that has our command."""
    ours = next((one for one in entry_points(group="console_scripts") if one.module.startswith("autograder.")), None)
    if ours is None or ours.dist is None:
        raise PackageNotFoundError("autograder")
    return ours.dist.name


T = TypeVar("T")
_FOLDER = re.compile(r"([0-9]{2})_[a-z0-9_]+")
_HEADING = re.compile(r"## +(?P<title>.*?) *(\{#(?P<id>[^} ]*)(?P<appendix> +\.appendix)?\})? *")
_IMPORT = re.compile(r"^\s*(?:import|from)\s+(\w+)", re.MULTILINE)


class CourseFile(Struct, frozen=True):
    """The keys of `course.yaml`."""

    title: str
    track: str
    phase: str
    grading: Policy = Policy()


class FrontMatter(Struct, frozen=True):
    """The front matter of a `lesson.md`."""

    title: str
    number: int
    minutes: int
    objectives: tuple[Objective, ...]
    prerequisites: tuple[str, ...]
    exercises: tuple[str, ...] = ()
    reference: tuple[str, ...] = ()
    explain: tuple[str, ...] = ()


@dataclass(frozen=True)
class Folders:
    """The course's root, and the faults found in it so far."""

    root: Path
    findings: list[Finding] = field(default_factory=list)

    def about(self, path: Path) -> Complain:
        """Return a function that adds a finding about a file."""
        where = path.relative_to(self.root)
        return lambda line, problem, fix: self.findings.append(Finding(where, line, problem, fix))

    def missing(self, path: Path, what: str, fix: str) -> None:
        self.findings.append(Finding(path.relative_to(self.root), None, what, fix))

    def text(self, path: Path, what: str) -> str | None:
        try:
            return path.read_text(encoding="utf-8-sig")
        except FileNotFoundError:
            self.missing(path, f"{what} is missing", "create this file")
        except UnicodeDecodeError:
            self.missing(path, "this is not UTF-8 text", "save the file as plain UTF-8 text")
        except OSError as error:
            self.missing(path, f"this cannot be read: {error.strerror}", "make it a file that may be read")
        return None

    def typed(self, path: Path, kind: type[T], text: str) -> tuple[T, Node]:
        """Read YAML as `kind`; return the tree with its lines too."""
        node = load(text, self.about(path))
        return read(node, kind, self.about(path)), node


def read_course(root: Path) -> Course:
    """Read the course in `root`. Raise `CourseError` with every finding, in the order of files and lines."""
    course, findings = survey(root)
    if findings:
        raise CourseError(findings)
    return course


def read_policy(root: Path) -> Policy:
    """Read the grading policy alone, which is fast. Raise `CourseError` with every finding in course.yaml."""
    folders = Folders(root)
    text = folders.text(root / "course.yaml", "the course's description")
    policy = _course_file(folders, text)[0].grading if text is not None else Policy()
    if folders.findings:
        raise CourseError(folders.findings)
    return policy


def _course_file(folders: Folders, text: str) -> tuple[CourseFile, Node]:
    path = folders.root / "course.yaml"
    course, node = folders.typed(path, CourseFile, text)
    return replace(course, grading=localized(course.grading, node, folders.about(path))), node


def survey(root: Path) -> tuple[Course, list[Finding]]:
    """Read as much of the course as possible, with blanks for the rest. Return it with every finding."""
    folders = Folders(root)
    course, course_node = CourseFile("", "", ""), Node({}, 1)
    if (text := folders.text(root / "course.yaml", "the course's description")) is not None:
        course, course_node = _course_file(folders, text)
    lessons = tuple(_lesson(folders, path) for path in sorted((root / "lessons").glob("[!._]*")) if _is_lesson(folders, path))
    if not lessons:
        folders.missing(root / "lessons", "there is no lesson here", "create a lesson's folder, like `lessons/01_first_lesson`")
    if not _is_release(root):  # which may hold fewer lessons
        check_policy(course.grading, course_node, lessons, folders.about(root / "course.yaml"))
    findings = sorted(folders.findings, key=lambda finding: (str(finding.path), finding.line or 0))
    lessons = tuple(replace(lesson, practice=course.grading.practice) for lesson in lessons)
    return Course(course.title, course.track, course.phase, course.grading, lessons, root), findings


def _is_lesson(folders: Folders, path: Path) -> bool:
    named = _FOLDER.fullmatch(path.name) is not None
    if path.is_dir() and not named:
        folders.missing(path, "this folder is not named like a lesson", "name it with two digits and small letters, like `01_first_lesson`")
    return path.is_dir() and named


def _lesson(folders: Folders, path: Path) -> Lesson:
    asked, answered = folders.root / "exercises" / path.name / "practice.yaml", folders.root / "solutions" / path.name / "practice.yaml"
    front, text = _front_matter(folders, path / "lesson.md")
    sections = _sections(text, folders.about(path / "lesson.md"))
    exercises = _exercises(folders, path.name, front.exercises)
    cards, card_lines = _list(folders, path / "flashcards.yaml", Card)
    questions, question_lines = _list(folders, asked, Question)
    keys, key_lines = _keys(folders, answered) if questions else ({}, Node({}, 1))
    lesson = Lesson(path.name, front.title, front.number, front.minutes, front.objectives, front.prerequisites, sections, exercises,
                    questions, keys, cards, text, front.reference, front.explain)  # fmt: skip
    check_cards(lesson, card_lines, folders.about(path / "flashcards.yaml"))
    check_questions(lesson, question_lines, folders.root, folders.about(asked))
    if _has_solutions(folders.root):
        check_keys(lesson, key_lines, folders.about(answered))
    return with_formulas(lesson)


def _front_matter(folders: Folders, path: Path) -> tuple[FrontMatter, str]:
    """Return the front matter, and the text in which empty lines take its place."""
    blank = FrontMatter("", 0, 0, (), ())
    text = folders.text(path, "the lesson's text")
    if text is None:
        return blank, ""
    lines = text.split("\n")
    if lines[0].rstrip() != "---" or "---" not in (line.rstrip() for line in lines[1:]):
        folders.about(path)(1, "the lesson has no front matter", "begin with a line `---`, the keys, and a line `---`")
        return blank, text
    end = [line.rstrip() for line in lines].index("---", 1)
    front, node = folders.typed(path, FrontMatter, "\n".join(["", *lines[1:end]]))
    if front.number and front.number != int(path.parent.name[:2]):
        fix = f"write {int(path.parent.name[:2])}, or rename the three folders"
        folders.about(path)(node.value["number"].line, f"`number` is {front.number}, and the folder is `{path.parent.name}`", fix)
    return front, "\n".join([""] * (end + 1) + lines[end + 1 :])


def _sections(text: str, complain: Complain) -> tuple[Section, ...]:
    found: dict[str, Section] = {}
    for line, heading in _headings(text):
        title, name = heading["title"], heading["id"]
        if not name:
            complain(line, f"the section `{title}` has no id", "end the heading with an id, like `{#a-short-name}`")
        elif name in found:
            complain(line, f"section `{name}` is here and on line {found[name].line}", "give one of them another id")
        else:
            found[name] = Section(name, title, line, heading["appendix"] is not None)
    return tuple(found.values())


def _headings(text: str) -> list[tuple[int, re.Match[str]]]:
    """Return the `##` lines outside code blocks, with their numbers."""
    headings, in_code = [], False
    for number, line in enumerate(text.split("\n"), 1):
        in_code ^= line.lstrip().startswith("```")
        if not in_code and (match := _HEADING.fullmatch(line.rstrip())):
            headings.append((number, match))
    return headings


def _exercises(folders: Folders, lesson: str, order: tuple[str, ...]) -> tuple[Exercise, ...]:
    folder = folders.root / "exercises" / lesson
    if not folder.is_dir():
        folders.missing(folder, "the lesson has no folder of exercises", "create this folder")
    found = {path.stem: path for path in sorted(folder.glob("[!._]*.py")) if path.stem != "props"}
    for name in order:
        if name not in found:
            fix = did_you_mean(name, found, f"create exercises/{lesson}/{name}.py, or take it from the list")
            folders.missing(folders.root / "lessons" / lesson / "lesson.md", f"`exercises` names `{name}`, and there is no such file", fix)
    names = [name for name in order if name in found] + [name for name in found if name not in order]
    return tuple(_exercise(folders, lesson, found[name]) for name in names)


def _exercise(folders: Folders, lesson: str, starter: Path) -> Exercise:
    name, answers = starter.stem, folders.root / "solutions" / lesson
    checks, answer = starter.parent / "checks" / starter.name, answers / starter.name
    misconceptions = answers / "misconceptions" / starter.name
    recorded, judging = recordings(folders.root, lesson, name), [(checks, "checks")]
    if _has_solutions(folders.root):
        judging += [(answer, "answer")]
    elif _is_release(folders.root):
        judging += [(recorded, "recordings")]
    for path, what in judging:
        if not path.is_file():
            folders.missing(path, f"exercise `{name}` has no {what}", "create this file")
    source = folders.text(starter, "the starter") or ""
    return Exercise(name, lesson, starter, checks, answer, misconceptions, recorded, tuple(sorted(set(_IMPORT.findall(source)))))


def _list(folders: Folders, path: Path, kind: type[T]) -> tuple[tuple[T, ...], list[Node]]:
    """Read a file that is one list of `kind`, and the tree of each item. A missing file is an empty list.

    Items that are not mappings were complained about, and are left out.
    """
    if not path.exists() or (text := folders.text(path, "the list")) is None:
        return (), []
    items, node = folders.typed(path, tuple[kind, ...], text)  # type: ignore[valid-type]  # the element type is a variable
    pairs = mappings(items, node)
    return tuple(item for item, _ in pairs), [own for _, own in pairs]


def _keys(folders: Folders, path: Path) -> tuple[dict[str, Key], Node]:
    if _is_release(folders.root):
        return _recorded_keys(folders, recordings(folders.root, path.parent.name, "keys")), Node({}, 1)
    if not _has_solutions(folders.root) or (text := folders.text(path, "the practice questions' answers")) is None:
        return {}, Node({}, 1)
    keys, node = folders.typed(path, dict[str, Key], text)
    return keys, node if keys else Node({}, node.line)


def _recorded_keys(folders: Folders, path: Path) -> dict[str, Key]:
    fix = "download the release again, or rebuild it"
    try:
        return msgspec.json.decode(gzip.decompress(path.read_bytes()), type=dict[str, Key])
    except FileNotFoundError:
        folders.missing(path, "the practice questions' recorded keys are missing", fix)
    except (OSError, EOFError, ValueError):
        folders.missing(path, "these recorded keys cannot be read", fix)
    return {}


def recordings(root: Path, lesson: str, name: str) -> Path:
    """Return the path of a release's recordings of an exercise (or of the keys)."""
    return root / "recordings" / lesson / f"{name}.json.gz"


def demand_solutions(root: Path) -> None:
    """Raise `UsageError` if a course is a student release, which has no solutions."""
    if not _has_solutions(root):
        raise UsageError(f"{root}: a student release, without solutions", "do this in a clone of the course")


def _has_solutions(root: Path) -> bool:
    return (root / "solutions").is_dir()


def _is_release(root: Path) -> bool:
    return not _has_solutions(root) and (root / "recordings").is_dir()
