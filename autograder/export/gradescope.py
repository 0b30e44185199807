"""Results as Gradescope reads them: one `results.json` for what one student handed in.

The format is that of Gradescope's autograder specifications: a test for each check, its text shown as it is (`text`, never
Markdown or HTML, since parts of it are a stranger's). Checks that draw secret numbers say only what feedback says.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

import msgspec

from autograder.errors import SandboxFault
from autograder.explain import clean
from autograder.model import CheckResult, Policy, Result

Visibility = Literal["visible", "hidden", "after_due_date", "after_published"]


class Test(msgspec.Struct, frozen=True):
    """One line of the student's page. `tags` hold the exercise, and the known slip where one is named."""

    name: str
    number: str
    score: float
    max_score: float
    status: Literal["passed", "failed"]
    output: str
    tags: tuple[str, ...]
    visibility: Visibility
    output_format: Literal["text"] = "text"


class Sheet(msgspec.Struct, frozen=True):
    """The whole of `results.json`. What the grader itself prints is for the instructor alone."""

    score: float
    execution_time: float
    output: str
    tests: tuple[Test, ...]
    extra_data: dict[str, str]
    output_format: Literal["text"] = "text"
    visibility: Visibility = "visible"
    stdout_visibility: Visibility = "hidden"


def sheet(
    results: Iterable[Result], sections: Mapping[str, str], policy: Policy, *, seconds: float, early: bool = False, **extra: str
) -> Sheet:
    """Put the results of one student into Gradescope's words. `sections` gives the titles of the lesson's sections by id.

    What the policy reveals later (`early`) is shown once the instructor publishes: the sheet is not written a second time.
    Raise `SandboxFault` where one of them could not be judged: no result is shown then, and never a zero.
    """
    known = list(results)
    for result in known:
        if result.status == "not_judged":
            raise SandboxFault(f"`{result.exercise}` was not judged, by a fault of the grader")
    visibility: Visibility = "hidden" if policy.reveal == "nothing" else "after_published" if early else "visible"
    told = policy.reveal == "all"
    tests = tuple(test for number, result in enumerate(known, 1) for test in _tests(number, result, sections, visibility, told))
    printed = [f"What {one.exercise} printed:\n{_lines(one.stdout)}" for one in known if one.stdout and told and not early]
    score = round(sum(result.score for result in known), 2)
    return Sheet(score, round(seconds, 2), "\n\n".join(printed), tests, extra)


def _tests(number: int, result: Result, sections: Mapping[str, str], visibility: Visibility, told: bool) -> Iterator[Test]:
    if not result.checks:
        words = "Nothing was handed in for this exercise."
        yield Test(result.exercise, str(number), 0, result.max_score, "failed", words, (result.exercise,), visibility)
    for place, check in enumerate(result.checks, 1):
        tags = (result.exercise, check.misconception) if told and check.misconception else (result.exercise,)
        yield Test(
            name=clean(f"{result.exercise}: {check.title}"),
            number=f"{number}.{place}",
            score=check.points,
            max_score=check.max_points,
            status="passed" if check.outcome == "passed" else "failed",
            output=_said(check, sections) if told else "",
            tags=tags,
            visibility=visibility,
        )


def _said(check: CheckResult, sections: Mapping[str, str]) -> str:
    lines = [clean(line, 2_000) for line in check.message.split("\n") if line]
    if check.section:
        lines.append(f"Reread: {sections.get(check.section, check.section)} (course read {check.section})")
    if check.card:
        lines.append(f"Card: {check.card}")
    return "\n".join(lines)


def _lines(text: str) -> str:
    return "\n".join(clean(line, 200) for line in text.splitlines()[:40])
