"""Begin a lesson, or something in one: files with a small example of each kind, which `course lint` accepts as they are.

Nothing that exists is changed: a list gets one more item at its end, and a file that is there already is refused.
"""

import re
from inspect import signature
from pathlib import Path

from autograder.course.errors import UsageError
from autograder.course.loading import demand_solutions
from autograder.course.model import Lesson
from autograder.course.schema import ID
from autograder.grading.reference import load_module

LESSON_ID = re.compile(r"[0-9]{2}_[a-z0-9_]+")
LESSON = """\
---
title: "{title}"
number: {number}
minutes: 1
objectives:
  - id: scale
    text: Scale the values of an image.
prerequisites:
  - Functions in Python
---

Say in a sentence what the lesson is about.

## A first section {{#first}}

Explain one idea.<!-- source: say where it is from; then each date, share and finding of the lesson needs its source -->
Then let readers try it: the function of the exercise multiplies each value by a factor.
"""
EXERCISE = {
    "exercises/{lesson}/{name}.py": '''\
"""Exercise `{name}`: scale the values of an image."""


def {name}(image, factor):
    """Return the image with every value multiplied by `factor`. image: an array of floats."""
    raise NotImplementedError("{name}")
''',
    "exercises/{lesson}/checks/{name}.py": '''\
"""Checks of {name}.py."""

from autograder.api import check, close


@check(points=1, of="{name}")
def any_image(student, reference, rng):
    """An image of any size"""
    image = rng.uniform(1, 2, (3, 4))
    close(student.{name}(image, 2.5), reference.{name}(image, 2.5))
''',
    "solutions/{lesson}/{name}.py": '''\
"""The answer to {name}.py."""


def {name}(image, factor):
    """Return the image with every value multiplied by `factor`."""
    return image * factor
''',
    "solutions/{lesson}/misconceptions/{name}.py": '''\
"""Misconceptions in {name}.py."""

from autograder.api import misconception


@misconception(of="{name}", section="{section}", card="{card}")
def factor_added(image, factor):
    """You added the factor. To scale an image, multiply each value by it."""
    return image + factor
''',
}
HINTS = """\
{name}:
  objectives: [{objective}]
  sections: [{section}]
  minutes: 5
  functions:
    {name}:
      - What happens to one value?
      - The same operation works on the whole array.
"""
CARD = """\
- id: {id}
  front: "What does a factor of 2 do to an image ({id})?"
  back: It doubles every value.
  objective: {objective}
  section: {section}
  tags: [{tag}]
"""
QUESTION = """\
- id: {id}
  kind: choice
  objective: {objective}
  section: {section}
  text: "What does a factor of 1 do to an image ({id})?"
  choices:
    - {{id: nothing, text: Nothing.}}
    - {{id: doubles, text: It doubles every value.}}
"""
KEY = """\
{id}:
  right: nothing
  wrong:
    doubles: {{sentence: "A factor of 2 doubles the values; 1 keeps them.", card: {card}}}
"""


MISCONCEPTION = '''

@misconception(of="{function}", section="{section}", card="{card}")
def {name}{signature}:
    """You doubled the result ({name}). Say what was done instead, and what puts it right."""
    from pathlib import Path

    from autograder.api import load_module

    return 2 * load_module(Path(__file__).parents[1] / "{exercise}.py").{function}({arguments})
'''


def new_lesson(root: Path, name: str, title: str = "") -> list[Path]:
    """Write the three folders of a lesson with an exercise, a misconception, a card and a question. Return the files."""
    if not LESSON_ID.fullmatch(name):
        raise UsageError(f"`{name}` is no id of a lesson", "write two digits and a name in small letters, like 01_first_lesson")
    if (root / "recordings").is_dir():
        demand_solutions(root)
    for folder in ("lessons", "exercises", "solutions"):
        if (root / folder / name).exists():
            raise UsageError(f"{root / folder / name}: there already", "choose another id")
    words = {"lesson": name, "title": title or name[3:].replace("_", " ").capitalize(), "number": int(name[:2])}
    about = {"objective": "scale", "section": "first", "card": "scale", "tag": "factor_added"}
    made = [_write(root, f"lessons/{name}/lesson.md", LESSON.format(**words))]
    made.append(_append(root, f"lessons/{name}/flashcards.yaml", CARD.format(id="scale", **about)))
    made += _exercise(root, name, "scaled", about)
    return made + _question(root, name, "factor-of-one", about)


def new_exercise(root: Path, lesson: Lesson, name: str) -> list[Path]:
    """Write the files of one more exercise. Return them."""
    if not name.isidentifier() or name != name.lower() or name in ("practice", "props"):
        raise UsageError(f"`{name}` is no name of an exercise", "write small letters, digits and underscores, like first_steps")
    return _exercise(root, lesson.id, name, _about(lesson))


def new_card(root: Path, lesson: Lesson, name: str) -> list[Path]:
    """Add a card to a lesson."""
    _refuse(name, [card.id for card in lesson.cards], "card")
    return [_append(root, f"lessons/{lesson.id}/flashcards.yaml", CARD.format(id=name, **_about(lesson)))]


def new_question(root: Path, lesson: Lesson, name: str) -> list[Path]:
    """Add a question with its key to a lesson."""
    _refuse(name, [question.id for question in lesson.questions], "question")
    return _question(root, lesson.id, name, _about(lesson))


def new_misconception(root: Path, lesson: Lesson, name: str, of: str) -> list[Path]:
    """Add a misconception of a function, given as EXERCISE.FUNCTION."""
    exercise, _, function = of.partition(".")
    found = next((one for one in lesson.exercises if one.id == exercise), None)
    answer = getattr(load_module(found.answer), function, None) if found and function else None
    if found is None or answer is None:
        raise UsageError(f"{lesson.id} has no function `{of}`", "name one with --of EXERCISE.FUNCTION")
    about, path = _about(lesson), found.misconceptions
    written = path.read_text(encoding="utf-8") if path.is_file() else ""
    if not name.isidentifier() or f"def {name}(" in written:
        problem = f"there is a `{name}` in {path.name} already" if name.isidentifier() else f"`{name}` is not a valid function name"
        raise UsageError(problem, "choose another name, with letters and underscores, like factor_added")
    if not about["card"]:
        raise UsageError(f"{lesson.id} has no card yet", "a misconception brings one back: `course new card ID`")
    head = "" if written else f'"""Misconceptions in {path.name}."""\n\nfrom autograder.api import misconception\n'
    parameters = signature(answer)
    words = {"exercise": exercise, "function": function, "signature": str(parameters), "arguments": ", ".join(parameters.parameters)}
    return [_append(root, str(path.relative_to(root)), head + MISCONCEPTION.format(name=name, **words, **about))]


def _about(lesson: Lesson) -> dict[str, str]:
    """Return what an example is about: the lesson's first objective, section and card."""
    if not lesson.objectives or not lesson.sections:
        raise UsageError(f"{lesson.id} has no objective or no section yet", f"write them in lessons/{lesson.id}/lesson.md first")
    card = lesson.cards[0] if lesson.cards else None
    tag = next((tag for one in lesson.cards for tag in one.tags), "factor_added")
    return {"objective": lesson.objectives[0].id, "section": lesson.sections[0].id, "card": card.id if card else "", "tag": tag}


def _exercise(root: Path, lesson: str, name: str, about: dict[str, str]) -> list[Path]:
    texts = {path.format(lesson=lesson, name=name): text for path, text in EXERCISE.items()}
    if not about["card"]:  # a misconception brings back a card
        texts.pop(f"solutions/{lesson}/misconceptions/{name}.py")
    if there := next((path for path in texts if (root / path).exists()), None):
        raise UsageError(f"{root / there}: there already", "choose another name")
    made = [_write(root, path, text.format(lesson=lesson, name=name, **about)) for path, text in texts.items()]
    return [*made, _append(root, f"exercises/{lesson}/hints.yaml", HINTS.format(name=name, **about))]


def _question(root: Path, lesson: str, name: str, about: dict[str, str]) -> list[Path]:
    key = KEY if about["card"] else KEY.replace(", card: {card}", "")
    return [
        _append(root, f"exercises/{lesson}/practice.yaml", QUESTION.format(id=name, **about)),
        _append(root, f"solutions/{lesson}/practice.yaml", key.format(id=name, **about)),
    ]


def _refuse(name: str, known: list[str], noun: str) -> None:
    if not ID.fullmatch(name):
        raise UsageError(f"`{name}` is no id of a {noun}", "write small letters, digits and hyphens, like a-short-name")
    if name in known:
        raise UsageError(f"there is a {noun} `{name}` already", "choose another id")


def _write(root: Path, name: str, text: str) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def _append(root: Path, name: str, text: str) -> Path:
    path = root / name
    before = path.read_text(encoding="utf-8") if path.is_file() else ""
    return _write(root, name, f"{before}{'' if before.endswith(chr(10)) or not before else chr(10)}{text}")
