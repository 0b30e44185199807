"""The course as an `autograder.zip` for Gradescope: `setup.sh`, `run_autograder`, and beside them the course with its solutions.

It holds the secret of a round, drawn when it is built: all students meet the same numbers. `container` is what runs there.
"""

from __future__ import annotations

import os
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from autograder.content import demand_solutions, read_course
from autograder.errors import UsageError
from autograder.export.table import replaced
from autograder.rounds import open_round

NAME = "autograder.zip"
COURSE = "course"  # the folder of the zip in which the course lies
ENGINE = ("autograder", "pyproject.toml", "setup.py", "constraints.txt", "README.md", "LICENSE")
CONTENT = ("course.yaml", "exercises", "lessons", "solutions")
HOME = Path(__file__).resolve().parents[2]  # of the engine: the course may lie elsewhere
EPOCH = (1980, 1, 1, 0, 0, 0)

SETUP = """\
#!/usr/bin/env bash
# Runs once, as root, when Gradescope builds its image: installs Python and what the course needs.
set -euo pipefail
source="${AUTOGRADER:-/autograder}/source"
target="${COURSE_ENV:-/opt/course}"
apt-get update -qq
python="$(command -v python3.13 || command -v python3.12 || command -v python3.11 || true)"
if [ -z "$python" ]; then
  apt-get install -y -qq python3.11
  python=python3.11
fi
apt-get install -y -qq libseccomp2 "$(basename "$python")-venv"
"$python" -m venv "$target"
torch="$(grep '^torch==' "$source/course/constraints.txt")"
"$target/bin/python" -m pip install --quiet "$torch" --index-url https://download.pytorch.org/whl/cpu  # a third of the size
"$target/bin/python" -m pip install --quiet -c "$source/course/constraints.txt" -e "$source/course"
chmod -R go= "$source"  # guests run as another user: what judges them is not theirs to read
"""
RUN = """\
#!/usr/bin/env bash
# Runs for each submission: /autograder/submission is graded into /autograder/results/results.json.
set -euo pipefail
place="${AUTOGRADER:-/autograder}"
python="${COURSE_ENV:-/opt/course}/bin/python"
cd "$place/source/course"
exec "$python" -m autograder gradescope "$place"
"""


def build_gradescope(root: Path, out: Path) -> Path:
    """Write the zip into `out`; return its path. Raise `UsageError` where there are no solutions or it cannot be written."""
    read_course(root)  # a course with faults is told now, not on Gradescope
    demand_solutions(root)
    target = out / NAME
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as drawn, replaced(target) as beside:
            open_round(Path(drawn))
            _write(beside, root, Path(drawn))
    except OSError as error:
        raise UsageError(f"{target}: {error.strerror}", "choose a folder that can be written with --out") from None
    return target


def _write(path: Path, root: Path, drawn: Path) -> None:
    scripts = {"setup.sh": SETUP, "run_autograder": RUN}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in scripts.items():
            _add(archive, name, text.encode(), 0o755)
        _add(archive, "private/rounds.json", (drawn / "private" / "rounds.json").read_bytes(), 0o600)
        for home, names in ((HOME, ENGINE), (root, CONTENT)):
            for own in _files(home, names):
                _add(archive, f"{COURSE}/{own.relative_to(home).as_posix()}", own.read_bytes(), 0o644)
    path.chmod(0o600)  # the round's secret is in it


def _add(archive: zipfile.ZipFile, name: str, data: bytes, mode: int) -> None:
    info = zipfile.ZipInfo(name, EPOCH)
    info.external_attr = (0o100000 | mode) << 16
    archive.writestr(info, data, zipfile.ZIP_DEFLATED)


def _files(root: Path, names: tuple[str, ...]) -> Iterator[Path]:
    """List these files, and what is in these folders, but for what Python left there."""
    for name in names:
        if (root / name).is_file():
            yield root / name
        for place, folders, files in os.walk(root / name):
            folders[:] = sorted(one for one in folders if one != "__pycache__" and not one.startswith("."))
            yield from (Path(place) / one for one in sorted(files) if not one.startswith(".") and not one.endswith(".pyc"))
