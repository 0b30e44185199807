"""`--watch` tells of saves, and of nothing else. (How fast is measured by bench, not here.)"""

import threading

from autograder.learner.check import saves
from tests.programs import PATIENCE


def test_a_save_is_told_and_touching_a_file_or_saving_another_is_not(workspace):
    """Editors write beside and rename, touch, and keep backups; only changed content of a watched file is a save."""
    stop, told = threading.Event(), []
    ready = threading.Timer(0.3, lambda: act())

    def act():
        (workspace.folder / "forward.py").touch()
        (workspace.folder / "notes.pdf").write_text("not watched")
        beside = workspace.folder / "forward.py.tmp"
        beside.write_text("x = 1")
        beside.replace(workspace.folder / "forward.py")

    watched = saves(workspace, stop)
    ready.start()
    guard = threading.Timer(PATIENCE, stop.set)
    guard.start()
    for changed in watched:
        told.append(changed)
        stop.set()
    guard.cancel()
    assert told == [(workspace.folder / "forward.py",)]


def test_a_save_before_the_watch_stands_is_told_too(workspace):
    """It may come while the first check runs: what was there when `saves` was called is what counts."""
    stop = threading.Event()
    told = saves(workspace, stop)
    (workspace.folder / "loss.py").write_text("x = 1")
    guard = threading.Timer(PATIENCE, stop.set)
    guard.start()
    assert next(told, None) == (workspace.folder / "loss.py",)
    guard.cancel()
    told.close()
