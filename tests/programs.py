"""Programs that tests start: each is ended when its block ends, whatever happens in it."""

import subprocess
import threading
import time
from contextlib import contextmanager

PATIENCE = 300  # seconds; only a failure waits so long
PAGE = 120  # seconds that a page may take for one thing; many tests of a page may fail together


@contextmanager
def running(command, seconds=PATIENCE, **options):
    """Start a program in text mode; kill it when the block ends, or after so many seconds, so that nobody waits for it for ever."""
    with subprocess.Popen([str(word) for word in command], text=True, **options) as process:
        guard = threading.Timer(seconds, process.kill)
        guard.start()
        try:
            yield process
        finally:
            guard.cancel()
            process.kill()


def wait_for(condition, seconds=PATIENCE):
    """Wait until a condition holds."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.01)
