"""A student's answers: read as they were meant, and an error costs no other answer."""

import contextlib
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.course.answers import Answered, AnswersError, Names, number_written, read_answers, words_written

PAIRS = Names({"vae": Names(), "gan-crisp": Names()})
NAMES = Names({"x": Names(), "fresh-step": Names(), "pairs": PAIRS, "both": Names({"w0": Names(), "inner": PAIRS}), "order": Names()})
RIGHT = """\
fresh-step: 0.790
pairs:
  vae: calm
  gan-crisp: text
both:
  w0: 0.30
  inner: {vae: calm, gan-crisp: text}
order: [a, b]
"""
MEANT = {
    "fresh-step": Decimal("0.790"),
    "pairs": {"vae": "calm", "gan-crisp": "text"},
    "both": {"w0": Decimal("0.30"), "inner": {"vae": "calm", "gan-crisp": "text"}},
    "order": ["a", "b"],
}


def changed(old, new, text=RIGHT):
    assert old in text
    return text.replace(old, new)


ONE_MEANING = {  # each leaves one meaning
    "none": RIGHT,
    "a space is missing": changed("step: ", "step:"),
    "a space is missing in a part": changed("vae: calm\n", "vae:calm\n"),
    "most spaces are missing": RIGHT.replace(": 0", ":0").replace("gan-crisp: text\n", "gan-crisp:text\n").replace(": [", ":["),
    "tabs": RIGHT.replace("\n  ", "\n\t"),
    "a tab in one line": changed("\n  w0", "\n\tw0"),
    "one line is indented more": changed("\n  gan", "\n     gan"),
    "one line is indented less": changed("\n  gan", "\n gan"),
    "a part stands at the margin": changed("\n  gan", "\ngan"),
    "no indent": RIGHT.replace("\n  ", "\n"),
    "indented as a whole": "".join(f"  {line}\n" for line in RIGHT.splitlines()),
    "a bullet": f"- {RIGHT}",
    "bullets": "".join(line if line[0] == " " else f"- {line}" for line in RIGHT.splitlines(keepends=True)),
    "bullets before parts": RIGHT.replace("  vae", "- vae").replace("  gan", "- gan"),
    "an answer twice": f"{RIGHT}\nfresh-step: 0.790\n",
    "a part twice": changed("  gan-crisp: text\nboth", "  gan-crisp: text\n  vae: calm\nboth"),
    "a blank above": f"fresh-step:\npairs:\n  vae:\n{RIGHT}",
    "a blank below": f"{RIGHT}fresh-step:\n",
    "the parts in two places": changed("  gan-crisp: text\nboth", "both") + "pairs:\n  gan-crisp: text\n",
    "the parts in two places, some blank": changed("  gan-crisp: text\nboth", "  gan-crisp:\nboth") + "pairs:\n  vae:\n  gan-crisp: text\n",
    "underscores": changed("fresh-step", "fresh_step", changed("gan-crisp: text\n", "gan_crisp: text\n")),
    "capitals": changed("fresh-step", "Fresh-Step"),
    "a space in the name": changed("fresh-step", "fresh step"),
    "quotes from a word processor": changed("fresh-step: 0.790", "“fresh-step”: 0.790", changed("calm\n", "“calm”\n")),
    "spaces from a web page": changed("step: ", "step:\xa0", RIGHT.replace("\n  ", "\n\xa0\xa0")),
    "something invisible": changed("fresh", "\u200bfresh", f"{RIGHT}\x1a"),
    "a fullwidth colon": changed("step:", "step："),
    "Git's marks around equal answers": changed("fresh-step: 0.790\n", "<<<<<<< HEAD\nfresh-step: 0.790\n=======\n") + ">>>>>>> main\n",
    "equals signs": RIGHT.replace("step:", "step =").replace("vae: calm\n", "vae = calm\n"),
    "numbers": "".join(line if line[0] == " " else f"{n}. {line}" for n, line in enumerate(RIGHT.splitlines(keepends=True), 1)),
    "a heading": "answers:\n" + "".join(f"  {line}\n" for line in RIGHT.splitlines()),
    "Markdown": changed("fresh-step", "**fresh-step**", changed("order", "`order`")),
    "a fence": f"```yaml\n{RIGHT}```\n",
    "two documents": changed("both:", "---\nboth:"),
    "a sentence above": f"My answers, I hope\n{RIGHT}\nfresh-step:0.790\n",
    "a sentence below": f"{RIGHT}I hope this is right!\n",
}


@pytest.mark.parametrize("text", ONE_MEANING.values(), ids=ONE_MEANING)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_an_error_that_leaves_one_meaning_costs_nothing(text, encoding):
    read = read_answers(text.encode(encoding), NAMES)
    given = {name: value for name, value in read.given.items() if name in NAMES.below}
    assert (given, read.problems) == (MEANT, {})


def test_a_letter_of_another_encoding_costs_nothing():
    assert read_answers(f"# schön gelöst\n{RIGHT}".encode("cp1252"), NAMES).given == MEANT


LOST = {
    "another answer below": (f"{RIGHT}fresh-step: 0.1\n", "fresh-step",
                             "line 9: `fresh-step` has another answer here than on line 1: keep one of them"),
    "another answer under a name in capitals": (f"{RIGHT}Fresh-Step: 0.1\n", "fresh-step",
                                                "line 9: `fresh-step` has another answer here than on line 1: keep one of them"),
    "a part in capitals, differently": (changed("  gan-crisp: text\nboth", "  VAE: text\nboth"), "pairs", "`vae` stands there twice"),
    "Git's marks": (changed("fresh-step: 0.790\n", "<<<<<<< HEAD\nfresh-step: 0.790\n=======\nfresh-step: 0.8\n>>>>>>> main\n"), "fresh-step",
                    "line 4: `fresh-step` has another answer here than on line 2: keep one of them"),
    "a bracket left open": (changed("gan-crisp: text}", "gan-crisp: text"), "both", "line 8: this is not YAML"),
    "a bracket left open at the end": (changed("[a, b]", "[a, b"), "order", "line 9: this is not YAML"),
    "a quote left open": (changed("0.790", "'0.790"), "fresh-step", "line 1: this is not YAML"),
    "an anchor": (changed("0.790", "&a 0.790"), "fresh-step", "line 1: `&a` names this place: write values out: anchors are not read"),
    "a tag": (changed("[a, b]", "!!python/name:os.system x"), "order", "line 8: the tag `tag:yaml.org,2002:python/name:os.system` is not read"),
    "a part twice, differently": (changed("  gan-crisp: text\nboth", "  vae: text\nboth"), "pairs", "line 4: the key `vae` is here and on line 3"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "name", "problem"), LOST.values(), ids=LOST)
def test_what_cannot_be_read_costs_one_answer_and_says_where_it_is(text, name, problem):
    read = read_answers(text.encode(), NAMES)
    assert list(read.problems) == [name]
    assert read.problems[name].startswith(problem)
    assert {one: value for one, value in read.given.items() if value} == {one: value for one, value in MEANT.items() if one != name}


def test_a_line_that_is_no_answer_is_told():
    read = read_answers(f"fresh step 0.79\n{changed('fresh-step: 0.790', 'x:1')}".encode(), NAMES)
    assert (read.given["x"], read.unread) == (1, ("fresh step 0.79",))


def test_an_answer_to_a_fresh_variant_keeps_its_seed():
    assert read_answers(b"fresh-step:{seed: 7, answer: 0,79}\norder: [a]", NAMES).given["fresh-step"] == {"seed": 7, "answer": "0,79"}


@pytest.mark.parametrize(
    ("text", "number"),
    [("0.790", "0.790"), ("0,79", "0.79"), ("≈ 0.790", "0.790"), ("~0.167", "0.167"), ("= 3", "3"), ("0.790  (rounded)", "0.790"), ("１．５", "1.5"),
     ("٠٫٧٩٠", "0.790"), ("＋0.30", "0.30"), ("−0.5", "-0.5"), ("1/4", "0.25"), ("-3 / 4", "-0.75"), ("½", "0.5"), ("0.790,", "0.790"), ("0,790.", "0.790"), ("3.", "3"), (".5", "0.5"), ("5.2E-1", "0.52")],
)  # fmt: skip
def test_a_number_may_be_written_as_people_write_it(text, number):
    assert number_written(text) == Decimal(number)


@pytest.mark.parametrize("text", ["", "no", "1/0", "6.9%", "sqrt(2)", "1 2", "0.790 0.8", "nan", "1e999", "0x10", "1_000", "9" * 60_000, " " * 60_000])
def test_what_is_no_number_is_none(text):
    assert number_written(text) is None


@pytest.mark.parametrize("text", ["draw, jump, ask", "draw -> jump -> ask", "draw jump ask", "draw→jump→ask", "[draw; jump; ask]", "draw > jump > ask"])
def test_a_list_may_be_written_without_brackets(text):
    assert words_written(text) == ["draw", "jump", "ask"]


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("0.79", Decimal("0.79")),
        ("0.790", Decimal("0.790")),
        ("-.5", Decimal("-0.5")),
        ("1e-6", Decimal("0.000001")),
        ("7", 7),
        ("0,79", "0,79"),
        ("[0,79]", [0, 79]),
        ("{a: 0,5, b: -1,25}", {"a": "0,5", "b": "-1,25"}),
        ("[a, b]", ["a", "b"]),
        ("no", "no"),
        ("12:30", "12:30"),
        ("true", True),
        ("", None),
        (".nan", ".nan"),
        ("1e99999", "1e99999"),
        ("{a: gan, b: [c, d]}", {"a": "gan", "b": ["c", "d"]}),
        ("{seed: 7, answer: {a: 0.5}}", {"seed": 7, "answer": {"a": Decimal("0.5")}}),
        ('"0.5"', "0.5"),
        ("'*'", "*"),
        ("−0.5", "−0.5"),
    ],
)
def test_an_answer_is_what_the_student_wrote(line, value):
    """Digits are kept, words stay words, and 1e-6 is a number."""
    read = read_answers(f"x: {line}\n".encode(), NAMES).given["x"]
    assert (read, type(read), str(read)) == (value, type(value), str(value))


def test_an_empty_file_holds_no_answers():
    """Nothing answered is no fault of the file."""
    assert all(read_answers(data, NAMES) == Answered() for data in (b"", b"# later\n", b"\xef\xbb\xbf"))


_OPEN = "look at this line and the one above: a missing space after `:`, a quote or bracket left open, or an indent that is off"


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"a" * 65537, "the file is larger than 64 KiB: it should hold `question: answer` lines only"),
        (b"a: \0 1", "this is not text: it contains zero bytes: save the file as plain text"),
        (b"- 1", "line 1: this is not a list of `question: answer` lines: put a space after each colon"),
        (b"fresh-sum:0.79", "line 1: this is not a list of `question: answer` lines: put a space after each colon"),
        (b"a: 1\na: 2", "line 2: the key `a` is here and on line 1: keep one of them: YAML would silently take the last"),
        (b"a: &x 1", "line 1: `&x` names this place: write values out: anchors are not read"),
        (b"a: *x", "line 1: `*x` repeats another place: write the value out: aliases are not read"),
        (b"<<: {a: 1}", "line 1: `<<` merges another mapping: write the keys out: merging is not read"),
        (b"a: !!python/name:os.system x", "line 1: the tag `tag:yaml.org,2002:python/name:os.system` is not read here: remove it"),
        (b"a: {b: {c: {d: {e: 1}}}}", "line 1: this is nested more than 4 levels deep: use fewer levels"),
        (b"[" * 60000, "line 1: this is nested more than 4 levels deep: use fewer levels"),
        (b"- " * 30000, "line 1: this is nested more than 4 levels deep: use fewer levels"),
        (b"{a: " * 16000, "line 1: this is nested more than 4 levels deep: use fewer levels"),
        (b"a: 'x", f"line 1: this is not YAML: found unexpected end of stream: {_OPEN}"),
        (b"a: @x", "line 1: this is not YAML: found character that cannot start any token: put the text in quotes, and indent with spaces"),
    ],
    ids=lambda value: "" if isinstance(value, str) else None,
)
def test_a_file_that_cannot_be_read_says_why_in_one_line(data, told):
    """Hostile or mistaken, one clear line each."""
    with pytest.raises(AnswersError) as error:
        read_answers(data, Names())
    assert str(error.value) == told


@given(st.binary(max_size=200) | st.text("ab:-,[]{}&*!|>'\"?#%@\n\t 01.", max_size=80).map(str.encode))
def test_no_bytes_do_more_than_fail_to_be_read(data):
    """Whatever a student sends is a mapping or an AnswersError of one line."""
    try:
        told = repr(read_answers(data, NAMES))
    except AnswersError as error:
        told = str(error)
    assert "\n" not in told


@pytest.mark.parametrize("line", ["a", "fresh-step:\n", "x" + " " * 60_000, "- " * 30_000, "fresh-step: [\n", "both:\n  w0: {\n", '"', "x: 1\nx: 2\n"])
def test_a_large_file_of_errors_is_read_in_time(line):
    """Nobody waits for it: each line is looked at a few times, however many there are."""
    data = (line * (60_000 // len(line) + 1)).encode()[:60_000]
    with contextlib.suppress(AnswersError):
        assert len(read_answers(data, NAMES).unread) <= 3
