"""What students get: the lesson, the starters, the public checks, and recordings in the place of every solution.

record.py      runs the reference and every known slip with the published numbers, and writes down what they give
folder.py      the release as a folder, put in its place whole or not at all
nbgrader.py    the same course as a course folder of nbgrader
gradescope.py  and as an `autograder.zip` for Gradescope; container.py is what runs there
"""

from autograder.release.folder import Built, build
from autograder.release.gradescope import build_gradescope
from autograder.release.nbgrader import build_nbgrader

__all__ = ["Built", "build", "build_gradescope", "build_nbgrader"]
