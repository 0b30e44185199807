"""What the lesson hands out, read once: every test of intake recognises files by it."""

from pathlib import Path

from autograder.course.loading import read_course
from autograder.course.student_files import given_files, read_handout

ROOT = Path(__file__).parents[4]
LESSON = read_course(ROOT).lessons[0]
HANDOUT = read_handout(ROOT, LESSON)
GIVEN = given_files(ROOT, LESSON)
