"""In place, but on its own copies."""

import torch


def latent_scale(latents):
    return torch.var_mean(latents.double().flatten(), correction=0)[0].sqrt().item()


def encode(vae, x, scale):
    z = vae.encode(x.clone()).detach()
    z /= scale
    return z


def decode(vae, z, scale):
    z = z.clone()
    z *= scale
    return vae.decode(z)


def latent_sample(vae, eps_model, z_T, alpha_bars, steps, scale):
    signal, noise = alpha_bars.double().sqrt(), (1 - alpha_bars.double()).sqrt()
    z = z_T.clone()
    ts = [(len(signal) - 1) * i // steps for i in range(steps + 1)][::-1]
    for k in range(steps):
        eps = eps_model(z, torch.tensor(ts[k]))
        z.sub_(noise[ts[k]].float() * eps).mul_((signal[ts[k + 1]] / signal[ts[k]]).float())
        z.add_(noise[ts[k + 1]].float() * eps)
    return decode(vae, z, scale)
