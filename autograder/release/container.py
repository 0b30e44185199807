"""What `run_autograder` does in Gradescope's container: grade the one submission there, and write what Gradescope shows.

The container is one submission's own and is thrown away; what must be kept from the submission is what judges it. So guests
need a wall against reading: Landlock, or another user. Where neither stands, nothing is run.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from autograder.bulk import Grader, Settings
from autograder.errors import UsageError
from autograder.export.gradescope import Sheet, sheet
from autograder.export.table import replaced
from autograder.grading import exercise_ids
from autograder.inside.walls import WALLS
from autograder.intake.hand_ins import submissions
from autograder.intake.source import open_folder
from autograder.model import Limits
from autograder.release.gradescope import COURSE
from autograder.rounds import open_round
from autograder.sandbox import free_user, missing_walls


def grade_in_container(place: Path) -> Sheet:
    """Grade `place`/submission with `place`/source into `place`/results/results.json. Return what was written.

    Raise `UsageError` where the layout is not Gradescope's, or no wall keeps the solutions from a submission.
    """
    started = time.monotonic()
    source, results = place / "source", place / "results"
    if not (source / COURSE / "course.yaml").is_file() or not (place / "submission").is_dir():
        raise UsageError(f"{place}: not laid out like Gradescope's /autograder", "this command is run by run_autograder, over there")
    results.mkdir(exist_ok=True)
    for private in (source, results):
        private.chmod(0o700)
    chosen = open_round(source)
    walls = standing_walls(Limits())
    grader = Grader(Settings(str(source / COURSE), chosen, walls))
    try:
        lesson = grader.course.lessons[0]
        notes: list[str] = []
        handed_in = submissions(open_folder(place / "submission", "submission"), lesson.id, exercise_ids(lesson), notes.append)
        made = [grader.grade(submission).result for submission in handed_in]
    finally:
        grader.close()
    policy = grader.course.policy
    early = policy.reveal_from is not None and datetime.now(UTC) < policy.reveal_from
    titles = {section.id: section.title for section in lesson.sections}
    extra = {"round": chosen.name, "version": grader.version, "walls": ", ".join(walls), "notes": "; ".join(notes)}
    written = sheet(made, titles, policy, seconds=time.monotonic() - started, early=early, **extra)
    with replaced(results / "results.json") as beside:
        beside.write_bytes(msgspec.json.format(msgspec.json.encode(written)))
    return written


def standing_walls(limits: Limits) -> tuple[str, ...]:
    """Try the walls. Raise `UsageError` where none of them keeps a submission from reading what judges it."""
    missing = missing_walls(limits)
    other_user = "privileges" not in missing and free_user(0) is not None
    if "landlock" in missing and not other_user:
        problem = f"nothing keeps a submission from reading the solutions: landlock is missing ({missing['landlock']})"
        raise UsageError(problem, "run this as root, so that submissions can be run as another user")
    return tuple(wall for wall in WALLS if wall not in missing)
