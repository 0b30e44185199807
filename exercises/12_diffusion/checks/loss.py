"""Checks of loss.py: the loss of a batch, and training steps that lower it."""

import numpy as np
import torch

from autograder.api import asked, check, close, expect, rows, shaped, untouched


def images(rng, shape=(4, 2, 5, 6)):
    """Draw images in [-1, 1] and noise of the same shape. All sizes are different by default."""
    x0, eps = rng.uniform(-1, 1, shape).astype(np.float32), rng.standard_normal(shape, np.float32)
    return torch.from_numpy(x0), torch.from_numpy(eps)


def table(rng, T=100):
    return torch.from_numpy(np.cumprod(np.r_[1, 1 - rng.uniform(0.005, 0.04, T)]).astype(np.float32))


def network(*size):
    """Make a stand-in for a network, for images of one size: its noise for a row depends on that row and its t only."""

    def eps_model(x, t):
        count = rows(x, *size, most=12)
        if np.prod(np.shape(t)) not in (1, count):
            raise ValueError("t must be an integer, or one for each row of x")
        x, t = torch.as_tensor(x), torch.as_tensor(t).reshape(-1, 1, 1, 1)
        if (t != t.round()).any():
            raise ValueError("t must be an integer, or one for each row of x")
        return torch.sin(2 * x + 0.7 * t.to(x.dtype))

    return eps_model


def weights_of_a_denoiser(rng, channels=2, width=8):
    """Draw weights for the denoiser in props.py."""
    shapes = {"conv_in.weight": (width, channels, 1, 1), "conv_in.bias": (width,), "time.weight": (width, 1), "time.bias": (width,),
              "conv_out.weight": (channels, width, 1, 1), "conv_out.bias": (channels,)}  # fmt: skip
    return {name: torch.from_numpy(0.5 * rng.standard_normal(shape, np.float32)) for name, shape in shapes.items()}


def denoiser(student, weights):
    model = student.props.denoiser()
    model.set_weights(weights)
    return model


def single(loss):
    """Return a loss as a number: its one element may have any number of axes."""
    return loss.reshape(()) if isinstance(loss, np.ndarray) and loss.size == 1 else loss


@check(points=3, of="noise_mse")
def one_t_for_all(student, reference, rng):
    """The loss of a batch at one t, for images of several sizes"""
    for t, shape in ((70, (4, 2, 5, 6)), (25, (3, 1, 8, 9))):
        x0, eps = images(rng, shape)
        given = network(*shape[1:]), x0, t, eps, table(rng)
        close(single(student.noise_mse(*given)), reference.noise_mse(*given), atol=2e-5)


@check(points=3, of="noise_mse")
def one_t_per_sample(student, reference, rng):
    """The loss if each sample has its own t, even if the batch is as large as the image is wide"""
    for batch in (6, 3):
        x0, eps = images(rng, (batch, 2, 5, 6))
        given = network(2, 5, 6), x0, torch.from_numpy(rng.permutation(np.linspace(5, 95, batch).astype(int))), eps, table(rng)
        close(single(student.noise_mse(*given)), reference.noise_mse(*given), atol=2e-5)


@check(points=1, of="noise_mse", needs=(one_t_for_all, one_t_per_sample))
def the_model_is_asked_once(student, reference, rng):
    """The model is called once, with the noisy images and the given t"""
    x0, eps = images(rng)
    t = torch.from_numpy(rng.integers(1, 100, 4))
    student.noise_mse(network(2, 5, 6), x0, t, eps, table(rng))
    seen = [np.ravel(np.asarray(ts)).tolist() for _, ts in asked("eps_model")]
    expect(seen == [t.tolist()], f"called the model with t = {seen}; expected {t.tolist()}, once")


@check(points=1, of="noise_mse", needs=one_t_for_all)
def gradients_flow(student, reference, rng):
    """Gradients flow through the loss to the weights of a network"""
    weights, (x0, eps), t, alpha_bars = weights_of_a_denoiser(rng), images(rng), torch.tensor([10, 35, 60, 90]), table(rng)
    gradients = student.props.gradients_of(student.noise_mse, denoiser(student, weights), x0, t, eps, alpha_bars)
    expect(bool(gradients), "gave a loss without a gradient: the network cannot learn from it")
    close(gradients, reference.gradients_by(weights, x0, t, eps, alpha_bars), atol=2e-5)


@check(points=4, of="training_step")
def one_step(student, reference, rng):
    """One step changes the weights as gradient descent does, and returns the loss before it"""
    weights, alpha_bars = weights_of_a_denoiser(rng), table(rng)
    model = denoiser(student, weights)
    optimizer = student.props.sgd(model, 0.5)
    (x0, eps), t = images(rng), torch.from_numpy(rng.permutation([10, 35, 60, 90]))
    loss = student.training_step(model, optimizer, x0, t, eps, alpha_bars)
    losses, after = reference.trained_by(weights, 0.5, 0.0, [[x0, t, eps]], alpha_bars)
    close(loss, losses[0], atol=2e-5)
    close(model.weights(), after, atol=2e-5)


@check(points=4, of="training_step")
def several_steps(student, reference, rng):
    """Several steps with one optimizer: no gradient carries over from one step to the next"""
    weights, alpha_bars = weights_of_a_denoiser(rng), table(rng)
    model = denoiser(student, weights)
    optimizer = student.props.sgd(model, 0.2, 0.5)
    batches = [[*images(rng), torch.from_numpy(rng.integers(1, 100, 4))] for _ in range(3)]
    batches = [[x0, t, eps] for x0, eps, t in batches]
    losses, after = reference.trained_by(weights, 0.2, 0.5, batches, alpha_bars)
    for (x0, t, eps), expected in zip(batches, losses, strict=True):
        close(student.training_step(model, optimizer, x0, t, eps, alpha_bars), expected, atol=5e-5)
    close(model.weights(), after, atol=5e-5)


@check(points=2, of="training_step", needs=several_steps)
def the_loss_falls(student, reference, rng):
    """Forty steps on one batch lower its loss"""
    weights = weights_of_a_denoiser(rng)
    model = denoiser(student, weights)
    optimizer = student.props.sgd(model, 0.05)
    (x0, eps), t, alpha_bars = images(rng, (16, 2, 5, 6)), torch.from_numpy(rng.integers(20, 100, 16)), table(rng)
    # Require half of the reference's own decrease on the same numbers: a correct solution always decreases twice as much.
    before, after = reference.trained_by(weights, 0.05, 0.0, [[x0, t, eps]] * 40, alpha_bars)[0][::39]
    losses = [float(shaped(student.training_step(model, optimizer, x0, t, eps, alpha_bars))) for _ in range(40)]
    fell = losses[0] - losses[-1] > (before - after) / 2
    expect(fell, f"brought the loss from {losses[0]:.3f} to {losses[-1]:.3f} in forty steps; expected {after:.3f}")


@check(points=1, of="noise_mse", needs=one_t_for_all)
def loss_leaves_its_arguments(student, reference, rng):
    """noise_mse does not modify images, noise or table"""
    x0, eps = images(rng)
    student.noise_mse(network(2, 5, 6), x0, 40, eps, table(rng))
    untouched()


@check(points=1, of="training_step", needs=one_step)
def step_leaves_its_batch(student, reference, rng):
    """training_step does not modify images, noise or table"""
    model = denoiser(student, weights_of_a_denoiser(rng))
    x0, eps = images(rng)
    student.training_step(model, student.props.sgd(model, 0.1), x0, torch.tensor([5, 20, 40, 80]), eps, table(rng))
    untouched()
