"""What builds and runs the container: it can be read, names what there is, and keeps submissions read-only and its user ordinary."""

import json
import re
import shlex

import pytest
import yaml


@pytest.fixture
def containerfile(root):
    """The instructions of the Containerfile, each with its words, in order."""
    text = re.sub(r"\\\n", " ", (root / "Containerfile").read_text(encoding="utf-8"))
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [tuple(line.split(None, 1)) for line in lines]


def test_the_image_grades_the_example_class_as_an_ordinary_user(containerfile, root):
    """The first command is the demo's, and nothing after USER runs as root."""
    names = [name for name, _ in containerfile]
    user = names.index("USER")
    assert containerfile[user][1] == "grader"
    assert set(names[user + 1 :]) == {"ENTRYPOINT", "CMD"}
    words = [word for name in ("ENTRYPOINT", "CMD") for word in json.loads(dict(containerfile)[name])]
    demo = re.search(r"^GRADE := (.*)$", (root / "Makefile").read_text(), re.MULTILINE)[1]
    assert words == ["course", "grade", "examples/class", "--out", "/out/demo", *shlex.split(demo)]


def test_the_image_is_set_up_as_a_clone_is_and_the_index_of_torch_can_be_chosen(containerfile, root):
    """By the Makefile, which pins the versions, and from the same index."""
    index = re.search(r"^TORCH_INDEX \?= (\S+)$", (root / "Makefile").read_text(), re.MULTILINE)[1]
    assert [rest for name, rest in containerfile if name == "ARG"] == [f"TORCH_INDEX={index}"]
    assert any('make .venv/demo TORCH_INDEX="$TORCH_INDEX"' in rest for name, rest in containerfile if name == "RUN")
    assert next(rest for name, rest in containerfile if name == "ENV").startswith("PATH=/course/.venv/bin:")


def test_compose_gives_submissions_read_only_and_takes_every_privilege(root):
    grade = yaml.safe_load((root / "compose.yaml").read_text(encoding="utf-8"))["services"]["grade"]
    mounts = {mount["target"]: mount.get("read_only", False) for mount in grade["volumes"]}
    assert mounts == {"/submissions": True, "/out": False}
    assert grade["command"] == ["grade", "/submissions", "--out", "/out"]
    assert (grade["cap_drop"], grade["security_opt"], grade["network_mode"]) == (["ALL"], ["no-new-privileges:true"], "none")
    assert (root / grade["build"]["dockerfile"]).is_file()


def test_the_devcontainer_makes_what_the_makefile_has(root):
    made = json.loads((root / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8"))
    target = made["updateContentCommand"].removeprefix("make ")
    assert f"\n{target}:" in (root / "Makefile").read_text()


def test_what_is_built_elsewhere_stays_out_of_the_image(root):
    ignored = (root / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert {".git", ".venv", "build", "dist"} <= set(ignored)
