"""The command line as a stranger meets it: the contract, every refusal in full, and interruptions."""

import csv
import importlib
import io
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from rich.console import Console

from autograder.cli import grade
from autograder.cli.main import COMMANDS, HIDDEN, main
from autograder.course.errors import UsageError
from autograder.course.policy import Limits
from autograder.sandbox.guest.walls import WALLS
from autograder.sandbox.properties import PROPERTIES, Examination
from tests.courses import CLONE, ROOT
from tests.programs import running, wait_for

TINY = ROOT / "tests" / "broken_courses" / "tiny"
COURSE = [sys.executable, "-m", "autograder"]


def course(*arguments, cwd=ROOT, **options):
    return subprocess.run([*COURSE, *map(str, arguments)], cwd=cwd, capture_output=True, text=True, timeout=300, **options)


def typed(*arguments):
    """Give what `course` does, but without a process of its own: what it refuses and writes is the same, in half a second less."""
    return CliRunner().invoke(main, [*map(str, arguments)], catch_exceptions=False)


def hand_in(folder, **students):
    for name, source in students.items():
        (folder / name).mkdir(parents=True)
        (folder / name / "forward.py").write_text(source, encoding="utf-8")


RIGHT_STEP = "def forward_step(x_prev, beta, eps): return (1 - beta) ** .5 * x_prev + beta ** .5 * eps\n"
BETA_STEP = "def forward_step(x_prev, beta, eps): return (1 - beta) ** .5 * x_prev + beta * eps\n"


@pytest.fixture(scope="module")
def graded(tmp_path_factory, walls):
    """A small class, graded once: a right step, a misconception, a loop, an empty folder, a link, and a name like a formula."""
    base = tmp_path_factory.mktemp("cli")
    hand_in(base / "class", ada=RIGHT_STEP, bo=BETA_STEP, **{"=cmd": RIGHT_STEP + "print('\\x1b[31mhello')\n", "Åse Ø": "def f(:\n"})
    (base / "class" / "empty").mkdir()
    (base / "class" / "link").symlink_to(base / "class" / "ada")
    (base / "class" / "ada" / "answers.yaml").write_text("fresh-step: 0.790\n")
    done = course("grade", base / "class", "--out", base / "out", "--seed", 5, "--exercise", "forward", "--exercise", "practice", "--workers", 1)
    lines = [json.loads(line) for line in (base / "out" / "results.jsonl").read_text(encoding="utf-8").splitlines()]
    return base, done, {(line["student"], line["exercise"]): line for line in lines}


def test_a_folder_that_cannot_be_read_is_told_and_the_rest_is_graded(graded):
    _, done, _ = graded
    assert done.stderr == "walls: landlock, seccomp, limits, privileges\nlink: the student's folder is a link, which is not followed\n"
    assert done.returncode == 1


@pytest.mark.usefixtures("examined")
def test_a_folder_one_level_too_high_or_too_low_is_told(tmp_path):
    """The class would be one student, or everyone would be missing."""
    hand_in(tmp_path / "term" / "class", ada=RIGHT_STEP)
    (tmp_path / "term" / "class" / "ada" / "empty").mkdir()
    done = typed("grade", tmp_path / "term", "--out", tmp_path / "high", "--exercise", "forward")
    assert done.stderr == "walls: landlock, seccomp, limits, privileges\n`class` holds only folders: if they are the students, give that folder\n"
    done = typed("grade", tmp_path / "term" / "class" / "ada", "--out", tmp_path / "low", "--exercise", "forward")
    assert done.stderr == (
        "walls: landlock, seccomp, limits, privileges\n`forward.py` lies beside the students' folders, so it is nobody's\n"
        f"No student has a file for these exercises: is {tmp_path}/term/class/ada the folder that holds one folder for each student?\n"
    )


@pytest.mark.usefixtures("examined")
@pytest.mark.parametrize("out", ["class", "class/out"])
def test_results_among_the_submissions_are_refused(tmp_path, out):
    hand_in(tmp_path / "class", ada=RIGHT_STEP)
    done = typed("grade", tmp_path / "class", "--out", tmp_path / out)
    assert done.exit_code == 2
    assert done.stderr.endswith(f"{tmp_path}/{out}: results would be among the submissions\n  fix: give --out a folder beside them\n")
    assert [path.name for path in (tmp_path / "class").iterdir()] == ["ada"]


@pytest.mark.usefixtures("examined")
def test_wrong_missing_and_broken_files_are_graded_and_no_fault(tmp_path):
    hand_in(tmp_path / "class", bo=BETA_STEP, cy="def f(:\n")
    (tmp_path / "class" / "di").mkdir()
    (tmp_path / "class" / "bo" / "answers.yaml").write_bytes(b"\xff")
    done = typed("grade", tmp_path / "class", "--out", tmp_path / "out", "--exercise", "forward", "--exercise", "practice")
    assert (done.exit_code, done.stderr) == (0, "walls: landlock, seccomp, limits, privileges\n")


def test_there_is_a_result_for_each_student_and_exercise(graded):
    _, _, results = graded
    assert {student for student, _ in results} == {"ada", "bo", "=cmd", "Åse Ø", "empty", "link"}
    assert {results[name, "forward"]["status"] for name in ("ada", "bo", "=cmd", "Åse Ø")} == {"graded"}
    assert results["empty", "forward"]["status"] == "missing"
    assert results["link", "forward"]["status"] == "unreadable"
    assert results["ada", "practice"]["score"] > 0


def test_missing_and_unreadable_files_score_nothing_of_everything(graded):
    _, _, results = graded
    for name in ("empty", "link"):
        one = results[name, "forward"]
        assert (one["score"], one["max_score"], one["sha256"]) == (0, 20, None)
    assert results["empty", "forward"]["checks"] == []
    assert {check["message"] for check in results["link", "forward"]["checks"]} == {
        "It could not be read: the student's folder is a link, which is not followed."
    }


def test_the_grades_are_a_table_without_formulas(graded):
    base, _, results = graded
    rows = list(csv.DictReader((base / "out" / "grades.csv").read_text(encoding="utf-8").splitlines()))
    assert list(rows[0]) == ["student", "lesson", "exercise", "status", "score", "max_score"]
    assert len(rows) == len(results)
    assert "'=cmd" in {row["student"] for row in rows}


def test_each_student_has_a_feedback_file_without_control_characters(graded):
    base, _, _ = graded
    files = list((base / "out" / "feedback").iterdir())
    assert sorted(path.suffix for path in files) == [".html"] * 6 + [".md"] * 6
    assert not any("\x1b" in path.read_text(encoding="utf-8") for path in files)


def test_the_gradebook_holds_every_attempt_and_the_secret_is_only_the_owners(graded):
    base, _, results = graded
    with sqlite3.connect(base / "out" / "gradebook.sqlite") as db:
        assert db.execute("SELECT count(*) FROM attempts").fetchone() == (len(results),)
    db.close()
    assert (base / "out" / "private" / "rounds.json").stat().st_mode & 0o077 == 0
    assert all(one["round"] == "round-1" for one in results.values())


def test_a_second_run_gives_the_same_results_but_for_times(graded):
    base, _, results = graded
    course("grade", base / "class", "--out", base / "again", "--seed", 5, "--exercise", "forward", "--exercise", "practice", "--workers", 2)
    lines = [json.loads(line) for line in (base / "again" / "results.jsonl").read_text(encoding="utf-8").splitlines()]

    def timeless(one):
        return {**one, "graded_at": "", "checks": [{**check, "seconds": 0} for check in one["checks"]]}

    assert [timeless(one) for one in lines] == [timeless(one) for one in results.values()]


def test_json_prints_one_object_and_nothing_else(graded, examined):
    base, _, _ = graded
    done = typed("grade", base / "class", "--out", base / "json", "--exercise", "forward", "--json")
    summary = json.loads(done.stdout)
    assert summary["statuses"] == {"graded": 4, "missing": 1, "unrecognised": 0, "unreadable": 1, "not_judged": 0}
    assert summary["walls"] == ["landlock", "seccomp", "limits", "privileges"]
    assert summary["interrupted"] is False


def test_where_there_is_no_terminal_a_long_run_says_now_and_then_how_far_it_is(monkeypatch, capsys):
    monkeypatch.setattr(grade, "QUIET_SECONDS", 0)
    with grade.progress_bar(Console(stderr=True)) as show:
        for done in range(1, 4):
            show(done, 3)
    assert capsys.readouterr() == ("", "1 of 3 graded\n2 of 3 graded\n")


def test_results_are_shown_as_tables(graded):
    _, done, _ = graded
    assert "beta_as_standard_deviation" in done.stdout
    assert "\x1b" not in done.stdout


REFUSALS = {
    "a missing folder": (["grade", "{tmp}/nowhere", "--out", "{tmp}/out"], "{tmp}/nowhere: no such folder or zip\n  fix: give the folder that holds one folder for each student, or a platform's zip\n"),
    "an unknown lesson": (["grade", "{tmp}", "--out", "{tmp}/out", "--lesson", "99_x"], "no lesson `99_x`\n  fix: choose one of: 12_diffusion\n"),
    "no course": (["--course", "{tmp}", "doctor"], "{tmp}: no course.yaml there\n  fix: give the folder that holds course.yaml\n"),
    "results where nothing can be": (["grade", "{tmp}/class", "--out", "/proc/nowhere"], "/proc/nowhere: No such file or directory\n  fix: choose a writable folder with --out\n"),
}  # fmt: skip


@pytest.mark.usefixtures("examined")
@pytest.mark.parametrize(("arguments", "message"), REFUSALS.values(), ids=REFUSALS.keys())
def test_what_cannot_be_done_is_refused_in_full_with_status_2(tmp_path, arguments, message):
    hand_in(tmp_path / "class", ada=RIGHT_STEP)
    done = typed(*(argument.format(tmp=tmp_path) for argument in arguments))
    told = done.stderr.removeprefix("walls: landlock, seccomp, limits, privileges\n")
    assert (done.exit_code, told) == (2, message.format(tmp=tmp_path))
    assert "Traceback" not in done.stderr


@pytest.mark.usefixtures("examined")
def test_an_unknown_exercise_names_those_that_are_there(tmp_path):
    hand_in(tmp_path / "class", ada=RIGHT_STEP)
    done = typed("grade", tmp_path / "class", "--out", tmp_path / "out", "--exercise", "forwrd")
    assert done.exit_code == 2
    assert "no exercise `forwrd` in 12_diffusion\n  fix: choose one of: " in done.stderr


def test_a_course_with_faults_is_told_with_file_and_line_and_status_1(tmp_path):
    (tmp_path / "course.yaml").write_text("title: x\ntitel: y\ntrack: z\nphase: p\n")
    done = typed("--course", tmp_path, "doctor")
    assert done.exit_code == 1
    assert "course.yaml:2: " in done.stderr
    assert "  fix: " in done.stderr


@pytest.mark.usefixtures("examined")
def test_results_below_a_package_are_refused(tmp_path):
    import numpy

    hand_in(tmp_path / "class", ada=RIGHT_STEP)
    inside = Path(numpy.__file__).parent / "grades"
    done = typed("grade", tmp_path / "class", "--out", inside)
    assert done.exit_code == 2
    assert done.stderr.endswith(
        f"results in {inside.parent}: submissions can read this folder\n  fix: use a folder outside of Python's packages\n"
    )
    assert not inside.exists()


def test_missing_walls_refuse_unknown_code(tmp_path):
    """Without the library that compiles the filter, grading is refused."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "pyseccomp.py").write_text("raise ImportError('taken away for the test')\n")
    hand_in(tmp_path / "class", ada=RIGHT_STEP)
    stub = f"import sys; sys.path.insert(0, {str(tmp_path / 'site')!r}); "
    boot = (
        f"{stub}import autograder.cli.grade, autograder.sandbox.servers as s; real = s.subprocess.Popen\n"
        f"def popen(command, **k):\n    command[-1] = {stub!r} * ('-c' in command) + command[-1]\n    return real(command, **k)\n"
        "s.subprocess.Popen = popen\nfrom autograder.cli.main import main; main()"
    )
    refused = subprocess.run([sys.executable, "-c", boot, "grade", str(tmp_path / "class"), "--out", str(tmp_path / "out")],
                             cwd=ROOT, capture_output=True, text=True, timeout=120)  # fmt: skip
    assert refused.returncode == 2
    assert refused.stderr == (
        "wall missing: seccomp (taken away for the test)\nuntrusted code cannot be run safely here\n"
        "  fix: see `course doctor`; for files that you trust, --unsafe grades without these walls\n"
    )
    assert not (tmp_path / "out").exists()
    doctor = subprocess.run([sys.executable, "-c", boot, "doctor"], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert doctor.returncode == 1
    assert "\nseccomp     MISSING: taken away for the test\n" in doctor.stdout
    assert doctor.stdout.endswith("\nUntrusted code cannot be run safely here.\n")


def test_a_property_that_does_not_stand_refuses_unknown_code(monkeypatch):
    """All walls were raised, and still something got through: that is told, and only --unsafe grades."""
    monkeypatch.setattr(grade, "examine", lambda limits: Examination(WALLS, 7, {}, {"TCP": ("connect([1])",)}))
    errors = Console(record=True, width=200, file=io.StringIO())
    with pytest.raises(UsageError) as refused:
        grade.check_walls(Limits(), False, errors)
    assert str(refused.value) == (
        "untrusted code cannot be run safely here\n  fix: see `course doctor`; for files that you trust, --unsafe grades without these walls"
    )
    assert errors.export_text(clear=False) == "not held by the walls: TCP (got through: connect([1]))\n"
    assert grade.check_walls(Limits(), True, errors) == WALLS


@pytest.mark.usefixtures("walls")
def test_the_doctor_names_each_wall():
    done = course("doctor")
    assert done.returncode == 0
    for wall in ("landlock", "seccomp", "limits", "privileges"):
        assert f"\n{wall:<11} ok" in done.stdout
    for kept in PROPERTIES:
        assert f"\n  {kept.promise:<64} " in done.stdout
    assert done.stdout.endswith("\nAll walls work: untrusted code can be graded here.\n")


@pytest.mark.usefixtures("examined")
def test_the_doctor_says_the_same_as_data():
    told = json.loads(typed("doctor", "--json").stdout)
    assert told["walls"] == dict.fromkeys(("landlock", "seccomp", "limits", "privileges"), "ok")
    assert [kept["name"] for kept in told["properties"] if kept["tried"] and kept["held_by"] and not kept["got_through"]] == [kept.name for kept in PROPERTIES]
    assert told["safe"] is True


def many(folder, count, source):
    hand_in(folder, **{f"s{number:04d}": source for number in range(count)})


def attempts(out):
    try:
        with sqlite3.connect(f"file:{out / 'gradebook.sqlite'}?mode=ro", uri=True) as db:
            return db.execute("SELECT count(*) FROM attempts").fetchone()[0]
    except sqlite3.Error:
        return 0
    finally:
        if "db" in locals():
            db.close()


SLOW = RIGHT_STEP + "import time\ntime.sleep(0.2)\n"


@pytest.mark.usefixtures("walls")
def test_ctrl_c_keeps_what_is_done(tmp_path):
    """There are so many that no run is over before the signal, however late it comes."""
    many(tmp_path / "class", 1000, SLOW)
    command = [*COURSE, "grade", tmp_path / "class", "--out", tmp_path / "out", "--exercise", "forward"]
    with running(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        wait_for(lambda: attempts(tmp_path / "out") >= 3)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate()
    kept = (tmp_path / "out" / "results.jsonl").read_text(encoding="utf-8").splitlines()
    assert process.returncode == 1
    assert 3 <= len(kept) < 1000
    assert errors.endswith(f"Interrupted: {len(kept)} of 1000 are graded and kept.\n")


@pytest.mark.usefixtures("walls")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_nothing_is_left_in_the_temporary_folder_however_a_command_is_ended(tmp_path, number):
    """Also if it has ended by itself when the signal comes."""
    with running([*COURSE, "doctor"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ | {"TMPDIR": str(tmp_path)}) as process:
        wait_for(lambda: any(tmp_path.glob("*/spot")) or process.poll() is not None)
        process.send_signal(number)
        process.communicate()
    assert process.returncode in (0, 1, -number)
    assert list(tmp_path.iterdir()) == []


def test_a_release_is_built_and_what_is_in_it_is_said(tmp_path):
    done = typed("--course", TINY, "release", "--out", tmp_path / "out")
    said = f"{tmp_path}/out: 1 exercises, 5 questions, 2 cards, recordings of 2 misconceptions; 0.0 MB. It contains no solutions.\n"
    assert (done.stdout, done.exit_code) == (said, 0)


def test_a_release_for_a_platform_says_what_was_written(tmp_path):
    done = typed("--course", TINY, "release", "--to", "nbgrader", "--out", tmp_path / "nb")
    assert done.stdout == f"{tmp_path}/nb/nbgrader_config.py\n{tmp_path}/nb/source/13_adding/13_adding.ipynb\n"
    done = typed("--course", TINY, "release", "--to", "gradescope", "--out", tmp_path)
    assert re.fullmatch(rf"{tmp_path}/autograder\.zip: 0\.\d MB, with the solutions and a secret: for Gradescope, not for students.\n", done.stdout)


# ---- help


def commands(group, above=()):
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        yield (*above, name), command
        if isinstance(command, click.Group):
            yield from commands(command, (*above, name))


@pytest.mark.parametrize(("name", "command"), list(commands(main)), ids=lambda value: " ".join(value) if isinstance(value, tuple) else "")
def test_every_command_has_help_and_is_documented(name, command):
    assert command.help
    assert all(option.help for option in command.params if isinstance(option, click.Option))
    assert f"### course {' '.join(name)}\n" in (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")


def test_the_list_of_commands_names_each_once_with_a_whole_sentence():
    listed = {name: sentence for commands in COMMANDS.values() for name, (_, sentence) in commands.items()}
    assert len(listed) == sum(map(len, COMMANDS.values()))
    lines = typed("--help").stdout.partition("\nLearn:\n")[2].splitlines()
    told = [line for line in lines if line.startswith("  ")]
    assert len(told) == len(listed)
    assert all(line.endswith(".") and not line.endswith("...") for line in told)


def test_the_list_of_commands_is_all_that_there_is_in_their_own_words():
    """The table is written by hand, so that help imports nothing: it says what each command says, and leaves none out."""
    context = click.Context(main)
    for commands in COMMANDS.values():
        for name, (_, sentence) in commands.items():
            assert main.get_command(context, name).get_short_help_str(200) == sentence
    modules = [importlib.import_module(f"autograder.cli.{path.stem}") for path in (CLONE / "autograder" / "cli").glob("[!_]*.py")]
    written = {one.name for module in modules for one in vars(module).values() if isinstance(one, click.Command) and one is not main}
    children = {child for one in ("misconceptions",) for child in main.get_command(context, one).commands}
    assert written == {*main.list_commands(context), *children}
    assert {name for name in written if name in HIDDEN} == {name for name in main.list_commands(context) if main.get_command(context, name).hidden}


def test_help_and_version_load_neither_numpy_nor_torch():
    code = "import sys; from autograder.cli.main import main\ntry: main(['--help'])\nexcept SystemExit: pass\nprint(sorted({'numpy', 'torch', 'yaml', 'rich'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.endswith("[]\n")
    assert course("--version").stdout.startswith("course ")
