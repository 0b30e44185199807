"""Checks of latent.py: the scale of the latents, encoding and decoding, and sampling in between."""

from collections import Counter
from types import SimpleNamespace

import numpy as np
import torch

from autograder.api import asked, check, close, expect, rows, untouched

LATENT = (4, 2, 3, 5)  # no two sizes are equal
IMAGE = (4, 3, 3, 5)


def noise(rng, shape):
    return torch.from_numpy(rng.standard_normal(shape, np.float32))


def table(rng, T):
    return torch.from_numpy(np.cumprod(np.r_[1, 1 - rng.uniform(0.01, 0.05, T)]).astype(np.float32))


def autoencoder(rng):
    """Make a stand-in for an autoencoder, with 3 channels in images and 2 in latents. It answers here, so that its calls can be counted."""
    down, up = noise(rng, (2, 3)), noise(rng, (3, 2))

    def encode(x):
        rows(x, *IMAGE[1:], most=IMAGE[0])
        x = torch.as_tensor(x)
        return 3 * torch.tanh(torch.einsum("lc,bchw->blhw", down.to(x.dtype), x) + 0.3)

    def decode(z):
        rows(z, *LATENT[1:], most=LATENT[0])
        z = torch.as_tensor(z)
        return torch.tanh(torch.einsum("cl,blhw->bchw", up.to(z.dtype), z) - 0.2)

    return SimpleNamespace(encode=encode, decode=decode)


def network():
    """Make a stand-in for a network: its noise for a row depends on that row and its t only."""

    def eps_model(z, t):
        count = rows(z, *LATENT[1:], most=2 * LATENT[0])
        if np.prod(np.shape(t)) not in (1, count):
            raise ValueError("t must be an integer, or one for each row of z")
        z, t = torch.as_tensor(z), torch.as_tensor(t).reshape(-1, 1, 1, 1)
        if (t != t.round()).any():
            raise ValueError("t must be an integer, or one for each row of z")
        return torch.sin(2 * z + 0.7 * t.to(z.dtype))

    return eps_model


def rows_asked(model):
    """Count the rows that a model was called with, by their t."""
    return Counter(int(t) for x, ts in asked(model) for t in np.broadcast_to(np.ravel(ts), len(x)))


@check(points=4, of="latent_scale")
def the_spread(student, reference, rng):
    """The standard deviation of many latents with a nonzero mean, some of them brighter than others"""
    for std, mean in ((0.8, 1.5), (4.0, -3.0)):
        latents = mean + std * noise(rng, (50, 4, 8, 9)) + torch.arange(4.0).reshape(1, 4, 1, 1) + noise(rng, (50, 1, 1, 1))
        close(student.latent_scale(latents), reference.latent_scale(latents), rtol=1e-3)


@check(points=3, of="encode")
def the_way_in(student, reference, rng):
    """Encoding images gives latents divided by the scale"""
    for scale in (0.4, 3.0):
        given = autoencoder(rng), noise(rng, IMAGE), scale
        close(student.encode(*given), reference.encode(*given), atol=1e-5)


@check(points=3, of="decode")
def the_way_out(student, reference, rng):
    """Decoding multiplies the latents by the scale first"""
    for scale in (0.4, 3.0):
        given = autoencoder(rng), noise(rng, LATENT), scale
        close(student.decode(*given), reference.decode(*given), atol=1e-5)


@check(points=6, of="latent_sample")
def sampled_in_latents(student, reference, rng):
    """From noise to images, through latents"""
    for steps, scale in ((6, 0.5), (1, 2.5)):
        T = int(rng.integers(40, 50))
        given = autoencoder(rng), network(), noise(rng, LATENT), table(rng, T), steps, scale
        close(student.latent_sample(*given), reference.latent_sample(*given), atol=1e-4)


@check(points=2, of="latent_sample", needs=sampled_in_latents)
def decoded_once(student, reference, rng):
    """The model is called once for each t of the grid, and the latents are decoded once, at the end"""
    student.latent_sample(autoencoder(rng), network(), noise(rng, LATENT), table(rng, 40), 7, 0.5)
    seen = [int(t) for _, ts in asked("eps_model") for t in np.unique(np.asarray(ts))]
    words = f"called the model with t = {', '.join(map(str, seen[:12]))}; expected one call for each t of the grid"
    expect(rows_asked("eps_model") == dict.fromkeys([40 * i // 7 for i in range(7, 0, -1)], LATENT[0]), words)
    decoded = sum(len(z) for (z,) in asked("decode"))
    expect(decoded == LATENT[0], f"decoded {decoded} latents; expected {LATENT[0]}")


@check(points=1, of="latent_sample", needs=sampled_in_latents)
def sampling_leaves_its_arguments(student, reference, rng):
    """latent_sample does not modify z_T or the table"""
    student.latent_sample(autoencoder(rng), network(), noise(rng, LATENT), table(rng, 20), 3, 0.7)
    untouched()


@check(points=0.5, of="encode", needs=the_way_in)
def images_stay(student, reference, rng):
    """encode does not modify the images"""
    student.encode(autoencoder(rng), noise(rng, IMAGE), 2.0)
    untouched()


@check(points=0.5, of="decode", needs=the_way_out)
def latents_stay(student, reference, rng):
    """decode does not modify the latents"""
    student.decode(autoencoder(rng), noise(rng, LATENT), 2.0)
    untouched()
