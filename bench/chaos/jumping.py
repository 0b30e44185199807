"""`python -m bench.chaos.jumping ARGUMENTS`: the `course` command on a machine whose clock jumps by years, to and fro, at every look.

Its workers let their clock jump before they begin, too. Nothing but `grading` starts it.
"""

import random
from datetime import datetime, timedelta, tzinfo

from autograder.cli.main import main
from autograder.instructor import grade, grades, outputs, pool

FARTHEST = 20 * 365  # days
LOOKING = (grade, pool, grades, outputs)  # at the clock, while `course grade` runs


class Jumping:
    """Stands where modules have `datetime`, whose `now` alone they call."""

    @staticmethod
    def now(zone: tzinfo | None = None) -> datetime:
        """Give the time of some day within twenty years from now, past or to come."""
        return datetime.now(zone) + timedelta(days=random.uniform(-FARTHEST, FARTHEST))


def jump() -> None:
    """Let the clock of this process jump."""
    for module in LOOKING:
        assert module.datetime is datetime  # type: ignore[attr-defined]
        module.datetime = Jumping  # type: ignore[attr-defined]


if __name__ == "__main__":
    jump()
    pool._BOOT = pool._BOOT.replace("from autograder", f"from {__spec__.name} import jump; jump(); from autograder", 1)
    main(prog_name="course")
