"""Folders to model: the door where every file of the course is met. The only room that knows YAML.

`yaml_at` reads strict YAML and keeps the lines, `typed` turns it into the frozen data of `model` (whose fields are the
schema), `lessons` walks the folders, `references` follows every id, and `answers` reads a student's `answers.yaml`.
Nothing of the course is imported or run here, so reading it is fast and safe.
"""

from autograder.content.answers import AnswersError, read_answers
from autograder.content.lessons import demand_solutions, read_course, recordings, survey

__all__ = ["AnswersError", "demand_solutions", "read_answers", "read_course", "recordings", "survey"]
