"""One run: what was graded before is taken over, the rest is graded, and each result is on disk before it is counted.

Also what holds a run together: OUT is one command's at a time, and a disk that takes no more is told in one line.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from autograder.bulk import Crew, Graded, Settings, grade_all
from autograder.errors import StoreFault, UsageError
from autograder.gradebook import Gradebook, Kept
from autograder.grounds import Grounds
from autograder.model import Result, Submission
from autograder.report.summary import Summary


class Run:
    """One run as it goes: what it has graded, what it took over, and what it could not judge."""

    def __init__(self, gradebook: Gradebook, grounds: Grounds, progress: Callable[[int], None], *, afresh: bool = False):
        self.name = datetime.now(UTC).isoformat()
        self.summary, self.taken, self.faults = Summary(), 0, list[str]()
        self._gradebook, self._grounds, self._progress, self._afresh = gradebook, grounds, progress, afresh

    def grade(self, submissions: Iterable[Submission], settings: Settings, crew: Crew) -> bool:
        """Grade what is new and let the crew go; say whether that was interrupted."""
        try:
            with closing(crew):
                for done in grade_all(self._fresh(submissions), settings, crew):
                    self._gradebook.keep(self.name, [self._kept(submission, graded) for submission, graded in done])
                    for _, graded in done:
                        self._count(graded.result)
                        self.faults += [_told(graded)] if graded.result.status == "not_judged" else []
        except KeyboardInterrupt:
            return True
        finally:
            self._gradebook.keep(self.name, [])
        return False

    def _fresh(self, submissions: Iterable[Submission]) -> Iterator[Submission]:
        """Give what was not graded before on the same grounds; what was is taken over."""
        for submission in submissions:
            key = self._grounds.key(submission)
            known = None if self._afresh else self._gradebook.take(self.name, submission, key)
            if known is None:
                yield submission
            else:
                self.taken += 1
                self._count(known)

    def _kept(self, submission: Submission, graded: Graded) -> Kept:
        judged = graded.result.status != "not_judged"
        return Kept(graded.result, graded.private, graded.handed_in, self._grounds.key(submission) if judged else None)

    def _count(self, result: Result) -> None:
        self.summary.add(result)
        self._progress(self.summary.results)


def _told(graded: Graded) -> str:
    """Tell a fault of ours to the instructor."""
    return f"not judged: {graded.result.student}, {graded.result.exercise}: {graded.private.get('fault', 'a fault of the grader')}"


@contextmanager
def alone(out: Path) -> Iterator[None]:
    """Hold OUT for one command at a time: two would grade the same submissions twice. Ends with the process, however that ends."""
    held = os.open(out, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise UsageError(f"{out}: another command is at work there", "wait until it is done, or choose another folder") from None
    finally:
        os.close(held)


@contextmanager
def storing(out: Path) -> Iterator[None]:
    """Tell a disk that takes no more as `StoreFault`."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO):
            raise
        raise StoreFault(Path(error.filename or out), os.strerror(error.errno).lower()) from None
