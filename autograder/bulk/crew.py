"""A crew is fed with loads of submissions and gives each load back once: graded, or lost with its worker.

Knows nothing of processes or machines. A load has a number; an answer to a load that is no longer out is dropped, so that
work done twice gives one attempt.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import count, islice
from typing import NamedTuple, Protocol

import msgspec

from autograder.bulk.grader import TRIES, Graded, Grader, Settings
from autograder.model import Submission


class Lost(NamedTuple):
    """Why there is no result; `worked` says that the worker had begun with it, so that it counts as tried."""

    why: str
    worked: bool = True


class Back(NamedTuple):
    """A load that came back: what was graded, in order, or how it was lost."""

    load: int
    graded: list[bytes] | Lost


class LoadSize:
    """How many submissions make a load that takes a worker about `seconds`, by what the last loads took."""

    def __init__(self, seconds: float, largest: int):
        self._seconds, self._largest = seconds, largest
        self._for_one = seconds  # the first load is a single one

    def now(self) -> int:
        return max(1, min(self._largest, int(self._seconds / self._for_one)))

    def took(self, seconds: float, count: int) -> None:
        """Learn from a load that is back."""
        self._for_one = max(1e-4, 0.7 * self._for_one + 0.3 * seconds / count)


class Crew(Protocol):
    """What `grade_all` asks of workers, wherever they are."""

    def wants(self) -> int:
        """Say how many submissions the next load should have; 0 while enough are out."""

    def hand(self, load: int, submissions: list[bytes]) -> None:
        """Give a load away; do not wait."""

    def back(self) -> list[Back]:
        """Wait until a load is back and give all that are. Raise `SandboxFault` where none will ever be."""

    def close(self) -> None:
        """Let the workers go, and what they still hold."""


def grade_all(submissions: Iterable[Submission], settings: Settings, crew: Crew) -> Iterator[list[tuple[Submission, Graded]]]:
    """Grade submissions and yield those that are done, some at a time and in no order."""
    waiting = ((submission, 1) for submission in submissions)
    again: deque[tuple[Submission, int]] = deque()  # each with how often it is tried, this time included
    out: dict[int, list[tuple[Submission, int]]] = {}
    numbers = count()

    def feed() -> None:
        while wanted := crew.wants():
            load = [again.popleft()] if again else list(islice(waiting, wanted))
            if not load:
                return
            number = next(numbers)
            out[number] = load
            crew.hand(number, [msgspec.msgpack.encode(submission) for submission, _ in load])

    feed()
    while out:
        done: list[tuple[Submission, Graded]] = []
        for back in crew.back():
            load = out.pop(back.load, None)
            if load is None:
                continue
            if isinstance(back.graded, Lost):
                more = int(back.graded.worked and len(load) == 1)  # of several nobody knows which one it was: each is tried alone
                again.extend((submission, tries + more) for submission, tries in load if tries + more <= TRIES)
                done += [(one, _lost(one, settings, back.graded.why)) for one, tries in load if tries + more > TRIES]
            else:
                done += [(one, msgspec.msgpack.decode(data, type=Graded)) for (one, _), data in zip(load, back.graded, strict=True)]
        yield done
        feed()


def _lost(submission: Submission, settings: Settings, why: str) -> Graded:
    return Grader(settings).fault(submission, f"tried {TRIES} times: {why}")
