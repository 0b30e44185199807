"""The browsers that pages are tested in: Chromium, and the Firefox of a distribution, through a relay (`firefox.py`)."""

import os
import shutil
import sys
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from autograder.web import server
from tests.programs import PAGE

PROGRAMS = {  # Chromium's engine without its windows starts and draws in less time
    "chromium": ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"),
    "firefox": ("firefox-esr", "firefox"),
}
PACKAGES = {"chromium": "chromium", "firefox": "firefox-esr"}
FLAGS = ("--no-sandbox --headless --disable-gpu --disable-quic --no-first-run --disable-background-networking"
         " --disable-component-update --disable-sync").split()  # fmt: skip
AS_READERS_HAVE_IT = {"security.fileuri.strict_origin_policy": True}  # what drives Firefox would otherwise let a file read others
STILL = {"ui.prefersReducedMotion": 1}  # Playwright cannot ask for it
MOUSE = {"ui.primaryPointerCapabilities": 6, "ui.allPointerCapabilities": 6}  # a machine without one is taken for a phone


def found(name):
    """Return the path of a browser's program: a loud skip where there is none, a failure in CI."""
    program = next(filter(None, map(shutil.which, PROGRAMS[name])), None)
    if program is None and os.environ.get("CI"):
        pytest.fail(f"there is no {name.title()} here: apt-get install {PACKAGES[name]}")
    if program is None:
        pytest.skip(f"NO {name.upper()} HERE, so no page is tested in it: apt-get install {PACKAGES[name]}")
    return program


@contextmanager
def driven():
    """Start what drives the browsers, once in a process. They may use every core, also one on which a test only waits."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=1000 * PAGE)
    own = os.sched_getaffinity(0)
    os.sched_setaffinity(0, range(os.cpu_count()))  # what this process starts has it from this process
    with sync_playwright() as playwright:
        os.sched_setaffinity(0, own)
        yield playwright


@contextmanager
def chromium(playwright):
    opened = playwright.chromium.launch(executable_path=found("chromium"), args=FLAGS)
    yield opened
    opened.close()


@contextmanager
def firefox(playwright):
    """Open Firefox. Playwright looks at its pages by `eval`, which is forbidden to a page that is served: meanwhile this is allowed, and no more."""
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(server, "POLICY", server.POLICY.replace("script-src 'self'", "script-src 'self' 'unsafe-eval'"))
        relay = Path(folder, "firefox")
        relay.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{Path(__file__).with_name("firefox.py")}" "{found("firefox")}" "$@"\n')
        relay.chmod(0o700)
        opened = playwright.firefox.launch(channel="moz-firefox", executable_path=relay, firefox_user_prefs=AS_READERS_HAVE_IT | STILL | MOUSE)
        yield opened
        opened.close()
