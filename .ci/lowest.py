"""Print the lowest version of each dependency that pyproject.toml allows, as constraints for pip; what only tests need is of today."""

import tomllib
from pathlib import Path

EXTRAS = ("torch", "reference", "nbgrader", "cluster", "optimise", "7z")

project = tomllib.loads(Path(__file__).parents[1].joinpath("pyproject.toml").read_text(encoding="utf-8"))["project"]
extras = [line for extra in EXTRAS for line in project["optional-dependencies"][extra]]
for line in dict.fromkeys([*project["dependencies"], *extras]):
    if not line.startswith(project["name"]):  # another extra of its own
        print(line.replace(">=", "=="))
