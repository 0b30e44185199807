"""What pyproject.toml cannot say: a wheel is for students, so it takes the student release along and leaves the solutions out.

`make wheel` builds the release first. An editable installation, which is how authors and instructors work, has it all.
"""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py
from setuptools.errors import SetupError

RELEASE = Path("build", "student_release")


class BuildForStudents(build_py):
    """Packs the engine and the release; nothing of `solutions`."""

    def run(self):
        if self.editable_mode:
            return super().run()
        if not (RELEASE / "release.json").is_file():
            raise SetupError("there is no student release in build/student_release: run `make wheel`, or install with `pip install -e .`")
        self.packages = [name for name in self.packages if not name.startswith("solutions")]
        self.distribution.packages = self.packages  # the list of top-level packages is made of these
        self.package_data = {name: data for name, data in self.package_data.items() if not name.startswith("solutions")}
        super().run()
        target = Path(self.build_lib, "autograder", RELEASE.name)
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(RELEASE, target)
        return None


setup(cmdclass={"build_py": BuildForStudents})
