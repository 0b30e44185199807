"""Who is the same person from one run to the next, and who is meant by a word."""

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from autograder.course.errors import UsageError
from autograder.course.policy import Policy
from autograder.instructor.gradebook import Gradebook, Kept
from autograder.instructor.grades import GradingRules, read_extensions
from autograder.instructor.identity import find_student, identify, similar_to
from autograder.instructor.roster import Person, known_as
from tests.autograder.instructor.test_results import result

JANE, NAMESAKE = Person("Jane Smith", "11", "js@u.example"), Person("Jane Smith (44)", "44", "js2@u.example")


def met(found, recorded, *, named=True):
    """Return the name in results of each person, the new names of those recorded, and what is told."""
    known = identify(found, {one.student: one for one in recorded}, named=named)
    return known.names, known.renamed, list(known.notes)


CALLED = "is called {} from now on: results, overrides and extensions stay theirs"
RENAMED = {  # who was known, who comes -> renamed
    "married": ([JANE], [replace(JANE, student="Jane Doe")], {"Jane Smith": "Jane Doe"}),
    "a number comes to the name": ([Person("Bo")], [Person("Bo", "502")], {}),
    "the name the other way round": ([Person("Ada Lovelace")], [Person("Lovelace, Ada", "501")], {"Ada Lovelace": "Lovelace, Ada"}),
    "by login": ([Person("alov", login="alov")], [Person("Ada Lovelace", login="ALOV")], {"alov": "Ada Lovelace"}),
    "by another address": ([JANE], [replace(JANE, student="J. Doe", id="", email="j@u.example", aliases=("js@u.example",))], {"Jane Smith": "J. Doe"}),
    "a namesake comes": ([JANE], [replace(JANE, student="Jane Smith (11)"), NAMESAKE], {"Jane Smith": "Jane Smith (11)"}),
    "and goes": ([replace(JANE, student="Jane Smith (11)"), NAMESAKE], [JANE], {"Jane Smith (11)": "Jane Smith"}),
    "a namesake comes where the other has gone": ([JANE], [Person("Jane Smith", "44", "js2@u.example")], {"Jane Smith": "Jane Smith (11)"}),
    "a name that was another's": ([JANE, Person("Ada B", "99", "ab@u")], [replace(JANE, student="Ada B")], {"Jane Smith": "Ada B", "Ada B": "Ada B (99)"}),
    "nobody is known": ([], [JANE], {}),
}  # fmt: skip


@pytest.mark.parametrize(("recorded", "found", "renamed"), RENAMED.values(), ids=RENAMED.keys())
def test_a_person_stays_the_same_under_another_name(recorded, found, renamed):
    names, changed, notes = met(found, recorded)
    assert (names, changed) == ({one.student: one.student for one in found}, renamed)
    assert [note for note in notes if "from now on" in note] == [f"{old} {CALLED.format(new)}" for old, new in changed.items()]


def test_a_download_without_a_roster_keeps_the_names_that_are_known():
    recorded = [Person("Lovelace, Ada", "501"), Person("Jane Smith (11)", "11"), Person("Jane Smith (44)", "44")]
    found = [Person("lovelaceada", "501"), Person("janesmith", "44"), Person("new", "7")]
    assert met(found, recorded, named=False) == ({"lovelaceada": "Lovelace, Ada", "janesmith": "Jane Smith (44)", "new": "new"}, {}, ["new in the class: new"])


FREELY = {
    "a number": Person("9001"),
    "an e-mail": Person("ADA@u.example"),
    "a login": Person("alov", login="alov"),
    "a number that a platform takes for a login": Person("9001", login="9001"),
    "a name and a number": Person("Lovelace_Ada_9001"),
    "a number and a name": Person("9001 Ada Lovelace"),
}


@pytest.mark.parametrize("found", FREELY.values(), ids=FREELY.keys())
def test_a_folder_that_is_named_by_a_number_is_its_owners_also_without_a_roster(found):
    recorded = [Person("Ada Lovelace", "501", "ada@u.example", "alov", school_id="9001"), Person("Bo", "9002")]
    assert met([found], recorded, named=False) == ({found.student: "Ada Lovelace"}, {}, [])


def test_a_number_beside_somebody_elses_name_is_not_believed():
    names, _, _ = met([Person("Bo_9001")], [Person("Ada Lovelace", school_id="9001")], named=False)
    assert names == {"Bo_9001": "Bo_9001"}


def test_a_number_that_differs_makes_a_namesake():
    told = "smithjane: the id is 44, not 11 as before, so this is taken for somebody else of that name"
    assert met([Person("smithjane", "44")], [Person("smithjane", "11")], named=False) == ({"smithjane": "smithjane (44)"}, {}, [told, "new in the class: smithjane (44)"])


def test_numbers_that_a_platform_gives_anew_say_nothing():
    """As Moodle's participant numbers, which are each assignment's own."""
    recorded, found = [Person("Ada", "11"), Person("Bo", "12")], [Person("Ada", "87"), Person("Bo", "88")]
    assert met(found, recorded, named=False) == ({"Ada": "Ada", "Bo": "Bo"}, {}, [])


def test_a_participants_number_takes_no_other_numbers_place():
    """Moodle's worksheet, given as a roster after Canvas's: the number that Canvas knows stays."""
    sheet = Person("Jane Smith", "87", "js@u.example", participant="87")
    (known,) = identify([sheet], {"Jane Smith": JANE}, named=True).people
    assert (known.id, known.participant, known.known_by) == ("11", "87", "Jane Smith")
    assert met([Person("Bo", "87", participant="87")], [Person("Bo", "11")]) == ({"Bo": "Bo"}, {}, [])


def test_an_extension_of_a_roster_is_for_the_exercises_that_are_graded_with_it():
    due = datetime(2026, 11, 27, tzinfo=UTC)
    (first,) = identify([Person("Ada")], {}, ["sums"], named=True).people
    (second,) = identify([Person("Ada", due=due)], {"Ada": first}, ["products"], named=True).people
    rules = GradingRules(Policy(), {"Ada": second}, {}, {})
    assert [rules.due("Ada", "13_adding", exercise) for exercise in ("sums", "products", "others")] == [(None, False), (due, True), (due, True)]
    (third,) = identify([Person("Ada", "501")], {"Ada": second}, ["others"], named=False).people
    assert (third.due_of, third.due, third.id) == ({"sums": None, "products": due}, due, "501")


def test_a_name_that_is_another_persons_decides_against_one_number():
    told = "Ada: a number, login or e-mail was Bo's before, but the name counts"
    names, renamed, notes = met([Person("Ada", login="x")], [Person("Ada"), Person("Bo", login="x")])
    assert (names, renamed, notes) == ({"Ada": "Ada"}, {}, [told])


def test_a_person_keeps_one_key_whatever_they_are_called():
    first = identify([JANE], {}, named=True).people
    second = identify([replace(JANE, student="Jane Smith (11)"), NAMESAKE], {one.student: one for one in first}, named=True).people
    third = identify([Person("Jane Smith", "44", "js2@u.example")], {one.student: one for one in second}, named=True).people
    assert [one.known_by for one in (*first, *second, *third)] == ["Jane Smith", "Jane Smith", "Jane Smith (44)", "Jane Smith (44)"]
    fresh = identify([Person("Jane Smith", "55")], {one.student: one for one in (*second[:1], *third)}, named=True).people
    assert len({one.known_by for one in (*second[:1], *third, fresh[0])}) == 3
    assert second[0].former == ("Jane Smith",)


def test_the_gradebook_takes_attempts_over_under_the_new_name(tmp_path):
    with Gradebook(tmp_path / "gradebook.sqlite") as book:
        book.begin("1", {}, people=[JANE])
        book.keep("1", [Kept(result("Jane Smith"))])
        known = identify([replace(JANE, student="Jane Doe"), Person("Bo")], book.people(), named=True)
        book.begin("2", {}, "1", known.people, known.renamed)
        assert (book.students("1"), book.students("2"), sorted(book.people())) == ({"Jane Smith"}, {"Jane Doe"}, ["Bo", "Jane Doe"])
        assert [one.student for one in book.results("2")] == ["Jane Doe"]


# ---- who is meant


PEOPLE = {one.student: one for one in (replace(JANE, student="Jane Smith (11)", former=("Jane Smith",)), NAMESAKE, Person("Jane Doe", "7"), Person("Bo"))}
TWO = "Jane Smith (11) [11, js@u.example]; Jane Smith (44) [44, js2@u.example]"
MEANT = {
    "a name that two have": ("Jane Smith", f"several students are called `Jane Smith`\n  fix: choose one of: {TWO}"),
    "the other way round": ("Smith, Jane", f"several students are called `Smith, Jane`\n  fix: choose one of: {TWO}"),
    "a last name": ("smith", f"no student `smith` was graded here\n  fix: did you mean {TWO}?"),
    "a first name": ("Jane", f"no student `Jane` was graded here\n  fix: did you mean Jane Doe [7]; {TWO}?"),
    "a name like it": ("Jane Smoth", f"no student `Jane Smoth` was graded here\n  fix: did you mean {TWO}?"),
    "nobody": ("Zed", "no student `Zed` was graded here\n  fix: use the name in grades.csv"),
}


@pytest.mark.parametrize(("word", "message"), MEANT.values(), ids=MEANT.keys())
def test_a_word_that_several_answer_to_lists_exactly_them(word, message):
    with pytest.raises(UsageError) as caught:
        find_student(word, PEOPLE, PEOPLE)
    assert str(caught.value) == message


@pytest.mark.parametrize("word", ["Jane Smith (44)", "44", "JS2@u.example", "jane smith (44)"])
def test_one_of_two_namesakes_is_meant_by_what_they_do_not_share(word):
    assert find_student(word, PEOPLE, PEOPLE) == "Jane Smith (44)"


def test_an_extension_that_was_written_under_a_former_name_stays_theirs_and_is_told(tmp_path):
    due, notes = datetime(2026, 11, 27, 22, 59, tzinfo=UTC), []
    (tmp_path / "extensions.csv").write_text("student,due\nJane Smith,2026-11-27 23:59+01:00\n44,2026-11-27 23:59+01:00\n")
    found = read_extensions(tmp_path / "extensions.csv", PEOPLE, None, notes)
    assert found == {("Jane Smith (11)", ""): due, ("Jane Smith (44)", ""): due}
    assert notes == ["extensions.csv:2: `Jane Smith` is taken for Jane Smith (11), who had that name before"]


def test_a_former_name_still_stands_for_the_person_in_a_list_that_was_written_before():
    assert known_as(PEOPLE)["jane smith"] == "Jane Smith (11)"
    assert similar_to("Jane Smith", ["Jane Smith (44)", "Bo"], PEOPLE) == "Jane Smith (44) [44, js2@u.example]"
