"""`bench/`: no speed is held here, but the page shows what was measured, and the commands that it names are there."""

import importlib.util
import json
import re

import pytest

from bench import growth, kernels, startup


@pytest.fixture
def page(root):
    return (root / "bench" / "README.md").read_text()


@pytest.fixture
def grown(root):
    return json.loads((root / "bench" / "figures" / "growth.json").read_text())


def test_points_on_a_line_give_that_line():
    line = growth.fit([1, 10, 1000], [5.0, 23.0, 2003.0])
    assert line == pytest.approx(growth.Fit(intercept=3, slope=2, off=0))


def test_a_small_point_counts_like_a_large_one_and_the_farthest_is_told():
    """One point is 10 % above the line of the rest; the line may not be pulled further than that."""
    line = growth.fit([1, 2, 3, 1000], [1.1, 2, 3, 1000])
    assert line.slope == pytest.approx(1, abs=0.03)
    assert 0.02 < line.off < 0.09


def test_the_same_numbers_give_the_same_bytes(grown, root, tmp_path):
    growth.draw(grown, tmp_path / "growth.svg")
    assert (tmp_path / "growth.svg").read_bytes() == (root / "bench" / "figures" / "growth.svg").read_bytes()


def test_the_page_shows_the_figure_and_what_was_fitted(grown, page):
    assert "](figures/growth.svg)" in page
    assert "\n".join(growth.table(grown)) in page
    assert f"measured on {grown['date']}, load {grown['load'][0]} before and {grown['load'][1]} after" in page


def test_every_command_that_help_lists_is_started_and_stands_on_the_page(page):
    assert startup.unmeasured() == set()
    missing = [" ".join(words) for _, words in startup.typed() if f"| `{' '.join(words)}` |" not in page]
    assert missing == []


def test_every_measurement_that_the_page_names_is_there(page, root):
    """Modules of `python -m bench.X`, and targets of `make X`."""
    modules = set(re.findall(r"python -m (bench\.\w+)", page))
    assert modules >= {"bench.growth", "bench.startup"}
    assert [name for name in modules if not importlib.util.find_spec(name)] == []
    targets = set(re.findall(r"^(\w+):", (root / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`make (\w+)`", page)) <= targets


def test_the_modules_of_a_kernel_come_after_those_that_they_need(tmp_path):
    """One that is built in has no file, and is left out."""
    for name, needs in {"9p": "9pnet,netfs", "9pnet": "", "netfs": "", "9pnet_virtio": "9pnet,virtio-ring", "virtio_ring": ""}.items():
        (tmp_path / f"{name}.ko").write_bytes(b"ELF\0depends=" + needs.encode() + b"\0more")
    order = dict(kernels.modules(tmp_path, kernels.MODULES))
    assert list(order) == ["9pnet", "virtio_ring", "9pnet_virtio", "netfs", "9p"]


def test_a_kernel_has_a_row_also_if_it_did_not_come_up():
    found = {"walls": ["landlock 2", "seccomp"], "properties": ["reading", "TCP"], "faults": ["TCP"], "graded": 30, "wrong": ["Ada"]}
    assert kernels.row({**found, "attacks": 258, "tried": 240, "through": [], "minutes": 14.6}) == (
        "landlock 2, seccomp | 1 of 2 | 30 graded, other points: Ada | 0 of 258 (240 told that they tried) | 15"
    )
    assert kernels.row({"minutes": 1}) == "not tried | not tried | not tried | not tried | 1"
