"""Commands for reviewing: `course review` and what belongs to it."""

import sys
from contextlib import suppress
from pathlib import Path

import click
from rich.console import Console

from autograder.cli.context import ONE_LESSON, Opened, find_course, find_lessons, now, opened_deck
from autograder.cli.review_screen import ReviewSession, summary
from autograder.cli.terminal import keys
from autograder.cli.views import stats_view
from autograder.course.errors import UsageError
from autograder.course.loading import read_course
from autograder.learner.review.deck import NEW_A_DAY, Chosen, following
from autograder.learner.review.merge import Merged
from autograder.learner.review.schedule import Scheduling
from autograder.learner.review.stats import draw, fit, stats_of


@click.command()
@click.option("--new", metavar="N", type=click.IntRange(0), help="Start N new cards a day (default: 10).")
@click.option("--tag", "tags", metavar="TAG", multiple=True, help="Only cards with this tag, like a mistake's id. May be repeated.")
@click.option("--objective", "objectives", metavar="ID", multiple=True, help="Only cards of this objective.")
@click.option("--cram", is_flag=True, help="Go through all these cards now, due or not, without rescheduling them.")
@ONE_LESSON
@click.option("--merge", "other", metavar="OTHER", type=click.Path(path_type=Path), help="Merge the reviews of another device or of Anki.")
@click.pass_obj
def review(root: Path | None, new: int | None, tags: tuple[str, ...], objectives: tuple[str, ...], cram: bool, lesson: str | None,
           other: Path | None) -> None:  # fmt: skip
    """Review the cards that are due, one key for each answer.

    Press ? for the keys and q to quit. Every answer is saved before the next card is shown: in the workspace, or outside one in
    your data folder, whose path is printed. OTHER is the reviews.sqlite of another device, or an .apkg or .colpkg exported by
    Anki with its scheduling. Merging the same file twice is harmless.
    """
    chosen = Chosen(tags, objectives, NEW_A_DAY if new is None else new)
    with opened_deck(root, lesson, chosen) as opened:
        if other is None:
            _review(opened, cram=cram)
            return
        merged = opened.deck.merge(other, now())
        entries = f"{merged.new} new entr{'y' if merged.new == 1 else 'ies'}"
        known = f"{merged.known} {'was' if merged.known == 1 else 'were'} here already"
        click.echo(f"{other}: {entries}, {known}.{_refused(merged)}")


def _refused(merged: Merged) -> str:
    """Say what was left out; `deck.js` says the same."""
    if not merged.refused:
        return ""
    if merged.refused == 1:
        return f" {f'Line {merged.line}' if merged.line else 'One row'} is not a review and was left out."
    lines = f"lines are not reviews and were left out, the first in line {merged.line}"
    return f" {merged.refused} {lines if merged.line else 'rows are not reviews and were left out'}."


def _review(opened: Opened, *, cram: bool) -> None:
    deck = opened.deck
    if not (deck.faces if cram else deck.next_card(now())):
        click.echo(f"Nothing is due. {_following(opened)}".strip())
        return
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("a review needs a terminal", "run `course review` in a terminal, without a pipe")
    _ask_about_clock(opened)
    console = Console(highlight=False)
    session: ReviewSession | None = None
    with suppress(KeyboardInterrupt), console.screen(hide_cursor=False), keys(console.set_alt_screen) as keyboard:
        session = ReviewSession(console, keyboard, deck, opened.lessons, opened.root, cram=cram)
        session.run()  # Ctrl-C is like q: every answer is saved already
    left = deck.counts(now())
    click.echo(summary(session.answers if session else ()))
    if not cram:
        click.echo(f"Left today: New {left.new}, Learning {left.learning}, Due {left.due}." if left.all else _following(opened))
    if not opened.in_workspace and not deck.log.note:
        click.echo(f"Your answers are kept in {opened.place}.")


def _following(opened: Opened) -> str:
    none = "Nothing is left for today." if opened.deck.faces else "There are no cards."
    return following(opened.deck.queue(now())) or none


def _ask_about_clock(opened: Opened) -> None:
    """Ask which is right if the clock is behind the last answer."""
    moment = now()
    if (behind := opened.deck.clock_behind(moment)) is None:
        return
    said, dated = (f"{one.day} {one:%B %Y, %H:%M}" for one in (moment, moment + behind))
    click.echo(f"This computer's clock says {said}, but your last answer here is dated {dated}.")
    if not click.confirm("Is the clock right now?"):
        raise UsageError("the clock is wrong", "set the clock and try again: nothing is lost")
    opened.deck.trust_clock(moment)


@click.command()
@click.option("--to", "form", type=click.Choice(("apkg", "anki-text", "csv", "json")), required=True, help="The format to write.")
@click.option("--out", metavar="PATH", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The file to write.")
@ONE_LESSON
@click.pass_obj
def deck(root: Path | None, form: str, out: Path, lesson: str | None) -> None:
    """Export the flashcards to Anki, CSV or JSON.

    apkg is Anki's package format: importing a newer one updates the cards and keeps your progress. anki-text is Anki's text
    format; csv and json are plain tables.
    """
    from autograder.learner.review.export import write_deck

    count = write_deck(read_course(find_course(root)), find_lessons(root, lesson), form, out)
    click.echo(f"{out}: {count} card{'s' if count != 1 else ''}.")


@click.command()
@ONE_LESSON
@click.option("--png", metavar="PATH", type=click.Path(path_type=Path, dir_okay=False), help="Also draw it as an image.")
@click.pass_obj
def stats(root: Path | None, lesson: str | None, png: Path | None) -> None:
    """Show due cards, retention and the hardest cards."""
    with opened_deck(root, lesson) as opened:
        found = stats_of(opened.deck, now())
    if not found.answers:
        click.echo("No reviews yet. Start with: course review")
        return
    Console(highlight=False).print(stats_view(found))
    if png:
        draw(found, png)
        click.echo(f"Drawn: {png}")


@click.command()
@click.option("--yes", is_flag=True, help="Adopt the parameters without asking.")
@click.option("--defaults", is_flag=True, help="Go back to FSRS's default parameters.")
@click.pass_obj
def optimise(root: Path | None, yes: bool, defaults: bool) -> None:
    """Fit the schedule of cards to your own answers.

    It reports how much better the fitted parameters predict your answers, and asks before adopting them. It needs at least 512
    answers given a day or more after the card's previous one, and takes a minute or two.
    """
    with opened_deck(root) as opened:
        if defaults:
            opened.deck.adopt(Scheduling(), now())
            click.echo("Cards are scheduled by FSRS's default parameters again.")
            return
        found = fit(opened.deck)
        click.echo(f"{found.counted} answers count. Mean log loss over them: {found.before:.4f} now, {found.after:.4f} fitted.")
        if found.after >= found.before:
            click.echo("The fitted parameters are no better: nothing is changed.")
        elif yes or click.confirm("Adopt them? Every card is rescheduled"):
            opened.deck.adopt(found.scheduling, now())
            click.echo("Adopted. To go back: course optimise --defaults")
