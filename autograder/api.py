"""All that a check file, a file of misconceptions or a lesson's props import from the engine.

    from autograder.api import check, close

`check` declares a check and `misconception` a known mistake; `close`, `expect`, `earned` and `untouched` compare, `shaped` demands a
shape before a check computes with a value, and `rows` before a callback does; `asked` lists what a callback was asked, `load_module`
loads a file by its path. These names are stable: a lesson that uses them alone keeps working.
"""

from autograder.grading.checks import asked, check, close, earned, expect, rows, shaped, untouched
from autograder.grading.diagnosis import misconception
from autograder.grading.reference import load_module

__all__ = ["asked", "check", "close", "earned", "expect", "load_module", "misconception", "rows", "shaped", "untouched"]
