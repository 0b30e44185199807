"""Logs from elsewhere: a union, the same whichever way round, and Anki's history of our cards."""

import contextlib
import io
import random
import sqlite3
import zipfile
from datetime import timedelta

import pytest
from anki.collection import Collection, DeckIdLimit, ExportAnkiPackageOptions, ImportAnkiPackageOptions, ImportAnkiPackageRequest
from hypothesis import given
from hypothesis import strategies as st

from autograder.course.errors import UsageError
from autograder.course.model import Course
from autograder.course.policy import Policy
from autograder.learner.review.export import write_deck
from autograder.learner.review.log import Log
from autograder.learner.review.merge import Merged, merge
from autograder.learner.review.schedule import clocks_of, replay
from tests.autograder.learner.review.conftest import CARDS, MORNING, later, lesson_of


def use(deck, days, start=0):
    """Answer, flag and undo on some days, another mixture for another start."""
    for day in range(days):
        for turn in range(3):
            moment = later(days=day * 3, minutes=turn * 7 + start)
            if face := deck.next_card(moment):
                deck.answer(face, 1 + (day + turn + start) % 4, moment)
        if (day + start) % 3 == 0:
            deck.undo(later(days=day * 3, hours=1))


def test_two_devices_logs_are_united_and_both_say_the_same(opened, tmp_path):
    one, two = opened(place=tmp_path / "one"), opened(place=tmp_path / "two")
    use(one, 6)
    use(two, 4, start=2)
    counts = len(one.log.since(0)), len(two.log.since(0))
    assert one.merge(tmp_path / "two", MORNING) == Merged(counts[1], 0, 0)
    assert one.merge(tmp_path / "two", MORNING) == Merged(0, counts[1], 0)
    assert two.merge(tmp_path / "one" / "reviews.jsonl", MORNING) == Merged(counts[0], counts[1], 0)
    assert one.states == two.states == replay(one.log.of(), clocks_of(one.log), one.scheduling)
    assert one.log.schedulings() == two.log.schedulings()
    use(two, 2, start=1)
    assert one.merge(tmp_path / "two" / "reviews.sqlite", MORNING).new == len(two.log.since(0)) - sum(counts)


@pytest.mark.parametrize("seed", range(4))
def test_merging_is_the_same_in_any_order(opened, tmp_path, seed):
    """Three devices do what they like; merged one after the other, from either end, they give one schedule."""
    chance, now = random.Random(seed), MORNING
    decks = [opened(place=tmp_path / str(number)) for number in range(3)]
    for _ in range(25):
        now += timedelta(minutes=chance.randrange(-60, 60 * 24 * 9))
        deck, act = chance.choice(decks), chance.choice([1, 2, 3, 4, 3, 4, "undo", "flag", "clock"])
        face = chance.choice(list(deck.faces.values()))
        if act == "undo":
            deck.undo(now)
        elif act == "flag":
            deck.flag(face, now)
        elif act == "clock":
            deck.trust_clock(now)
        else:
            deck.answer(face, act, now)
    united = [opened(place=tmp_path / name) for name in ("up", "down")]
    for number in range(3):
        united[0].merge(tmp_path / str(number), now)
        united[1].merge(tmp_path / str(2 - number), now)
    assert united[0].states == united[1].states


def test_what_was_undone_elsewhere_is_undone_here(opened, tmp_path):
    one = opened(place=tmp_path / "one")
    one.answer(one.next_card(MORNING), 3, MORNING)
    two = opened(place=tmp_path / "two")
    two.merge(tmp_path / "one", MORNING)
    one.undo(later(minutes=1))
    two.merge(tmp_path / "one", MORNING)
    assert {state.reviews for state in two.states.values()} == {0}


def test_rows_that_cannot_be_ours_are_left_out_and_counted(opened, tmp_path):
    one, two = opened(place=tmp_path / "one"), opened(place=tmp_path / "two")
    use(two, 3)
    count = len(two.log.since(0))
    with sqlite3.connect(tmp_path / "two" / "reviews.sqlite") as db:
        db.execute("UPDATE log SET at = 1 << 60 WHERE place = 1")
        db.execute("UPDATE log SET rating = 'x' WHERE place = 2")
    db.close()
    assert one.merge(tmp_path / "two", MORNING) == Merged(count - 2, 0, 2)


@pytest.mark.parametrize("name", ["no.sqlite", "text.sqlite", "text.apkg", "empty.apkg", "bomb.apkg", "other.sqlite"])
def test_what_is_no_log_is_told_in_one_line(opened, tmp_path, name, monkeypatch):
    monkeypatch.setattr("autograder.learner.review.merge.LARGEST", 1000)
    (tmp_path / "text.sqlite").write_text("no database")
    (tmp_path / "text.apkg").write_text("no package")
    sqlite3.connect(tmp_path / "other.sqlite").close()
    for package, inside, data in (("empty", "media", b"{}"), ("bomb", "collection.anki2", bytes(3 << 20))):
        with zipfile.ZipFile(tmp_path / f"{package}.apkg", "w", zipfile.ZIP_DEFLATED) as file:
            file.writestr(inside, data)
    why = {
        "text.sqlite": "file is not a database",
        "text.apkg": "File is not a zip file",
        "empty.apkg": "no collection in it",
        "bomb.apkg": "too large",
        "other.sqlite": "no such table: log",
    }
    with pytest.raises(UsageError) as raised:
        opened().merge(tmp_path / name, MORNING)
    assert str(raised.value) == (
        f"{tmp_path / name}: cannot be read as a review log ({why[name]})\n  fix: name a reviews.sqlite, a .jsonl, .apkg or .colpkg"
        if name in why
        else f"{tmp_path / name}: there is no such file\n  fix: name another device's reviews.sqlite or its folder, or a package from Anki"
    )


@given(st.binary(max_size=60) | st.integers(0, 255), st.integers(0, 400))
def test_no_bytes_do_more_than_fail_to_be_read(tmp_path_factory, changed, place):
    """A package of which some bytes are other ones: refused in a line, or read."""
    folder = tmp_path_factory.mktemp("bytes")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as package:
        package.writestr("collection.anki21", b"SQLite format 3\0")
    whole = packed.getvalue()
    other = whole[:place] + bytes([changed]) + whole[place + 1 :] if isinstance(changed, int) else changed
    (folder / "other.apkg").write_bytes(other)
    with Log(folder / "reviews.sqlite") as log, contextlib.suppress(UsageError):
        merge(log, folder / "other.apkg", (), 0)


@pytest.mark.parametrize(("kind", "legacy"), [("apkg", False), ("apkg", True), ("colpkg", False), ("colpkg", True)])
def test_ankis_reviews_of_our_cards_come_in_once(opened, tmp_path, kind, legacy):
    lesson = lesson_of(*CARDS)
    write_deck(Course("Sums", "", "", Policy(), (lesson,), tmp_path), (lesson,), "apkg", tmp_path / "deck.apkg")
    anki = Collection(str(tmp_path / "collection.anki2"))
    anki.import_anki_package(ImportAnkiPackageRequest(package_path=str(tmp_path / "deck.apkg"), options=ImportAnkiPackageOptions()))
    foreign = anki.new_note(anki.models.by_name("Basic"))
    foreign["Front"] = "Another deck's card"
    deck_id = anki.decks.id("Sums::13 Adding")
    anki.add_note(foreign, deck_id)
    anki.decks.select(deck_id)
    for rating in (4, 4, 1, 4, 4, 4):
        studied = anki.sched.getCard()
        studied.start_timer()
        anki.sched.answerCard(studied, rating)
    theirs = anki.db.all(
        "SELECT n.guid, c.ord, r.ease FROM revlog r JOIN cards c ON c.id = r.cid JOIN notes n ON n.id = c.nid WHERE n.guid LIKE '13%' ORDER BY r.id"
    )
    out = str(tmp_path / f"out.{kind}")
    if kind == "apkg":
        options = ExportAnkiPackageOptions(with_scheduling=True, legacy=legacy)
        anki.export_anki_package(out_path=out, options=options, limit=DeckIdLimit(deck_id))
        anki.close()
    else:
        anki.export_collection_package(out, include_media=False, legacy=legacy)
    deck = opened()
    assert deck.merge(tmp_path / f"out.{kind}", MORNING) == Merged(len(theirs), 0, 0)
    assert deck.merge(tmp_path / f"out.{kind}", MORNING) == Merged(0, len(theirs), 0)
    ours = [(row.card, row.rating) for row in sorted(deck.log.since(0), key=lambda row: row.at)]
    names = {("13_adding/both", 0): "13_adding/both/c1", ("13_adding/both", 1): "13_adding/both/c2"}
    assert ours == [(names.get((guid, place), guid), ease) for guid, place, ease in theirs]
    assert len(ours) >= 5
    assert sum(state.reviews for state in deck.states.values()) == len(ours)
