"""One submission from file to Result, behind the wall."""

import json
import re

import msgspec
import numpy as np
import pytest

from autograder.course.loading import read_course
from autograder.course.model import Submission
from autograder.grading.attempt import PUBLIC, attempt, load_materials
from autograder.grading.checks import seed_of
from autograder.grading.marking import mark_answers
from autograder.grading.questions import functions_of
from autograder.grading.submission_run import GUESTS
from autograder.sandbox.guests import Outcome
from tests.autograder.learner.conftest import RIGHT


@pytest.fixture(scope="module")
def lesson(root):
    return read_course(root).lessons[0]


@pytest.fixture(scope="module")
def forward(lesson):
    return load_materials(next(exercise for exercise in lesson.exercises if exercise.id == "forward"))


@pytest.fixture
def judge(forward, sandbox):
    def judge(source, secret=b"secret", name="forward.py", encoding="utf-8"):
        submission = Submission("s", "12_diffusion", "forward", name, source.encode(encoding), "0", "present")
        made = attempt(submission, forward, sandbox, secret)
        return made, {check.id: check for check in made.checks}

    return judge


def test_a_right_file_gets_every_point(judge):
    made, checks = judge(RIGHT)
    assert sum(c.points for c in made.checks) == sum(c.max_points for c in made.checks) == 20
    assert {(c.outcome, c.reason, c.message) for c in checks.values()} == {("passed", None, "")}


def test_a_known_misconception_is_told_as_itself_with_section_and_card(judge):
    _, checks = judge(RIGHT.replace("+ beta ** .5 * eps", "+ beta * eps"))
    failed = checks["by_hand"]
    assert failed.message == (
        "`forward_step(x_prev=0.8, beta=0.1, eps=-0.3)` gave 0.7289 where 0.664 was expected. "
        "You scaled the noise by β. β is the noise's variance: multiply ε by its square root."
    )
    assert (failed.misconception, failed.section, failed.card) == ("beta_as_standard_deviation", "one-step-by-hand", "noise-scale")


def test_what_depends_on_a_failed_check_is_not_judged_and_says_why(judge):
    _, checks = judge(RIGHT.replace("+ beta ** .5 * eps", "+ beta * eps"))
    assert checks["a_batch_by_a_step"].reason == "needs"
    assert checks["a_batch_by_a_step"].message == (
        "Not judged: it needs “The lesson's worked example: x = 0.8, β = 0.1, ε = −0.3”, which did not pass."
    )


def test_a_wrong_answer_that_no_misconception_explains_is_not_named(judge):
    _, checks = judge(RIGHT.replace("+ beta ** .5 * eps", "+ 1.7 * beta * eps"))
    assert checks["by_hand"].misconception is None


def test_two_misconceptions_at_once_are_not_taken_for_one(judge):
    _, checks = judge(RIGHT.replace("a ** .5 * x0 + (1 - a) ** .5 * eps", "a * x0 - (1 - a) * eps"))
    assert checks["in_the_middle"].misconception is None


LEANS = (
    RIGHT
    + """
def noise_to(x0, t, eps, alpha_bars): return half(per_sample(t, x0, alpha_bars), x0, eps)
def half(a, x0, eps): return predict_x0(a ** .5 * x0, 0, 0 * eps, np.array([1.0])) + (1 - a) ** .5 * eps
"""
)


def test_what_uses_a_wrong_function_points_to_it_and_is_told_no_misconception(judge):
    """Through a helper of the student's own, too."""
    wrong = LEANS.replace("(x_t - (1 - a) ** .5 * eps) / a ** .5", "(x_t - (1 - a) ** .5 * eps) * 2")
    _, checks = judge(wrong)
    assert checks["in_the_middle"].message.endswith(" values differ). It uses `predict_x0`, which is not right yet: fix that first.")
    assert "It uses" not in checks["the_way_back"].message
    assert {checks[name].misconception for name in ("in_the_middle", "the_way_back")} == {None}


def test_however_many_functions_use_a_wrong_one_each_is_tried_with_the_right_one(judge):
    """A guest that we end ourselves is not lost, so there are always enough of them."""
    through = "np.asarray(predict_x0(np.asarray({0}), 0, 0 * np.asarray({0}), np.array([1.0])))"
    source = (
        LEANS.replace("(x_t - (1 - a) ** .5 * eps) / a ** .5", "(x_t - (1 - a) ** .5 * eps) * 2")
        + f"def linear_betas(T, first=1e-4, last=0.02): return {through.format('np.r_[0, np.linspace(first, last, T)]')}\n"
        + f"def alpha_bars(betas): return {through.format('np.cumprod(1 - betas)')}\n"
        + f"def forward_step(x_prev, beta, eps): return {through.format('(1 - beta) ** .5 * x_prev + beta ** .5 * eps')}[()]\n"
    )
    _, checks = judge(source)
    for name in ("starts_and_ends", "multiplies_up", "by_hand", "in_the_middle"):
        assert checks[name].message.endswith(" It uses `predict_x0`, which is not right yet: fix that first.")


def test_a_wrong_function_is_not_blamed_for_what_does_not_depend_on_it(judge):
    """Here predict_x0 is wrong only where noise_to does not use it; noise_to has a mistake of its own, which is named."""
    source = LEANS.replace("x_t - (1 - a) ** .5 * eps", "x_t - (1 - a) * eps").replace("+ (1 - a) ** .5 * eps\n", "+ (1 - a) * eps\n")
    _, checks = judge(source)
    assert checks["in_the_middle"].failure.uses == ""
    assert checks["in_the_middle"].misconception == "missing_root_on_noise"
    assert checks["the_way_back"].misconception == "back_without_root_on_noise"


def test_the_run_with_the_references_answers_leaves_nothing_behind(judge):
    wrong = LEANS.replace("(x_t - (1 - a) ** .5 * eps) / a ** .5", "(x_t - (1 - a) ** .5 * eps) * 2 + 0 * (print('mine') or 1)")
    made, checks = judge(wrong.replace("def half(a, x0, eps):", "def half(a, x0, eps): print('leans');"))
    assert checks["in_the_middle"].failure.uses == "predict_x0"
    assert made.stdout.count("leans") == 2  # for t = 100 and t = 500, and no third time


def test_a_call_that_does_not_fit_is_no_other_functions_mistake(judge):
    wrong = LEANS.replace("(x_t - (1 - a) ** .5 * eps) / a ** .5", "(x_t - (1 - a) ** .5 * eps) * 2")
    _, checks = judge(wrong.replace("0 * eps, np.array([1.0]))", "0 * eps)"))
    assert "raised TypeError" in checks["in_the_middle"].message
    assert checks["in_the_middle"].failure.uses == ""


FITS = {
    "one too few": ("def forward_step(x_prev, beta): return 0", "x_prev, beta"),
    "one too many": ("def forward_step(x_prev, beta, eps, t): return 0", "x_prev, beta, eps, t"),
    "behind a decorator": ("@functools.wraps(len)\ndef forward_step(x_prev, *, beta=2): return 0", "obj, /"),
    "none": ("forward_step = lambda: 0", ""),
}


@pytest.mark.parametrize(("source", "takes"), FITS.values(), ids=FITS.keys())
def test_a_function_with_other_parameters_is_told_both(judge, source, takes):
    _, checks = judge(f"{RIGHT}\nimport functools\n{source}\n")
    assert checks["by_hand"].message == (
        f"`forward_step(x_prev=0.8, beta=0.1, eps=-0.3)` does not fit: yours is `forward_step({takes})`, and "
        "`forward_step(x_prev, beta, eps)` is asked for."
    )


def test_a_function_that_was_written_as_a_method_is_found_in_its_class(judge):
    _, checks = judge(RIGHT.replace("def forward_step", "class Forward:\n  @staticmethod\n  def forward_step"))
    assert checks["by_hand"].message.endswith(
        "there is no function `forward_step` in forward.py, but there is `Forward.forward_step`: write it outside of the class."
    )


def test_parameters_that_are_asked_for_are_told_with_their_defaults(judge):
    _, checks = judge(f"{RIGHT}\nown = linear_betas\ndef linear_betas(T, first, last): return own(T, first, last)\n")
    assert checks["usual_schedule"].message.endswith("and `linear_betas(T, first=0.0001, last=0.02)` is asked for.")


def test_parameters_in_another_order_are_called_by_name_and_the_output_says_so(judge):
    made, checks = judge(f"{RIGHT}\ndef forward_step(eps, beta, x_prev): return beta ** .5 * eps + (1 - beta) ** .5 * x_prev\n")
    assert {check.outcome for check in checks.values()} == {"passed"}
    assert made.stdout == "The parameters of `forward_step` are in another order than the starter's, so it was called with their names.\n"


def test_a_type_error_inside_a_function_is_no_misfit(judge):
    _, checks = judge(f"{RIGHT}\ndef forward_step(x_prev, beta, eps): return predict_x0(x_prev)\n")
    assert "raised TypeError (line " in checks["by_hand"].message


def test_what_cannot_be_tried_with_the_right_function_is_told_as_possible(judge):
    """Here the reference cannot take the list that the student's function takes."""
    wrong = LEANS.replace("(x_t - (1 - a) ** .5 * eps) / a ** .5", "(x_t - (1 - a) ** .5 * eps) * 2")
    _, checks = judge(wrong.replace("np.array([1.0])", "[[1]]"))
    assert checks["in_the_middle"].message.endswith(" It uses `predict_x0`, which is not right yet: that may be the cause.")


def test_two_functions_that_use_each_other_do_not_point_at_each_other(judge):
    both = """
def noise_to(x0, t, eps, alpha_bars): return x0 if t is None else 3 * x0
def predict_x0(x_t, t, eps, alpha_bars): return 3 * x_t if t is not None else noise_to(x_t, t, eps, alpha_bars)
"""
    _, checks = judge(RIGHT + both.replace("3 * x0", "3 * x0 if x0 is not None else predict_x0(x0, t, eps, alpha_bars)"))
    assert not [check for check in checks.values() if "It uses" in check.message]


def test_an_argument_changed_in_place_is_no_reason_to_point_at_a_function(judge):
    """What it gives is right, so whoever uses it is not excused."""
    in_place = (
        LEANS.replace("a ** .5 * x0, 0,", "a ** .5 * x0 + 1, 0,")
        + """
def predict_x0(x_t, t, eps, alpha_bars):
    a = per_sample(t, x_t, alpha_bars)
    x_t -= (1 - a) ** .5 * eps
    return x_t / a ** .5
"""
    )
    _, checks = judge(in_place)
    assert checks["back_arguments_stay"].outcome == "failed"
    assert "It uses" not in checks["in_the_middle"].message


def test_misconceptions_in_two_functions_are_named_apart(judge):
    source = RIGHT.replace("np.cumprod(1 - betas)", "1 - np.cumsum(betas)").replace("+ beta ** .5 * eps", "+ beta * eps")
    _, checks = judge(source)
    assert checks["multiplies_up"].misconception == "sum_for_product"
    assert checks["by_hand"].misconception == "beta_as_standard_deviation"


def test_right_for_the_published_numbers_only_is_said_so(judge, forward):
    """A file that knows the published answers by heart earns nothing with secret ones."""
    by_heart = RIGHT.replace(
        "return a ** .5 * x0 + (1 - a) ** .5 * eps",
        "return a ** .5 * x0 + (1 - a) ** .5 * eps if abs(float(np.ravel(x0)[0])) in KNOWN else x0",
    )
    published = [forward.diagnosis.reruns.rerun(check, seed_of(PUBLIC, "forward", check.id), None) for check in forward.checks]
    calls = [call for transcript in published for call in transcript.calls if call.function == "noise_to"]
    known = {abs(float(call.args[0].ravel()[0])) for call in calls}
    _, checks = judge(by_heart + f"\nKNOWN = {known!r}\n")
    assert checks["in_the_middle"].message == "`noise_to` gave a wrong answer. It is right for the published numbers, but wrong for new ones."


NAMED = {
    "a misconception": ("+ beta ** .5 * eps", "+ beta * eps", "by_hand"),
    "a rewrite": ("np.linspace(first, last, T)", "np.geomspace(first, last, T)", "starts_and_ends"),
}


@pytest.mark.parametrize("how", NAMED)
def test_what_is_known_of_a_mistake_is_told_without_a_second_process(how, judge, sandbox, monkeypatch):
    """What it gives with the published numbers is computed once, and what is said is what the file gives with them."""
    right, wrong, check = NAMED[how]
    opened, real = [], sandbox.open
    monkeypatch.setattr(sandbox, "open", lambda profile: opened.append(profile) or real(profile))
    _, secret = judge(RIGHT.replace(right, wrong))
    assert len(opened) == 1
    _, public = judge(RIGHT.replace(right, wrong), PUBLIC)
    assert secret[check].diagnosis
    assert (secret[check].message, secret[check].diagnosis) == (public[check].message, public[check].diagnosis)


def test_a_mistake_that_differs_with_the_published_numbers_is_told_as_it_is_with_them(judge, forward):
    """Even if it is a known one with all others."""
    call = _calls(forward, PUBLIC, "linear_betas")[0]
    other = RIGHT.replace("np.linspace(first, last, T)", f"np.geomspace(first, last, T) if T != {call.args[0]} else np.full(T, first)")
    _, checks = judge(other)
    first, due = call.args[1], np.linspace(*call.args[1:], call.args[0])[1]
    assert checks["starts_and_ends"].message.startswith(
        f"`linear_betas(T={call.args[0]}, first={first:.4g}, last={call.args[2]:.4g})` gave {first:.4g} at [2] where {due:.4g} was expected"
    )


def test_what_a_secret_run_raised_is_told_by_kind_and_line_alone(judge):
    source = RIGHT + "\ndef noise_to(x0, t, eps, alpha_bars):\n    import os\n    raise ValueError(str(float(eps.sum())))\n"
    _, secret = judge(source)
    _, public = judge(source, PUBLIC)
    assert secret["in_the_middle"].message == public["in_the_middle"].message  # made from a rerun with the published numbers


LEAKS = {
    "an exception's name": "raise type(f'E{told}', (Exception,), {})",
    "an exception's message": "raise ValueError(told)",
    "what is printed": "print(told)",
    "a text in place of a number": "return told",
    "the keys of a dict": "return {told: 1}",
    "the name of a type": "return type(f'T{told}', (), {})()",
    "an array of another type": "return np.array([told])",
    "the status of its process": "os._exit(int(told[:2]))",
    "lines that are none": "raise compile(f'def f(): raise ValueError', '<x>', 'exec') and ValueError(told)",
    "a warning": "import warnings; warnings.warn(told)",
}


@pytest.mark.parametrize("how", LEAKS.values(), ids=LEAKS.keys())
def test_nothing_gives_a_secret_number_away(how, judge, forward):
    """Whatever a file makes of its arguments, a student reads only what it makes of the published ones."""
    known = [repr(call.args[0].ravel()[0]) for call in _calls(forward, PUBLIC, "noise_to")]
    secret = [repr(call.args[0].ravel()[0]) for call in _calls(forward, b"secret", "noise_to")]
    tells = f"""
import os, re
def noise_to(x0, t, eps, alpha_bars):
    told = re.sub("[^0-9]", "", repr(x0.ravel()[0]))
    if np.ndim(t) or repr(x0.ravel()[0]) in {known!r}:
        return right_noise_to(x0, t, eps, alpha_bars)
    {how}
    return right_noise_to(x0, t, eps, alpha_bars)
"""
    made, checks = judge(RIGHT + "right_noise_to = noise_to\n" + tells)
    shown = re.sub("[^0-9]", "", made.stdout + json.dumps(msgspec.to_builtins(made.checks)))
    assert [one for one in secret if re.sub("[^0-9]", "", one) in shown] == []
    assert "<" not in checks["in_the_middle"].message
    assert "T1" not in checks["in_the_middle"].message


def _calls(forward, secret, function):
    runs = [forward.diagnosis.reruns.rerun(check, seed_of(secret, "forward", check.id), None) for check in forward.checks]
    return [call for transcript in runs for call in transcript.calls if call.function == function]


def test_what_is_printed_with_secret_numbers_is_printed_again_with_the_published_ones(judge):
    """Students see what their file prints, and no number of the round in it."""
    prints = RIGHT.replace("def alpha_bars(betas): return", "print('loaded')\ndef alpha_bars(betas):\n    print(betas[1])\n    return")
    secret, _ = judge(prints)
    public, _ = judge(prints, PUBLIC)
    assert secret.stdout == public.stdout
    assert secret.stdout.startswith("loaded\n0.0")


ENDED = {
    "an exception of the student's own": ("raise type('Own', (Exception,), {})", "raised an exception of its own (line 15)."),
    "a built-in exception": ("raise KeyError(1)", "raised KeyError (line 15)."),
    "the end of its process": ("__import__('os')._exit(9)", "gave no answer: its process ended."),
    "an array of text": ("return np.array(['a'])", "was refused: what it returned or asked cannot be used."),
}


@pytest.mark.parametrize(("how", "words"), ENDED.values(), ids=ENDED.keys())
def test_how_a_secret_call_ended_is_told_without_a_word_of_the_guests(how, words, judge, forward):
    known = {repr(call.args[0].ravel()[0]) for call in _calls(forward, PUBLIC, "noise_to")}
    source = RIGHT + f"right = noise_to\ndef noise_to(x0, t, eps, alpha_bars):\n    if repr(x0.ravel()[0]) not in {known!r}: {how}\n"
    _, checks = judge(source + "    return right(x0, t, eps, alpha_bars)\n")
    assert checks["in_the_middle"].message == (
        f"`noise_to` {words} It is right for the published numbers, but wrong for new ones."
    )


def test_an_argument_changed_in_place_fails_a_check_of_its_own(judge):
    made, checks = judge(
        RIGHT.replace(
            "a = per_sample(t, x0, alpha_bars)", "a = per_sample(t, x0, alpha_bars)\n    x0 *= a ** .5\n    return x0 + (1 - a) ** .5 * eps"
        )
    )
    assert [check.id for check in made.checks if check.outcome != "passed"] == ["jump_arguments_stay"]
    assert checks["jump_arguments_stay"].message == (
        "`noise_to(x0=array (4, 2, 5, 9), t=200, eps=array (4, 2, 5, 9), alpha_bars=array (301,))` "
        "changed its argument `x0` in place: work on a copy."
    )


def test_a_file_that_does_not_load_is_told_once_for_every_check(judge):
    made, checks = judge("def broken(:\n")
    assert checks["by_hand"].message == (
        "`forward.py` raised SyntaxError (line 1): invalid syntax. Python cannot read this line: look for a missing bracket, quote or colon"
        " in it or just above."
    )
    assert sum(c.points for c in made.checks) == 0


def test_a_function_by_another_name_is_named_with_the_near_one(judge):
    _, checks = judge(RIGHT.replace("def noise_to", "def noise_two"))
    assert checks["in_the_middle"].message.endswith(
        "raised NameError: there is no function `noise_to` in forward.py, but there is `noise_two`."
    )


def test_names_from_a_star_import_do_not_hide_the_students_own(judge):
    made, _ = judge("from numpy import *\nfrom math import *\n" + RIGHT)
    assert sum(c.points for c in made.checks) == 20


def test_after_a_death_the_next_check_gets_a_fresh_guest(judge):
    source = RIGHT.replace("def alpha_bars(betas):", "def alpha_bars(betas): __import__('os')._exit(3);")
    made, checks = judge(source)
    assert checks["multiplies_up"].reason == "killed"
    assert checks["multiplies_up"].message == "`alpha_bars(betas=array (7,))` gave no answer: the process ended itself with status 3."
    assert checks["in_the_middle"].outcome == "passed"
    assert sum(c.points for c in made.checks) == 17.5


def test_after_three_deaths_the_rest_is_not_run(judge):
    source = "import os\n" + RIGHT.replace("): ", "): os._exit(3); ").replace("alpha_bars):\n", "alpha_bars):\n    os._exit(3)\n")
    made, checks = judge(source)
    assert {check.reason for check in made.checks if check.outcome == "failed"} == {"killed"}
    assert checks["the_way_back"].message == "`forward.py` gave no answer: its process was lost 3 times, so it is not run again."


LATE = RIGHT.replace("return (1 - beta) ** .5", "return late(beta) ** .5") + """
def late(beta):
    import importlib
    return importlib.import_module("torch").tensor(1 - beta, dtype=importlib.import_module("torch").float64)
"""
GUESSED = {"an import behind another": "import os, torch\n" + RIGHT, "torch by another name": "import torch as tensors\n" + RIGHT}
LIGHT = {
    "an import in a function": LATE,
    "an import in a function that catches everything": RIGHT.replace("return (1 - beta)", "torched(); return (1 - beta)")
    + "def torched():\n    try:\n        exec('import tor' + 'ch')\n    except BaseException:\n        1 / 0\n",
    "an import by name": "__import__('tor' + 'ch')\n" + RIGHT,
}


@pytest.mark.parametrize("source", GUESSED.values(), ids=GUESSED.keys())
def test_the_guess_of_what_is_preloaded_sees_every_plain_import(judge, source):
    made, _ = judge(source)
    assert (sum(c.points for c in made.checks), made.notes.lacked) == (20, ())


@pytest.mark.parametrize("source", LIGHT.values(), ids=LIGHT.keys())
def test_where_the_guess_was_too_light_the_file_is_run_again_with_more_and_loses_nothing(judge, source):
    """Once; what was run before stays, and the rerun with the published numbers begins with what is needed."""
    made, _ = judge(source)
    assert (sum(c.points for c in made.checks), made.notes.lacked) == (20, ("torch",))
    made, checks = judge(source.replace("+ beta ** .5 * eps", "+ beta * eps"))
    assert (checks["by_hand"].misconception, made.notes.lacked) == ("beta_as_standard_deviation", ("torch",))


def test_a_guest_that_asks_for_more_than_there_is_is_refused(judge):
    forged = """
import os, struct, msgspec, sys
def linear_betas(*args):
    running = sys._getframe(1).f_locals["self"].running
    body = msgspec.msgpack.encode(("Lacks", running, "everything"))
    os.write(3, struct.pack("<I", len(body)) + body)
    while True: pass
"""
    made, checks = judge(forged)
    assert checks["starts_and_ends"].message.endswith(" was refused: it asked for more than there is.")
    assert made.notes.lacked == ("everything",)


ENDS = {
    "sys.exit": "import sys\nsys.exit(0)",
    "quit": "quit()",
    "exit under the main program": "if __name__ == '__main__':\n    main()\n    exit()",
    "a plot": "import matplotlib.pyplot as plt\nplt.plot(linear_betas(9))\nplt.show()",
    "a file": "np.save('betas.npy', linear_betas(9))",
    "an input": "x = float(input('x? '))\nprint(forward_step(x, 0.1, 0))",
    "a test": "assert linear_betas(9)[1] == 7",
    "a missing package": "import pandas, sklearn, seaborn",
    "a notebook's magic": "%matplotlib inline\n!pip install numpy\nget_ipython().magic('reset -f')",
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS.keys())
def test_a_right_file_may_end_as_it_likes(judge, end):
    made, _ = judge(RIGHT + end + "\n")
    assert sum(c.points for c in made.checks) == 20


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
def test_a_right_file_may_be_saved_in_any_usual_encoding(judge, encoding):
    made, _ = judge(RIGHT + "# Größe\n", encoding=encoding)
    assert sum(c.points for c in made.checks) == 20


def test_a_name_that_a_failed_statement_should_have_defined_is_told_with_its_cause(judge):
    _, checks = judge(RIGHT.replace("import numpy as np", "import nunpy as np"))
    assert checks["multiplies_up"].message == (
        "`alpha_bars(betas=array (7,))` raised NameError (line 4): name 'np' is not defined; line 2 raised ModuleNotFoundError: "
        "`nunpy` is not available while grading: there are numpy and torch, and each file stands alone. "
        "This name is not defined: look for a typing mistake or a missing import."
    )


class Busy:
    """A sandbox on a machine that is too busy: each guest that it opens goes through `slow` with its number."""

    def __init__(self, sandbox, slow):
        self.limits, self.opened, self._sandbox, self._slow = sandbox.limits, 0, sandbox, slow

    def open(self, profile):
        guest = self._sandbox.open(profile)
        self.opened += 1
        self._slow(guest, self.opened)
        return guest


@pytest.fixture
def busy(forward, sandbox):
    def busy(slow):
        machine, submission = Busy(sandbox, slow), Submission("s", "12_diffusion", "forward", "forward.py", RIGHT.encode(), "0", "present")
        made = attempt(submission, forward, machine, PUBLIC)
        return sum(check.points for check in made.checks), machine.opened, {c.message for c in made.checks if c.reason == "timed_out"}

    return busy


def stopped(guest):
    guest.call = lambda *_: guest.close() or Outcome("timed_out", detail="no answer in 5 s", idle=True)


def waited_for(guest):
    call = guest.call

    def slow(*given):
        guest.waited += 10_000
        return call(*given)

    guest.call = slow


STOPPED = "`linear_betas(T=26, first=0.009446, last=0.07697)` was stopped: no answer in 5 s."


@pytest.mark.parametrize(("times", "score", "opened", "words"), [(0, 20, 1, set()), (1, 20, 2, set()), (2, 18, 3, {STOPPED})])
def test_a_call_that_the_clock_on_the_wall_alone_stopped_is_tried_again_once(busy, times, score, opened, words):
    """The first time it may be this machine, which was busy: it costs nothing, not even a guest. The second time it counts."""
    assert busy(lambda guest, number: stopped(guest) if number <= times else None) == (score, opened, words)


def test_one_that_the_machine_never_gets_to_is_stopped_and_told(busy):
    """It has one guest more than one that computes for ever."""
    score, opened, words = busy(lambda guest, _: stopped(guest))
    assert (score, opened) == (0, GUESTS + 1)
    assert "`forward.py` was stopped: its process was lost 3 times, so it is not run again." in words


def dozes(guest):
    call = guest.call

    def slow(*given):
        guest.slept += 9
        return call(*given)

    guest.call = slow


def test_all_that_a_submission_sleeps_is_no_more_than_it_may_compute(busy):
    """Nothing is tried again: it was not the machine."""
    score, opened, words = busy(lambda guest, _: dozes(guest))
    assert (score < 20, opened) == (True, 1)
    assert "`forward.py` was stopped: all checks together may sleep for 20 s." in words
    assert all(one.endswith("was stopped: all checks together may sleep for 20 s.") for one in words)


def test_all_the_time_that_a_submission_is_waited_for_is_given_anew_once(busy):
    assert busy(lambda guest, number: waited_for(guest) if number == 1 else None) == (20, 2, set())
    score, opened, words = busy(lambda guest, _: waited_for(guest))
    assert (score < 20, opened) == (True, 2)
    assert "`forward.py` was stopped: all checks together may take 200 s." in words


def test_answers_are_marked_by_the_same_functions(lesson, root):
    functions = functions_of(root, lesson)

    def told(text):
        submission = Submission("s", lesson.id, "practice", "answers.yaml", text.encode(), "0", "present")
        return next(check for check in mark_answers(submission, lesson, functions).checks if check.id == "fresh-step")

    assert told("fresh-step: 0.790").outcome == "passed"
    misconception = told("fresh-step: 0.550")
    assert (misconception.reason, misconception.misconception, misconception.points) == ("wrong", "beta_as_standard_deviation", 0)
    assert (
        told("fresh-stp: 0.790").message == "There is no answer yet. There is an answer to `fresh-stp`: is it meant for this question?"
    )
    assert told("fresh step 0.790\nx:1\nddim-training: nothing\n").message == (
        "There is no answer yet. The line `fresh step 0.790` was not read: is it meant for this question?"
    )
    unread = told("ddim-training: nothing\nfresh-step: [")
    assert unread.reason == "refused"
    assert unread.message.startswith("This answer cannot be read: line 3: this is not YAML")
    broken = told("[")
    assert broken.reason == "refused"
    assert broken.message.startswith("`answers.yaml` cannot be read: line ")
