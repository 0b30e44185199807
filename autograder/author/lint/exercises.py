"""Rules for exercises: the checks are run with the answer, the starter and each misconception, and the files must match.

Only the course's own code runs here, so no sandbox is needed.
"""

import ast
import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from msgspec.structs import replace

from autograder.author.lint.context import LintContext
from autograder.author.recording import runs_of
from autograder.course.errors import CourseError, Finding
from autograder.course.loading import Help, read_hints
from autograder.course.model import Check
from autograder.course.schema import did_you_mean
from autograder.grading.attempt import PUBLIC, Materials
from autograder.grading.checks import Transcript, executed_by, load_checks, run, seed_of
from autograder.grading.reference import Answers, load_module, numbers

SECRETS = (PUBLIC, b"lint")


def answers_pass(context: LintContext) -> Iterator[Finding]:
    for materials, path in _exercises(context):
        for check in materials.checks:
            reruns = (materials.diagnosis.reruns.rerun(check, _seed(materials, check, secret), None) for secret in SECRETS)
            if failed := next((transcript for transcript in reruns if not transcript.passed), None):
                problem = f"check `{check.id}` fails on the course's own answer: {_why(failed)}"
                yield Finding(path, _line(check), problem, "mend the check or the answer")


def starters_fail(context: LintContext) -> Iterator[Finding]:
    for materials, path in _exercises(context):
        starter = Answers(load_module(materials.exercise.starter))
        for check in materials.checks:
            if run(check, executed_by(starter.function), materials.answers, _seed(materials, check, PUBLIC)).passed:
                problem = f"check `{check.id}` is passed by the untouched starter"
                yield Finding(path, _line(check), problem, "make it require what the student has to write")


def misconceptions_are_named(context: LintContext) -> Iterator[Finding]:
    for materials, path in _exercises(context):
        misconceptions = Path("solutions") / context.lesson.id / "misconceptions" / path.name
        answered = load_module(materials.exercise.answer)
        for misconception in materials.misconceptions:
            if not hasattr(answered, misconception.of):
                continue  # reported by `misconception-leads`
            seeds = {check.id: _seed(materials, check, PUBLIC) for check in materials.checks}
            transcripts = {check.id: materials.diagnosis.reruns.rerun(check, seeds[check.id], misconception) for check in materials.checks}
            line = misconception.function.__code__.co_firstlineno
            if all(transcript.passed for transcript in transcripts.values()):
                yield Finding(misconceptions, line, f"misconception `{misconception.id}` passes every check", "add numbers that show it")
            elif materials.diagnosis.name(misconception.of, transcripts, seeds) is not misconception:
                problem = f"misconception `{misconception.id}` is not recognised as itself"
                fix = "add a call where it differs from the reference and the other misconceptions by ten tolerances, or drop it"
                yield Finding(misconceptions, line, problem, fix)


def formulas_hold(context: LintContext) -> Iterator[Finding]:
    """Find functions of LINEAR whose results are no sums of the arguments that it names."""
    for materials, _ in _exercises(context):
        path = materials.exercise.quantities.relative_to(context.root)
        linear = materials.diagnosis.quantities.linear
        for of in dict.fromkeys(check.of for check in materials.checks if check.of in linear):
            runs = (materials.diagnosis.reruns.formulas(check, _seed(materials, check, PUBLIC), of) for check in materials.checks)
            formulas = [formula for calls in runs for call in calls for formula in call]
            if None in formulas or not any(formula.factors for formula in formulas if formula):
                problem = f"LINEAR: the results of the course's own `{of}` are no sums of {', '.join(linear[of])}, each times a factor"
                yield Finding(path, None, problem, "name the arguments that it adds up, or remove the entry")


def nothing_crosses_early(context: LintContext) -> Iterator[Finding]:
    for materials, path in _exercises(context):
        sent: set[bytes] = set()
        for check in materials.checks:
            for call in materials.diagnosis.reruns.rerun(check, _seed(materials, check, PUBLIC), None).calls:
                if _leaves(call.outcome.value) & sent:
                    problem = f"check `{check.id}` expects `{call.function}` to return a value that was already sent as an argument"
                    yield Finding(path, _line(check), problem, "draw a fresh argument, or swap the order of the calls")
                    break
                sent |= _leaves((call.args, call.kwargs, [question.args for question in call.asked]))


def references_stand_alone(context: LintContext) -> Iterator[Finding]:
    for materials, path in _exercises(context):
        for check in materials.checks:
            seed = _seed(materials, check, PUBLIC)
            if not materials.diagnosis.reruns.rerun(check, seed, None).answers:
                continue  # the check never calls the reference
            answers = Answers(load_module(materials.exercise.answer))
            run(check, executed_by(materials.answers.function), answers, seed)
            before = answers.known
            run(check, executed_by(_off(materials.answers.function)), answers, seed)
            if answers.known > before:
                problem = f"check `{check.id}` passes the student's values to the reference"
                yield Finding(path, _line(check), problem, "call the reference with the check's own numbers")


def _exercises(context: LintContext) -> Iterator[tuple[Materials, Path]]:
    for materials in context.materials:
        yield materials, materials.exercise.checks.relative_to(context.root)


def _seed(materials: Materials, check: Check, secret: bytes) -> int:
    return seed_of(secret, materials.exercise.id, check.id)


def _line(check: Check) -> int:
    return int(inspect.unwrap(check.function).__code__.co_firstlineno)


def _why(transcript: Transcript) -> str:
    failure, ended = transcript.first_failure, transcript.ended
    if failure:
        return failure.words
    return (ended.raised.message if ended.raised else ended.detail) if ended else "it compares nothing"


def _leaves(value: Any) -> set[bytes]:
    """Return the arrays in a value as bytes, without single numbers, which repeat by chance."""
    return {np.ascontiguousarray(array).tobytes() for array in numbers(value) if array.size > 1 and np.ptp(array) > 0}


def _off(function_of: Callable[[str], Callable[..., Any]]) -> Callable[[str], Callable[..., Any]]:
    return lambda name: lambda *args, **kwargs: _shifted(function_of(name)(*args, **kwargs))


def _shifted(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return type(value)(map(_shifted, value))
    try:
        return value + 0.125
    except TypeError:
        return value


FEWEST_HINTS = 2
TELLING = 12  # characters from which a line of an answer gives something away


def runnable(context: LintContext) -> Iterator[Finding]:
    broken: set[Path] = set()
    for path in context.modules:
        try:
            load_module(path)
        except CourseError as error:
            broken.add(path)
            yield from (replace(one, path=context.within(one.path)) for one in error.findings)
    for exercise in context.lesson.exercises:
        if not broken & {exercise.checks, exercise.answer}:
            answered = vars(load_module(exercise.answer))
            for check in load_checks(exercise.checks):
                path, line, owner = context.within(exercise.checks), _line(check), f"check `{check.id}`"
                parameters = list(inspect.signature(check.function).parameters)
                if parameters not in (["student", "reference"], ["student", "reference", "rng"]):
                    problem = f"{owner} is `{check.id}({', '.join(parameters)})`"
                    yield Finding(path, line, problem, "give it the parameters student and reference, and rng if it draws numbers")
                if check.of not in answered:
                    fix = did_you_mean(str(check.of), answered, "write the function, or mend the name")
                    yield Finding(path, line, f"{owner}: there is no function `{check.of}` in the answer", fix)
                if not isinstance(check.points, int | float) or not check.points > 0:
                    yield Finding(path, line, f"{owner}: its points are {check.points!r}", "write a number above 0")


def recordable(context: LintContext) -> Iterator[Finding]:
    for materials, _ in _exercises(context):
        runs_of(materials)
    yield from ()


def unused_imports(context: LintContext) -> Iterator[Finding]:
    for path in context.modules:
        source = path.read_text(encoding="utf-8")
        nodes, lines = list(ast.walk(ast.parse(source))), source.splitlines()
        used = {node.id for node in nodes if isinstance(node, ast.Name)}
        used |= {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}  # in `__all__`
        for node in nodes:
            if not isinstance(node, ast.Import | ast.ImportFrom) or "noqa" in lines[node.lineno - 1]:
                continue
            for alias in node.names if getattr(node, "module", "") != "__future__" else ():
                name = alias.asname or alias.name.partition(".")[0]
                if name not in used:
                    yield Finding(context.within(path), node.lineno, f"`{name}` is imported and not used", "remove it")


def misconception_names(context: LintContext) -> Iterator[Finding]:
    sections, cards = {section.id for section in context.lesson.sections}, {card.id for card in context.lesson.cards}
    for exercise, misconceptions in context.misconceptions.items():
        path = Path("solutions") / context.lesson.id / "misconceptions" / f"{exercise}.py"
        for misconception in misconceptions:
            line = misconception.function.__code__.co_firstlineno
            if not signature_of(context, f"{exercise}.{misconception.of}"):
                problem = f"misconception `{misconception.id}`: there is no function `{misconception.of}` in the answer"
                yield Finding(path, line, problem, "write the function, or mend the name")
            for noun, name, known in (("section", misconception.section, sections), ("card", misconception.card, cards)):
                if name not in known:
                    problem = f"misconception `{misconception.id}`: there is no {noun} `{name}`"
                    yield Finding(path, line, problem, did_you_mean(str(name), known, f"write the {noun}, or mend the name"))


def starters(context: LintContext) -> Iterator[Finding]:
    for exercise in context.lesson.exercises:
        path = exercise.starter.relative_to(context.root)
        for node in ast.parse(exercise.starter.read_bytes(), filename=str(path)).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                answered = signature_of(context, f"{exercise.id}.{node.name}")
                if answered is None:
                    noun = "class" if isinstance(node, ast.ClassDef) else "function"
                    yield Finding(path, node.lineno, f"the answer has no {noun} `{node.name}`", "remove it, or write the answer")
                elif isinstance(node, ast.FunctionDef) and _parameters(node) != answered:
                    problem = f"`{node.name}({_parameters(node)})` is `{node.name}({answered})` in the answer"
                    yield Finding(path, node.lineno, problem, "give both the same parameters")


def twice(context: LintContext) -> Iterator[Finding]:
    for exercise in context.lesson.exercises:
        for path in filter(Path.is_file, (exercise.checks, exercise.misconceptions)):
            lines: dict[str, int] = {}
            for node in ast.parse(path.read_bytes()).body:
                if isinstance(node, ast.FunctionDef):
                    above = lines.setdefault(node.name, node.lineno)
                    if above != node.lineno:
                        problem = f"`{node.name}` stands on line {above} already, and that one is lost"
                        yield Finding(path.relative_to(context.root), node.lineno, problem, "rename one of them")


def hints(context: LintContext) -> Iterator[Finding]:
    path = Path("exercises") / context.lesson.id / "hints.yaml"
    helps, objectives = read_hints(context.root, context.lesson.id), {objective.id for objective in context.lesson.objectives}
    sections = {section.id for section in context.lesson.sections}
    told = any(written.minutes for written in helps.values())
    for exercise in context.lesson.exercises:
        written = helps.get(exercise.id, Help())
        nodes = [node for node in ast.parse(exercise.starter.read_bytes()).body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
        for name in [node.name for node in nodes if signature_of(context, f"{exercise.id}.{node.name}")]:
            if len(written.functions.get(name, ())) < FEWEST_HINTS:
                fix = f"write {FEWEST_HINTS} or 3 below `{exercise.id}: functions: {name}:`, each nearer to the answer"
                yield Finding(path, None, f"`{exercise.id}.{name}` has fewer than {FEWEST_HINTS} hints", fix)
        for name in written.functions.keys() - {node.name for node in nodes}:
            if not signature_of(context, f"{exercise.id}.{name}"):  # else `exercise-starters` reports it
                yield Finding(path, None, f"hints for `{exercise.id}.{name}`: there is no such function", "rename or remove them")
        if written.minutes < 0 or (told and not written.minutes):
            fix = "write about how many it takes, or leave `minutes` out everywhere"
            yield Finding(path, None, f"`minutes` of `{exercise.id}` is {written.minutes}", fix)
        for kind, named, known in (("objective", written.objectives, objectives), ("section", written.sections, sections)):
            for name in set(named) - known:
                yield Finding(path, None, f"`{exercise.id}`: there is no {kind} `{name}`", f"take one of {', '.join(sorted(known))}")
        answer = map(str.strip, exercise.answer.read_text(encoding="utf-8").splitlines())
        lines = {line for line in answer if len(line) >= TELLING and not line.startswith(("import ", "from "))}
        for name, text in ((name, text) for name, texts in written.functions.items() for text in texts):
            if given := sorted(line for line in lines if line in text):
                problem = f"a hint for `{exercise.id}.{name}` gives a line of the answer away: `{given[0]}`"
                yield Finding(path, None, problem, "say it in words")
    for name in helps.keys() - {exercise.id for exercise in context.lesson.exercises}:
        yield Finding(path, None, f"hints for `{name}`: there is no such exercise", "rename or remove them")


def signature_of(context: LintContext, name: str) -> str | None:
    """Return the parameters of an answer's function as text, or None if there is no such function."""
    try:
        function = context.functions.reference(name)
    except (AttributeError, AssertionError):
        return None
    parameters = inspect.signature(function).parameters.values()
    return str(inspect.Signature([each.replace(annotation=inspect.Parameter.empty) for each in parameters]))[1:-1]


def strays(context: LintContext) -> Iterator[Finding]:
    names = {exercise.id for exercise in context.lesson.exercises}
    answers = context.root / "solutions" / context.lesson.id
    folders = {context.root / "exercises" / context.lesson.id / "checks": names | {"shows"}, answers: names | {"practice", "quantities"}}
    for folder, known in {**folders, answers / "misconceptions": names | {"practice"}}.items():
        for path in sorted(folder.glob("[!._]*.py")):
            if path.stem not in known:
                fix = "rename it after its starter, or remove it"
                yield Finding(path.relative_to(context.root), None, "no exercise has this name", fix)


def _parameters(node: ast.FunctionDef) -> str:
    """Return a function's parameters without types, as `inspect` writes them."""
    for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs):
        argument.annotation = None
    return ast.unparse(node.args)
