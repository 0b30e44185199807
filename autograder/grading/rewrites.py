"""An error model: general rewrites of a reference function, from its syntax tree, each with the words that tell it.

`rewrites.toml` has the rules: what stands in a right answer, what a wrong one has in its place. Each is applied wherever it fits, one
place at a time; those that are common also two at once, or wherever they fit. A lesson's `quantities.py` says which names are of one kind
and can be confused (KINDS), what can stand for a table (TABLES), and what all are called (LETTERS): a change of what has no letters is not
told, so no code is.
"""

import ast
import copy
import tomllib
import types
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from contextlib import ExitStack
from functools import cache
from itertools import combinations, product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from autograder.grading.coefficients import Quantities
from autograder.grading.letters import Place, arguments, called, is_module, listed, places, put, table_of, text
from autograder.grading.reference import as_array

SCALED: dict[type[ast.operator], str] = {ast.Mult: "multiplied", ast.Div: "divided"}
SEVERAL = 10_000  # added to the rank if there are several changes
SLOWER = 5  # times fewer of these are made of a function that walks
OPERATIONS: dict[str, Callable[[Any], Any]] = {  # that rules use
    "_clamped": lambda value: value.clip(-1, 1) if hasattr(value, "clip") else min(max(value, -1), 1),
    "_log": lambda value: np.log(np.asarray(as_array(value))),
}


class Rewrite(NamedTuple):
    """One wrong answer: whose, what it is as if and in which part, and how far-fetched that is; what else it is as if, and in which parts;
    and the changed function (none in a release)."""

    of: str
    words: str
    where: str
    rank: int
    more: tuple[tuple[str, str], ...] = ()
    function: Callable[..., Any] | None = None

    @property
    def said(self) -> tuple[tuple[str, str], ...]:
        """All that it is as if, each with the part that it is in."""
        return ((self.words, self.where), *self.more)

    @property
    def several(self) -> bool:
        """Whether it is changed in several places."""
        return self.rank >= SEVERAL


class Change(NamedTuple):
    """One change: its rank, its words with what they are about by name, the letter of what is assigned there, what is put where, and
    whether it is common, so that it is also made together with others."""

    rank: int
    words: str
    about: Mapping[str, ast.AST | str]
    where: str
    place: Place
    nodes: tuple[ast.AST, ...]
    instead_of: int = 1
    common: bool = False

    def told(self, letters: Mapping[str, str]) -> dict[str, str]:
        """Return what its words are about in letters, by name; an empty text where there are none."""
        return {name: text(one, letters) for name, one in self.about.items() if f"{{{name}}}" in self.words}


def rewrites(path: Path, of: str, model: Quantities, others: Container[str] = (), several: int = 0) -> Iterator[Rewrite]:
    """Yield each wrong answer that can be told: one change in the function `of`, or in one that it uses and that is none of the `others`.

    Mistakes in those are told where they themselves are asked for. After these come up to so many with `several` changes in one function,
    and fewer if it is slow.
    """
    tree = ast.parse(path.read_bytes())
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    code = compile(tree, str(path), "exec")
    together = []
    for function in (functions[name] for name in _used(of, functions, others) if name not in model.without):
        changes = [one for one in _changes(function, model) if all(one.told(model.letters).values())]
        together += [(function, several) for several in _together([one for one in changes if one.common])]
        yield from (_rewrite((one,), function, code, of, model) for one in changes)
    together.sort(key=lambda one: (len({change.words for change in one[1]}), sum(change.rank for change in one[1])))
    most = several // SLOWER if together and _walks(functions[of]) else several
    yield from (_rewrite(changes, function, code, of, model) for function, changes in together[:most])


def _walks(function: ast.FunctionDef) -> bool:
    """Whether a function calls one of its parameters in a loop, as a sampler does its network."""
    given = {one.arg for one in function.args.args}
    loops = [node for node in ast.walk(function) if isinstance(node, ast.For)]
    return any(isinstance(node, ast.Call) and called(node) in given for loop in loops for node in ast.walk(loop))


def _together(common: list[Change]) -> Iterator[tuple[Change, ...]]:
    """Yield common changes that can be made together: each two at places outside one another, and one of a kind wherever it fits."""
    inside = [{*map(id, ast.walk(one.place.node))} for one in common]
    apart = [[id(a.place.node) not in others and id(b.place.node) not in own for b, others in zip(common, inside, strict=True)]
             for a, own in zip(common, inside, strict=True)]  # fmt: skip
    yield from ((common[i], common[j]) for i, j in combinations(range(len(common)), 2) if apart[i][j])
    for rank in {one.rank for one in common}:
        same: list[int] = []
        for i, one in enumerate(common):
            if one.rank == rank and all(apart[i][j] for j in same):
                same.append(i)
        if len(same) > 2:
            yield tuple(common[i] for i in same)


def _rewrite(changes: tuple[Change, ...], function: ast.FunctionDef, code: types.CodeType, of: str, model: Quantities) -> Rewrite:
    with ExitStack() as stack:
        for one in changes:
            stack.enter_context(put(one.place, *one.nodes, instead_of=one.instead_of))
        changed = compile(ast.fix_missing_locations(ast.Module([function], [])), code.co_filename, "exec")
    said = _said(changes, model.letters)
    rank = sum(one.rank for one in changes) + SEVERAL * (len(changes) > 1)
    return Rewrite(of, *said[0], rank, tuple(said[1:]), _loaded((code, changed), of, model))


def _said(changes: tuple[Change, ...], letters: Mapping[str, str]) -> list[tuple[str, str]]:
    """Say what each change is as if, and in which part; of one thing in several places, in one sentence."""
    told = [one.told(letters) for one in changes]
    if len({one.words for one in changes}) == 1 and all(len(one) == 1 for one in told):
        ((name, _),) = told[0].items()
        where = {one.where for one in changes}
        return [
            (changes[0].words.format(**{name: listed(dict.fromkeys(one[name] for one in told))}), where.pop() if len(where) == 1 else "")
        ]
    # not: in ᾱ, α stood in place of ᾱ
    return [(one.words.format(**own), "" if one.where in own.values() else one.where) for one, own in zip(changes, told, strict=True)]


def _used(of: str, functions: Mapping[str, ast.FunctionDef], others: Container[str]) -> list[str]:
    """List a function and those of the file that it uses, directly or not, but for the `others`."""
    found = [of] if of in functions else []
    for name in found:
        own = {node.arg for node in ast.walk(functions[name]) if isinstance(node, ast.arg)}
        used = dict.fromkeys(node.id for node in ast.walk(functions[name]) if isinstance(node, ast.Name))
        found += [one for one in used if one in functions and one not in others and one not in (*found, *own)]
    return found


def _loaded(parts: Iterable[types.CodeType], of: str, model: Quantities) -> Callable[..., Any]:
    """Return a function that calls `of` where these parts were run; nothing runs before it is called."""
    namespace: dict[str, Any] = {}

    def run(*args: Any, **kwargs: Any) -> Any:
        if not namespace:
            namespace.update({table.__name__: table for tables in model.tables.values() for table in tables}, **OPERATIONS)
            for part in parts:
                exec(part, namespace)
        return namespace[of](*args, **kwargs)

    return run


# ---- what can be changed


class Rule(NamedTuple):
    """What stands in a right answer, what a wrong one has in its place, and the words."""

    old: ast.AST
    new: ast.AST
    words: str
    common: bool = False


@cache
def rules() -> tuple[list[Rule], dict[str, str]]:
    """Read the rules, and the words of the engine's own changes."""
    table = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    return [Rule(_parsed(old), _parsed(new), *words) for old, new, *words in (*table["expressions"], *table["statements"])], table["own"]


def _parsed(source: str) -> ast.AST:
    (node,) = ast.parse(source).body
    return node.value if isinstance(node, ast.Expr) else node


def _changes(function: ast.FunctionDef, model: Quantities) -> Iterator[Change]:
    """Yield every change of a function: of each of its places, and of its parameters at its start."""
    stored = [node.id for node in ast.walk(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]
    scope = [*(one.arg for one in function.args.args), *stored]
    for place in places(function):
        where = _where(function, place, model)
        for rank, rule in enumerate(rules()[0]):
            for about in matches(rule, place.node, scope[: len(function.args.args)], scope, model):
                yield Change(rank, rule.words, about, where, place, (about["to"],), common=rule.common)
        yield from _own_changes(place, where, model)
    start = Place(function, "body", 0, function.body[0])
    used = [node.id for node in ast.walk(function) if isinstance(node, ast.Name)]
    parameters = [ast.Name(one.arg, ast.Load()) for one in function.args.args]
    for name in (one for one in parameters if used.count(one.id) > 1):
        for rank, rule in enumerate(rules()[0]):
            for about in matches(rule, name, scope[: len(function.args.args)], scope, model) if isinstance(rule.old, ast.Name) else ():
                yield Change(rank, rule.words, about, "", start, (_assigned(name.id, about["to"]), function.body[0]))
    for x, y in ((x, y) for x, y in combinations(parameters, 2) if _confusable(x, y, model)):
        yield _own("swapped", "", {"A": x, "B": y}, start, _parsed(f"{x.id}, {y.id} = {y.id}, {x.id}"), function.body[0])
    for one, default in zip(parameters[::-1], function.args.defaults[::-1], strict=False):
        yield _own("always", "", {"A": one, "B": default}, start, _assigned(one.id, default), function.body[0])


def _assigned(name: str, value: ast.expr) -> ast.Assign:
    return ast.Assign([ast.Name(name, ast.Store())], value)


def _where(function: ast.FunctionDef, place: Place, model: Quantities) -> str:
    """Return the letter of what a place is a part of: the call that it is an argument of, or what its statement assigns to."""
    if isinstance(place.owner, ast.Call) and (letter := model.letters.get(f"{called(place.owner)}(...)")):
        return letter
    assigned = [
        one for one in ast.walk(function) if isinstance(one, ast.Assign) and any(place.node is node for node in ast.walk(one.value))
    ]
    return next((model.letters.get(one.targets[0].id, "") for one in assigned if isinstance(one.targets[0], ast.Name)), "")


def _own(kind: str, where: str, about: Mapping[str, ast.AST | str], place: Place, *nodes: ast.AST, instead_of: int = 1) -> Change:
    """Make a change that no rule describes; a call that is left out is simpler than all of them."""
    return Change(-1 if kind == "without" else len(rules()[0]), rules()[1][kind], about, where, place, nodes, instead_of)


def _own_changes(place: Place, where: str, model: Quantities) -> Iterator[Change]:
    """Yield the changes that no rule describes: of calls and their arguments, and of statements beside others."""
    yield from _scaled(place, where)
    after = getattr(place.owner, place.field)[place.number + 1 :] if place.number is not None else []
    match place.node:
        case ast.Call(args=args) as call:
            if (words := model.without.get(called(call))) and (inside := arguments(call)):
                yield _own("without", "", {"A": words}, place, inside[0])
            for i, j in ((i, j) for i, j in combinations(range(len(args)), 2) if j == i + 1 or _confusable(args[i], args[j], model)):
                swapped = [args[j] if k == i else args[i] if k == j else one for k, one in enumerate(args)]
                yield _own("swapped", where, {"A": args[i], "B": args[j]}, place, ast.Call(call.func, swapped, call.keywords))
        case ast.Expr(value=ast.Call() as call) as statement:
            yield _own("missing", "", {"A": call}, place, ast.Pass())
            yield _own("twice", "", {"A": call}, place, statement, statement)
            if after and isinstance(after[0], ast.Expr):
                yield _own("too_late", "", {"A": call, "B": after[0].value}, place, after[0], statement, instead_of=2)
        case ast.If(test=test):
            yield _own("ignored", "", {"A": test}, place, ast.Pass())
        case ast.With(items=[item], body=body) if words := model.without.get(called(item.context_expr)):
            yield _own("without", "", {"A": words}, place, *body)


def _scaled(place: Place, where: str) -> Iterator[Change]:
    """Yield a call whose result has the factor that its first argument should have, or the other way round; as a divisor, too."""
    match place.node:
        case ast.Call(func, [ast.BinOp(first, op, factor), *rest], keywords):
            kind, call = "result", ast.Call(func, [first, *rest], keywords)
        case ast.BinOp(ast.Call(func, [first, *rest], keywords) as call, op, factor):
            kind = "given"
        case _:
            return
    for to in SCALED if type(op) in SCALED else ():
        about: dict[str, ast.AST | str] = {"A": call, "B": factor, "to": SCALED[to], "from": SCALED[type(op)]}
        inside = ast.Call(func, [ast.BinOp(first, to(), factor), *rest], keywords)
        yield _own(kind, where, about, place, ast.BinOp(call, to(), factor) if kind == "result" else inside)


def _confusable(one: ast.expr, other: ast.expr, model: Quantities) -> bool:
    return isinstance(one, ast.Name) and isinstance(other, ast.Name) and other.id in model.confused_with(one.id)


# ---- where a rule fits


def matches(rule: Rule, node: ast.AST, parameters: list[str], scope: list[str], model: Quantities) -> Iterator[dict[str, Any]]:
    """Yield what a rule's names stand for, with what is there (`from`) and what is put there (`to`), for each way in which it fits."""
    bound: dict[str, ast.AST] = {}
    if not _fits(rule.old, node, bound, model):
        return
    used = {one.id for one in ast.walk(rule.new) if isinstance(one, ast.Name)}
    first = next((one.id for one in bound.values() if isinstance(one, ast.Name)), "")
    table = f"{called(node)}()" if isinstance(rule.old, ast.Call) else table_of(node)
    ways: dict[str, list[str]] = {
        "other": [one for one in dict.fromkeys(model.confused_with(first)) if one in scope],
        "parameter": [one for one in parameters if model.is_a("number", one)],
        "derived": [one.__name__ for one in model.tables.get(table, ())],
    }
    for chosen in product(*(ways[name] for name in ways if name in used)):
        named = dict(zip((name for name in ways if name in used), chosen, strict=True))
        made = _Filled({**bound, **{name: ast.Name(one, ast.Load()) for name, one in named.items()}}, node).visit(copy.deepcopy(rule.new))
        if ast.dump(made) != ast.dump(node):
            yield {**bound, **{name: ast.Name(one, ast.Load()) for name, one in named.items()}, "from": node, "to": made}


def _fits(pattern: Any, node: Any, bound: dict[str, ast.AST], model: Quantities) -> bool:
    """Return whether a node has the form of a pattern, and write down what its names stand for."""
    if isinstance(pattern, ast.Name):
        if not pattern.id.isupper() and not (isinstance(node, ast.Name) and model.is_a(pattern.id, node.id)):
            return False
        return ast.dump(bound.setdefault(pattern.id, node)) == ast.dump(node) if isinstance(node, ast.expr) else False
    if isinstance(pattern, ast.Call) and isinstance(pattern.func, ast.Name):
        same = isinstance(node, ast.Call) and called(node) == pattern.func.id
        return same and _fits(pattern.args, arguments(node), bound, model)
    if isinstance(pattern, list):
        return len(pattern) == len(node) and all(_fits(one, other, bound, model) for one, other in zip(pattern, node, strict=True))
    if not isinstance(pattern, ast.AST):
        return bool(pattern == node)
    fields = [field for field in pattern._fields if field not in ("ctx", "kind", "type_comment")]
    return type(pattern) is type(node) and all(_fits(getattr(pattern, one), getattr(node, one), bound, model) for one in fields)


class _Filled(ast.NodeTransformer):
    """Fills a pattern; a call that stands for another one keeps its form: a function's of a module, or a method's."""

    def __init__(self, bound: Mapping[str, ast.AST], node: ast.AST):
        self._bound = bound
        self._func: ast.expr | None = node.func if isinstance(node, ast.Call) else None
        self._keywords = node.keywords if isinstance(node, ast.Call) else []

    def visit_Name(self, name: ast.Name) -> ast.AST:
        return copy.deepcopy(self._bound.get(name.id, name))

    def visit_Call(self, call: ast.Call) -> ast.AST:
        renamed = isinstance(call.func, ast.Name) and call.func.id not in self._bound
        self.generic_visit(call)
        if not (renamed and isinstance(self._func, ast.Attribute) and isinstance(call.func, ast.Name)):
            return call
        owner, args = (self._func.value, call.args) if is_module(self._func.value) else (call.args[0], call.args[1:])
        return ast.Call(ast.Attribute(owner, call.func.id, ast.Load()), args, self._keywords)
