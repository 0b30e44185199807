"""`docs/dependencies.md` speaks of what `pyproject.toml` names, of all of it, and of nothing else."""

import hashlib
import html
import re
import subprocess
import sys
import tomllib
import unicodedata

import pytest
import yaml
from fontTools.ttLib import TTFont

from autograder.course.loading import read_course
from autograder.web.app import write_site
from autograder.web.pages import STATIC

GROUPS = ("dependencies", "optional-dependencies")


@pytest.fixture
def named(root):
    """The packages that pyproject.toml asks for."""
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    lines = [*project["dependencies"], *(line for extra in project["optional-dependencies"].values() for line in extra)]
    return {re.split(r"[^a-zA-Z0-9._-]", line)[0].lower() for line in lines} - {project["name"]}


@pytest.fixture
def rows(root):
    """The page's rows: name, reason, licence, last release."""
    lines = (root / "docs" / "dependencies.md").read_text().splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    return [row for row in cells if row[0] != "package"]


def test_every_package_has_its_row_and_every_row_its_package(named, rows):
    assert {row[0] for row in rows} == named
    assert len({row[0] for row in rows}) == len(rows)


def test_every_row_gives_a_reason_a_licence_and_the_last_release(rows):
    assert all(len(row) == 4 and all(row) and re.fullmatch(r"20\d\d-\d\d", row[3]) for row in rows)


def test_what_had_no_release_for_two_years_has_its_reason(root, rows):
    """Counted from the date that the page itself bears."""
    kept = (root / "docs" / "dependencies.md").read_text().partition("## Without a release")[2]
    excepted = set(re.findall(r"^- \*\*(.+?)\*\*", kept, re.MULTILINE))
    assert {row[0] for row in rows if row[3] < "2024-11"} == excepted


def test_every_version_of_python_that_is_declared_is_tried(root):
    """By the workflow, on Linux; macOS and Windows have the first and the last."""
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    declared = [line.split()[-1] for line in project["classifiers"] if "Python ::" in line]
    jobs = (root / ".github" / "workflows" / "ci.yml").read_text().split("python: [")[1:]
    tried = [re.findall(r"[\d.]+", job.partition("]")[0]) for job in jobs]
    assert tried == [declared, [declared[0], declared[-1]]]
    assert project["requires-python"] == f">={declared[0]}"


def test_the_lowest_versions_are_exact(root):
    printed = subprocess.check_output([sys.executable, root / ".ci" / "lowest.py"], text=True)
    assert "numpy==1.26\n" in printed
    assert "torch==2.5\n" in printed
    assert ">=" not in printed
    assert "denoising-course" not in printed


def test_every_version_is_pinned(root, named):
    pinned = {line.partition("==")[0].lower() for line in (root / "constraints.txt").read_text().splitlines() if "==" in line}
    assert named <= {name.replace("_", "-") for name in pinned}


@pytest.mark.xdist_group("together")
def test_a_group_of_tests_is_kept_in_one_process(request):
    """pytest-xdist writes a group behind the name of each of its tests; with a pytest that it does not know it does so in vain."""
    if request.config.getoption("loadgroup", default=False):
        assert request.node.nodeid.endswith("@together")


def test_what_comes_from_npm_is_as_it_was_published_with_its_licence_and_its_reason(root):
    folder = STATIC / "vendor"
    packages = yaml.safe_load((folder / "packages.yaml").read_text())
    page = (root / "docs" / "dependencies.md").read_text()
    assert {path.name for path in folder.iterdir()} == {"packages.yaml", *packages, *(f"{one['package']}.LICENSE" for one in packages.values())}
    for file, one in packages.items():
        assert hashlib.sha256((folder / file).read_bytes()).hexdigest() == one["sha256"]
        assert f"- **{one['package']} {one['version']}** ({one['licence']})" in page


def test_the_fonts_are_the_subsets_that_are_listed_with_their_licence_and_their_reason(root):
    """`python -m docs.fonts` makes them anew."""
    folder = STATIC / "fonts"
    fonts = yaml.safe_load((folder / "fonts.yaml").read_text())
    page = (root / "docs" / "dependencies.md").read_text()
    assert {path.name for path in folder.iterdir()} == {"fonts.yaml", "LICENSE.txt", *(f"{name}.woff2" for name in fonts)}
    for name, one in fonts.items():
        assert hashlib.sha256((folder / f"{name}.woff2").read_bytes()).hexdigest() == one["sha256"]
        assert f"**{one['package']} {one['version']}** ({one['licence']})" in page
        assert not any("Plex" in str(entry) for entry in TTFont(folder / f"{name}.woff2")["name"].names if entry.nameID in (1, 3, 4, 6, 16))  # a name that the licence reserves


def test_every_letter_of_the_site_is_in_its_fonts(root, tmp_path):
    """And every sign of a formula; a symbol such as a flag may come from the reader's machine. An accent may stand on a letter."""
    course = read_course(root)
    site = write_site(course, course.lessons[:1], tmp_path / "site").place
    pages = (path for ending in ("html", "js") for path in site.rglob(f"*.{ending}") if "vendor" not in path.parts)
    used = {letter for path in pages for letter in unicodedata.normalize("NFD", html.unescape(path.read_text(encoding="utf-8")))}
    held = {chr(point) for path in (STATIC / "fonts").glob("*.woff2") for point in TTFont(path).getBestCmap()}
    assert {letter for letter in used - held if unicodedata.category(letter) not in ("So", "Cc", "Co")} <= {*"ᵀₛₜ"}  # Plex has none of these
