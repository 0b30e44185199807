"""Rules over the whole course. Each is a function with an id and a sentence; `check_course` runs them and collects all.

What `content` refuses comes first. A lesson with such faults is still held to the rules of its text; the others wait.
"""

from autograder.lint.objectives import COLUMNS, coverage
from autograder.lint.rules import RULES, check_course
from autograder.lint.sight import Rule, Sight

__all__ = ["COLUMNS", "RULES", "Rule", "Sight", "check_course", "coverage"]
