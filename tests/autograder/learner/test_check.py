"""The public checks at home: the grader's own words, what is told beside them, and lines that really repeat a failure."""

import io
import json
import struct
import zlib
from contextlib import nullcontext, redirect_stdout
from types import SimpleNamespace

import numpy as np
import pytest

from autograder.cli.check import _draw as draw
from autograder.course.errors import SandboxFault, UsageError, WallsMissing
from autograder.course.model import Submission
from autograder.course.policy import Policy
from autograder.grading.attempt import PUBLIC, attempt, load_materials
from autograder.grading.checks import Transcript, executed_by, run, seed_of
from autograder.grading.reference import load_module
from autograder.learner.check import Checker
from autograder.learner.files import Named
from autograder.learner.repro import line, reach
from autograder.sandbox.guests import Guest, Outcome
from autograder.sandbox.local import LocalRunner
from autograder.sandbox.servers import Sandbox


@pytest.fixture
def check(workspace, checker):
    """Write a file into the workspace and check it."""

    def check(source, exercise="forward", name=None, by=checker):
        (workspace.folder / (name or f"{exercise}.py")).write_bytes(source if isinstance(source, bytes) else source.encode())
        return by.check(workspace, exercise)

    return check


def by_id(checked):
    return {one.id: one for one in checked.checks}


MISTAKEN = "beta ** .5 * eps", "beta * eps"


def test_the_words_are_the_graders_own(check, right, root, lesson, sandbox):
    """Each result equals, but for its seconds, what `attempt` says of the same file with the published numbers."""
    source = right.replace(*MISTAKEN).replace("(1 - a) ** .5 * eps) / a ** .5", "a ** .5 * eps) / a ** .5")
    materials = load_materials(next(one for one in lesson.exercises if one.id == "forward"))
    submission = Submission("", lesson.id, "forward", "forward.py", source.encode(), "", "present")
    graded = attempt(submission, materials, sandbox, PUBLIC).checks
    seen = check(source).checks
    facts = ("id", "title", "points", "max_points", "outcome", "reason", "message", "misconception", "section", "card")
    assert [[getattr(one, fact) for fact in facts] for one in seen] == [[getattr(one, fact) for fact in facts] for one in graded]
    assert by_id(check(source))["by_hand"].misconception == "beta_as_standard_deviation"


def test_without_walls_the_words_are_the_same(check, right):
    """A plain process, as on a system that has no walls, gives what a guest behind walls gives."""
    source = right.replace(*MISTAKEN).replace("def alpha_bars(betas): return", "def alpha_bars(betas):\n  print('hello')\n  return nothing if len(betas) == 7 else")
    behind = check(source)
    with Checker(Policy(), tell=str, walls=False) as checker:
        alone = check(source, by=checker)
        assert not checker.walled
    assert [(one.id, one.outcome, one.message) for one in alone.checks] == [(one.id, one.outcome, one.message) for one in behind.checks]
    assert alone.remarks == behind.remarks


def test_where_walls_are_missing_a_check_says_so_before_it_runs_anything(check, right, monkeypatch):
    """A system may have Landlock and not let it be used: the student's own file is then run without walls, and this is told first."""

    def refuse(self, profile):
        raise WallsMissing({"landlock": "not here"})

    happened = []
    opened = LocalRunner.open
    monkeypatch.setattr(Sandbox, "open", refuse)
    monkeypatch.setattr(LocalRunner, "open", lambda self, profile: happened.append("runs") or opened(self, profile))
    with Checker(Policy(), tell=happened.append) as checker:
        assert check(right, by=checker).passed == 14
        assert check(right, by=checker).passed == 14
        assert not checker.walled
    assert happened == [
        "Without walls, as this system lacks landlock (not here): your files run in a plain process with a time limit, and can do whatever"
        " you can.",
        "runs",
        "runs",
    ]


@pytest.mark.parametrize(
    "fault",
    [SandboxFault("a check sent something"), WallsMissing({"landlock": "gone"}), OSError("too many open files"), MemoryError()],
    ids=lambda fault: type(fault).__name__,
)
@pytest.mark.parametrize("when", ["opening", "calling"])
def test_a_file_that_makes_the_sandbox_fail_is_never_run_without_walls(check, right, walls, monkeypatch, tmp_path, fault, when):
    """Once the walls stood, whatever fails afterwards is a fault of the sandbox: no plain process is started, now or later."""
    marker = tmp_path / "ran-without-walls"
    hostile = f"try: open({str(marker)!r}, 'w')\nexcept OSError: pass\n{right}"
    opened, guests = Sandbox.open, []

    def fails(self, *given, **named):
        raise fault

    def open_once(self, profile):
        guests.append(profile)
        if len(guests) > 1 and when == "opening":
            raise fault
        return opened(self, profile)

    monkeypatch.setattr(Sandbox, "open", open_once)
    monkeypatch.setattr(LocalRunner, "open", lambda self, profile: pytest.fail("a plain process"))
    if when == "calling":
        monkeypatch.setattr(Guest, "call", fails)
    with Checker(Policy(), tell=pytest.fail) as checker:
        refused = when == "calling" and isinstance(fault, MemoryError)  # memory that a call's values take is the file's own affair
        for _ in range(2):
            with nullcontext() if refused else pytest.raises(type(fault)):
                assert check(hostile, by=checker).score == 0
            assert checker.walled
    assert not marker.exists()


def test_a_fault_while_the_walls_are_tried_is_no_reason_to_go_without(check, right, walls, monkeypatch):
    """Only walls that are missing are: another fault may come from whoever wrote the files in this folder."""
    monkeypatch.setattr(Sandbox, "open", lambda self, profile: (_ for _ in ()).throw(SandboxFault("the fork server does not answer: it ended")))
    monkeypatch.setattr(LocalRunner, "open", lambda self, profile: pytest.fail("a plain process"))
    with Checker(Policy(), tell=pytest.fail) as checker, pytest.raises(SandboxFault, match="the fork server does not answer: it ended"):
        check(right, by=checker)


def test_a_right_file_passes_all_and_nothing_is_remarked(check, right):
    checked = check(right)
    assert (checked.score, checked.max_score, checked.passed, checked.failing, checked.remarks) == (20, 20, 14, (), {})


def test_what_is_not_written_yet_is_told_of_an_untouched_file(workspace, checker):
    assert checker.check(workspace, "forward").problem == (
        "`forward.py` is still the starter: you have not written anything in it yet, or not saved it."
    )


@pytest.mark.parametrize(
    ("source", "name", "problem"),
    [
        (b"", "forward.py", "`forward.py` is empty: save it in your editor first."),
        (b" \n", "forward.py", "`forward.py` is empty: save it in your editor first."),
        (b"\xff\xfe\0", "forward.py", "`forward.py` is not text in UTF-8."),
        (b"x \0 = 1", "forward.py", "`forward.py` is not text: it contains zero bytes."),
    ],
    ids=["empty", "blank", "half a character", "zero bytes"],
)
def test_a_file_that_is_no_text_is_told(check, source, name, problem):
    checked = check(source, name=name)
    assert (checked.problem, checked.checks) == (problem, ())


def test_a_notebook_that_was_not_saved_is_told(workspace, checker):
    """Jupyter makes an empty file first; a notebook that is as it was given holds nothing of the student's either."""
    (workspace.folder / "forward.py").unlink()
    (workspace.folder / "forward.ipynb").write_bytes(b"")
    assert checker.check(workspace, "forward").problem == "`forward.ipynb` is empty: save it in your editor first."


def test_what_is_not_begun_in_a_notebook_is_blank_and_a_starter_of_its_own_is_not(workspace, checker, check):
    """A notebook holds every exercise: those that nobody has begun take a line each."""
    book = json.loads((workspace.folder / "12_diffusion.ipynb").read_text(encoding="utf-8"))
    for cell in book["cells"]:
        source = "".join(cell["source"])
        cell["source"] = source.replace('raise NotImplementedError("forward_step")', "return x_prev")
    (workspace.folder / "12_diffusion.ipynb").write_text(json.dumps(book), encoding="utf-8")
    checked = [checker.check(workspace, exercise, workspace.folder / "12_diffusion.ipynb") for exercise in ("schedule", "forward")]
    assert [one.blank for one in checked] == [True, False]
    assert not check("def linear_betas(T): raise NotImplementedError('mine')\n").blank


@pytest.mark.parametrize("name", ["forward.ipynb", "forward.py"])
def test_a_notebook_is_checked_and_its_failures_are_repeated_in_a_cell(workspace, checker, right, name):
    """Also one that was saved under the name of a Python file."""
    (workspace.folder / "forward.py").unlink()
    cells = [{"cell_type": "code", "source": right.replace(*MISTAKEN)}]
    (workspace.folder / name).write_text(json.dumps({"cells": cells}))
    checked = checker.check(workspace, "forward")
    assert checked.passed == 11
    assert checked.remarks["by_hand"].command == "print(forward_step(0.8, 0.1, -0.3))"


@pytest.mark.parametrize(
    ("source", "message", "advice"),
    [
        (
            "def f():\n        x = 1\n\ty = 2\n",
            "`forward.py` raised TabError (line 3): inconsistent use of tabs and spaces in indentation.",
            "The indentation mixes tabs and spaces: set your editor to turn every tab into four spaces.",
        ),
        (
            "def f():\n    x = 1\n   y = 2\n",
            "`forward.py` raised IndentationError (line 3): unindent does not match any outer indentation level.",
            "The indentation is wrong: all lines of a block begin with the same number of spaces.",
        ),
        (
            "def f(:\n",
            "`forward.py` raised SyntaxError (line 1): invalid syntax.",
            "Python cannot read this line: look for a missing bracket, quote or colon in it or just above.",
        ),
        (
            "import numpy\nx = np.zeros(3)\n",
            "`forward.py` raised NameError (line 2): name 'np' is not defined.",
            "This name is not defined: look for a typing mistake or a missing import.",
        ),
        (
            "beta = float(input())\n",
            "`forward.py` raised EOFError (line 1): nothing can be typed while grading.",
            "Nobody can type an input while the file is checked: a function gets what it needs as arguments, not from input().",
        ),
        ("exit()\n", "`forward.py` raised SystemExit (line 1).", "This ends the whole program: return a value instead."),
    ],
    ids=["tabs and spaces", "indentation", "syntax", "name", "input", "exit"],
)
def test_a_file_that_cannot_be_loaded_is_told_with_advice(check, source, message, advice):
    checked = check(source)
    remark = checked.remarks["starts_and_ends"]
    assert checked.checks[0].message == f"{message} {advice}"
    assert remark.command.endswith('-c "import forward"')


def test_a_file_that_cannot_be_loaded_has_one_fault_and_one_line_says_it(check, right):
    assert check("def f(:\n").stopper.message.startswith("`forward.py` raised SyntaxError (line 1): invalid syntax. Python cannot read")
    assert check("[\n", exercise="practice", name="answers.yaml").stopper.message.startswith("`answers.yaml` cannot be read: line ")
    assert check(right.replace("beta ** .5", "beta")).stopper is None


def test_a_renamed_function_is_told_with_the_near_one(check, right):
    checked = check(right.replace("def forward_step", "def foward_step"))
    assert by_id(checked)["by_hand"].message == (
        "`forward_step(x_prev=0.8, beta=0.1, eps=-0.3)` raised NameError: "
        "there is no function `forward_step` in forward.py, but there is `foward_step`."
    )
    assert checked.remarks["by_hand"].command.partition(" -c ")[2] == '"from forward import forward_step"'


def test_a_traceback_is_cut_to_the_students_own_lines(check, right):
    source = right + "def inner(x):\n    return np.linalg.inv(x)\ndef forward_step(x_prev, beta, eps):\n    return inner(np.zeros((2, 3)))\n"
    checked = check(source)
    assert checked.remarks["by_hand"].lines == ("line 16: return inner(np.zeros((2, 3)))", "line 14: return np.linalg.inv(x)")


def test_a_line_that_is_passed_twice_in_a_row_is_shown_once(check, right):
    """A comprehension is a frame of its own."""
    broken = right.replace("return np.r_[0, np.linspace(first, last, T)]", "return [1 / (T - T) for _ in range(T)]")
    assert len(check(broken).remarks["starts_and_ends"].lines) == 1


def test_what_a_file_prints_is_kept(check, right):
    assert check(right + "print('seen')\n").stdout.startswith("seen\n")


def test_answers_are_checked_too_and_may_have_a_decimal_comma(check):
    checked = check("fresh-step: 0,79\nwhy-not-one-step: blurred-mean\n", exercise="practice", name="answers.yaml")
    results = by_id(checked)
    assert results["fresh-step"].outcome == "passed"
    assert results["why-not-one-step"].outcome == "passed"
    assert results["loss-by-hand"].message == "There is no answer yet."


def test_a_function_above_the_starters_is_told_to_be_replaced_by_it(workspace, check):
    """Nobody is told that nothing is written where something is: above the starter's in a file, or in a cell above it."""
    given = (workspace.folder / "forward.py").read_text(encoding="utf-8")
    mine = "def forward_step(x_prev, beta, eps):\n    return x_prev\n\n\n"
    assert check(mine + given).problem == "You wrote `forward_step`, but the starter's further down replaces it: delete the starter's."
    assert check(given + mine).problem == ""


def test_dividing_by_zero_prints_nothing_where_infinity_is_right(check):
    """The starter of snr suggests one line, whose first entry is infinite; other warnings are shown."""
    source = "import numpy as np\ndef snr(alpha_bars): return alpha_bars / (1 - alpha_bars)\n"
    assert check(source, exercise="schedule").stdout == ""
    assert "invalid value" in check(source.replace("alpha_bars /", "np.sqrt(-alpha_bars) /"), exercise="schedule").stdout


# ---- images


def test_images_of_the_students_own_sampler_are_saved_above_the_references(workspace, checker, root):
    path = workspace.folder / "ddim.py"
    path.write_bytes((root / "solutions" / "12_diffusion" / "ddim.py").read_bytes())
    saved, comparing = checker.draw(workspace, Named("ddim", path))
    image = read_png(saved)
    assert comparing
    assert saved.name == "ddim-images.png"
    assert image.shape == (2 * 18 * 6, 8 * 18 * 6)  # two rows of eight, with a margin of a pixel, each pixel six wide
    assert (image[:108] == image[108:]).all()
    assert image.std() > 50


def read_png(path):
    """Read a grey PNG without filters."""
    data = path.read_bytes()
    width, height = struct.unpack(">II", data[16:24])
    lines = zlib.decompress(data[41:-16])
    return np.frombuffer(lines, np.uint8).reshape(height, width + 1)[:, 1:]


def test_a_release_draws_with_the_exact_prediction(root, monkeypatch):
    """There is no network in it, but the samplers still end at images: quilts, whose pixels are -1 or 1."""
    shows = load_module(root / "exercises" / "12_diffusion" / "checks" / "shows.py")
    own = load_module(root / "solutions" / "12_diffusion" / "ddim.py")
    monkeypatch.setattr(shows, "denoiser", shows.exact)
    images = np.asarray(shows.ddim(own, np.random.default_rng(0)))
    assert images.shape == (8, 1, 8, 8)
    assert np.abs(np.abs(images) - 1).max() < 0.05


def test_what_draws_no_images_is_told(workspace, checker):
    def told(exercise):
        with pytest.raises(UsageError) as error:
            checker.draw(workspace, Named(exercise, workspace.folder / f"{exercise}.py"))
        return str(error.value)

    assert told("schedule") == "schedule.py draws no images\n  fix: show one of ddpm, ddim, train"
    assert told("ddim") == "ddim.py gives no images yet\n  fix: first let the checks pass: `course check ddim`"


def test_no_images_yet_is_work_that_is_not_done_and_keeps_no_other_from_drawing(workspace, checker, capsys):
    """The exit status is 1, as for a check that fails; it is 2 where none of the files could ever draw."""
    files = [Named(exercise, workspace.folder / f"{exercise}.py") for exercise in ("schedule", "ddpm", "ddim")]
    assert draw(checker, workspace, files) == 1
    assert capsys.readouterr().err.splitlines()[::2] == ["ddpm.py gives no images yet", "ddim.py gives no images yet"]
    with pytest.raises(UsageError):
        draw(checker, workspace, files[:1])


def test_a_slow_machine_is_not_the_samplers_fault(workspace, checker, monkeypatch):
    """What ran out of time while it drew is told as that, and not as checks that fail."""
    run = SimpleNamespace(transcripts={"show": Transcript(ended=Outcome("timed_out"))}, executed=lambda checks: nullcontext())
    monkeypatch.setattr("autograder.learner.check.SubmissionRun", lambda *given: run)
    with pytest.raises(UsageError) as error:
        checker.draw(workspace, Named("ddim", workspace.folder / "ddim.py"))
    assert str(error.value) == "ddim.py took longer to draw than a run may take here\n  fix: if its checks pass, try again when less is running"


# ---- lines that repeat a failure


def repeated(command, folder, monkeypatch):
    """Run what `course check` says to paste, in this process: what it prints."""
    python = command.partition(' -c "')[2].removesuffix('"')
    assert '"' not in python
    assert python.isprintable()
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(str(folder))
    for module in ("forward", "loss"):
        monkeypatch.delitem(__import__("sys").modules, module, raising=False)
    printed = io.StringIO()
    with redirect_stdout(printed):
        exec(python, {})
    return printed.getvalue().strip()


def test_a_call_with_numbers_is_written_out_and_prints_the_wrong_value(check, right, workspace, monkeypatch):
    command = check(right.replace(*MISTAKEN)).remarks["by_hand"].command
    assert command.endswith('-c "from forward import *; print(forward_step(0.8, 0.1, -0.3))"')
    assert float(repeated(command, workspace.folder, monkeypatch)) == pytest.approx(0.7289, abs=1e-4)


def test_a_short_array_is_written_out(check, right, workspace, monkeypatch):
    command = check(right.replace("np.cumprod(1 - betas)", "np.cumprod(betas)")).remarks["multiplies_up"].command
    assert "from forward import *; import numpy as np; print(alpha_bars(np.array([0.0, " in command
    assert repeated(command, workspace.folder, monkeypatch) == "[0. 0. 0. 0. 0. 0. 0.]"


def test_large_arrays_are_kept_beside_and_give_just_the_value_that_was_wrong(check, right, workspace, monkeypatch):
    """The message's actual value, at the place it names, is what the pasted line computes."""
    checked = check(right.replace("return a ** .5 * x0", "return a * x0"))
    command = checked.remarks["in_the_middle"].command
    first = command.replace("print(noise_to(", "print(np.ravel(noise_to(").removesuffix(')"') + ')[0])"'
    value = float(repeated(first, workspace.folder, monkeypatch))
    assert f"gave {value:.4g} at [0, 0, 0, 0] where" in by_id(checked)["in_the_middle"].message


def test_an_argument_that_was_changed_is_shown_to_have_changed(check, right, workspace, monkeypatch):
    source = right + "def forward_step(x_prev, beta, eps):\n    if np.ndim(x_prev): x_prev *= (1 - beta) ** .5\n    else: x_prev = (1 - beta) ** .5 * x_prev\n    return x_prev + beta ** .5 * eps\n"
    checked = check(source)
    assert "changed its argument `x_prev` in place" in by_id(checked)["step_arguments_stay"].message
    assert repeated(checked.remarks["step_arguments_stay"].command, workspace.folder, monkeypatch) == "False"


def test_a_call_with_functions_is_played_again_in_the_students_own_python(workspace, lesson, monkeypatch):
    """What takes a function cannot be written out: `again` plays the check, and raises or gives just what the file does."""
    exercise = next(one for one in lesson.exercises if one.id == "loss")
    materials = load_materials(exercise)
    source = "def noise_mse(eps_model, x0, t, eps, alpha_bars):\n    return 7.5\n"
    (workspace.folder / "loss.py").write_text(source)
    module = load_module(workspace.folder / "loss.py")
    check = materials.checks[0]
    transcript = run(check, executed_by(lambda name: getattr(module, name)), materials.answers, seed_of(PUBLIC, "loss", check.id))
    python = line("loss", check.id, transcript, materials.answers.function, workspace.hidden, reach(workspace, "loss", workspace.folder / "loss.py"))
    assert python == f"from autograder.learner.repro import again; print(again('loss', '{check.id}'))"
    assert repeated(f'python -c "{python}"', workspace.folder, monkeypatch) == "7.5"
    (workspace.folder / "loss.py").write_text(source.replace("7.5", "1 / 0"))
    with pytest.raises(ZeroDivisionError):
        repeated(f'python -c "{python}"', workspace.folder, monkeypatch)


def test_a_line_calls_the_function_of_just_the_file_that_was_checked(right, workspace, checker, monkeypatch):
    """Not the one of the same name in the workspace: another file is run, and a notebook has its functions."""
    (workspace.folder / "sub").mkdir()
    for name in ("forward.py", "forward (1).py"):
        path = workspace.folder / "sub" / name
        path.write_text(right.replace(*MISTAKEN))
        checked = checker.check(workspace, "forward", path)
        assert checked.label == ("sub/forward.py" if name == "forward.py" else "forward in sub/forward (1).py")
        assert float(repeated(checked.remarks["by_hand"].command, workspace.folder, monkeypatch)) == pytest.approx(0.7289, abs=1e-4)
    book = workspace.folder / "12_diffusion.ipynb"
    book.write_text(json.dumps({"cells": [{"cell_type": "code", "source": "def noise_mse(*args): return 1 / 0"}]}))
    remarks = checker.check(workspace, "loss", book).remarks
    lines = {remark.command.replace(name, "CHECK") for name, remark in remarks.items()}
    assert lines == {"from autograder.learner.repro import again; print(again('loss', 'CHECK', globals()))", "training_step"}


def test_an_unknown_check_cannot_be_played_again(workspace, monkeypatch):
    from autograder.learner.repro import again

    monkeypatch.chdir(workspace.folder)
    with pytest.raises(UsageError) as error:
        again("forward", "nothing")
    assert str(error.value) == "there is no check `nothing` of `forward`\n  fix: paste the line as `course check` printed it"


def test_where_nothing_can_be_kept_the_check_is_played_again(check, right, workspace, monkeypatch):
    """On a read-only disk no array can be kept beside."""

    def refuse(*args, **kwargs):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(np, "savez", refuse)
    command = check(right.replace("return a ** .5 * x0", "return a * x0")).remarks["in_the_middle"].command
    assert command.endswith("""-c "from autograder.learner.repro import again; print(again('forward', 'in_the_middle'))\"""")


def test_a_written_function_that_uses_an_unwritten_one_is_not_called_unwritten(check, right):
    """It is told what to write first."""
    source = right + "\ndef forward_step(x_prev, beta, eps): raise NotImplementedError('forward_step')\n"
    source += "def noise_to(x0, t, eps, alpha_bars): return forward_step(x0, 1 - alpha_bars[t], eps)\n"
    checked = check(source)
    assert checked.unwritten == ("forward_step",)
    told = by_id(checked)["in_the_middle"].message
    assert told.endswith("): forward_step. It uses `forward_step`, which is not right yet: fix that first.")
