"""The training loop on scikit-learn's digits: it learns, and an interrupted run ends like an uninterrupted one."""

import dataclasses
import importlib.util
import os
import signal
from pathlib import Path

import numpy as np
import pytest
import torch

from solutions.diffusion.data import batches
from solutions.diffusion.interface import Interrupted, InvalidRequest, TrainingOptions, train_and_store
from solutions.diffusion.losses import MinSnrLoss
from solutions.diffusion.schedules import alpha_bars, cosine_betas
from solutions.diffusion.store import load_weights, weights_metadata
from solutions.diffusion.train import OptimiserStep, TrainingConfig, diffusion_loss, train
from solutions.diffusion.unet import UNet

BARS = alpha_bars(cosine_betas(100))
CONFIG = TrainingConfig(steps=12, batch=16, warmup=4)


@pytest.fixture(scope="module")
def digits():
    """Return the function that draws batches of digits at 8 px, in [-1, 1]."""
    package = Path(importlib.util.find_spec("sklearn").origin).parent  # not imported: for one file it would bring pandas and SciPy along
    data = np.loadtxt(package / "datasets/data/digits.csv.gz", delimiter=",", dtype=int)  # 64 pixels from 0 to 16, and the digit
    images, labels = data[:, :-1].reshape(-1, 1, 8, 8), data[:, -1]
    return batches(torch.tensor(images, dtype=torch.float32) / 8 - 1, torch.tensor(labels), 16)


def run(digits, config=CONFIG, stop_at=None, **options):
    """Train a small U-Net on digits; Ctrl-C arrives during step `stop_at`."""
    torch.manual_seed(config.seed)
    net, loss, steps = UNet(1, (8, 16), emb_dim=16, num_classes=10), MinSnrLoss(BARS), []

    def step_loss(batch, generator):
        steps.append(1)
        if len(steps) == stop_at:
            os.kill(os.getpid(), signal.SIGINT)
        return diffusion_loss(loss, net, batch[0], generator, labels=batch[1])

    return train(net, [OptimiserStep(list(net.parameters()), step_loss)], digits, config, **options)


def test_it_learns(digits):
    """In 60 steps the loss falls below 80 % of its initial value."""
    losses = run(digits, TrainingConfig(steps=60, batch=16, warmup=10, lr=4e-3)).losses
    assert sum(losses[-10:]) < 0.8 * sum(losses[:10])


def test_same_seed_same_weights(digits):
    """Two runs with one seed agree to the last bit; another seed doesn't."""
    once, again, other = run(digits), run(digits), run(digits, dataclasses.replace(CONFIG, seed=1))
    assert once.losses == again.losses
    assert all(torch.equal(once.ema[name], again.ema[name]) for name in once.ema)
    assert once.losses != other.losses


def test_a_resumed_run_equals_an_uninterrupted_one(digits, tmp_path):
    """Ctrl-C in step 5 finishes the step and saves; the rerun ends with the same weights, average and losses."""
    whole = run(digits, checkpoint=tmp_path / "whole.pt")
    part = run(digits, checkpoint=tmp_path / "part.pt", stop_at=5)
    assert not part.finished
    assert len(part.losses) == 5
    rest = run(digits, checkpoint=tmp_path / "part.pt")
    assert rest.finished
    assert rest.losses == whole.losses
    assert all(torch.equal(rest.ema[name], whole.ema[name]) for name in whole.ema)
    last = [torch.load(tmp_path / f"{name}.pt", weights_only=True)["model"] for name in ("whole", "part")]
    assert all(torch.equal(last[0][name], last[1][name]) for name in last[0])


def test_a_checkpoint_of_another_configuration_is_refused(digits, tmp_path):
    """The message says what the checkpoint was made with and what to do."""
    path = tmp_path / "run.pt"
    run(digits, checkpoint=path, stop_at=1)
    with pytest.raises(InvalidRequest) as error:
        run(digits, dataclasses.replace(CONFIG, lr=0.5), checkpoint=path)
    made_with = str(dataclasses.asdict(CONFIG))
    assert str(error.value) == f"{path} belongs to a run with another configuration, {made_with}: delete it to start over"


def test_minutes_end_a_run(digits):
    """A run of a hundredth of a minute stops by itself and counts as finished, whatever the number of steps."""
    got = run(digits, dataclasses.replace(CONFIG, steps=10**9), minutes=0.01)
    assert got.finished
    assert got.losses


def test_two_optimiser_steps_change_only_their_own_parameters(digits):
    """As in a cascade: each loss updates its own weights, although both depend on all of them."""
    torch.manual_seed(0)
    net = torch.nn.ModuleList([torch.nn.Linear(1, 1), torch.nn.Linear(1, 1)])
    before = [layer.weight.clone() for layer in net]

    def loss(batch, generator):
        return (net[1](net[0](torch.ones(1, 1))) ** 2).sum()

    train(net, [OptimiserStep(list(net[0].parameters()), loss), OptimiserStep([net[1].bias], loss)], digits, CONFIG)
    assert not torch.equal(net[0].weight, before[0])
    assert torch.equal(net[1].weight, before[1])


def test_the_average_follows_the_weights(digits):
    """Without averaging (decay 0) the averaged weights are the last ones."""
    torch.manual_seed(0)
    net = torch.nn.Linear(1, 1)
    ended = train(
        net, [OptimiserStep(list(net.parameters()), lambda *_: net(torch.ones(1, 1)).sum())], digits, dataclasses.replace(CONFIG, ema=0.0)
    )
    assert torch.equal(ended.ema["weight"], net.weight)


def test_an_interrupted_training_says_how_to_go_on_and_ships_nothing(digits, tmp_path):
    """Ctrl-C leaves a checkpoint and no weights; the same call again ends with averaged weights, their .json, and no checkpoint."""
    net = torch.nn.Linear(1, 1)
    options = TrainingOptions(out=tmp_path / "out", checkpoints=tmp_path / "way", command="the command")

    def loss(batch, generator):
        if len(interrupt) == 0:
            interrupt.append(os.kill(os.getpid(), signal.SIGINT))
        return (net(torch.ones(1, 1)) ** 2).sum()

    interrupt, optimiser_steps = [], [OptimiserStep(list(net.parameters()), loss)]
    with pytest.raises(Interrupted) as stop:
        train_and_store("line", net, optimiser_steps, digits, CONFIG, options)
    checkpoint = tmp_path / "way" / "line.checkpoint.pt"
    assert str(stop.value) == f"stopped after step 1, saved in {checkpoint}: run the same command to resume"
    assert not (tmp_path / "out").exists()
    train_and_store("line", net, optimiser_steps, digits, CONFIG, options, lambda: {"known": 1})
    about = weights_metadata("line", tmp_path / "out")
    assert (about["command"], about["steps"], about["parameters"], about["metrics"]) == ("the command", 12, 2, {"known": 1})
    assert about["config"]["lr"] == CONFIG.lr
    assert about["previous_runs"] == {}
    torch.testing.assert_close(load_weights("line", tmp_path / "out")["weight"], net.weight.detach(), atol=1e-3, rtol=1e-3)
    assert not checkpoint.exists()
