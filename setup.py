"""What pyproject.toml cannot say: what is built is for students, so it takes the student release along and leaves the solutions out.

`make wheel` builds the release first. An editable installation, which is how authors and instructors work, has it all.
"""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist
from setuptools.errors import SetupError

RELEASE = Path("build", "student_release")


def for_students(distribution):
    """Leave the solutions out. Raise `SetupError` where there is no release to take along."""
    if not (RELEASE / "release.json").is_file():
        raise SetupError("there is no student release in build/student_release: run `make wheel`, or install with `pip install -e .`")
    distribution.packages = [name for name in distribution.packages if not name.startswith("solutions")]


class BuildForStudents(build_py):
    """Packs the engine and the release; nothing of `solutions`."""

    def run(self):
        if self.editable_mode:
            return super().run()
        for_students(self.distribution)
        self.packages = self.distribution.packages  # the list of top-level packages is made of the distribution's
        self.package_data = {name: data for name, data in self.package_data.items() if not name.startswith("solutions")}
        super().run()
        target = Path(self.build_lib, "autograder", RELEASE.name)
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(RELEASE, target)
        return None


class SourceForStudents(sdist):
    """Packs what the wheel is built from: the engine's source, and the release where the build looks for it."""

    def run(self):
        for_students(self.distribution)
        super().run()

    def make_release_tree(self, base_dir, files):
        super().make_release_tree(base_dir, files)
        shutil.copytree(RELEASE, Path(base_dir, RELEASE))  # a template cannot name it: `build` is left out whatever it says


setup(cmdclass={"build_py": BuildForStudents, "sdist": SourceForStudents})
