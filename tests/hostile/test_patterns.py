"""Nothing that looks at a stranger's text takes much longer than the text is long: a slow pattern is seen here as a test that never ends."""

import pytest

from autograder.course.loading import read_course
from autograder.course.student_files import code_of, fits_of, fits_of_name, is_worked_on, read_handout, read_work
from autograder.instructor import platforms
from autograder.sandbox.preload import profile_for
from tests.courses import ROOT

SIZE = 1 << 19  # bytes


@pytest.fixture(scope="module")
def handout():
    return read_handout(ROOT, read_course(ROOT).lessons[0])


@pytest.mark.parametrize("part", [b"import ", b"from x ", b"import torc ", b"'import'", b"torch ", b"from\n"])
def test_the_guess_of_what_a_file_imports(part):
    assert profile_for(part * (SIZE // len(part))) == "numpy"


BODIES = (b'    """x"""\n', b"    pass\n", b"   '''\"\"\"''' x\n", b"    raise NotImplementedError(\n", b"    return None ; \n", b"@x\n")


@pytest.mark.parametrize("body", BODIES)
def test_whether_a_file_was_worked_on(body, handout):
    work = read_work("forward.py", b"def forward_step(x_prev, beta, eps):\n" + body * (SIZE // len(body)))
    for exercise, fit in fits_of(work, "forward.py", handout).items():
        is_worked_on(work, exercise, fit, handout)


@pytest.mark.parametrize("where", [b'{"cells": [%s]}', b'{"worksheets": [%s]}', b'{"worksheets": [{"cells": [%s]}]}'])
def test_the_code_of_a_notebook_of_a_million_cells(where):
    """It counts as damaged: two gigabytes of memory went into empty cells."""
    assert code_of("forward.ipynb", where % b",".join([b"{}"] * 1_000_000)) == ""
    assert code_of("forward.ipynb", b'{"cells": [%s]}' % b",".join([b'{"cell_type": "code", "source": "x"}'] * 1_000)) == "\n".join("x" * 1_000)


@pytest.mark.parametrize("part", ["_", " 1", " copy", "_final", "-v1.1", "(", ".py", "A", "1"])
def test_which_exercise_a_files_name_fits(part, handout):
    for number in range(60):
        fits_of_name(f"{number}{part * (400 // len(part))}", handout)


@pytest.mark.parametrize("part", [" ", "(", "(a", "(a) ", "\n", "Name: ", "Comments:\n"])
def test_what_blackboards_receipt_says(part):
    for pattern in (platforms._RECEIPT_NAME, platforms._TYPED):
        pattern.search("Name:" + part * (SIZE // len(part)))
        pattern.search("Comments:\n" + part * (SIZE // len(part)) + "x")
