"""Numpy in double precision where the model and the autoencoder allow it."""

import itertools

import numpy as np
import torch


def latent_scale(latents):
    return float(np.std(np.asarray(latents, dtype=np.float64)))


def encode(vae, x, scale):
    return vae.encode(x).detach().numpy().astype(np.float64) / scale


def decode(vae, z, scale):
    return vae.decode(torch.tensor(np.asarray(z) * scale, dtype=torch.float32)).detach().numpy()


def latent_sample(vae, eps_model, z_T, alpha_bars, steps, scale):
    bars = np.asarray(alpha_bars, dtype=np.float64)
    grid = (len(bars) - 1) * np.arange(steps, -1, -1) // steps
    z = np.asarray(z_T, dtype=np.float64)
    for t, s in itertools.pairwise(grid):
        eps = np.asarray(eps_model(torch.tensor(z, dtype=torch.float32), torch.full((len(z),), int(t))))
        z = np.sqrt(bars[s] / bars[t]) * (z - np.sqrt(1 - bars[t]) * eps) + np.sqrt(1 - bars[s]) * eps
    return decode(vae, z, scale)
