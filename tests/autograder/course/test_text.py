"""Code from strangers as text: which encodings are read, and what is told."""

import pytest

from autograder.course.answers import Names, read_answers
from autograder.course.text import Decoded, decode

TEXT = "# é\nx = 'ü'\n"
ENCODED = {
    "UTF-8": (TEXT.encode(), ""),
    "UTF-8 with a byte order mark": (TEXT.encode("utf-8-sig"), ""),
    "a declared encoding": (b"# coding: latin-1\n" + TEXT.encode("latin-1"), ""),
    "UTF-16 as Windows saves it": (TEXT.encode("utf-16"), "utf-16"),
    "UTF-32": (TEXT.encode("utf-32"), "utf-32"),
    "UTF-16 without a mark": (TEXT.encode("utf-16-le"), "utf-16-le"),
    "UTF-16 without a mark, high byte first": (TEXT.encode("utf-16-be"), "utf-16-be"),
    "an undeclared Western encoding": (TEXT.encode("cp1252"), "cp1252"),
    "a declared encoding that it does not have": (b"# coding: ascii\n" + TEXT.encode(), "utf-8"),
    "a declared encoding that does not exist": (b"#!python\n# coding: utf-9\n" + TEXT.encode(), "utf-8"),
    "one of domain names, which takes hours": (b"# coding: Punycode\n-" + b"z9" * (1 << 20) + TEXT.encode(), "utf-8"),
    "neither the declared nor UTF-8": (b"# coding: ascii\n" + TEXT.encode("cp1252"), "cp1252"),
    "one with a byte that has no letter": (TEXT.encode("cp1252") + b"# \x81\n", "cp1252"),
}


@pytest.mark.parametrize(("code", "guessed"), ENCODED.values(), ids=ENCODED.keys())
def test_every_usual_encoding_is_read_and_a_guess_is_told(code, guessed):
    text, told = decode(code)
    assert TEXT in text
    assert told == guessed


@pytest.mark.parametrize("end", ["\r\n", "\r", "\n"], ids=["Windows", "an old Mac", "Unix"])
def test_lines_end_as_they_may(end):
    assert decode(f"x = 1{end}y = 2{end}".encode()) == Decoded("x = 1\ny = 2\n")


@pytest.mark.parametrize("end", ["\0", "\0" * 500, "\x1a", "\n\x1a\0"])
def test_what_fills_a_file_up_is_no_part_of_it(end):
    assert decode(f"x = 1\n{end}".encode()).text.strip() == "x = 1"


NOT_TEXT = {
    "an archive": (b"PK\x03\x04\x00\x00\x01\x02 and so on", "not text: it contains zero bytes"),
    "half of a character": (b"\xff\xfe\0", "not text in UTF-8"),
}


@pytest.mark.parametrize(("code", "why"), NOT_TEXT.values(), ids=NOT_TEXT.keys())
def test_bytes_that_are_no_text_are_told_in_words(code, why):
    with pytest.raises(ValueError) as caught:
        decode(code)
    assert str(caught.value) == why


def test_answers_may_be_saved_as_windows_does():
    assert read_answers("fresh-step: '0.790'\n".encode("utf-16"), Names()).given == {"fresh-step": "0.790"}
