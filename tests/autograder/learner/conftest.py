"""A fresh workspace for each test, and one checker that stays warm for the session."""

import sqlite3

import pytest

from autograder.course import store
from autograder.course.loading import read_course
from autograder.course.policy import Policy
from autograder.learner.check import Checker
from autograder.learner.start import start
from autograder.learner.workspace import State, Workspace, workspace_above


@pytest.fixture(scope="session")
def lesson(root):
    return read_course(root).lessons[0]


@pytest.fixture
def workspace(root, lesson, tmp_path):
    """A workspace as `course start` makes it."""
    folder = tmp_path / "Ada"
    start(folder, root, lesson)
    return Workspace(folder, root, lesson, workspace_above(folder)[1].given)  # as `open_workspace`, but the course is read once


@pytest.fixture
def state(workspace):
    with State(workspace.hidden) as state:
        yield state


@pytest.fixture(scope="session")
def checker(walls):
    """A checker behind walls."""
    with Checker(Policy(), tell=pytest.fail) as checker:
        yield checker


RIGHT = """
import numpy as np
def linear_betas(T, first=1e-4, last=0.02): return np.r_[0, np.linspace(first, last, T)]
def alpha_bars(betas): return np.cumprod(1 - betas)
def forward_step(x_prev, beta, eps): return (1 - beta) ** .5 * x_prev + beta ** .5 * eps
def per_sample(t, x, table): return np.asarray(table)[t].reshape(np.shape(t) + (1,) * (np.ndim(x) - np.ndim(t)))
def noise_to(x0, t, eps, alpha_bars):
    a = per_sample(t, x0, alpha_bars)
    return a ** .5 * x0 + (1 - a) ** .5 * eps
def predict_x0(x_t, t, eps, alpha_bars):
    a = per_sample(t, x_t, alpha_bars)
    return (x_t - (1 - a) ** .5 * eps) / a ** .5
"""


@pytest.fixture
def right():
    """A file `forward.py` that passes every check."""
    return RIGHT


@pytest.fixture
def read_only_disk(monkeypatch):
    """Open stores from now on as on a disk that takes no writing; root writes everywhere, so it is simulated."""
    opened = store._opened

    def refused(path, schema):
        if str(path) != ":memory:":
            raise sqlite3.OperationalError("attempt to write a readonly database")
        return opened(path, schema)

    return lambda: monkeypatch.setattr(store, "_opened", refused)
