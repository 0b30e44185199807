"""One word for each thing (docs/glossary.md): the words that were replaced stay out of names, pages and messages.

To replace a word, add it here with the one to use, and let this test show every place that is left.
"""

import ast
import re
import subprocess
from pathlib import Path

import pytest

from tests.courses import OTHERS

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("autograder", "lessons", "exercises", "solutions", "tests", "bench", "docs")
ENDINGS = (".py", ".md", ".yaml", ".js", ".html", ".ipynb")

WORDS = {  # in any text, also as a part of a name: `slip` is found in `KnownSlip`, `known_slips` and "a known slip"
    "slip": "misconception; to a student, mistake",
    "sitting": "submission run, session",
    "keeper": "supervisor",
    "furnish": "install stubs",
    "rehearse": "warm up",
    "warmth": "preload profile",
    "crew": "worker pool",
    "wire": "protocol",
    "likeness": "fuzzy key",
    "pupil": "student",
    "sharpness": "logit scale",
    "grounds": "cache key",
    "filing": "outputs",
}
PHRASES = {  # in any text, as they stand
    r"\btold apart\b|\btells? \w+ apart\b": "detect, distinguish",
    r"\brunning\.alone\b": "exclusive_lock",
    r"\bhand_ins\b|\bHandIns?\b": "uploads",
    r"\bNo chance in it\b": "deterministic, no random numbers",
    r"\bfor who (?!it|they)\w+s\b": "for instructors, if you ...",
    r"\bis told and graded\b": "is listed and graded",
    r"\bha(?:s|ve) no say\b": "do not count, is ignored",
    r"\bwalls of its own\b": "its own walls",
    r"\bfor what is no\b": "for anything that is not",
}
NAMES = {  # what Python files define: functions, classes, arguments, variables and fields, and the modules themselves
    "Room": "GuestRuntime",
    "[Ww]arm|_warm": "Preloader, preload, warm_up",
    "LoadSize|load_size|grade_load|LARGEST_LOAD|LOAD_SECONDS": "batch",
    "Back|hand": "completed, submit",
    "Alone": "LocalRunner",
    "[Pp]layed|_played": "executed",
    "_?alike|ALIKE|alike_table": "shared_errors; of two submissions, similar",
    "_?spread": "std",
    "eyes|Eyes": "feature extractor",
    "ink|Ink": "theme",
    "Order": "SamplingConfig",
    "Turn": "optimiser step",
    "Whole": "pooled",
    "Enlarge": "SuperResolution",
    "Roll|_?roll|roll_of": "ClassView",
    "Desk|desk|Passing|_?passing": "ReaderSession, temporary_folder",
    "Thing|Sight|sight": "ObjectProxy, LintContext",
}
MODULES = {  # files of Python alone: elsewhere these are everyday words
    "alone": "local",
    "lines": "channels",
    "alike": "shared_errors",
    "running": "run",
    "trees": "file_tree",
    "leaving": "static_export",
    "answering": "handlers",
    "objects": "proxies",
}
PAGES = {  # in Markdown alone
    r"\brooms?\b": "package",
}
LESSONS = {  # in what is read about images; `<picture>` is HTML's
    r"(?<![</\w])[Pp]ictures?\b": "image",
}


KEPT = {  # where an old word has to stand: what earlier versions wrote is still read
    "autograder/learner/workspace.py": ("slip", "slips"),
    "tests/autograder/course/test_store.py": ("slip", "slips"),
}


def tracked():
    """Yield the files that are held to the words: what git has of the folders, and the pages beside them."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    for name in filter(None, listed):
        path = ROOT / name
        if OTHERS & set(path.parts):  # lessons that others write
            continue
        if path.parent.parent.name == "widgets" and path.parent.name in ("models", "recorded"):  # numbers, and Unicode's names
            continue
        if path.suffix in ENDINGS and (name.split("/")[0] in FOLDERS or "/" not in name) and path != Path(__file__).resolve() and path.is_file():
            yield path


FILES = sorted(tracked())
SOURCES = [path for path in FILES if path.suffix == ".py"]


def parts(text):
    """Yield the words of a text, in small letters and with names taken apart: `KnownSlip` and `known_slip` give known, slip."""
    for found in re.finditer(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", text):
        yield found.start(), found[0].lower()


def inflected(word):
    """Return a word's other forms."""
    stem = word.removesuffix("e")
    return {word, f"{word}s", f"{word}es", f"{stem}ed", f"{stem}ing", f"{word}{word[-1]}ed"}


FORBIDDEN = {form: word for word in WORDS for form in inflected(word)}
SUSPECT = re.compile("|".join(word[:-1] for word in WORDS), re.IGNORECASE)  # what no file without any of them holds
REPLACED = re.compile("|".join(NAMES))


def names(path):
    """Yield (line, name) of all that a Python file defines."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.lineno, node.name
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id if isinstance(node, ast.Name) else node.attr


def faults(path):
    """Yield every forbidden word of a file, as an author's list: where it is, and what to write."""
    text, at = path.read_text(encoding="utf-8"), path.relative_to(ROOT)
    for start, word in parts(text) if SUSPECT.search(text) else ():
        if word in FORBIDDEN and word not in KEPT.get(at.as_posix(), ()):
            yield f"{at}:{text.count(chr(10), 0, start) + 1}: `{word}`: write {WORDS[FORBIDDEN[word]]}"
    patterns = PHRASES | (PAGES if path.suffix == ".md" else {})
    patterns |= LESSONS if path.suffix == ".md" or at.parts[0] in ("lessons", "exercises", "solutions") else {}
    for pattern, instead in patterns.items():
        for found in re.finditer(pattern, text):
            yield f"{at}:{text.count(chr(10), 0, found.start()) + 1}: `{found[0]}`: write {instead}"
    for line, name in filter(lambda one: REPLACED.fullmatch(one[1]), names(path)) if path.suffix == ".py" else ():
        yield from (f"{at}:{line}: the name `{name}`: take {instead}" for pattern, instead in NAMES.items() if re.fullmatch(pattern, name))


@pytest.mark.parametrize("folder", [*FOLDERS, "."])
def test_no_replaced_word_is_left(folder):
    held = [path for path in FILES if path.relative_to(ROOT).parts[0] == folder or path.parent == ROOT / folder == ROOT]
    assert held
    assert [fault for path in held for fault in faults(path)] == []


def test_no_file_bears_a_replaced_word():
    found = [path.relative_to(ROOT) for path in FILES if FORBIDDEN.keys() & {word for _, word in parts(str(path.relative_to(ROOT)))}]
    found += [path.relative_to(ROOT) for path in SOURCES if path.stem in MODULES and "autograder" in path.parts]
    assert found == []


def test_the_test_finds_what_it_should(tmp_path, monkeypatch):
    """The test of the test: a word within names, in other forms, and where it is another word."""
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    page = tmp_path / "page.md"
    page.write_text("A KnownSlip, known_slips, it slipped; slippery islips.\nThe rooms are told apart.\n")
    assert list(faults(page)) == [
        "page.md:1: `slip`: write misconception; to a student, mistake",
        "page.md:1: `slips`: write misconception; to a student, mistake",
        "page.md:1: `slipped`: write misconception; to a student, mistake",
        "page.md:2: `told apart`: write detect, distinguish",
        "page.md:2: `rooms`: write package",
    ]
    source = tmp_path / "source.py"
    source.write_text("class Order: ...\nOrders = order = 1\n")
    assert list(faults(source)) == ["source.py:1: the name `Order`: take SamplingConfig"]
