"""Practice questions: fresh numbers, the text and the working with the reader's numbers, and the mark of an answer.

Right answers and known slips come from functions, the very ones that judge code, so a hand-computed 0.550 and a line
`beta * eps` are told the same thing. Where the functions live is the caller's business.
"""

from autograder.questions.marks import Mark, mark
from autograder.questions.numbers import VARIANTS, Functions, tell_apart, values, variant
from autograder.questions.words import evaluate, namespace_of, question_text, shown, working

__all__ = [
    "VARIANTS",
    "Functions",
    "Mark",
    "evaluate",
    "mark",
    "namespace_of",
    "question_text",
    "shown",
    "tell_apart",
    "values",
    "variant",
    "working",
]
