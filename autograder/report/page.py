"""The report as one HTML file, and a page for each student: no network, no tracker, and nothing a student wrote is markup.

Every value is escaped by Jinja, and a Content-Security-Policy with hashes lets run nothing but the one script that is ours, which
sorts and filters the table; without it the page says the same.
"""

from __future__ import annotations

import ast
import base64
import hashlib
import re
import secrets
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from msgspec.structs import replace

from autograder.explain import clean
from autograder.grades.counting import Standing, revealed
from autograder.model import Policy
from autograder.report.alike import Group
from autograder.report.feedback import MARKS, STATUSES, points
from autograder.report.measures import FEW_PERCENT, HELPED, Measures, Row

PAGES = Path(__file__).parent / "pages"
SLIPS = 8
ALIKE = 12
SLOW_SECONDS = 0.5  # what took less was not slow
REASONS = {"needs": "waited for another", "timed_out": "took too long", "out_of_memory": "took too much memory"}


def report_page(
    title: str,
    run: str,
    made: Measures,
    alike: list[Group],
    sections: Mapping[str, str],
    sentences: Mapping[str, str],
    policy: Policy,
    *,
    hidden: bool = False,
) -> str:
    """Write the report. `sentences` say for a slip's id what puts it right; `hidden` leaves names out, and what a secret run saw."""
    checks_of: dict[str, list[object]] = {name: [] for name in made.exercises}
    for check in made.checks.values():
        checks_of[check.exercise].append(check)
    return _environment().get_template("report.html").render(
        **_looks(),
        title=title,
        run=run[:16].replace("T", " "),
        made=made,
        rows=_nameless(made.rows) if hidden else made.rows,
        slips=made.by_slips(),
        slips_shown=SLIPS,
        alike=alike[:ALIKE],
        sections=sections,
        sentences=sentences,
        checks_of={name: checks for name, checks in checks_of.items() if checks},
        need=made.in_need(policy.pass_mark),
        mark=FEW_PERCENT if policy.pass_mark is None else policy.pass_mark,
        pass_mark=policy.pass_mark,
        helped=HELPED,
        slow=[one for one in made.slow if one[0] >= SLOW_SECONDS],
        reason_words=REASONS,
        hidden=hidden,
    )


def student_page(standing: Standing, sections: Mapping[str, str], policy: Policy, now: datetime | None = None) -> str:
    """Write one student's feedback as a page, with what the policy reveals by `now`."""
    reveal = revealed(policy, now or datetime.now(UTC))
    later = f"{policy.reveal_from:%Y-%m-%d %H:%M %Z}" if policy.reveal_from and policy.reveal != "nothing" else ""
    looks = {name: value for name, value in _looks().items() if name.startswith("style")}
    return _environment().get_template("student.html").render(
        **looks,
        student=standing.person.student,
        percent=standing.percent,
        passed=standing.passed,
        grades=standing.grades.values(),
        sections=sections,
        reveal=reveal,
        later=later,
        statuses=STATUSES,
        marks=MARKS,
    )


def slip_sentences(folders: Iterable[Path]) -> dict[str, str]:
    """Read from the files of known slips what puts each right, without running them."""
    found = {}
    for path in (path for folder in folders for path in sorted(folder.glob("*.py"))):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.decorator_list and (words := ast.get_docstring(node)):
                found[node.name] = " ".join(words.split())
    return found


def _nameless(rows: list[Row]) -> list[Row]:
    """Take the names away, and with the order what could tell them."""
    mixed = list(rows)
    secrets.SystemRandom().shuffle(mixed)
    return [replace(row, student=f"student {number}", file="") for number, row in enumerate(mixed, 1)]


@cache
def _environment() -> Environment:
    made = Environment(loader=FileSystemLoader(PAGES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    made.filters.update(clean=clean, words=lambda text: text.replace("_", " "), code=_code)
    made.globals["points"] = points
    return made


@cache
def _looks() -> dict[str, Markup | str]:
    """Style and script, ours and whole, with the hashes by which the page lets them run."""
    style, script = ((PAGES / name).read_text(encoding="utf-8") for name in ("style.css", "table.js"))
    return {"style": Markup(style), "style_hash": _hash(style), "script": Markup(script), "script_hash": _hash(script)}


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _code(text: str) -> Markup:
    """Show what stands between backticks as code; all of it is escaped."""
    parts = re.split(r"`([^`]*)`", text)
    return Markup("").join(Markup("<code>{}</code>").format(part) if i % 2 else escape(part) for i, part in enumerate(parts))
