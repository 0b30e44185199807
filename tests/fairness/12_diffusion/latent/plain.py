"""The formulas as written, in torch."""

import torch


def latent_scale(latents):
    return latents.std()


def encode(vae, x, scale):
    return vae.encode(x) / scale


def decode(vae, z, scale):
    return vae.decode(scale * z)


@torch.no_grad()
def latent_sample(vae, eps_model, z_T, alpha_bars, steps, scale):
    T, z = len(alpha_bars) - 1, z_T
    for i in range(steps, 0, -1):
        t, s = T * i // steps, T * (i - 1) // steps
        eps = eps_model(z, t)
        z0 = (z - (1 - alpha_bars[t]).sqrt() * eps) / alpha_bars[t].sqrt()
        z = alpha_bars[s].sqrt() * z0 + (1 - alpha_bars[s]).sqrt() * eps
    return decode(vae, z, scale)
