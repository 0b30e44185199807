"""Many submissions: a crew of workers, each with fork servers of its own, fed a little at a time.

    this process --submissions, as bytes--> worker --guest--> ...
    this process <--graded, as bytes------- worker

A crew is this machine's cores (`local`) or an existing Dask cluster (`cluster`); both are fed in the same way (`crew`), and
both give the same results. What a dead worker held is handed out again; what then has no result is `not_judged`, which is a
fault of ours and never a student's zero. Submissions are read as they are handed out, so memory does not grow with their number.
"""

from autograder.bulk.crew import Crew, grade_all
from autograder.bulk.grader import Graded, Grader, Settings
from autograder.bulk.local import LocalCrew

__all__ = ["Crew", "Graded", "Grader", "LocalCrew", "Settings", "grade_all"]
