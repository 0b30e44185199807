"""Decks in the real Anki: imported twice, edited in between, nothing doubled and no progress lost."""

import csv
import json
import tempfile
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest
from anki.collection import Collection, ImportAnkiPackageOptions, ImportAnkiPackageRequest, ImportCsvRequest
from click.testing import CliRunner

from autograder.cli.main import main
from autograder.course.errors import UsageError
from autograder.course.loading import read_course
from autograder.course.model import Course
from autograder.course.policy import Policy
from autograder.learner.review.export import in_html, write_deck
from autograder.learner.review.queue import faces_of
from tests.autograder.learner.review.conftest import card, gaps, lesson_of

HOUR = 3600


@pytest.fixture(scope="session")
def course(root):
    return read_course(root)


@pytest.fixture
def anki(tmp_path):
    """An empty collection of the real Anki."""
    collection = Collection(str(tmp_path / "collection.anki2"))
    yield collection
    collection.close()


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write a package of some lessons, as at a moment (seconds)."""

    def write(course, lessons, at=1_770_000_000, to="apkg"):
        monkeypatch.setattr("autograder.learner.review.export.time", SimpleNamespace(time=lambda: at))
        out = tmp_path / f"deck.{to}"
        write_deck(course, tuple(lessons), to, out)
        return out

    return write


def taken(anki, path, **options):
    return anki.import_anki_package(ImportAnkiPackageRequest(package_path=str(path), options=ImportAnkiPackageOptions(**options))).log


def course_of(root, *lessons):
    return Course("Sums", "", "", Policy(), lessons, Path(root))


def test_every_card_arrives_with_its_faces_its_tags_and_in_the_lessons_order(anki, course, write):
    log = taken(anki, write(course, course.lessons))
    count = sum(len(lesson.cards) for lesson in course.lessons)
    assert (len(log.new), anki.note_count()) == (count, count)
    asked = [f"{anki.get_card(found).note().guid}#{anki.get_card(found).ord}" for found in anki.find_cards("", order="c.due")]
    ours = [f"{face.of}#{max(0, face.number - 1)}" for face in faces_of(course.lessons)]
    assert sorted(asked) == sorted(ours)
    assert list(dict.fromkeys(name.partition("#")[0] for name in asked)) == list(dict.fromkeys(name.partition("#")[0] for name in ours))
    assert anki.get_note(anki.find_notes("tag:uniform_noise")[0]).tags == ["12_diffusion::forward-step", "uniform_noise"]
    assert {deck.name for deck in anki.decks.all_names_and_ids()} >= {f"{course.title}::12 {course.lessons[0].title}"}


def test_a_newer_package_updates_the_words_doubles_nothing_and_keeps_the_schedule(anki, root, write):
    before = lesson_of(card("one"), gaps("both", "{{c1::One}} and {{c2::two}}."), card("three"))
    after = lesson_of(card("one", front="One, in other words?"), gaps("both", "{{c1::One}} and {{c2::two}}, once."), card("three"), card("four"))
    taken(anki, write(course_of(root, before), [before]))
    anki.decks.select(anki.decks.id("Sums::13 Adding"))
    for _ in range(4):
        studied = anki.sched.getCard()
        studied.start_timer()
        anki.sched.answerCard(studied, 4)
    then = progress(anki)
    assert [row[:2] for row in then] == [(2, 2)] * 4  # type and queue: in review
    log = taken(anki, write(course_of(root, after), [after], at=1_770_000_000 + HOUR))
    assert (len(log.new), len(log.updated), anki.note_count(), anki.card_count()) == (1, 3, 4, 5)
    assert progress(anki)[:4] == then
    assert anki.db.scalar("SELECT count(*) FROM revlog") == 4
    assert anki.db.list("SELECT flds FROM notes WHERE guid = '13_adding/one'") == ["One, in other words?\x1fone!\x1fSums"]
    again = taken(anki, write(course_of(root, after), [after], at=1_770_000_000 + 2 * HOUR), with_scheduling=True)
    assert (len(again.new), anki.card_count(), progress(anki)[:4]) == (0, 5, then)


def progress(anki):
    return [tuple(row) for row in anki.db.all("SELECT type, queue, ivl, due, reps, id FROM cards ORDER BY id")]


def test_anki_opens_the_gaps_of_a_formula_and_sets_it(anki, course, write):
    taken(anki, write(course, course.lessons))
    found = anki.db.scalar("SELECT c.id FROM cards c JOIN notes n ON n.id = c.nid WHERE n.guid = '12_diffusion/forward-formula' AND c.ord = 0")
    front = anki.get_card(found).question()
    assert front[front.index("</style>") + 8 :] == r"Forward step: \(x_t = [...]\,x_{t-1} + \sqrt{\beta_t} \,\varepsilon_t\)."


def test_a_figure_comes_along(anki, tmp_path, write):
    folder = tmp_path / "lessons" / "13_adding" / "figures"
    folder.mkdir(parents=True)
    (folder / "sum.svg").write_text("<svg/>")
    lesson = lesson_of(card("one", front='![Two "apples"](figures/sum.svg) How many?'))
    taken(anki, write(course_of(tmp_path, lesson), [lesson]))
    (found,) = anki.find_notes("")
    assert anki.get_note(found)["Front"] == '<img src="13_adding-sum.svg" alt="Two &quot;apples&quot;"> How many?'
    assert (Path(anki.media.dir()) / "13_adding-sum.svg").read_text() == "<svg/>"


def test_ankis_text_format_is_imported_twice_and_updates(anki, root, write):
    before = lesson_of(card("#one", back='two\t"tabs"'), gaps("both", "{{c1::One}} and $x$."))
    after = lesson_of(card("#one", back="other words"), gaps("both", "{{c1::One}} and $x$."))
    for lesson in (before, after):
        path = str(write(course_of(root, lesson), [lesson], to="anki-text"))
        log = anki.import_csv(ImportCsvRequest(path=path, metadata=anki.get_csv_metadata(path, None))).log
    assert (len(log.new), anki.note_count(), anki.card_count()) == (0, 2, 2)
    found = {note.guid: (note.note_type()["name"], note.fields, note.tags) for note in map(anki.get_note, anki.find_notes(""))}
    assert found == {
        "13_adding/#one": ("Basic", ["#one?", "other words"], ["13_adding::add"]),
        "13_adding/both": ("Cloze", ["{{c1::One}} and \\(x\\).", ""], ["13_adding::add"]),
    }


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("one *two* `c` <br>&", "one <em>two</em> <code>c</code> &lt;br&gt;&amp;"),
        ("ε̂ of x_{t−1} at `t`: a U-Net", r"\(\hat ε\) of \(x_{t-1}\) at <code>t</code>: a U-Net"),
        ("{{c1::x_{t−1}}}", r"{{c1::\(x_{t-1}\) }}"),
        ("$a < b_*$ and $*c$", r"\(a &lt; b_*\) and \(*c\)"),
        (r"costs \$5 and $$x$$", r"costs $5 and \[x\]"),
        (r"{{c1::$\sqrt{\frac{a}{b}}$}}", r"{{c1::\(\sqrt{\frac{a}{b} }\)}}"),
        (r"${{c1::\sqrt{x_{t}}}}$", r"\({{c1::\sqrt{x_{t} } }}\)"),
        ("{{c1::one::a number}}", "{{c1::one::a number}}"),
        ("one\n\ntwo", "<p>one</p>\n<p>two</p>"),
    ],
)
def test_markdown_becomes_what_anki_shows(text, html):
    assert in_html(text, "13_adding") == html


def test_a_table_has_a_line_for_each_face_and_starts_no_formula(root, write):
    lesson = lesson_of(card("one", front="=1+1", back="-2", tags=("taken_away", "sum")), gaps("both", "{{c1::+One}} and {{c2::two}}."))
    rows = list(csv.DictReader(write(course_of(root, lesson), [lesson], to="csv").read_text(encoding="utf-8").splitlines()))
    assert [(row["id"], row["tags"], row["front"], row["back"]) for row in rows] == [
        ("13_adding/one", "taken_away sum", "'=1+1", "'-2"),
        ("13_adding/both/c1", "", "**[…]** and two.", "**+One** and two."),
        ("13_adding/both/c2", "", "'+One and **[…]**.", "'+One and **two**."),
    ]


def test_json_holds_the_cards_as_the_author_wrote_them(root, write):
    lesson = lesson_of(card("one", tags=("taken_away",)), gaps("both", "{{c1::One}} and two."))
    assert json.loads(write(course_of(root, lesson), [lesson], to="json").read_text(encoding="utf-8")) == {
        "course": "Sums",
        "cards": [
            {"lesson": "13_adding", "id": "one", "objective": "add", "section": "sums", "front": "one?", "back": "one!", "tags": ["taken_away"]},
            {"lesson": "13_adding", "id": "both", "objective": "add", "section": "sums", "cloze": "{{c1::One}} and two."},
        ],
    }


def test_nothing_is_left_in_the_systems_temporary_folder(course, write, tmp_path, monkeypatch):
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    write(course, course.lessons)
    assert list((tmp_path / "temporary").iterdir()) == []


def test_the_command_says_what_it_wrote_and_what_it_cannot(root, tmp_path):
    def deck(*arguments):
        done = CliRunner().invoke(main, ["--course", str(root), "deck", *map(str, arguments)])
        return done.exit_code, done.output

    out = tmp_path / "deck.apkg"
    assert deck("--to", "apkg", "--out", out) == (0, f"{out}: 79 cards.\n")
    assert deck("--to", "csv", "--out", tmp_path / "no" / "deck.csv") == (
        2,
        f"{tmp_path}/no/deck.csv.new: No such file or directory\n  fix: name a file that can be written: --out PATH\n",
    )


def test_a_lesson_without_cards_is_refused(root, tmp_path):
    lesson = msgspec.structs.replace(lesson_of(card("one")), cards=())
    with pytest.raises(UsageError) as raised:
        write_deck(course_of(root, lesson), (lesson,), "csv", tmp_path / "deck.csv")
    assert str(raised.value) == "there is no card to write\n  fix: choose a lesson that has cards"
