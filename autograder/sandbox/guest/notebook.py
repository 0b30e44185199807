"""Read the code cells of a Jupyter notebook as Python, inside the guest, where a malicious one does no harm.

Line magics and shell lines are dropped, also behind `=`. A cell that starts with `%%time` keeps its body; with any other cell magic it is
dropped. Cells that nbgrader locks are the course's own tests and are dropped, too. Nothing is run here.
"""

import ast
import json
import re
from collections.abc import Iterator

_SHELL = re.compile(r"^(?P<indent>\s*)(?P<target>[\w.,\[\]' ]+=\s*)?(!|%(?=[A-Za-z]))")
_HELP = re.compile(r"^\s*(\?{1,2}[\w.]+|[\w.]+\?{1,2})\s*$")
_KEPT = ("%%time", "%%timeit", "%%capture")


def cells(source: bytes) -> Iterator[tuple[str, str]]:
    """Yield ("cell N", Python) for each code cell; code cells are counted from 1, as the reader sees them.

    Raise `ValueError`, saying why, if the bytes are not a notebook.
    """
    try:
        notebook = json.loads(source)
        code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
        found = ["" if cell.get("metadata", {}).get("nbgrader", {}).get("locked") else "".join(cell["source"]) for cell in code]
    except RecursionError:
        raise ValueError("not a notebook: nested too deeply") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ValueError("not a notebook: the file is cut short or is not Jupyter's JSON") from None
    for number, text in enumerate(found, 1):
        yield f"cell {number}", python(text)


def python(text: str) -> str:
    """Turn a cell into plain Python with the same line numbers."""
    lines = text.split("\n")
    first = next((i for i, line in enumerate(lines) if line.strip()), 0)
    if lines[first].lstrip().startswith("%%"):
        if not lines[first].lstrip().startswith(_KEPT):
            return ""
        lines[first] = ""
    try:
        ast.parse("\n".join(lines))
        return "\n".join(lines)  # nothing to drop: a line that begins with % may belong to a formatted text
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        pass
    return "\n".join(_line(line) for line in _joined(lines))


def _joined(lines: list[str]) -> list[str]:
    """Blank the continuation lines of a shell line that ends in a backslash."""
    kept, dropping = [], False
    for line in lines:
        shell = bool(_SHELL.match(line))
        kept.append("" if dropping else line)
        dropping = (dropping or shell) and line.endswith("\\")
    return kept


def _line(line: str) -> str:
    shell = _SHELL.match(line)
    if shell:
        target = shell["target"] or ""
        return f"{shell['indent']}{target}[]" if target else f"{shell['indent']}pass"
    return "pass" if _HELP.match(line) else line
