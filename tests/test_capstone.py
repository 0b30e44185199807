"""The capstone pays for what a model makes, not for what it keeps: copies of the training images earn nothing."""

from functools import cache

import numpy as np
import pytest
import torch

from autograder.course.loading import read_course
from autograder.course.model import Submission
from autograder.course.policy import limits_for
from autograder.grading.attempt import Materials, attempt, load_materials
from autograder.grading.checks import executed_by, run
from autograder.grading.reference import load_module
from tests.courses import ROOT
from tests.shared import SharedSandbox

COURSE = read_course(ROOT)
TRAIN = next(exercise for exercise in COURSE.lessons[0].exercises if exercise.id == "train")


@cache
def materials() -> Materials:
    return load_materials(TRAIN)


class Kept(torch.nn.Module):
    """Keeps the training images, and answers with the noise that leads to what `recall` makes of them."""

    def __init__(self, recall):
        super().__init__()
        self.recall, self.images, self.bars = recall, torch.zeros(1, 1, 8, 8), torch.ones(101)

    def forward(self, x, t):
        a = self.bars[torch.as_tensor(t)].reshape(-1, 1, 1, 1)
        x0 = self.recall(x, a, self.images)
        return (x - a.sqrt() * x0) / (1 - a).sqrt().clamp(min=1e-3)


def likely(x, a, images):
    """How likely each training image is the one under the noise: the exact answer of a model that knows no other. # (B, N)"""
    off = ((x[:, None] - a[:, None].sqrt() * images[None]) ** 2).sum((2, 3, 4))
    return torch.softmax(-off / (2 * (1 - a).clamp(min=1e-3).reshape(-1, 1)), 1)


def copy(x, a, images):
    return torch.einsum("bn,nchw->bchw", likely(x, a, images), images)


def noisy_copy(x, a, images):
    return copy(x, a, images) + 0.1 * torch.randn(x.shape, generator=torch.Generator().manual_seed(0))


def blend(x, a, images):
    two = likely(x, a, images).topk(2, 1).indices
    return images[two].mean(1)


def one_image(x, a, images):
    return images[:1].expand_as(x)


def points(build, train):
    """Play the checks with these two functions in the student's place, and add up."""
    player = executed_by({"build_model": build, "train": train}.__getitem__)
    runs = {check.id: run(check, player, materials().answers, 0) for check in materials().checks}
    return sum(check.points * runs[check.id].share for check in materials().checks), runs


def keep(model, images, alpha_bars, steps):
    model.images, model.bars = images, alpha_bars


@pytest.mark.parametrize("recall", [copy, noisy_copy, blend, one_image], ids=lambda recall: recall.__name__)
def test_what_was_kept_earns_at_most_a_fifth(recall):
    total = sum(check.points for check in materials().checks)
    earned, _ = points(lambda: Kept(recall), keep)
    assert earned <= 0.2 * total


def test_patterns_that_were_known_before_the_training_earn_no_image():
    """Each round draws its own, so a file that holds all quilts of another one draws none that counts."""
    others = torch.from_numpy(load_module(TRAIN.checks).quilts(np.random.default_rng(7)))

    def knows(model, images, alpha_bars, steps):
        model.images, model.bars = others, alpha_bars

    _, runs = points(lambda: Kept(copy), knows)
    assert runs["draws_new_quilts"].share == 0
    assert " 200 are not quilts" in runs["draws_new_quilts"].first_failure.words


def test_an_exact_copier_is_told_that_it_copied():
    """The check sees nearly all of its images as copies, so it is the copying that costs."""
    _, runs = points(lambda: Kept(copy), keep)
    copies = int(runs["draws_new_quilts"].first_failure.words.split("images, ")[1].split(" ")[0])
    assert copies > 190


def test_a_model_that_has_learned_nothing_is_told_how_far_off_its_noise_is():
    """What was drawn, and the error behind it: whoever mixes the noise in another way reads it there."""
    _, runs = points(lambda: Kept(lambda x, a, images: (x - (1 - a).sqrt() * 0.1) / a.sqrt()), keep)
    told = runs["draws_new_quilts"].first_failure.words
    assert told.startswith("drew 0 different new quilts, where a perfect model draws about ")
    assert told.endswith(
        "; of 200 images, 0 are copies of those it saw and 200 are not quilts. "
        "Its mean squared error on new quilts, noised as in the lesson, is 1.00; a model that always returns 0 has 1"
    )


def test_half_a_training_earns_a_part():
    """A fifth of the steps gives some new quilts, and so some of the points: nothing is all or nothing."""
    answer = materials().answers

    def train(model, images, alpha_bars, steps):
        torch.manual_seed(0)
        answer.function("train")(model, images, alpha_bars, steps // 3)

    torch.manual_seed(0)
    _, runs = points(answer.function("build_model"), train)
    assert 0.1 < runs["draws_new_quilts"].share < 1


def test_a_file_that_brings_what_it_should_learn_is_refused(walls):
    """A quarter of a MiB holds any code, and few images."""
    source = b"STORE = '" + b"7" * (256 << 10) + b"'\n"
    submission = Submission("tester", "12_diffusion", "train", "train.py", source, None, "present")
    with SharedSandbox(limits_for(COURSE.policy, "12_diffusion", "train")) as sandbox:
        checks = attempt(submission, materials(), sandbox, b"a secret").checks
    told = {check.message for check in checks if check.outcome == "failed"}
    assert told == {"`train.py` was refused: its code is larger than 256 KiB."}
    assert sum(check.points for check in checks) == 0


def test_a_model_that_is_not_told_t_fails_that_check_and_is_told_why():
    class Deaf(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Conv2d(1, 1, 1)

        def forward(self, x, t):
            return self.layer(x)

    _, runs = points(Deaf, lambda model, images, alpha_bars, steps: None)
    assert runs["is_told_t"].first_failure.words == "gives the same output at t = 5 and at t = 90: the model does not use t"
    assert runs["answers_in_shape"].passed
