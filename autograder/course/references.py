"""Find what an id names: check that each names something, and that each question has what its kind needs; choose a lesson by its id.
Shapes and types are checked already.

Items come with their YAML trees, so that a complaint can name the line of a key.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo, available_timezones

from msgspec.structs import replace

from autograder.course.errors import UsageError
from autograder.course.expressions import problem_with
from autograder.course.kinds import KINDS, ids_of
from autograder.course.model import Course, Key, Lesson, Question, Wrong
from autograder.course.policy import Policy, settings_in
from autograder.course.schema import did_you_mean
from autograder.course.strict_yaml import Complain, Node

T = TypeVar("T")
OURS = {"autograder", "bench", "exercises", "lessons", "solutions", "tests"}  # a server that imported one would hold answers
MOST_DECIMALS = 15  # that a float can hold
_OF_ALL = {"id", "kind", "text", "points", "card"}
_OF_WHOLES = {"objective", "section", "core"}
_PLACE = re.compile(r"\[\[(\w+)\]\]")


def line_of(node: Node, *keys: str) -> int:
    """Return the line of the key at the end of this path, or of the last key on it that exists."""
    for key in keys:
        if not isinstance(node.value, dict) or key not in node.value:
            break
        node = node.value[key]
    return node.line


def mappings(items: Iterable[T], node: Node) -> list[tuple[T, Node]]:
    """Pair each item of a list with its place; what was not a mapping is left out."""
    nodes = node.value if isinstance(node.value, list) else []
    return [(item, own) for item, own in zip(items, nodes, strict=False) if isinstance(own.value, dict)]


def check_cards(lesson: Lesson, nodes: Sequence[Node], complain: Complain) -> None:
    for card, node in zip(lesson.cards, nodes, strict=True):
        owner = f"card `{card.id}`"
        _check_named(owner, "objective", card.objective, ids_of(lesson.objectives), node, complain)
        _check_named(owner, "section", card.section, ids_of(lesson.sections), node, complain)
        if bool(card.cloze) == bool(card.front or card.back) or bool(card.front) != bool(card.back):
            complain(node.line, f"{owner} needs a front and a back, or only a cloze", "write one or the other")
        if card.cloze and not re.search(r"\{\{c[0-9]+::.+?\}\}", card.cloze):
            complain(line_of(node, "cloze"), f"{owner}: the cloze hides nothing", "mark what is hidden, like {{c1::this}}")


def check_questions(lesson: Lesson, nodes: Sequence[Node], root: Path, complain: Complain) -> None:
    for question, node in zip(lesson.questions, nodes, strict=True):
        owner = f"question `{question.id}`"
        for name, known in (("objective", ids_of(lesson.objectives)), ("section", ids_of(lesson.sections))):
            _check_named(owner, name, getattr(question, name), known, node, complain)
        _check_question(owner, question, question, lesson, node, root, complain)
        for part, part_node in mappings(question.parts, node.value.get("parts", node)):
            _check_question(f"{owner}, part `{part.id}`", part, question, lesson, part_node, root, complain)


def check_keys(lesson: Lesson, node: Node, complain: Complain) -> None:
    """Check the answers in `solutions/` against the questions."""
    for question in lesson.questions:
        if question.id in lesson.keys:
            _check_formulas(
                f"question `{question.id}`", question, lesson.keys[question.id], node.value[question.id], question.numbers, complain
            )
    _check_parallel("question", lesson.questions, lesson.keys, node, ids_of(lesson.cards), complain)


def _check_formulas(owner: str, question: Question, key: Key, node: Node, numbers: Collection[str], complain: Complain) -> None:
    """Check the formulas of a question, or of a part, in which its numbers may stand."""
    kind = KINDS.get(question.kind)
    if kind is None or not isinstance(node.value, dict):
        return  # its value has a complaint
    for part in (one for one in question.parts if one.id in key.parts):
        _check_formulas(f"{owner}, part `{part.id}`", part, key.parts[part.id], node.value["parts"].value[part.id], numbers, complain)
    if "computes" not in kind.may or question.computes:
        for name in sorted({"computes", "mistakes"} & node.value.keys()):
            why = "the question names a function" if question.computes else f"{kind.noun} has none"
            complain(line_of(node, name), f"{owner}: `{name}` has no place here: {why}", "remove it")
    elif not key.computes:
        complain(node.line, f"{owner}: nothing computes the answer", "add `computes:` with a formula of the question's numbers")
    formulas = [(("computes",), key.computes), *((("mistakes", name, "formula"), one.formula) for name, one in key.mistakes.items())]
    for place, formula in formulas:
        if formula and (problem := problem_with(formula, numbers)):
            complain(line_of(node, *place), f"{owner}: {problem[0]}", problem[1])


def _check_named(owner: str, key: str, name: str, known: list[str], node: Node, complain: Complain) -> None:
    if name and known and name not in known:  # if nothing is known, the list itself has its complaint
        fix = did_you_mean(name, known, f"take one of {', '.join(dict.fromkeys(known))}")
        complain(line_of(node, key), f"{owner}: there is no {key} `{name}`", fix)
    elif not name and key not in node.value:
        complain(node.line, f"{owner}: `{key}` is missing", f"add `{key}: ...`")


def _check_question(owner: str, question: Question, whole: Question, lesson: Lesson, node: Node, root: Path, complain: Complain) -> None:
    kind = KINDS.get(question.kind)
    if kind is None:
        if "kind" in node.value and isinstance(node.value["kind"].value, str):
            fix = did_you_mean(question.kind, KINDS, f"write one of {', '.join(KINDS)}")
            complain(line_of(node, "kind"), f"{owner}: `kind` is the text `{question.kind[:40]}`", fix)
        return
    of_wholes = _OF_WHOLES | {"numbers"} if question is not whole else set[str]()
    if of_wholes and "parts" in kind.needs:
        complain(node.line, f"{owner}: a part cannot have parts", "make it a question of its own")
    allowed = (_OF_ALL | _OF_WHOLES | kind.needs | kind.may) - of_wholes
    for key in sorted(node.value.keys() & set(Question.__struct_fields__) - allowed):
        place = "the whole question" if key in of_wholes else "another kind of question"
        complain(line_of(node, key), f"{owner}: `{key}` belongs to {place}, not to {kind.noun}", "remove it")
    for key in sorted(kind.needs - node.value.keys()):
        complain(node.line, f"{owner}: {kind.noun} needs `{key}`", f"add `{key}: ...`")
    if question.card is not None:
        _check_named(owner, "card", question.card, ids_of(lesson.cards), node, complain)
    _check_numbers(owner, question, whole, node, complain)
    if question.computes and "computes" in kind.may:
        _check_computes(owner, question, lesson, node, root, complain)
    for name in ids_of((*question.choices, *question.parts)):
        if name in ("seed", "answer"):
            complain(node.line, f"{owner}: `{name}` cannot be an id", "choose another: answers to fresh numbers use this word")
    if "choices" in kind.needs and len(question.choices) == 1:
        complain(line_of(node, "choices"), f"{owner}: there is only one choice", "write at least two")


def _check_numbers(owner: str, question: Question, whole: Question, node: Node, complain: Complain) -> None:
    for name, drawn in question.numbers.items():
        line, written = line_of(node, "numbers", name), node.value["numbers"].value[name].value
        if isinstance(written, dict) and (drawn.step <= 0 or drawn.low >= drawn.high):
            complain(line, f"{owner}: number `{name}` has no grid", "give a low below the high, and a step above 0")
    known = list(whole.numbers)
    for name in dict.fromkeys(_PLACE.findall(question.text)):
        if name not in known:
            complain(line_of(node, "text"), f"{owner}: there is no number `{name}`", did_you_mean(name, known, "add it to `numbers`"))
    for argument in question.arguments:
        if isinstance(argument, str) and argument not in known:
            fix = did_you_mean(argument, known, "add it to `numbers`")
            complain(line_of(node, "arguments"), f"{owner}: there is no number `{argument}`", fix)
    if not 0 <= question.decimals <= MOST_DECIMALS:
        complain(line_of(node, "decimals"), f"{owner}: `decimals` is {question.decimals}", f"write 0 to {MOST_DECIMALS}")
    written = node.value["tolerance"].value if "tolerance" in node.value else None
    if "tolerance" in KINDS[question.kind].needs and isinstance(written, int | float) and question.tolerance <= 0:
        complain(line_of(node, "tolerance"), f"{owner}: the tolerance is {question.tolerance}", "write one above 0, like 0.002")


def _check_computes(owner: str, question: Question, lesson: Lesson, node: Node, root: Path, complain: Complain) -> None:
    exercise, _, function = question.computes.partition(".")
    line, known = line_of(node, "computes"), [*ids_of(lesson.exercises), "practice"]
    if not function.isidentifier():
        fix = f"write EXERCISE.FUNCTION, like sums.total, or a formula as `computes` in solutions/{lesson.id}/practice.yaml"
        complain(line, f"{owner}: `{question.computes}` names no function", fix)
        return
    if "arguments" not in node.value:
        complain(node.line, f"{owner}: a function needs `arguments`", "add `arguments: ...`")
    if exercise not in known:
        complain(line, f"{owner}: there is no exercise `{exercise}`", did_you_mean(exercise, known, f"take one of {', '.join(known)}"))
    elif (root / "solutions").is_dir() and not (root / "solutions" / lesson.id / f"{exercise}.py").is_file():
        complain(line, f"{owner}: solutions/{lesson.id}/{exercise}.py is missing", "create this file, with the function in it")


def _check_parallel(noun: str, questions: Sequence[Question], keys: dict[str, Key], node: Node, cards: list[str],
                    complain: Complain) -> None:  # fmt: skip
    known = {question.id: question for question in questions}
    for name in [name for name in keys if name not in known]:
        complain(line_of(node, name), f"there is no {noun} `{name}`", did_you_mean(name, known, "remove it, or write the question first"))
    for name, question in known.items():
        if name in keys:
            _check_key(f"{noun} `{name}`", question, keys[name], node.value[name], cards, complain)
        elif (kind := KINDS.get(question.kind)) and not question.computes:
            what = "`computes:`, a formula of its numbers" if "computes" in kind.may else "what is right"
            complain(node.line, f"{noun} `{name}` has no answer here", f"add `{name}:` with {what}")


def _check_key(owner: str, question: Question, key: Key, node: Node, cards: list[str], complain: Complain) -> None:
    kind = KINDS.get(question.kind)
    if kind is None or "" in ids_of((*question.choices, *question.options)) or not isinstance(node.value, dict):
        return  # its value has a complaint
    if "parts" in kind.needs:
        parts = Node(node.value.get("parts", Node({}, node.line)).value, line_of(node, "parts"))
        _check_parallel(f"{owner}, part", question.parts, key.parts, parts, cards, complain)
    if kind.problem is None:
        for name in sorted({"right", "wrong"} & node.value.keys()):
            complain(line_of(node, name), f"{owner}: {kind.noun} has no `{name}`", "remove it: the answer is computed or in its parts")
    elif "right" not in node.value:
        complain(node.line, f"{owner}: `right` is missing", "add `right: ...`")
    elif not isinstance(node.value["right"].value, str | list | dict):
        pass  # its value has a complaint
    elif problem := kind.problem(question, key.right):
        complain(line_of(node, "right"), f"{owner}: {problem[0]}", problem[1])
    else:
        possible = sorted(kind.wrongs(question, key))
        for name in [name for name in key.wrong if name not in possible]:
            turned = ">".join(reversed(name.split(">")))
            fix = did_you_mean(turned if turned in possible else name, possible, f"write {kind.form_of_wrong}")
            complain(line_of(node, "wrong", name), f"{owner}: `{name}` is not a wrong answer", fix)
    for name, wrong in key.wrong.items():
        _check_wrong(f"{owner}, `{name}`", wrong, node.value["wrong"].value[name], cards, complain)


def _check_wrong(owner: str, wrong: Wrong, node: Node, cards: list[str], complain: Complain) -> None:
    if wrong.card is not None:
        _check_named(owner, "card", wrong.card, cards, node, complain)


def localized(policy: Policy, node: Node, complain: Complain) -> Policy:
    """Put times that name no zone into the course's. Complain of those for which there is none, and of an unknown zone."""
    known = not policy.time_zone or policy.time_zone in available_timezones()
    if not known:
        fix = did_you_mean(policy.time_zone, available_timezones(), "write it as in the IANA database, like Europe/Berlin")
        complain(line_of(node, "grading", "time_zone"), f"`time_zone`: there is no time zone `{policy.time_zone[:40]}`", fix)
    zone = ZoneInfo(policy.time_zone) if policy.time_zone and known else None

    def put(time: datetime, *keys: str) -> datetime:
        if time.tzinfo is None and zone is None and known and time != datetime.min:
            owner = ", ".join(f"`{key}`" for key in keys)
            fix = "add `time_zone: Europe/Berlin` to `grading`, or the difference from UTC, as in 2026-11-20 23:59+01:00"
            complain(line_of(node, "grading", *keys), f"`grading`: {owner} has no time zone", fix)
        return time if time.tzinfo else time.replace(tzinfo=zone or UTC)

    return replace(
        policy,
        due=policy.due and put(policy.due, "due"),
        due_of={
            name: {own: put(one, "due_of", name, own) for own, one in time.items()} if isinstance(time, dict) else put(time, "due_of", name)
            for name, time in policy.due_of.items()
        },
        reveal_from=policy.reveal_from and put(policy.reveal_from, "reveal_from"),
    )


def check_policy(policy: Policy, node: Node, lessons: Sequence[Lesson], complain: Complain) -> None:
    """Complain of unknown lessons and exercises, of packages that are none, and of numbers out of range."""
    for key in ("limits_of", "due_of", "weights"):
        for names, _ in settings_in(getattr(policy, key)):
            within = [lesson for lesson in lessons if len(names) == 1 or lesson.id == names[0]]
            known = list(dict.fromkeys(name for lesson in within for name in exercise_ids(lesson)))
            if len(names) == 1 and key != "weights":
                known += ids_of(lessons)
            if lessons and not within:
                fix = did_you_mean(names[0], ids_of(lessons), f"take one of {', '.join(ids_of(lessons))}")
                complain(line_of(node, "grading", key, names[0]), f"`{key}`: there is no lesson `{names[0]}`", fix)
            elif known and names[-1] not in known:
                fix = did_you_mean(names[-1], known, f"take one of {', '.join(known)}")
                if key == "weights" and names[-1] in ids_of(lessons):
                    fix = f"weigh a lesson in `lesson_weights`, or an exercise of it: `{names[-1]}: {{EXERCISE: 2}}`"
                complain(line_of(node, "grading", key, *names), f"`{key}`: there is no exercise `{names[-1]}`", fix)
    for name in policy.lesson_weights:
        if lessons and name not in ids_of(lessons):
            fix = did_you_mean(name, ids_of(lessons), f"take one of {', '.join(ids_of(lessons))}")
            complain(line_of(node, "grading", "lesson_weights", name), f"`lesson_weights`: there is no lesson `{name}`", fix)
    every = list(dict.fromkeys(exercise.id for lesson in lessons for exercise in lesson.exercises))
    for name in (one for one in policy.show_solutions if every and one not in every):
        fix = did_you_mean(name, every, f"take one of {', '.join(every)}")
        complain(line_of(node, "grading", "show_solutions"), f"`show_solutions`: there is no exercise `{name}`", fix)
    for keys, limits in [(("limits",), policy.limits), *((("limits_of", *names), one) for names, one in settings_in(policy.limits_of))]:
        for package in limits.packages:
            if not package.isidentifier() or package in OURS:
                fix = "write the name under which an installed package is imported, like scipy"
                complain(line_of(node, "grading", *keys, "packages"), f"`packages`: submissions cannot be offered `{package}`", fix)
    late = [(("late", "percent"), policy.late.percent), (("late", "most"), policy.late.most)] if policy.late else []
    for keys, value in [(("pass_mark",), policy.pass_mark or 0), *late]:
        if not 0 <= value <= 100:
            complain(line_of(node, "grading", *keys), f"`{keys[-1]}` is {value:g}", "write a percentage, from 0 to 100")
    for key, weights in (("weights", policy.weights), ("lesson_weights", policy.lesson_weights)):
        for names, weight in settings_in(weights):
            if weight < 0:
                owner = ", ".join(f"`{name}`" for name in (key, *names))
                complain(line_of(node, "grading", key, *names), f"{owner} is {weight:g}", "write 0 or more; 0 counts nothing")
    if policy.late and policy.late.grace_minutes < 0:
        complain(line_of(node, "grading", "late", "grace_minutes"), "`grace_minutes` is below 0", "write 0 or more")


def choose_lesson(course: Course, wanted: str | None) -> Lesson:
    """Return the lesson that is asked for, or the only one. Raise `UsageError` with the choices.

    It may be asked for by its id, or by a part of it: `01` or `first_lesson` for `01_first_lesson`.
    """
    named = [lesson for lesson in course.lessons if not wanted or is_named(lesson, wanted)]
    if len(named) == 1:
        return named[0]
    choices = ", ".join(lesson.id for lesson in named or course.lessons)
    if not named:
        raise UsageError(f"no lesson `{wanted}`", f"choose one of: {choices}")
    if wanted:
        raise UsageError(f"`{wanted}` may be several lessons", f"choose one of: {choices}")
    raise UsageError("the course has several lessons", f"name one with --lesson: {choices}")


def is_named(lesson: Lesson, wanted: str) -> bool:
    """Return whether this is the lesson's id, its number, or its name without the number."""
    number, _, name = lesson.id.partition("_")
    return wanted in (lesson.id, number, name) or wanted == number.lstrip("0")


def exercise_ids(lesson: Lesson) -> list[str]:
    """Return the ids of what can be graded in a lesson: its exercises, and its questions as "practice"."""
    return [exercise.id for exercise in lesson.exercises] + (["practice"] if lesson.questions else [])
