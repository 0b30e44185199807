"""The same submissions, the same seed: the same results and files, byte for byte but for times. `test_cluster` holds it for Dask."""

import shutil

import pytest

from autograder.course.loading import read_course
from autograder.instructor.grade import GradeRequest, grade
from bench.chaos.grading import everything

STUDENTS = ("Amara Okafor", "Zoë Ångström", "Ahmed Hassan", "Aiko Tanaka", "Carlos Mendoza", "Alex Thornton")
TRAINING = """
import hashlib
import torch

class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.told, self.first, self.last = torch.nn.Linear(1, 64), torch.nn.Linear(64, 64), torch.nn.Linear(64, 64)

    def forward(self, x, t):
        told = self.told(torch.as_tensor(t).expand(len(x))[:, None] / 100)
        return self.last(torch.relu(self.first(x.flatten(1)) + told)).reshape(x.shape)

def build_model():
    return Model()

def train(model, images, alpha_bars, steps):
    optimizer = torch.optim.Adam(model.parameters())
    for _ in range(50):
        x0, eps = images[torch.randint(len(images), (64,))], torch.randn(64, 1, 8, 8)
        t = torch.randint(1, len(alpha_bars), (64,))
        a = alpha_bars[t].reshape(-1, 1, 1, 1)
        loss = torch.mean((model(a.sqrt() * x0 + (1 - a).sqrt() * eps, t) - eps) ** 2)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(hashlib.sha256(b"".join(weight.numpy().tobytes() for weight in model.state_dict().values())).hexdigest())
"""


def graded(root, folder, students, workers):
    """Grade these students, handed in in this order, one of whom trains a model too; return all that OUT holds, without times."""
    for student in students:
        shutil.copytree(root / "examples" / "class" / student, folder / "class" / student)
    (folder / "class" / STUDENTS[0] / "train.py").write_text(TRAINING)
    asked = GradeRequest(folder / "class", folder / "out", exercises=("forward", "practice", "train"), seed=5, workers=workers)
    grade(read_course(root), asked, lambda done, expected: None)
    return everything(folder / "out")


@pytest.mark.usefixtures("walls")
def test_results_and_files_do_not_depend_on_workers_or_on_the_order_of_files(root, tmp_path):
    one = graded(root, tmp_path / "one", STUDENTS, workers=1)
    two = graded(root, tmp_path / "two", STUDENTS[::-1], workers=2)
    assert (len(one[0]), len(one[2])) == (3 * len(STUDENTS), 2 * len(STUDENTS) + 3)
    assert one == two
    [trained] = [result["stdout"] for result in one[1] if result["exercise"] == "train" and result["stdout"]]
    assert {len(line) for line in trained.split()} == {64}  # the hash of the weights, to the last bit
