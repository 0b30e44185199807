"""Turn files of ours into one source that can be submitted: a guest can import nothing of the course."""

import ast
from pathlib import Path

from tests.courses import CLONE

HEAD = """\
import sys, types
def _module(name, source):
    module = sys.modules[name] = types.ModuleType(name)
    exec(compile(source, name, "exec"), module.__dict__)
    return module
if "autograder.api" not in sys.modules:  # in a guest; where a test runs a bundle itself, the real one serves
    _module("autograder.api", "def misconception(**facts): return lambda function: function")
"""


def bundle(answer: Path, misconceptions: Path | None = None, instead: dict[str, str] | None = None) -> str:
    """Give the answer's functions as one source; `instead` puts misconceptions, by name, in the place of functions."""
    sources: dict[str, str] = {}
    for path in filter(None, (answer, misconceptions)):
        needed(path.read_text(), sources)
    lines = [HEAD, *(f"_module({name!r}, {source!r})" for name, source in sources.items())]
    lines.append(f"globals().update((k, v) for k, v in vars(_module('answer', {answer.read_text()!r})).items() if k[0] != '_')")
    if misconceptions:
        lines.append(f"_misconceptions = _module('misconceptions', {misconceptions.read_text()!r})")
        lines += [f"{function} = _misconceptions.{misconception}" for function, misconception in (instead or {}).items()]
    return "\n".join(lines)


def needed(source: str, found: dict[str, str]) -> None:
    """Collect the sources of the modules of `solutions` that a source imports, each after those that it needs."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("solutions.") and node.module not in found:
            module = str(node.module)
            text = (CLONE / Path(*module.split("."))).with_suffix(".py").read_text()
            needed(text, found)
            found[module] = text
