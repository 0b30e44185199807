"""`python -m autograder` is `course`."""

from autograder.cli.main import main

main(prog_name="course")
