"""kill -9 at random moments: nothing is lost, nothing is doubled, nothing is left behind. One file a subject; `__main__` runs them."""

import sys


class Broken(Exception):
    """A promise that a kill broke."""


def demand(held: object, promise: str) -> None:
    """Raise `Broken` with a promise that does not hold."""
    if not held:
        raise Broken(promise)


def tell(words: str) -> None:
    """Say how it goes."""
    print(words, file=sys.stderr, flush=True)
