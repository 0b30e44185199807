"""Numpy in double precision throughout; the model gets t as an integer tensor with one entry per row."""

import numpy as np
import torch


def ddim_timesteps(T, steps):
    return np.floor_divide(T * np.arange(steps, 0, -1), steps)


def ddim_step(x_t, t, t_prev, eps_hat, alpha_bars, eta, z):
    x_t, eps_hat, z = (np.asarray(each, dtype=np.float64) for each in (x_t, eps_hat, z))
    bars = np.asarray(alpha_bars, dtype=np.float64)
    x0 = (x_t - np.sqrt(1 - bars[t]) * eps_hat) / np.sqrt(bars[t])
    variance = eta**2 * (1 - bars[t_prev]) / (1 - bars[t]) * (1 - bars[t] / bars[t_prev])
    return np.sqrt(bars[t_prev]) * x0 + np.sqrt(1 - bars[t_prev] - variance) * eps_hat + np.sqrt(variance) * z


def ddim_sample(eps_model, x_T, alpha_bars, steps, eta, draw_noise):
    x = np.asarray(x_T)
    visited = [*ddim_timesteps(len(alpha_bars) - 1, steps).tolist(), 0]
    for i in range(steps):
        told = torch.full((len(x),), visited[i])
        eps = eps_model(torch.tensor(x, dtype=torch.float32), told)
        x = ddim_step(x, visited[i], visited[i + 1], eps, alpha_bars, eta, draw_noise(visited[i]))
    return x
