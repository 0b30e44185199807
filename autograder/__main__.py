"""`python -m autograder` is `course`."""

from autograder.cli import main

main(prog_name="course")
