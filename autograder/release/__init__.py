"""What students get: the lesson, the starters, the public checks, and recordings in the place of every solution.

record.py      runs the reference and every known slip with the published numbers, and writes down what they give
folder.py      the release as a folder, put in its place whole or not at all
gradescope.py  the same course as an `autograder.zip` for Gradescope
"""

from autograder.release.folder import Built, build

__all__ = ["Built", "build"]
