"""The deck: what comes next, what an answer does, and that the log alone decides."""

import multiprocessing
import random
import sqlite3
from datetime import UTC, datetime, timedelta, timezone

import fsrs
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.course.errors import UsageError
from autograder.learner.review import deck as deck_module
from autograder.learner.review.deck import Chosen, Counts, Deck
from autograder.learner.review.log import Log, Row
from autograder.learner.review.queue import faces_of, filled
from autograder.learner.review.schedule import Scheduling, State, clocks_of, day_of, milliseconds, replay
from tests.autograder.learner.review.conftest import CARDS, MORNING, card, gaps, later, lesson_of
from tests.programs import PATIENCE


def studied(deck, now, ratings=None, cards=30):
    """Answer what comes, as a learner would, until nothing is left for now; give the ids in their order."""
    asked = []
    while (face := deck.next_card(now)) and len(asked) < cards:
        asked.append(face.id)
        deck.answer(face, (ratings or {}).get(face.id, 3), now)
        now += timedelta(minutes=1)
    return asked


# ---- faces


def test_a_card_with_gaps_has_a_face_for_each_number(small):
    assert [face.id for face in faces_of([small])] == [
        "13_adding/one", "13_adding/both/c1", "13_adding/both/c2", "13_adding/two", "13_adding/three",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "front", "back"),
    [
        ("{{c1::One}} and {{c2::one}}.", "**[…]** and one.", "**One** and one."),
        ("{{c1::One::a number}} and {{c1::two}}.", "**[a number]** and **[…]**.", "**One** and **two**."),
        (r"$x = {{c1::\sqrt{\beta_t} }}\,y$ and {{c2::z}}", r"$x = [\dots]\,y$ and z", r"$x = [\sqrt{\beta_t}]\,y$ and z"),
        (r"${{c1::\sqrt{\bar{x}_{t}}}}$", r"$[\dots]$", r"$[\sqrt{\bar{x}_{t}}]$"),
        (r"\$5 and {{c1::$x$ and $y$}}", r"\$5 and **[…]**", r"\$5 and **$x$ and $y$**"),
    ],
)
def test_a_gap_is_open_on_the_front_and_marked_on_the_back(text, front, back):
    assert (filled(text, 1, "front"), filled(text, 1, "back")) == (front, back)


# ---- what comes next


def test_new_cards_come_in_the_lessons_order_and_one_face_of_a_card_a_day(opened):
    deck = opened()
    assert deck.counts(MORNING) == Counts(new=4, learning=0, due=0)
    assert [name.removeprefix("13_adding/") for name in studied(deck, MORNING, dict.fromkeys(deck.faces, 4))] == ["one", "both/c1", "two", "three"]
    assert studied(deck, later(days=1), dict.fromkeys(deck.faces, 4)) == ["13_adding/both/c2"]


def test_the_core_is_begun_first_and_the_rest_is_optional(opened):
    """In a lesson without a core, nothing is optional."""
    deck = opened(lesson_of(card("one"), card("two", core=True), card("three"), card("four", core=True)))
    assert [(face.card.id, face.optional) for face in deck.queue(MORNING).new] == [
        ("two", False), ("four", False), ("one", True), ("three", True),
    ]  # fmt: skip
    assert not any(face.optional for face in opened(lesson_of(*CARDS, name="14_other")).faces.values())


def test_no_more_new_cards_begin_on_a_day_than_was_asked_for(opened):
    deck = opened(new=2)
    assert studied(deck, MORNING, dict.fromkeys(deck.faces, 4)) == ["13_adding/one", "13_adding/both/c1"]
    assert deck.counts(later(hours=2)) == Counts(0, 0, 0)
    assert deck.counts(later(days=1)).new == 2


def test_learning_cards_come_back_when_their_minute_has_come(opened):
    deck = opened()
    first = deck.next_card(MORNING)
    deck.answer(first, 1, MORNING)
    assert deck.next_card(later(seconds=30)).id == "13_adding/both/c1"
    assert deck.counts(later(seconds=30)) == Counts(new=3, learning=1, due=0)
    assert deck.next_card(later(seconds=61)) == first
    assert deck.counts(later(seconds=61)) == Counts(new=3, learning=0, due=1)


def test_a_learning_card_comes_early_when_nothing_else_is_left(opened):
    deck = opened(lesson_of(card("one")))
    deck.answer(deck.next_card(MORNING), 3, MORNING)  # ten minutes
    assert deck.next_card(later(seconds=5)).id == "13_adding/one"


def test_what_was_answered_at_night_is_due_the_whole_day_that_begins_at_four(opened):
    deck = opened(lesson_of(card("one")))
    night = datetime(2026, 3, 3, 3, 59, tzinfo=UTC)
    deck.answer(deck.next_card(night), 4, night)  # eight days, from the evening of the second of March
    assert deck.next_card(datetime(2026, 3, 10, 3, 59, tzinfo=UTC)) is None
    assert deck.next_card(datetime(2026, 3, 10, 4, 0, tzinfo=UTC)).id == "13_adding/one"


def test_the_day_turns_where_the_learner_is(opened):
    """The same moment is before four in one zone and after it in another."""
    deck, west, east = opened(lesson_of(card("one"))), timezone(timedelta(hours=-5)), timezone(timedelta(hours=9))
    deck.answer(deck.next_card(MORNING), 4, MORNING)
    moment = datetime(2026, 3, 10, 1, 0, tzinfo=UTC)
    assert deck.next_card(moment.astimezone(west)) is None
    assert deck.next_card(moment.astimezone(east)).id == "13_adding/one"


def test_yesterday_evening_is_a_day_ago_this_morning(opened):
    """`fsrs` counts days of 24 hours; a day of the course has passed after ten hours of night."""
    evening, morning = datetime(2026, 3, 2, 22, tzinfo=UTC), datetime(2026, 3, 3, 8, tzinfo=UTC)
    deck = opened(lesson_of(card("one")))
    face = deck.next_card(evening)
    deck.answer(face, 4, evening)
    ours = deck.answer(face, 3, morning)
    scheduler = fsrs.Scheduler(enable_fuzzing=False)
    theirs, _ = scheduler.review_card(fsrs.Card(1), fsrs.Rating.Easy, evening)
    theirs, _ = scheduler.review_card(theirs, fsrs.Rating.Good, evening + timedelta(days=1))
    assert (ours.stability, ours.difficulty) == (theirs.stability, theirs.difficulty)


def test_due_cards_come_before_new_ones_and_in_the_same_order_however_often_asked(opened):
    cards = [card(f"c{number}") for number in range(20)]
    deck = opened(lesson_of(*cards), new=10)
    studied(deck, MORNING, dict.fromkeys(deck.faces, 4))
    then = later(days=9)
    order = [face.id for face in deck.queue(then).due]
    assert deck.counts(then) == Counts(new=10, learning=0, due=10)
    assert order == [face.id for face in opened(lesson_of(*cards), new=10).queue(then).due]
    assert order != sorted(order)
    assert studied(deck, then)[:10] == order


@pytest.mark.parametrize(
    ("chosen", "faces"),
    [({"tags": ("taken_away",)}, ["one"]), ({"objectives": ("carry",)}, ["two"]), ({"tags": ("taken_away",), "objectives": ("carry",)}, [])],
)
def test_tags_and_objectives_choose_cards(opened, chosen, faces):
    assert [name.removeprefix("13_adding/") for name in opened(**chosen).faces] == faces


def test_intervals_are_those_that_an_answer_gives(opened):
    deck = opened()
    face = deck.next_card(MORNING)
    told = deck.intervals(face, MORNING)
    assert told == {1: timedelta(minutes=1), 2: timedelta(minutes=5, seconds=30), 3: timedelta(minutes=10), 4: timedelta(days=8)}
    for rating, interval in told.items():
        assert deck.answer(face, rating, MORNING).due == milliseconds(MORNING + interval)
        deck.undo(MORNING)


# ---- undo, flags, cards brought back, cramming


def test_undo_takes_back_answer_after_answer_and_nothing_is_deleted(opened):
    deck = opened()
    before = dict(deck.states)
    asked = []
    for minute in range(4):
        face = deck.next_card(later(minutes=minute))
        deck.answer(face, 3, later(minutes=minute))
        asked.append(face)
    taken = [deck.undo(later(minutes=5)) for _ in range(5)]
    assert taken == [*reversed(asked), None]
    assert {name: state for name, state in deck.states.items() if state != State()} == before
    assert len(deck.log.since(0)) == 8
    assert deck.next_card(later(minutes=6)) == asked[0]


def test_a_flag_is_set_and_taken_away(opened):
    deck = opened()
    face = deck.next_card(MORNING)
    assert [deck.flag(face, MORNING), deck.flag(face, MORNING)] == [True, False]
    assert deck.state(face).reviews == 0


def test_a_card_brought_back_is_due_today_once(opened):
    deck = opened(new=0)
    assert deck.next_card(MORNING) is None
    assert deck.bring(["13_adding/two"], MORNING, "check forward: no_root") == ("13_adding/two",)
    assert deck.bring(["13_adding/two"], MORNING, "check forward: no_root") == ()
    assert deck.counts(MORNING) == Counts(new=0, learning=0, due=1)
    face = deck.next_card(MORNING)
    deck.answer(face, 4, MORNING)
    assert deck.bring(["13_adding/two"], later(hours=1), "again") == ()
    assert deck.next_card(later(hours=1)) is None
    assert deck.bring(["13_adding/two"], later(days=2), "again") == ("13_adding/two",)
    assert deck.next_card(later(days=2)) == face


def test_a_card_brought_back_brings_all_its_faces(opened):
    deck = opened()
    deck.bring(["13_adding/both"], MORNING, "a misconception")
    assert studied(deck, MORNING, dict.fromkeys(deck.faces, 4))[:2] == ["13_adding/both/c1", "13_adding/both/c2"]


def test_a_card_that_is_due_already_or_not_there_is_not_brought(opened):
    deck = opened()
    deck.answer(deck.next_card(MORNING), 1, MORNING)
    assert deck.bring(["13_adding/one", "13_adding/gone"], later(seconds=90), "a misconception") == ()


def test_cramming_leaves_the_schedule_as_it_is(opened):
    deck = opened()
    face = deck.next_card(MORNING)
    assert deck.answer(face, 1, MORNING, cram=True) == State()
    assert [row.kind for row in deck.log.since(0)] == ["cram"]


# ---- the log decides


def test_every_row_says_which_algorithm_version_and_parameters(opened):
    deck = opened()
    deck.answer(deck.next_card(MORNING), 3, MORNING, 2500)
    row = deck.log.since(0)[0]
    facts = msgspec.json.decode(deck.log.schedulings()[row.scheduling])
    assert (facts["algorithm"], facts["library"], len(facts["parameters"])) == ("FSRS-6", Scheduling().library, 21)
    assert (row.rating, row.took, row.at, row.zone) == (3, 2500, milliseconds(MORNING), 0)


MINUTES_A_YEAR = 60 * 24 * 365
JUMPS = st.integers(-90, MINUTES_A_YEAR // 9) | st.integers(-20 * MINUTES_A_YEAR, 20 * MINUTES_A_YEAR)  # a clock may be wrong by years
ACTS = st.lists(st.tuples(st.sampled_from([1, 2, 3, 4, "undo", "flag", "bring", "cram", "clock"]), st.integers(0, 4), JUMPS), max_size=25)


@settings(max_examples=15)
@given(ACTS)
def test_the_cache_equals_the_replay_of_the_log(tmp_path_factory, acts):
    """Whatever a learner does, what the deck believes is what the log alone says, and what a fresh deck reads from the cache."""
    place, lesson = tmp_path_factory.mktemp("deck"), lesson_of(*CARDS)
    with Deck.open(place, [lesson]) as deck:
        now, faces = MORNING, list(deck.faces.values())
        for act, which, minutes in acts:
            now += timedelta(minutes=minutes)
            face = faces[which]
            if act == "undo":
                deck.undo(now)
            elif act == "flag":
                deck.flag(face, now)
            elif act == "bring":
                deck.bring([face.of], now, "why")
            elif act == "clock":
                deck.trust_clock(now)
            else:
                deck.answer(face, 1 if act == "cram" else act, now, cram=act == "cram")
        computed = replay(deck.log.of(), clocks_of(deck.log), deck.scheduling)
        assert deck.states == computed
        with Deck.open(place, [lesson]) as again:
            assert again.states == computed


def test_the_order_in_which_rows_arrive_does_not_matter(opened):
    deck = opened()
    for day in range(0, 40, 4):
        studied(deck, later(days=day), {"13_adding/one": day % 3 + 1})
    rows = deck.log.since(0)
    shuffled = random.Random(7).sample(rows, len(rows))
    by_card = {}
    for row in shuffled:
        by_card.setdefault(row.card, []).append(row)
    assert replay(by_card, {}, deck.scheduling) == deck.states


def test_a_cache_that_was_thrown_away_is_computed_again(opened, tmp_path):
    deck = opened()
    studied(deck, MORNING)
    with sqlite3.connect(tmp_path / "kept" / "reviews.sqlite") as db:
        db.execute("DELETE FROM cached")
        db.execute("DELETE FROM states")
    db.close()
    assert opened().states == deck.states


def test_other_parameters_schedule_every_card_anew(opened):
    deck = opened()
    studied(deck, MORNING)
    before = dict(deck.states)
    parameters = (*Scheduling().parameters[:3], 2.0, *Scheduling().parameters[4:])
    deck.adopt(Scheduling(parameters=parameters, desired_retention=0.8), later(hours=1))
    assert deck.states.keys() == before.keys()
    assert deck.states != before
    assert opened().scheduling.parameters == parameters
    with pytest.raises(ValueError, match="out of bounds"):
        deck.adopt(Scheduling(parameters=(1e9,) * 21), later(hours=1))


# ---- nothing is lost


def test_an_edited_card_keeps_its_progress_and_a_withdrawn_one_its_log(opened):
    deck = opened()
    studied(deck, MORNING)
    edited = opened(lesson_of(card("one", front="One, in other words?"), gaps("both", "{{c1::One}} is one.")))
    assert {edited.state(face).reviews for face in edited.faces.values()} == {2}
    assert sum(row.card == "13_adding/three" for row in edited.log.since(0)) == 2
    assert {face.id for face in edited.queue(later(days=300)).due} == {"13_adding/one", "13_adding/both/c1"}
    assert edited.undo(later(hours=1)).id == "13_adding/both/c1"  # the last answer to a card that is there


def test_two_terminals_see_each_others_answers_before_the_next_card(opened):
    one, two = opened(), opened()
    first = one.next_card(MORNING)
    assert two.next_card(MORNING) == first
    one.answer(first, 4, MORNING)
    second = two.next_card(MORNING)
    assert second != first
    two.answer(second, 4, MORNING)
    assert one.next_card(MORNING) not in (first, second)
    assert [row.number for row in one.log.since(0)] == [1, 2]


def answer_often(place, start, times):
    """Answer in a process of its own, as a second terminal does."""
    start.wait()
    with Deck.open(place, [lesson_of(*CARDS)]) as deck:
        for minute in range(times):
            deck.answer(deck.faces["13_adding/one"], 3, later(minutes=minute))


def test_two_programs_that_answer_at_once_lose_nothing(opened, tmp_path):
    """And both begin the log."""
    fresh = multiprocessing.get_context("spawn")
    start = fresh.Event()
    programs = [fresh.Process(target=answer_often, args=(tmp_path / "kept", start, 15)) for _ in range(2)]
    try:
        for program in programs:
            program.start()
        start.set()
        for program in programs:
            program.join(PATIENCE)
    finally:
        for program in programs:
            program.kill()
    here = opened()
    assert sorted(row.number for row in here.log.since(0)) == list(range(1, 31))
    assert here.states == replay(here.log.of(), {}, here.scheduling)
    assert here.states["13_adding/one"].reviews == 30


def test_what_is_written_while_a_deck_reads_is_not_missed(opened, monkeypatch):
    one, two = opened(), opened()
    one.answer(one.faces["13_adding/one"], 3, MORNING)
    two.answer(two.faces["13_adding/three"], 3, MORNING)
    real, meanwhile = deck_module.scheduling_in_force, iter(["13_adding/two"])

    def in_the_middle(log):
        for name in meanwhile:
            two.answer(two.faces[name], 3, MORNING)
        return real(log)

    monkeypatch.setattr(deck_module, "scheduling_in_force", in_the_middle)
    one.refresh()
    one.refresh()
    assert one.states == replay(one.log.of(), {}, one.scheduling)
    assert one.states["13_adding/two"].reviews == 1
    assert opened().states == one.states


def test_an_answer_that_cannot_be_kept_is_told_and_does_not_count(opened, tmp_path, monkeypatch):
    """Another program holds the file for longer than our patience."""
    monkeypatch.setattr("autograder.course.store.PATIENCE", 0.05)
    deck = opened()
    face = deck.next_card(MORNING)
    holder = sqlite3.connect(tmp_path / "kept" / "reviews.sqlite", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(UsageError) as raised:
        deck.answer(face, 3, MORNING)
    assert str(raised.value) == (
        f"{tmp_path / 'kept' / 'reviews.sqlite'}: this cannot be saved (database is locked)\n"
        "  fix: free some disk space, or close the program that uses the file, and come back: earlier answers are saved"
    )
    assert (deck.state(face), deck.undo(MORNING)) == (State(), None)
    holder.close()
    assert deck.answer(face, 3, MORNING).reviews == 1


def test_a_clock_set_back_is_noticed_and_once_it_is_trusted_no_card_stays_in_the_future(opened):
    deck = opened(lesson_of(card("one"), card("two")))
    wrong = later(days=365 * 4)
    deck.answer(deck.next_card(wrong), 4, wrong)
    assert deck.clock_behind(wrong) is None
    assert deck.clock_behind(MORNING) == timedelta(days=365 * 4)
    deck.trust_clock(MORNING)
    assert deck.clock_behind(MORNING) is None
    assert deck.states["13_adding/one"].due == milliseconds(later(days=8))
    assert opened(lesson_of(card("one"))).states == deck.states
    assert len(deck.log.since(0)) == 2


def test_a_clock_that_was_set_back_without_a_word_loses_nothing(opened):
    deck = opened()
    deck.answer(deck.next_card(MORNING), 3, MORNING)
    deck.answer(deck.next_card(later(days=-3)), 3, later(days=-3))
    assert sorted(state.reviews for state in deck.states.values()) == [1, 1]


def test_a_file_that_is_no_log_is_kept_aside(opened, tmp_path):
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "reviews.sqlite").write_bytes(b"no database" * 100)
    deck = opened()
    (aside,) = (tmp_path / "kept").glob("reviews-damaged-*.sqlite")
    assert deck.log.note == f"reviews.sqlite was damaged: it is kept as {aside.name}, and a new one is begun."
    assert aside.read_bytes() == b"no database" * 100
    assert len(studied(deck, MORNING)) > 0


@pytest.mark.parametrize("page", [0, 2, 5])
def test_a_damaged_log_is_made_good_from_its_spare_copy(opened, tmp_path, page):
    """A page of the file is overwritten, and a line of the copy is torn: all else is there again."""
    deck = opened()
    studied(deck, MORNING)
    deck.undo(MORNING)
    deck.flag(deck.faces["13_adding/two"], MORNING)
    deck.close()
    path, copy = tmp_path / "kept" / "reviews.sqlite", tmp_path / "kept" / "reviews.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole[: page * 4096] + b"\xff" * 4096 + whole[(page + 1) * 4096 :])
    copy.write_bytes(copy.read_bytes() + b'{"id": "torn\n\xff\xfe\n[1, 2, 3]\n')
    again = opened()
    assert again.log.note.endswith(f", and a new one is begun. {len(again.log.since(0))} rows are brought over from reviews.jsonl.")
    assert again.states == deck.states
    assert again.log.schedulings().keys() == {Scheduling().id}


def test_a_log_that_is_gone_is_made_good_too_and_a_copy_that_is_gone_begins_anew(opened, tmp_path):
    deck = opened()
    studied(deck, MORNING)
    deck.close()
    (tmp_path / "kept" / "reviews.sqlite").unlink()
    again = opened()
    assert (again.states, again.log.note) == (deck.states, f"{len(again.log.since(0))} rows are brought over from reviews.jsonl.")
    again.close()
    lines = (tmp_path / "kept" / "reviews.jsonl").read_bytes().splitlines()
    (tmp_path / "kept" / "reviews.jsonl").unlink()
    opened()
    assert sorted((tmp_path / "kept" / "reviews.jsonl").read_bytes().splitlines()) == sorted(lines)


def test_a_copy_of_the_log_is_another_device(opened, tmp_path):
    deck = opened()
    deck.answer(deck.next_card(MORNING), 3, MORNING)
    deck.close()
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "reviews.sqlite").write_bytes((tmp_path / "kept" / "reviews.sqlite").read_bytes())
    assert opened().log.device != opened(place=tmp_path / "copy").log.device


def test_a_log_that_can_only_be_read_is_read(opened, tmp_path, read_only_disk):
    deck = opened()
    studied(deck, MORNING)
    deck.close()
    read_only_disk()
    again = opened()
    assert again.log.note == f"{tmp_path / 'kept' / 'reviews.sqlite'} cannot be opened (attempt to write a readonly database): what you answer is not remembered."
    assert again.states == deck.states
    assert again.answer(again.faces["13_adding/one"], 3, later(days=3)).reviews == deck.states["13_adding/one"].reviews + 1


SOUND = Row("a", "d", 1, milliseconds(MORNING), 60, "review", "13_adding/one", 3)


def test_fifty_thousand_reviews_are_read_from_the_cache(opened):
    """Not one of them is counted again when the deck is opened, and an answer computes its own card alone."""
    deck = opened()
    rows = [msgspec.structs.replace(SOUND, id=str(n), number=n + 1, at=SOUND.at + n * 3_600_000, card=f"13_adding/{n % 92}") for n in range(50_000)]
    with deck.log.writing():
        deck.log.insert(rows)
    deck.refresh()
    counted = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("autograder.learner.review.deck.replay", lambda rows, *rest: counted.append(sum(map(len, rows.values()))) or {})
        again = opened()
        again.next_card(later(days=1))
        again.answer(again.faces["13_adding/one"], 3, later(days=1))
    assert (counted, len(again.states)) == ([0, 1], 92)


@pytest.mark.parametrize(
    ("change", "sound"),
    [({}, True), ({"at": 10**18}, False), ({"at": -1}, False), ({"kind": "DROP"}, False), ({"rating": 9}, False), ({"took": -1}, False),
     ({"card": "x" * 201}, False), ({"zone": 9999}, False), ({"number": 2**60}, False), ({"kind": "flag", "rating": 0}, True)],
)  # fmt: skip
def test_a_row_from_elsewhere_must_be_one_that_could_be_ours(change, sound):
    assert msgspec.structs.replace(SOUND, **change).sound is sound


def test_a_day_is_numbered_from_four_to_four():
    assert day_of(4 * 3_600_000, 0) == 0
    assert day_of(4 * 3_600_000 - 1, 0) == -1
    assert day_of(3 * 3_600_000, 60) == 0


def test_a_row_is_added_once(tmp_path):
    with Log(tmp_path / "reviews.sqlite") as log:
        log.insert([SOUND])
        log.insert([SOUND, msgspec.structs.replace(SOUND, id="b")])
        assert [row.id for row in log.since(0)] == [SOUND.id, "b"]


def test_the_default_is_ten_new_cards_a_day():
    assert Chosen().new == 10
