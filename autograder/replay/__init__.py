"""What a student release holds instead of solutions: recordings of answers, read and given out like the answers themselves.

A release is built with the reference and every known slip at hand (`release`); here their values for the published numbers
stand in their places. Nothing is computed, nothing is written, and nothing here knows what a right answer looks like as code.

    exercises.py   the reference's values by call, and what each slip gave in each check
    practice.py    the same for the questions: fifty variants, values, workings
    values.py      any value that crosses, as JSON that standard Python can read
"""

from autograder.replay.exercises import Known, Recordings, ReplayedAnswers, Slip, known_calls, read_recordings, slips_of
from autograder.replay.practice import PracticeRecordings, SlipValues, WorkingLines, place, replayed_functions
from autograder.replay.values import pack, read_gz, unpack, write_gz

__all__ = [
    "Known",
    "PracticeRecordings",
    "Recordings",
    "ReplayedAnswers",
    "Slip",
    "SlipValues",
    "WorkingLines",
    "known_calls",
    "pack",
    "place",
    "read_gz",
    "read_recordings",
    "replayed_functions",
    "slips_of",
    "unpack",
    "write_gz",
]
