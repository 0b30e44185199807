"""What the lesson hands out, read once: every test of intake recognises files by it."""


from autograder.course.loading import read_course
from autograder.course.student_files import given_files, read_handout
from tests.courses import ROOT

LESSON = read_course(ROOT).lessons[0]
HANDOUT = read_handout(ROOT, LESSON)
GIVEN = given_files(ROOT, LESSON)
