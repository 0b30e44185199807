"""What to try after an exception: each piece of advice is met by real code, so that a framework's new words are noticed."""

import math

import numpy as np
import pytest
import torch

from autograder.course.model import CheckResult, Failure, Idea
from autograder.grading.feedback import ADVICE, advice_on, check_feedback, ending
from autograder.sandbox.guest.source import Part, statements
from autograder.sandbox.guests import Outcome, Raised

T = torch.zeros


def in_place():
    weight = torch.nn.Parameter(T(3))
    weight += 1


def changed_before_backward():
    e = torch.nn.Parameter(torch.ones(3)).exp()
    loss = e.sum()
    e += 1
    loss.backward()


def twice():
    loss = (torch.nn.Parameter(T(3)) ** 2).sum()
    loss.backward()
    loss.backward()


class NoInit(torch.nn.Module):
    def __init__(self):
        self.layer = torch.nn.Linear(2, 2)


CASES = {
    "a power written as in mathematics": (lambda: 0.1 ^ 0.5, "write `**`"),
    "such a power of an array": (lambda: np.ones(3) ^ 0.5, "write `**`"),
    "such a power of a tensor": (lambda: T(3) ^ 0.5, "write `**`"),
    "a function without return": (lambda: None * np.ones(3), "without `return`"),
    "a part of None": (lambda: None.shape, "without `return`"),
    "a loss without its graph": (lambda: T(3).sum().backward(), "cut off from the weights"),
    "NumPy after the gradient": (lambda: T(3, requires_grad=True).numpy(), "PyTorch's functions"),
    "a gradient of many numbers": (lambda: (torch.nn.Parameter(T(3)) ** 2).backward(), "average the errors"),
    "backward twice": (twice, "compute the loss again"),
    "a weight changed in place": (in_place, "changed in place"),
    "a value changed before backward": (changed_before_backward, "changed in place"),
    "a GPU": (lambda: T(3).cuda(), "no GPU"),
    "shapes in NumPy": (lambda: np.zeros(4) * np.zeros((4, 2, 9)), "(N, 1, 1, 1)"),
    "shapes in PyTorch": (lambda: T(4) * T(4, 2, 9), "(N, 1, 1, 1)"),
    "a matrix product in NumPy": (lambda: np.zeros((2, 3)) @ np.zeros((2, 3)), "transpose"),
    "a matrix product in PyTorch": (lambda: T(2, 3) @ T(2, 3), "transpose"),
    "a layer of another size": (lambda: torch.nn.Linear(3, 4)(T(2, 5)), "transpose"),
    "a batch of matrix products": (lambda: torch.bmm(T(2, 3, 4), T(3, 4, 2)), "transpose"),
    "two precisions": (lambda: torch.nn.Linear(3, 4)(T(2, 3).double()), "float32 and float64"),
    "two precisions in a product": (lambda: T(2, 3) @ T(3, 2).double(), "float32 and float64"),
    "two precisions on the way": (lambda: torch.lerp(T(3), T(3).double(), 0.5), "float32 and float64"),
    "a float for an index": (lambda: np.zeros(3)[1.0], "whole number"),
    "floats for indices": (lambda: T(3)[T(2)], "whole number"),
    "a float for an index of a list": (lambda: list(range(2))[1.0], "whole number"),
    "a loop over a float": (lambda: range(2.0), "whole number"),
    "floats to gather": (lambda: torch.gather(T(3), 0, T(2)), "whole number"),
    "floats to embed": (lambda: torch.embedding(T(3, 3), T(2)), "whole number"),
    "floats as classes": (lambda: torch.nn.functional.one_hot(T(3)), "whole number"),
    "an entry too far": (lambda: np.zeros(3)[3], "The last of n entries has the index n − 1"),
    "an entry too far in a tensor": (lambda: T(3)[3], "The last of n entries has the index n − 1"),
    "a root of an array": (lambda: math.sqrt(np.ones(3)), "instead of the one of `math`"),
    "a root of a tensor": (lambda: math.sqrt(T(3)), "instead of the one of `math`"),
    "a number of two": (lambda: T(2).item(), "instead of the one of `math`"),
    "PyTorch's root of a float": (lambda: torch.sqrt(0.1), "no tensor"),
    "PyTorch's root of an array": (lambda: torch.sqrt(np.ones(3)), "no tensor"),
    "a float among tensors": (lambda: torch.cat([T(3), 0.1]), "no tensor"),
    "a tensor's method of an array": (lambda: np.ones(3).clamp(0), "take the function from `np`"),
    "a tensor's method of a float": (lambda: (0.5).sqrt(), "take the function from `np`"),
    "an array's method of a tensor": (lambda: T(3).astype("f"), "PyTorch's name"),
    "a missing product": (lambda: float("1")(2), "missing `*`"),
    "a condition on an array": (lambda: bool(np.zeros(3)), "`np.where`"),
    "a condition on a tensor": (lambda: bool(T(3)), "`np.where`"),
    "too many values": (lambda: exec("a, b = 1, 2, 3"), "number of names"),
    "too few values": (lambda: exec("a, b = [1]"), "number of names"),
    "the mean of whole numbers": (lambda: torch.arange(3).mean(), "`.float()`"),
    "a module without its start": (NoInit, "super().__init__()"),
    "a module without forward": (lambda: torch.nn.Module()(3), "a method `forward`"),
    "the root of a negative number": (lambda: math.sqrt(-1.0), "negative number"),
    "a division by zero": (lambda: 1 / 0, "divided by 0"),
    "tabs and spaces": (lambda: exec("def f():\n        x = 1\n\ty = 2\n"), "tab into four spaces"),
    "indentation": (lambda: exec("def f():\n    x = 1\n   y = 2\n"), "same number of spaces"),
    "syntax": (lambda: exec("def f(:\n"), "missing bracket"),
    "a strange character": (lambda: exec("x = 2 × 3"), "none of Python's"),
    "Python 2": (lambda: exec("print 1"), "Python 2"),
    "a conflict": (lambda: list(statements(Part("f.py", "x = 1\n<<<<<<< HEAD\nx = 2\n"))), "Git has put both"),
    "a session of Python's": (lambda: list(statements(Part("f.py", ">>> x = 1\n"))), "prompts"),
    "a typed input": (lambda: exec("raise EOFError"), "Nobody can type"),
    "the end of the program": (lambda: exec("raise SystemExit"), "return a value"),
    "a name before its value": (lambda: exec("def f():\n  x += 1\nf()"), "before it has a value"),
    "an unknown name": (lambda: exec("undefined"), "missing import"),
    "a call without an end": (lambda: exec("def f(n): return f(n)\nf(1)", {}), "without an end"),
}


@pytest.mark.parametrize(("fails", "advice"), CASES.values(), ids=CASES.keys())
def test_a_usual_exception_is_met_with_what_to_try(fails, advice):
    with pytest.raises(BaseException) as raised:
        fails()
    assert advice in advice_on(type(raised.value).__name__, str(raised.value))


OTHERWISE = {  # as an older PyTorch says it, or one with CUDA
    "Found no NVIDIA driver on your system.": "no GPU",
    "gather(): Expected dtype int64 for index": "whole number",
    "one_hot is only applicable to index tensor.": "whole number",
}


@pytest.mark.parametrize(("words", "advice"), OTHERWISE.items())
def test_another_build_of_a_framework_is_met_with_the_same(words, advice):
    assert advice in advice_on("RuntimeError", words)


def test_every_piece_of_advice_is_met_above():
    told = {entry["try"] for entry in ADVICE}
    met = {told for told in told if any(advice in told for _, advice in CASES.values())}
    assert met == told


def test_an_exception_of_the_students_own_has_no_advice():
    assert advice_on("ValueError", "t must be below T") == ""


def test_after_a_secret_run_a_message_chooses_no_advice():
    """It may hold a number, and which advice is told would give a part of it away."""
    assert advice_on("TypeError", "") == ""
    assert advice_on("ZeroDivisionError", "") == advice_on("ZeroDivisionError", "division by zero") != ""


# ---- one mistake is told once


IDEA = Idea("written", "noise_to", "You forgot the root.")


def failed(name, message, **more):
    return CheckResult(name, name, 0, 1, "failed", "wrong", message, **more)


SHARED = {
    "one idea": ({"diagnosis": IDEA}, {"diagnosis": IDEA}, ("The same mistake as above.",)),
    "one line that raised": (
        {"failure": Failure("ended", "f", exception="TypeError", lines=("line 3",))},
        {"failure": Failure("ended", "g", exception="TypeError", lines=("line 3",))},
        ("The same mistake as above.",),
    ),
    "one wrong function": ({"failure": Failure("value", "f", uses="h")}, {"failure": Failure("value", "g", uses="h")}, ("It uses `h`, too.",)),
    "two ideas": ({"diagnosis": IDEA}, {"diagnosis": Idea("written", "noise_to", "Other.")}, ("second",)),
    "another line": (
        {"failure": Failure("ended", "f", exception="TypeError", lines=("line 3",))},
        {"failure": Failure("ended", "f", exception="TypeError", lines=("line 4",))},
        ("second",),
    ),
    "nothing known": ({"failure": Failure("value", "f")}, {"failure": Failure("value", "f")}, ("second",)),
}


@pytest.mark.parametrize(("first", "second", "message"), SHARED.values(), ids=SHARED.keys())
def test_a_mistake_is_told_once_and_what_follows_from_it_in_a_line(first, second, message):
    checks = [failed("a", "first", **first, card="c"), failed("b", "second", **second, card="c")]
    one, other = check_feedback(checks, {})
    assert (one.message, one.again) == (("first",), False)
    assert (other.message, other.again, bool(other.next)) == (message, message != ("second",), message == ("second",))


def test_what_is_said_of_a_question_has_a_line_for_each_part_and_that_of_a_call_is_one():
    asked, called = failed("a", "Part 1 of 2: No.\nPart 2 of 2: No."), failed("b", "first\nsecond", failure=Failure("value", "f"))
    assert [told.lines for told in check_feedback([asked, called], {})] == [("Part 1 of 2: No.", "Part 2 of 2: No."), ("first second",)]


def test_that_there_is_no_answer_is_told_at_each_question():
    checks = [failed(name, "There is no answer yet.", failure=Failure("unanswered")) for name in "ab"]
    assert [told.message for told in check_feedback(checks, {})] == [("There is no answer yet.",)] * 2


def test_the_same_message_is_not_told_twice():
    """As if a file does not load: each check says the same."""
    one, other = check_feedback([failed("a", "first"), failed("b", "first")], {})
    assert (one.lines, other.lines) == (("first",), ())


def test_after_a_secret_run_one_line_is_told():
    """Several would be a choice of the file's, and could spell a number."""
    ended = ending(Outcome("raised", raised=Raised("ValueError", "0.664", ("line 2", "line 15"))), numbers=False)
    assert (ended.words, ended.lines) == ("raised ValueError (line 15).", ("line 15",))
