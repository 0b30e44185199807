"""Rules for `mistakes.yaml`: each mistake that the text warns of is shown, and no other; its numbers are computed."""

from collections.abc import Iterator

from autograder.author.lint import images
from autograder.author.lint.context import LintContext
from autograder.author.lint.lesson import CODE, IMAGE, blanked, claims, line_of, uncomputed
from autograder.course.errors import Finding
from autograder.course.lesson_text import warned_of
from autograder.course.mistakes import Mistake, read_mistakes
from autograder.course.schema import did_you_mean
from autograder.course.text import WARNING


def shown(context: LintContext) -> Iterator[Finding]:
    """Find mistakes that are only warned of, and those that are only shown, in a lesson that shows any."""
    known = read_mistakes(context.root, context.lesson)
    text = blanked(CODE, context.lesson.text)
    if not known:
        return
    for match in WARNING.finditer(text):
        for name in warned_of(match[0]):
            if name not in known:
                fix = "add it there: what one `writes` or `says`, and how that `looks`"
                yield Finding(context.text, line_of(text, match.start()), f"mistakes.yaml does not show `{name}`", fix)
    warned = warned_of(text)
    for name, one in known.items():
        if name not in warned:
            fix = did_you_mean(name, warned, f"add `<!-- misconception: {name} -->` to the paragraph that warns of it, or remove it")
            yield Finding(context.mistakes, one.line, f"the text does not warn of `{name}`", fix)
        yield from _true(context, name, one)


def _true(context: LintContext, name: str, one: Mistake) -> Iterator[Finding]:
    yield from claims(context, one.looks, context.mistakes, one.line)
    yield from uncomputed(one.looks, context.mistakes, one.line)
    for match in IMAGE.finditer(one.images):
        yield from images.faults(context, match, f"`{name}`: ", context.mistakes, one.line)
