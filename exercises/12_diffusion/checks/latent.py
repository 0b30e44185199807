"""Checks of latent.py: the scale of the latents, encoding and decoding, and sampling in between."""

import numpy as np
import torch

from autograder.api import asked, check, close, expect, rows, untouched

LATENT = (4, 2, 3, 5)  # no two sizes are equal
IMAGE = (4, 3, 3, 5)


def noise(rng, shape):
    return torch.from_numpy(rng.standard_normal(shape, np.float32))


def table(rng, T):
    return torch.from_numpy(np.cumprod(np.r_[1, 1 - rng.uniform(0.01, 0.05, T)]).astype(np.float32))


def weights_of_a_vae(rng):
    """Draw weights for the autoencoder in props.py."""
    shapes = {"down.weight": (2, 3, 1, 1), "down.bias": (2,), "up.weight": (3, 2, 1, 1), "up.bias": (3,)}
    return {name: 0.6 * noise(rng, shape) for name, shape in shapes.items()}


def vae_with(student, weights):
    vae = student.props.vae()
    vae.set_weights(weights)
    return vae


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


@check(points=4, of="latent_scale")
def the_spread(student, reference, rng):
    """The standard deviation of many latents with a nonzero mean"""
    for std, mean in ((0.8, 1.5), (4.0, -3.0)):
        latents = mean + std * noise(rng, (50, 4, 8, 9)) + torch.arange(4.0).reshape(1, 4, 1, 1)
        close(student.latent_scale(latents), reference.latent_scale(latents), rtol=1e-3)


@check(points=3, of="encode")
def the_way_in(student, reference, rng):
    """Encoding images gives latents divided by the scale"""
    for scale in (0.4, 3.0):
        weights, x = weights_of_a_vae(rng), noise(rng, IMAGE)
        close(student.encode(vae_with(student, weights), x, scale), reference.encode_by(weights, x, scale), atol=1e-5)


@check(points=3, of="decode")
def the_way_out(student, reference, rng):
    """Decoding multiplies the latents by the scale first"""
    for scale in (0.4, 3.0):
        weights, z = weights_of_a_vae(rng), noise(rng, LATENT)
        close(student.decode(vae_with(student, weights), z, scale), reference.decode_by(weights, z, scale), atol=1e-5)


@check(points=6, of="latent_sample")
def sampled_in_latents(student, reference, rng):
    """From noise to images, through latents"""
    for steps, scale in ((6, 0.5), (1, 2.5)):
        T = int(rng.integers(40, 50))
        weights, given = weights_of_a_vae(rng), (network(), noise(rng, LATENT), table(rng, T), steps, scale)
        close(student.latent_sample(vae_with(student, weights), *given), reference.sample_by(weights, *given), atol=1e-4)


@check(points=2, of="latent_sample", needs=sampled_in_latents)
def decoded_once(student, reference, rng):
    """The model is called once for each t of the grid, and the latents are decoded once, at the end"""
    vae = vae_with(student, weights_of_a_vae(rng))
    student.latent_sample(vae, network(), noise(rng, LATENT), table(rng, 40), 7, 0.5)
    seen = [int(t) for _, ts in asked("eps_model") for t in np.unique(np.asarray(ts))]
    words = f"called the model with t = {', '.join(map(str, seen[:12]))}; expected one call for each t of the grid"
    expect(seen == [40 * i // 7 for i in range(7, 0, -1)], words)
    decodings = vae.method("decodings")
    expect(sum(decodings) == LATENT[0], f"decoded {sum(decodings)} latents; expected {LATENT[0]}")


@check(points=1, of="latent_sample", needs=sampled_in_latents)
def sampling_leaves_its_arguments(student, reference, rng):
    """latent_sample does not modify z_T or the table"""
    weights, given = weights_of_a_vae(rng), (network(), noise(rng, LATENT), table(rng, 20), 3, 0.7)
    close(student.latent_sample(vae_with(student, weights), *given), reference.sample_by(weights, *given), atol=1e-4)
    untouched()


@check(points=0.5, of="encode", needs=the_way_in)
def images_stay(student, reference, rng):
    """encode does not modify the images"""
    student.encode(vae_with(student, weights_of_a_vae(rng)), noise(rng, IMAGE), 2.0)
    untouched()


@check(points=0.5, of="decode", needs=the_way_out)
def latents_stay(student, reference, rng):
    """decode does not modify the latents"""
    student.decode(vae_with(student, weights_of_a_vae(rng)), noise(rng, LATENT), 2.0)
    untouched()
