"""Mutation testing: is every small change to an answer noticed by a check?

    python -m bench.mutants [EXERCISE ...]

Each answer file, and each function of the reference implementation that it calls, is changed in one place at a time: an operator,
a constant, an index, an argument, a call. The changed answer then plays the student, with the published numbers. A mutant that
passes every check has survived: the checks have a gap, or the change changes nothing, and is listed in `EQUIVALENT` with the reason.
Only lines that the checks run are changed. All of it happens in this process: the code is the course's own.
"""

from __future__ import annotations

import ast
import copy
import signal
import sys
import types
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from autograder.course.loading import read_course
from autograder.course.model import Exercise
from autograder.grading.attempt import PUBLIC, Materials, load_materials
from autograder.grading.checks import executed_by, run, seed_of
from autograder.grading.letters import places, put
from autograder.grading.reference import Answers
from tests.bundle import needed

ROOT = Path(__file__).parent.parent
SECONDS = 60  # for one mutant: some loop for ever
GUARDS = ("_need", "_refuse")  # they raise errors, which the exercises do not ask for

KIND = "only turns a table's entry into the kind and shape of the image: numbers stay the same, or broadcast to the same"
FREE = "what is inside the block is up to the student; it still keeps shapes, hears the embedding and treats rows alone"
ONE_AXIS = "names the same axes"
SIGN = "learned weights absorb the sign"
SAMPLES = "the capstone asks for samples, not for numbers: trained like this, they are as near to quilts"

# Survivors that change no answer, or none that is asked for: exercise ("" = any), a part of the line, a part of the change, why.
EQUIVALENT: list[tuple[str, str, str, str]] = [
    ("", "return _like(value.reshape(", "", KIND),
    ("", 'if hasattr(x, "dtype")', "", KIND),
    ("", "return value.astype(", "", KIND),
    ("", "new_tensor(value)", "", KIND),
    ("", "_numpy(", "", KIND),
    ("", "return np.asarray(value.detach()", "", KIND),
    ("", "np.asarray(betas, np.float64)", "=> betas", "computes in single precision, which the tolerance allows"),
    ("", "np.asarray(alpha_bars, np.float64)", "=> alpha_bars", "computes in single precision, which the tolerance allows"),
    ("forward", "np.ndim(values) == 0", "", "numbers broadcast without another shape, too, and numpy takes any negative size as unknown"),
    ("", "np.errstate", "", "silences a warning"),
    ("", "np.minimum(", "np.minimum(most,", "the smaller of two is the same either way"),
    ("", "transpose(", "transpose(", ONE_AXIS),
    ("", "transpose(", "-2 => 2", ONE_AXIS),
    ("guidance", "torch.as_tensor(null)", "=> null", "torch.where takes numbers too"),
    ("latent", "latents.std(correction=0)", "", "n or n − 1, the exercise takes both"),
    ("latent", "decode(vae, z, scale)", "decode(vae, scale, z)", "the two are multiplied"),
    ("loss", "loss.item()", "=> loss", "a float or a tensor of one number, the exercise takes both"),
    ("distill", "error.item()", "=> error", "a float or a tensor of one number, the exercise takes both"),
    ("train", "frequencies = torch.exp(", "", SAMPLES),
    ("train", "angles = t.float()", "=> t", "a product with floats is made of floats"),
    ("train", "return at(alpha_bars**0.5, t, x0)", "/ x0", "a quilt's pixels are −1 and 1, each its own inverse"),
    ("train", "return at(alpha_bars**0.5, t, x0)", "0.5 => 0.55", SAMPLES),
    ("train", "schedule.step()", "", SAMPLES),
    ("train", "lr=3e-3", "=> 0.0033", SAMPLES),
    ("train", "torch.randint(1, len(alpha_bars)", "1 =>", SAMPLES),
    ("train", "self.encode(x) + self.time(emb)", "", SIGN),
    ("train", "h + nn.functional.silu(self.hidden(h))", "=> h - ", SIGN),
    ("train", "nn.Conv2d(1, WIDTH, 4, stride=4)", "4 => 3", SAMPLES),
    ("timestep", "self.", "", FREE),
    ("timestep", "nn.init", "", FREE),
    ("timestep", "dim // 2", "dim / 2", "dim is even"),
    ("timestep", "t.float()", "=> t", "a product with floats is made of floats"),
]

SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Pow: ast.Mult, ast.FloorDiv: ast.Div,
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Is: ast.IsNot,
    ast.IsNot: ast.Is, ast.And: ast.Or, ast.Or: ast.And, ast.MatMult: ast.Mult,
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """One change: where it is, what it makes of the line, and the changed source."""

    module: str
    line: int
    before: str
    after: str
    tree: ast.Module


def changes(node: ast.AST) -> Iterator[ast.AST]:
    """Give what may stand in a node's place."""
    if isinstance(node, ast.BinOp) and type(node.op) in SWAPS:
        yield ast.BinOp(node.left, SWAPS[type(node.op)](), node.right)  # type: ignore[arg-type]
    elif isinstance(node, ast.Compare) and type(node.ops[0]) in SWAPS:
        yield ast.Compare(node.left, [SWAPS[type(node.ops[0])]()], node.comparators)  # type: ignore[list-item]
    elif isinstance(node, ast.BoolOp):
        yield ast.BoolOp(SWAPS[type(node.op)](), node.values)  # type: ignore[arg-type]
    elif isinstance(node, ast.UnaryOp):
        yield node.operand
    elif isinstance(node, ast.IfExp):
        yield ast.IfExp(node.test, node.orelse, node.body)
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield ast.Constant(not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        yield ast.Constant(node.value + 1)
        yield ast.Constant(node.value - 1)
        yield ast.Constant(node.value * 1.1 if isinstance(node.value, float) else node.value + 2)
    elif isinstance(node, ast.Subscript) and not isinstance(node.slice, ast.Slice | ast.Tuple | ast.Constant):
        yield ast.Subscript(node.value, ast.BinOp(node.slice, ast.Add(), ast.Constant(1)), node.ctx)
    elif isinstance(node, ast.Call):
        yield from call_changes(node)


def call_changes(node: ast.Call) -> Iterator[ast.AST]:
    """Give a call with two arguments swapped, one left out, or left out itself."""
    for i in range(len(node.args) - 1):
        if not any(isinstance(argument, ast.Starred) for argument in node.args):
            swapped = [*node.args]
            swapped[i], swapped[i + 1] = swapped[i + 1], swapped[i]
            yield ast.Call(node.func, swapped, node.keywords)
    for i in range(len(node.keywords)):
        yield ast.Call(node.func, node.args, node.keywords[:i] + node.keywords[i + 1 :])
    if isinstance(node.func, ast.Attribute) and not _is_module(node.func.value):
        yield node.func.value
    elif node.args:
        yield node.args[0]


def _is_module(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id in ("np", "torch", "math", "F", "nn")


def mutants(module: str, source: str, lines: set[int]) -> Iterator[Mutant]:
    """Give every mutant of these lines of a module."""
    tree = ast.parse(source)
    skipped = {id(inner) for node in ast.walk(tree) if _left_alone(node) for inner in ast.walk(node)}
    texts = source.splitlines()
    for place in places(tree):
        item = place.node
        if not isinstance(item, ast.expr) or id(item) in skipped or item.lineno not in lines:
            continue
        for other in (one for one in changes(item) if ast.unparse(one) != ast.unparse(item)):
            with put(place, other):
                changed = ast.fix_missing_locations(copy.deepcopy(tree))
            yield Mutant(module, item.lineno, texts[item.lineno - 1].strip(), f"{ast.unparse(item)} => {ast.unparse(other)}", changed)


def _left_alone(node: ast.AST) -> bool:
    """Say whether a part is not about answers: errors, guards, texts, annotations."""
    if (isinstance(node, ast.FunctionDef) and node.name in GUARDS) or isinstance(node, ast.Raise | ast.JoinedStr | ast.AnnAssign):
        return True
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Name):
        return node.value.func.id in GUARDS
    return isinstance(node, ast.If) and len(node.body) == 1 and isinstance(node.body[0], ast.Raise)


class World:
    """The modules of an answer, loaded afresh with one of them changed."""

    def __init__(self, exercise: Exercise):
        self.sources: dict[str, str] = {}
        source = exercise.answer.read_text(encoding="utf-8")
        needed(source, self.sources)
        self.sources["answer"] = source
        self.file = str(exercise.answer)

    def load(self, changed: Mutant | None = None) -> types.ModuleType:
        """Load all modules; those of the course that are loaded already stay as they are."""
        before = {name: sys.modules.get(name) for name in self.sources}
        try:
            for name, source in self.sources.items():
                module = sys.modules[name] = types.ModuleType(name)
                module.__file__ = self.file
                code = changed.tree if changed and changed.module == name else source
                exec(compile(code, f"<{name}>", "exec"), module.__dict__)
            return sys.modules["answer"]
        finally:
            for name, old in before.items():
                if old is None:
                    sys.modules.pop(name, None)
                else:
                    sys.modules[name] = old


def passes(materials: Materials, module: types.ModuleType) -> bool:
    """Say whether a module in the student's place passes every check, needs and all."""
    torch.manual_seed(0)  # the capstone draws its own noise
    player = executed_by(Answers(module, materials.answers.props).function)
    seeds = {check.id: seed_of(PUBLIC, materials.exercise.id, check.id) for check in materials.checks}
    return all(run(check, player, materials.answers, seeds[check.id]).passed for check in materials.checks)


def lines_run(materials: Materials, world: World) -> dict[str, set[int]]:
    """Find the lines of each module that the checks run."""
    seen: dict[str, set[int]] = {name: set() for name in world.sources}

    def watch(frame: types.FrameType, event: str, argument: Any) -> Any:
        name = frame.f_code.co_filename[1:-1]
        if name not in seen:
            return None
        seen[name].add(frame.f_lineno)
        return watch

    module = world.load()
    sys.settrace(watch)
    try:
        assert passes(materials, module), "the answer itself fails"
    finally:
        sys.settrace(None)
    return seen


def killed(materials: Materials, world: World, mutant: Mutant) -> bool:
    """Say whether some check notices a mutant; one that runs for ever is noticed too."""

    def too_long(number: int, frame: Any) -> None:
        raise BaseException("too long")

    signal.signal(signal.SIGALRM, too_long)
    signal.alarm(SECONDS)
    try:
        return not passes(materials, world.load(mutant))
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        return True
    finally:
        signal.alarm(0)


def why_equivalent(exercise: str, mutant: Mutant) -> str:
    """Give the reason why a survivor changes no answer that is asked for, or an empty text."""
    told = [why for of, line, change, why in EQUIVALENT if of in ("", exercise) and line in mutant.before and change in mutant.after]
    return told[0] if told else ""


def main(wanted: list[str]) -> int:
    """Print, for each exercise, how many mutants there are, how many were killed, and which survived."""
    torch.set_num_threads(1)
    unexplained = 0
    for exercise in (one for lesson in read_course(ROOT).lessons for one in lesson.exercises if not wanted or one.id in wanted):
        materials, world = load_materials(exercise), World(exercise)
        made = [m for name, lines in lines_run(materials, world).items() for m in mutants(name, world.sources[name], lines)]
        survived = [mutant for mutant in made if not killed(materials, world, mutant)]
        unlisted = [mutant for mutant in survived if not why_equivalent(exercise.id, mutant)]
        unexplained += len(unlisted)
        equal = len(survived) - len(unlisted)
        print(f"{exercise.id}: {len(made)} mutants, {len(made) - len(survived)} killed, {equal} equivalent, {len(unlisted)} survived")
        for mutant in unlisted:
            print(f"  {mutant.module}:{mutant.line}  {mutant.before}\n      {mutant.after}", flush=True)
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
