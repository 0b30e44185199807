"""A student's `answers.yaml`: hostile until read. At most 64 KiB, four levels deep, no aliases, and one clear line where it fails."""

from __future__ import annotations

from typing import Any

from autograder.content.yaml_at import load, plain

MOST_BYTES = 64 * 1024
DEEPEST = 4


class AnswersError(Exception):
    """The file cannot be read as answers. `problem` is one line for the student; `line` is where, if it is somewhere."""

    def __init__(self, problem: str, line: int | None = None):
        super().__init__(problem if line is None else f"line {line}: {problem}")
        self.problem = problem
        self.line = line


def read_answers(data: bytes) -> dict[str, Any]:
    """Return question ids with what was answered: text, int, Decimal, bool, None, a list, or a map by part.

    A number with a point stays a Decimal, because 0.80 and 0.800 are different answers where three decimals are asked.
    `0,79` stays text, and is told apart when it is marked.
    """
    if len(data) > MOST_BYTES:
        raise AnswersError(f"the file is larger than {MOST_BYTES // 1024} KiB: it should hold `question: answer` lines only")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise AnswersError("this is not UTF-8 text: save the file as plain text", data[: error.start].count(b"\n") + 1) from None
    answers = plain(load(text, _refuse, strict=False, depth=DEEPEST))
    if answers is None:
        return {}
    if not isinstance(answers, dict):
        raise AnswersError("this is not a list of `question: answer` lines: put a space after each colon", 1)
    return answers


def _refuse(line: int, problem: str, fix: str) -> None:
    raise AnswersError(f"{problem}: {fix}", line)
