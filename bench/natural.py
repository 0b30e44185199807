"""Wrong answers as students write them, each with a word of the idea that they should be told.

An entry is the exercise, the right file it is written into (a style of tests/fairness, or "" for a plain file of forward.py), the
functions as the student has them, and a pattern of what must be said. `KNOWN` were unnamed when only written misconceptions were
named; `MORE` were written afterwards, without looking at the misconceptions; `LATER` still later, before two mistakes at once were looked
for, and at its end before a factor on the wrong side of a call was.
"""

from __future__ import annotations

from typing import NamedTuple


class Wrong(NamedTuple):
    """One wrong answer."""

    exercise: str
    style: str
    idea: str  # a regular expression of what must be said
    source: str


# ---- texts of which several differ in one place


def but(source: str, old: str, new: str) -> str:
    """Change one place of a source."""
    assert source.count(old) == 1, old
    return source.replace(old, new)


CROSS_ATTENTION = """
def cross_attention(x, text, W_q, W_k, W_v, W_o, heads, mask=None):
    B, N, _ = x.shape
    q = (x @ W_q).view(B, N, heads, -1).transpose(1, 2)
    k = (text @ W_k).view(B, text.shape[1], heads, -1).transpose(1, 2)
    v = (text @ W_v).view(B, text.shape[1], heads, -1).transpose(1, 2)
    scores = q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5
    if mask is not None:
        scores = scores.masked_fill(~mask[:, None, None, :], float("-inf"))
    weights = scores.softmax(-1)
    return (weights @ v).transpose(1, 2).reshape(B, N, -1) @ W_o
"""
DDIM_STEP = """
def ddim_step(x_t, t, t_prev, eps_hat, alpha_bars, eta, z):
    a, b = alpha_bars[t], alpha_bars[t_prev]
    x0 = (x_t - (1 - a).sqrt() * eps_hat) / a.sqrt()
    sigma = eta * ((1 - b) / (1 - a) * (1 - a / b)).sqrt()
    return b.sqrt() * x0 + (1 - b - sigma**2).sqrt() * eps_hat + sigma * z
"""
GUIDED_SAMPLE = """
def guided_sample(eps_model, tokens, null, w, x_T, alpha_bars, steps):
    nothing = torch.zeros_like(tokens) + null
    T = len(alpha_bars) - 1
    x = x_T
    for i in range(steps, 0, -1):
        t, s = T * i // steps, T * (i - 1) // steps
        eps = guided_eps(eps_model(x, t, nothing), eps_model(x, t, tokens), w)
        x0 = (x - (1 - alpha_bars[t]).sqrt() * eps) / alpha_bars[t].sqrt()
        x = alpha_bars[s].sqrt() * x0 + (1 - alpha_bars[s]).sqrt() * eps
    return x
"""
WITH_CONDITION = but(
    GUIDED_SAMPLE,
    "        eps = guided_eps(eps_model(x, t, nothing), eps_model(x, t, tokens), w)",
    "        cond = eps_model(x, t, tokens)\n        eps = guided_eps(eps_model(x, t, nothing), cond, w)",
)
LATENT_SAMPLE = """
def latent_sample(vae, eps_model, z_T, alpha_bars, steps, scale):
    T, z = len(alpha_bars) - 1, z_T
    for i in range(steps, 0, -1):
        t, s = T * i // steps, T * (i - 1) // steps
        eps = eps_model(z, t)
        z0 = (z - (1 - alpha_bars[t]).sqrt() * eps) / alpha_bars[t].sqrt()
        z = alpha_bars[s].sqrt() * z0 + (1 - alpha_bars[s]).sqrt() * eps
    return decode(vae, z, scale)
"""
DDIM_SAMPLE = """
def ddim_sample(eps_model, x_T, alpha_bars, steps, eta, draw_noise):
    ts = ddim_timesteps(len(alpha_bars) - 1, steps)
    x = x_T
    for t, t_prev in zip(ts, [*ts[1:], 0]):
        x = ddim_step(x, t, t_prev, eps_model(x, t), alpha_bars, eta, draw_noise(t))
    return x
"""
DDPM_SAMPLE = """
def ddpm_sample(eps_model, x_T, betas, draw_noise):
    x = x_T
    for t in range(len(betas) - 1, 0, -1):
        x = ddpm_step(x, t, eps_model(x, t), betas, draw_noise(t))
    return x
"""
DISTILL_STEP = """
def distill_step(student, teacher, optimizer, x_t, t, t_mid, t_end, alpha_bars):
    target = progressive_target(teacher, x_t, t, t_mid, t_end, alpha_bars)
    loss = ((student(x_t, t) - target) ** 2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()
"""
PROGRESSIVE_TARGET = """
def progressive_target(teacher, x_t, t, t_mid, t_end, alpha_bars):
    with torch.no_grad():
        middle = ddim(x_t, teacher(x_t, t), t, t_mid, alpha_bars)
        end = ddim(middle, teacher(middle, t_mid), t_mid, t_end, alpha_bars)
    a, b = shaped(alpha_bars, t, x_t), shaped(alpha_bars, t_end, x_t)
    return (end - (b / a).sqrt() * x_t) / ((1 - b).sqrt() - (b / a).sqrt() * (1 - a).sqrt())
"""


# ---- the mistakes

KNOWN: dict[str, Wrong] = {
    "noise_mse: roots swapped": Wrong("loss", "plain", "swapped", """
def noise_mse(eps_model, x0, t, eps, alpha_bars):
    a = alpha_bars[torch.as_tensor(t)].view(-1, 1, 1, 1)
    noisy = torch.sqrt(1 - a) * x0 + torch.sqrt(a) * eps
    return torch.nn.functional.mse_loss(eps_model(noisy, t), eps)
"""),
    "noise_mse: α_t for ᾱ_t": Wrong("loss", "plain", "α_t", """
def noise_mse(eps_model, x0, t, eps, alpha_bars):
    t_ = torch.as_tensor(t)
    alpha = (alpha_bars[t_] / alpha_bars[t_ - 1]).view(-1, 1, 1, 1)
    noisy = torch.sqrt(alpha) * x0 + torch.sqrt(1 - alpha) * eps
    return ((eps_model(noisy, t) - eps) ** 2).mean()
"""),
    "noise_mse: t off by one": Wrong("loss", "plain", "t.?−.?1", """
def noise_mse(eps_model, x0, t, eps, alpha_bars):
    a = alpha_bars[torch.as_tensor(t) - 1].view(-1, 1, 1, 1)
    noisy = torch.sqrt(a) * x0 + torch.sqrt(1 - a) * eps
    return ((eps_model(noisy, t) - eps) ** 2).mean()
"""),
    "noise_mse: the model is not told t": Wrong("loss", "plain", "(model|network|ε̂).*(t|0)", """
def noise_mse(eps_model, x0, t, eps, alpha_bars):
    a = alpha_bars[torch.as_tensor(t)].view(-1, 1, 1, 1)
    noisy = torch.sqrt(a) * x0 + torch.sqrt(1 - a) * eps
    return ((eps_model(noisy, 0) - eps) ** 2).mean()
"""),
    "noise_mse: t along the last axis": Wrong("loss", "plain", "last axis|axis 3", """
def noise_mse(eps_model, x0, t, eps, alpha_bars):
    a = alpha_bars[t]
    noisy = torch.sqrt(a) * x0 + torch.sqrt(1 - a) * eps
    return ((eps_model(noisy, t) - eps) ** 2).mean()
"""),
    "training_step: climbing": Wrong("loss", "plain", "sign|negative|up", """
def training_step(model, optimizer, x0, t, eps, alpha_bars):
    optimizer.zero_grad()
    loss = noise_mse(model, x0, t, eps, alpha_bars)
    (-loss).backward()
    optimizer.step()
    return loss.item()
"""),
    "training_step: own noise": Wrong("loss", "plain", "random|own noise", """
def training_step(model, optimizer, x0, t, eps, alpha_bars):
    eps = torch.randn_like(x0)
    optimizer.zero_grad()
    loss = noise_mse(model, x0, t, eps, alpha_bars)
    loss.backward()
    optimizer.step()
    return loss.item()
"""),
    "noise_mse: own noise": Wrong("loss", "plain", "random|own noise", """
def noise_mse(eps_model, x0, t, eps, alpha_bars):
    eps = torch.randn_like(x0)
    a = alpha_bars[torch.as_tensor(t)].view(-1, 1, 1, 1)
    return ((eps_model(a.sqrt() * x0 + (1 - a).sqrt() * eps, t) - eps) ** 2).mean()
"""),
    "timestep_embedding: frequencies rising": Wrong("timestep", "shift", "rise|grow|sign|divided", """
def timestep_embedding(t, dim, max_period=10000):
    half = dim // 2
    freqs = max_period ** (torch.arange(half) / half)
    args = t[:, None].float() * freqs[None]
    return torch.cat([torch.cos(args), torch.sin(args)], dim=-1)
"""),
    "timestep_embedding: one wave twice": Wrong("timestep", "shift", "cos|sin", """
import math
def timestep_embedding(t, dim, max_period=10000):
    half = dim // 2
    freqs = torch.exp(-math.log(max_period) * torch.arange(half) / half)
    args = t[:, None].float() * freqs[None]
    return torch.cat([torch.sin(args), torch.sin(args)], dim=-1)
"""),
    "timestep_embedding: t divided by the period": Wrong("timestep", "shift", "period|divided", """
import math
def timestep_embedding(t, dim, max_period=10000):
    half = dim // 2
    freqs = torch.exp(-math.log(max_period) * torch.arange(half) / half)
    args = (t / max_period)[:, None].float() * freqs[None]
    return torch.cat([torch.cos(args), torch.sin(args)], dim=-1)
"""),
    "posterior: cumulative sum": Wrong("ddpm", "plain", r"sum|1 − β_1 − ", """
def posterior(x_t, t, eps_hat, betas):
    bars = 1 - torch.cumsum(betas, dim=0)
    x0 = (x_t - (1 - bars[t]).sqrt() * eps_hat) / bars[t].sqrt()
    on_x0 = bars[t - 1].sqrt() * betas[t] / (1 - bars[t])
    on_x_t = (1 - betas[t]).sqrt() * (1 - bars[t - 1]) / (1 - bars[t])
    return on_x0 * x0 + on_x_t * x_t, (1 - bars[t - 1]) / (1 - bars[t]) * betas[t]
"""),
    "posterior: α without its root": Wrong("ddpm", "plain", "root", """
def posterior(x_t, t, eps_hat, betas):
    bars = torch.cumprod(1 - betas, dim=0)
    x0 = (x_t - (1 - bars[t]).sqrt() * eps_hat) / bars[t].sqrt()
    mean = bars[t - 1].sqrt() * betas[t] / (1 - bars[t]) * x0 + (1 - betas[t]) * (1 - bars[t - 1]) / (1 - bars[t]) * x_t
    return mean, (1 - bars[t - 1]) / (1 - bars[t]) * betas[t]
"""),
    "posterior: noise added": Wrong("ddpm", "plain", "sign|subtract|added", """
def posterior(x_t, t, eps_hat, betas):
    bars = torch.cumprod(1 - betas, dim=0)
    x0 = (x_t + (1 - bars[t]).sqrt() * eps_hat) / bars[t].sqrt()
    on_x0 = bars[t - 1].sqrt() * betas[t] / (1 - bars[t])
    on_x_t = (1 - betas[t]).sqrt() * (1 - bars[t - 1]) / (1 - bars[t])
    return on_x0 * x0 + on_x_t * x_t, (1 - bars[t - 1]) / (1 - bars[t]) * betas[t]
"""),
    "ddim_step: root missing": Wrong("ddim", "plain", "root",
        but(DDIM_STEP, "(1 - a).sqrt() * eps_hat) /", "(1 - a) * eps_hat) /")),
    "ddim_step: x̂_0 not divided": Wrong("ddim", "plain", "divided",
        but(DDIM_STEP, "(x_t - (1 - a).sqrt() * eps_hat) / a.sqrt()", "x_t - (1 - a).sqrt() * eps_hat")),
    "ddim_step: x̂_0 not shrunk": Wrong("ddim", "plain", "√ᾱ_prev",
        but(DDIM_STEP, "return b.sqrt() * x0", "return x0")),
    "ddim_step: fresh noise for the direction": Wrong("ddim", "plain", "z",
        but(DDIM_STEP, "* eps_hat + sigma", "* z + sigma")),
    "ddim_step: α_t for ᾱ_t": Wrong("ddim", "plain", "α|negative",
        but(DDIM_STEP, "alpha_bars[t], alpha_bars[t_prev]",
            "alpha_bars[t] / alpha_bars[t - 1], alpha_bars[t_prev] / alpha_bars[t_prev - 1]")),
    "ddim_step: η under the root": Wrong("ddim", "plain", "η|σ",
        but(DDIM_STEP, "eta * ((1 - b)", "(eta * (1 - b)")),
    "latent_scale: variance": Wrong("latent", "plain", "variance|root", """
def latent_scale(latents):
    return latents.var(unbiased=False)
"""),
    "latent_scale: variance with n − 1": Wrong("latent", "plain", "variance|root", """
def latent_scale(latents):
    return torch.var(latents)
"""),
    "latent_scale: inverse": Wrong("latent", "plain", "1 over|upside|inverse|divide", """
def latent_scale(latents):
    return 1.0 / latents.std(correction=0).item()
"""),
    "latent_sample: decoded at every step": Wrong("latent", "plain", "every step|each step|once|times|decoded [0-9]+ latents", """
@torch.no_grad()
def latent_sample(vae, eps_model, z_T, alpha_bars, steps, scale):
    T, z = len(alpha_bars) - 1, z_T
    for i in range(steps, 0, -1):
        t, s = T * i // steps, T * (i - 1) // steps
        eps = eps_model(z, t)
        z0 = (z - (1 - alpha_bars[t]).sqrt() * eps) / alpha_bars[t].sqrt()
        z = alpha_bars[s].sqrt() * z0 + (1 - alpha_bars[s]).sqrt() * eps
        image = decode(vae, z, scale)
    return image
"""),
    "latent_sample: the starting noise scaled": Wrong("latent", "plain", "z_T", """
@torch.no_grad()
def latent_sample(vae, eps_model, z_T, alpha_bars, steps, scale):
    T, z = len(alpha_bars) - 1, z_T * scale
    for i in range(steps, 0, -1):
        t, s = T * i // steps, T * (i - 1) // steps
        eps = eps_model(z, t)
        z0 = (z - (1 - alpha_bars[t]).sqrt() * eps) / alpha_bars[t].sqrt()
        z = alpha_bars[s].sqrt() * z0 + (1 - alpha_bars[s]).sqrt() * eps
    return decode(vae, z, scale)
"""),
    "progressive_target: told the wrong time": Wrong("distill", "plain", "t_end", """
@torch.no_grad()
def progressive_target(teacher, x_t, t, t_mid, t_end, alpha_bars):
    middle = ddim(x_t, teacher(x_t, t), t, t_mid, alpha_bars)
    end = ddim(middle, teacher(middle, t_end), t_mid, t_end, alpha_bars)
    a, b = shaped(alpha_bars, t, x_t), shaped(alpha_bars, t_end, x_t)
    return (end - (b / a).sqrt() * x_t) / ((1 - b).sqrt() - (b / a).sqrt() * (1 - a).sqrt())
"""),
    "cross_attention: softmax over heads": Wrong("attention", "einsum", "axis|heads",
        but(CROSS_ATTENTION, "scores.softmax(-1)", "torch.softmax(scores, dim=1)")),
}  # fmt: skip


MORE: dict[str, Wrong] = {
    "linear_betas: torch habit, from 0": Wrong("forward", "", r"0|first", """
def linear_betas(T, first=1e-4, last=0.02):
    betas = np.zeros(T + 1)
    for t in range(1, T + 1):
        betas[t] = first + (last - first) * t / T
    return betas
"""),
    "linear_betas: last and first swapped": Wrong("forward", "", r"last|first|swapped|changed places", """
def linear_betas(T, first=1e-4, last=0.02):
    return np.concatenate([[0], np.linspace(last, first, T)])
"""),
    "linear_betas: a one in front": Wrong("forward", "", r"0|1", """
def linear_betas(T, first=1e-4, last=0.02):
    return np.concatenate([[1.0], np.linspace(first, last, T)])
"""),
    "linear_betas: geometric": Wrong("forward", "", r"equal factors|geometric", """
def linear_betas(T, first=1e-4, last=0.02):
    return np.concatenate([[0.0], np.geomspace(first, last, T)])
"""),
    "alpha_bars: shifted by one": Wrong("forward", "", r"t.?−.?1|shift|one|entry before", """
def alpha_bars(betas):
    bars = np.ones(len(betas))
    for t in range(1, len(betas)):
        bars[t] = bars[t - 1] * (1 - betas[t - 1])
    return bars
"""),
    "alpha_bars: root of each": Wrong("forward", "", r"root", """
def alpha_bars(betas):
    return np.cumprod(np.sqrt(1 - betas))
"""),
    "alpha_bars: products of 1 + β": Wrong("forward", "", r"1 \+|sign|added", """
def alpha_bars(betas):
    return np.cumprod(1 + betas)
"""),
    "forward_step: β squared": Wrong("forward", "", r"β", """
def forward_step(x_prev, beta, eps):
    return np.sqrt(1 - beta) * x_prev + beta ** 2 * eps
"""),
    "forward_step: root of the whole": Wrong("forward", "", r"root|squared", """
def forward_step(x_prev, beta, eps):
    return np.sqrt(1 - beta**2) * x_prev + beta * eps
"""),
    "forward_step: factors of a convex sum": Wrong("forward", "", r"root|scale|√", """
def forward_step(x_prev, beta, eps):
    return (1 - np.sqrt(beta)) * x_prev + np.sqrt(beta) * eps
"""),
    "noise_to: β_t in the root": Wrong("forward", "", r"β_t|α_t", """
def noise_to(x0, t, eps, alpha_bars):
    bar = per_sample(t, x0, alpha_bars)
    beta = 1 - bar / per_sample(np.asarray(t) - 1, x0, alpha_bars)
    return np.sqrt(bar) * x0 + np.sqrt(beta) * eps
"""),
    "noise_to: noise not scaled": Wrong("forward", "", r"ε", """
def noise_to(x0, t, eps, alpha_bars):
    bar = per_sample(t, x0, alpha_bars)
    return np.sqrt(bar) * x0 + eps
"""),
    "noise_to: one minus the root": Wrong("forward", "", r"√|root", """
def noise_to(x0, t, eps, alpha_bars):
    bar = per_sample(t, x0, alpha_bars)
    return np.sqrt(bar) * x0 + (1 - np.sqrt(bar)) * eps
"""),
    "noise_to: own noise": Wrong("forward", "", r"random|own noise", """
def noise_to(x0, t, eps, alpha_bars):
    bar = per_sample(t, x0, alpha_bars)
    return np.sqrt(bar) * x0 + np.sqrt(1 - bar) * np.random.randn(*np.shape(x0))
"""),
    "noise_to: minus": Wrong("forward", "", r"sign|subtract", """
def noise_to(x0, t, eps, alpha_bars):
    bar = per_sample(t, x0, alpha_bars)
    return np.sqrt(bar) * x0 - np.sqrt(1 - bar) * eps
"""),
    "predict_x0: divided by the noise's root": Wrong("forward", "", r"√|root|divided", """
def predict_x0(x_t, t, eps, alpha_bars):
    bar = per_sample(t, x_t, alpha_bars)
    return (x_t - np.sqrt(1 - bar) * eps) / np.sqrt(1 - bar)
"""),
    "predict_x0: root of ᾱ subtracted": Wrong("forward", "", r"√", """
def predict_x0(x_t, t, eps, alpha_bars):
    bar = per_sample(t, x_t, alpha_bars)
    return (x_t - np.sqrt(bar) * eps) / np.sqrt(bar)
"""),
    "predict_x0: clipped": Wrong("forward", "", r"clamp", """
def predict_x0(x_t, t, eps, alpha_bars):
    bar = per_sample(t, x_t, alpha_bars)
    return np.clip((x_t - np.sqrt(1 - bar) * eps) / np.sqrt(bar), -1, 1)
"""),
    "predict_x0: t + 1": Wrong("forward", "", r"t.?\+.?1", """
def predict_x0(x_t, t, eps, alpha_bars):
    bar = per_sample(np.asarray(t) + 1, x_t, alpha_bars)
    return (x_t - np.sqrt(1 - bar) * eps) / np.sqrt(bar)
"""),
    "cosine_betas: sine": Wrong("schedule", "loops", r"cos|sin", """
def cosine_betas(T, s=0.008, most=0.999):
    f = [math.sin((t / T + s) / (1 + s) * math.pi / 2) ** 2 for t in range(T + 1)]
    return [0.0] + [min(1 - f[t] / f[t - 1], most) if f[t - 1] else most for t in range(1, T + 1)]
"""),
    "cosine_betas: no half": Wrong("schedule", "loops", r"2|half|divided", """
def cosine_betas(T, s=0.008, most=0.999):
    f = [math.cos((t / T + s) / (1 + s) * math.pi) ** 2 for t in range(T + 1)]
    return [0.0] + [min(1 - f[t] / f[t - 1], most) for t in range(1, T + 1)]
"""),
    "cosine_betas: upside down ratio": Wrong("schedule", "loops", r"upside", """
def cosine_betas(T, s=0.008, most=0.999):
    f = [math.cos((t / T + s) / (1 + s) * math.pi / 2) ** 2 for t in range(T + 1)]
    return [0.0] + [min(1 - f[t - 1] / f[t], most) for t in range(1, T + 1)]
"""),
    "snr: in decibels": Wrong("schedule", "loops", r"log", """
def snr(alpha_bars):
    return [10 * math.log10(b / (1 - b)) if b < 1 else float("inf") for b in alpha_bars]
"""),
    "snr: squared": Wrong("schedule", "loops", r"square|root", """
def snr(alpha_bars):
    return [(b / (1 - b)) ** 2 if b < 1 else float("inf") for b in alpha_bars]
"""),
    "snr: ᾱ over ᾱ + noise's root": Wrong("schedule", "loops", r"root|√", """
def snr(alpha_bars):
    return [math.sqrt(b) / (1 - b) if b < 1 else float("inf") for b in alpha_bars]
"""),
    "terminal_snr_zero: not scaled back": Wrong("schedule", "with_torch", r"scale|multipl|factor|divided", """
import numpy as np
def terminal_snr_zero(betas):
    roots = np.sqrt(np.cumprod(1 - np.asarray(betas)))
    new = roots.copy()
    new[1:] = (roots[1:] - roots[-1]) / (roots[1] - roots[-1])
    bars = new ** 2
    return np.concatenate([[0], 1 - bars[1:] / bars[:-1]])
"""),
    "terminal_snr_zero: alphas returned": Wrong("schedule", "with_torch", r"1 −|α|from 1", """
import numpy as np
def terminal_snr_zero(betas):
    roots = np.sqrt(np.cumprod(1 - np.asarray(betas)))
    roots[1:] = (roots[1:] - roots[-1]) * roots[1] / (roots[1] - roots[-1])
    bars = roots ** 2
    return np.concatenate([[0], bars[1:] / bars[:-1]])
"""),
    "posterior: mean without x_t": Wrong("ddpm", "plain", r"x_t|term", """
def posterior(x_t, t, eps_hat, betas):
    bars = torch.cumprod(1 - betas, dim=0)
    x0 = (x_t - (1 - bars[t]).sqrt() * eps_hat) / bars[t].sqrt()
    mean = bars[t - 1].sqrt() * betas[t] / (1 - bars[t]) * x0
    return mean, (1 - bars[t - 1]) / (1 - bars[t]) * betas[t]
"""),
    "posterior: ᾱ_t for ᾱ_{t−1} in the mean": Wrong("ddpm", "plain", r"ᾱ_t", """
def posterior(x_t, t, eps_hat, betas):
    bars = torch.cumprod(1 - betas, dim=0)
    x0 = (x_t - (1 - bars[t]).sqrt() * eps_hat) / bars[t].sqrt()
    mean = bars[t].sqrt() * betas[t] / (1 - bars[t]) * x0 + (1 - betas[t]).sqrt() * (1 - bars[t - 1]) / (1 - bars[t]) * x_t
    return mean, (1 - bars[t - 1]) / (1 - bars[t]) * betas[t]
"""),
    "posterior: β's root for x̂_0": Wrong("ddpm", "plain", r"β_t|root", """
def posterior(x_t, t, eps_hat, betas):
    bars = torch.cumprod(1 - betas, dim=0)
    x0 = (x_t - (1 - bars[t]).sqrt() * eps_hat) / bars[t].sqrt()
    mean = bars[t - 1].sqrt() * betas[t].sqrt() / (1 - bars[t]) * x0 + (1 - betas[t]).sqrt() * (1 - bars[t - 1]) / (1 - bars[t]) * x_t
    return mean, (1 - bars[t - 1]) / (1 - bars[t]) * betas[t]
"""),
    "posterior: weights exchanged": Wrong("ddpm", "plain", r"swapped|changed places|factors", """
def posterior(x_t, t, eps_hat, betas):
    bars = torch.cumprod(1 - betas, dim=0)
    x0 = (x_t - (1 - bars[t]).sqrt() * eps_hat) / bars[t].sqrt()
    a = bars[t - 1].sqrt() * betas[t] / (1 - bars[t])
    b = (1 - betas[t]).sqrt() * (1 - bars[t - 1]) / (1 - bars[t])
    return b * x0 + a * x_t, (1 - bars[t - 1]) / (1 - bars[t]) * betas[t]
"""),
    "posterior: variance with t + 1": Wrong("ddpm", "plain", r"variance|t", """
def posterior(x_t, t, eps_hat, betas):
    bars = torch.cumprod(1 - betas, dim=0)
    x0 = (x_t - (1 - bars[t]).sqrt() * eps_hat) / bars[t].sqrt()
    on_x0 = bars[t - 1].sqrt() * betas[t] / (1 - bars[t])
    on_x_t = (1 - betas[t]).sqrt() * (1 - bars[t - 1]) / (1 - bars[t])
    return on_x0 * x0 + on_x_t * x_t, (1 - bars[t - 1]) / (1 - bars[t]) * betas[t - 1]
"""),
    "ddpm_step: noise subtracted": Wrong("ddpm", "plain", r"sign|subtract", """
def ddpm_step(x_t, t, eps_hat, betas, z):
    mean, variance = posterior(x_t, t, eps_hat, betas)
    return mean - variance.sqrt() * z
"""),
    "ddpm_step: β for its root": Wrong("ddpm", "plain", r"β_t", """
def ddpm_step(x_t, t, eps_hat, betas, z):
    mean, variance = posterior(x_t, t, eps_hat, betas)
    return mean + betas[t] * z
"""),
    "ddpm_step: own noise": Wrong("ddpm", "plain", r"random|own noise", """
def ddpm_step(x_t, t, eps_hat, betas, z):
    mean, variance = posterior(x_t, t, eps_hat, betas)
    return mean + variance.sqrt() * torch.randn_like(x_t)
"""),
    "ddpm_step: x_t kept": Wrong("ddpm", "plain", r"x_t", """
def ddpm_step(x_t, t, eps_hat, betas, z):
    mean, variance = posterior(x_t, t, eps_hat, betas)
    return x_t + variance.sqrt() * z
"""),
    "ddpm_sample: one step too many": Wrong("ddpm", "plain", r"t = 0|0|step", """
def ddpm_sample(eps_model, x_T, betas, draw_noise):
    x = x_T
    for t in range(len(betas) - 1, 1, -1):
        x = ddpm_step(x, t, eps_model(x, t), betas, draw_noise(t))
    mean, variance = posterior(x, 1, eps_model(x, 1), betas)
    return mean + betas[1].sqrt() * draw_noise(1)
"""),
    "ddpm_sample: own noise": Wrong("ddpm", "plain", r"random|own noise", but(DDPM_SAMPLE, "draw_noise(t)", "torch.randn_like(x)")),
    "ddpm_sample: starts from fresh noise": Wrong(
        "ddpm", "plain", r"random|own noise",
        but(DDPM_SAMPLE, "x = x_T", "x = torch.randn_like(x_T)"),
    ),
    "ddpm_sample: every second t": Wrong("ddpm", "plain", r"step|t", but(DDPM_SAMPLE, "0, -1)", "0, -2)")),
    "ddim_timesteps: ceil": Wrong("ddim", "plain", r"round", """
def ddim_timesteps(T, steps):
    return [-(-T * i // steps) for i in range(steps, 0, -1)]
"""),
    "ddim_timesteps: with T + 1": Wrong("ddim", "plain", r"T|1", """
def ddim_timesteps(T, steps):
    return [(T + 1) * i // steps for i in range(steps, 0, -1)]
"""),
    "ddim_step: ᾱ_t in the direction and the shrink": Wrong("ddim", "plain", r"ᾱ_t",
        but(DDIM_STEP, "return b.sqrt()", "return a.sqrt()")),
    "ddim_step: t and t_prev exchanged": Wrong("ddim", "plain", r"t_prev", """
def ddim_step(x_t, t, t_prev, eps_hat, alpha_bars, eta, z):
    b, a = alpha_bars[t], alpha_bars[t_prev]
    x0 = (x_t - (1 - a).sqrt() * eps_hat) / a.sqrt()
    sigma = eta * ((1 - b) / (1 - a).clamp(min=1e-12) * (1 - a / b).abs()).sqrt()
    return b.sqrt() * x0 + (1 - b - sigma**2).clamp(min=0).sqrt() * eps_hat + sigma * z
"""),
    "ddim_step: fraction upside down in σ": Wrong("ddim", "plain", r"upside|σ",
        but(DDIM_STEP, "(1 - b) / (1 - a) * (1 - a / b)).sqrt()", "(1 - a) / (1 - b) * (1 - a / b)).sqrt() if t_prev else 0.0")),
    "ddim_step: 1 − ᾱ_prev/ᾱ_t": Wrong("ddim", "plain", r"upside|negative|σ|NaN",
        but(DDIM_STEP, "1 - a / b", "1 - b / a")),
    "ddim_step: plus for minus under the root": Wrong("ddim", "plain", r"σ|sign|added",
        but(DDIM_STEP, "1 - b - sigma", "1 - b + sigma")),
    "ddim_sample: z from t_prev with its own draw": Wrong("ddim", "plain", r"random|own noise", """
import torch
def ddim_sample(eps_model, x_T, alpha_bars, steps, eta, draw_noise):
    ts = ddim_timesteps(len(alpha_bars) - 1, steps)
    x = x_T
    for t, t_prev in zip(ts, [*ts[1:], 0]):
        x = ddim_step(x, t, t_prev, eps_model(x, t), alpha_bars, eta, torch.randn_like(x))
    return x
"""),
    "ddim_sample: last step forgotten": Wrong(
        "ddim", "plain", r"last|step|stop",
        but(DDIM_SAMPLE, "zip(ts, [*ts[1:], 0])", "zip(ts[:-1], ts[1:])"),
    ),
    "ddim_sample: always to t − 1": Wrong("ddim", "plain", r"t_prev|t.?−.?1", """
def ddim_sample(eps_model, x_T, alpha_bars, steps, eta, draw_noise):
    x = x_T
    for t in ddim_timesteps(len(alpha_bars) - 1, steps):
        x = ddim_step(x, t, t - 1, eps_model(x, t), alpha_bars, eta, draw_noise(t))
    return x
"""),
    "guided_eps: average": Wrong("guidance", "plain", r"w|factor", """
def guided_eps(eps_uncond, eps_cond, w):
    return (eps_uncond + w * eps_cond) / (1 + w)
"""),
    "guided_eps: minus": Wrong("guidance", "plain", r"sign|subtract|ε_uncond", """
def guided_eps(eps_uncond, eps_cond, w):
    return eps_uncond - w * (eps_cond - eps_uncond)
"""),
    "drop_condition: at most p": Wrong("guidance", "plain", r"<|p|equal", """
def drop_condition(tokens, null, p, u):
    out = tokens.clone()
    out[u <= p] = null
    return out
"""),
    "drop_condition: own random numbers": Wrong("guidance", "plain", r"random", """
def drop_condition(tokens, null, p, u):
    out = tokens.clone()
    out[torch.rand(len(tokens)) < p] = null
    return out
"""),
    "guided_sample: w twice": Wrong("guidance", "plain", r"w", but(GUIDED_SAMPLE, "nothing), eps_model", "nothing), w * eps_model")),
    "guided_sample: only the caption's noise put back": Wrong(
        "guidance", "plain", r"ε",
        but(WITH_CONDITION, "(1 - alpha_bars[s]).sqrt() * eps", "(1 - alpha_bars[s]).sqrt() * cond"),
    ),
    "guided_sample: stops before 0": Wrong(
        "guidance", "plain", r"last|step|stop|0",
        but(GUIDED_SAMPLE, "range(steps, 0, -1)", "range(steps, 1, -1)"),
    ),
    "noise_mse: mean over the batch only": Wrong("loss", "plain", r"sum|mean|axis", """
def noise_mse(eps_model, x0, t, eps, alpha_bars):
    bar = alpha_bars[torch.as_tensor(t)].reshape(-1, 1, 1, 1)
    x_t = bar.sqrt() * x0 + (1 - bar).sqrt() * eps
    return ((eps - eps_model(x_t, t)) ** 2).flatten(1).sum(1).mean()
"""),
    "noise_mse: half": Wrong("loss", "plain", r"0.5|half|factor", """
def noise_mse(eps_model, x0, t, eps, alpha_bars):
    bar = alpha_bars[torch.as_tensor(t)].reshape(-1, 1, 1, 1)
    x_t = bar.sqrt() * x0 + (1 - bar).sqrt() * eps
    return 0.5 * ((eps - eps_model(x_t, t)) ** 2).mean()
"""),
    "noise_mse: target is x_t": Wrong("loss", "plain", r"x_t", """
def noise_mse(eps_model, x0, t, eps, alpha_bars):
    bar = alpha_bars[torch.as_tensor(t)].reshape(-1, 1, 1, 1)
    x_t = bar.sqrt() * x0 + (1 - bar).sqrt() * eps
    return ((x_t - eps_model(x_t, t)) ** 2).mean()
"""),
    "noise_mse: no roots": Wrong("loss", "plain", r"root", """
def noise_mse(eps_model, x0, t, eps, alpha_bars):
    bar = alpha_bars[torch.as_tensor(t)].reshape(-1, 1, 1, 1)
    x_t = bar * x0 + (1 - bar) * eps
    return ((eps - eps_model(x_t, t)) ** 2).mean()
"""),
    "training_step: zero_grad after backward": Wrong("loss", "plain", r"clear|zero_grad|gradient", """
def training_step(model, optimizer, x0, t, eps, alpha_bars):
    loss = noise_mse(model, x0, t, eps, alpha_bars)
    loss.backward()
    optimizer.zero_grad()
    optimizer.step()
    return loss.item()
"""),
    "training_step: eps and x0 exchanged": Wrong("loss", "plain", r"x_0|swapped|changed places", """
def training_step(model, optimizer, x0, t, eps, alpha_bars):
    optimizer.zero_grad()
    loss = noise_mse(model, eps, t, x0, alpha_bars)
    loss.backward()
    optimizer.step()
    return loss.item()
"""),
    "training_step: step before backward": Wrong("loss", "plain", r"before|order|early|backward", """
def training_step(model, optimizer, x0, t, eps, alpha_bars):
    optimizer.zero_grad()
    loss = noise_mse(model, x0, t, eps, alpha_bars)
    optimizer.step()
    loss.backward()
    return loss.item()
"""),
    "timestep_embedding: only sines and their negatives": Wrong("timestep", "shift", r"cos|sin", """
def timestep_embedding(t, dim, max_period=10000):
    half = dim // 2
    angles = torch.outer(t.float(), max_period ** (-torch.arange(half) / half))
    return torch.cat((torch.cos(angles), -torch.sin(angles)), dim=-1)
"""),
    "timestep_embedding: angles times π": Wrong("timestep", "shift", r"π|3.14|factor", """
import math
def timestep_embedding(t, dim, max_period=10000):
    half = dim // 2
    angles = 2 * math.pi * torch.outer(t.float(), max_period ** (-torch.arange(half) / half))
    return torch.cat((torch.cos(angles), torch.sin(angles)), dim=-1)
"""),
    "timestep_embedding: k from 1": Wrong("timestep", "shift", r"1|arange|start", """
def timestep_embedding(t, dim, max_period=10000):
    half = dim // 2
    angles = torch.outer(t.float(), max_period ** (-torch.arange(1, half + 1) / half))
    return torch.cat((torch.cos(angles), torch.sin(angles)), dim=-1)
"""),
    "latent_scale: largest less smallest": Wrong("latent", "plain", r"standard deviation|spread", """
def latent_scale(latents):
    return latents.max() - latents.min()
"""),
    "encode: mean taken off": Wrong("latent", "plain", r"mean", """
def encode(vae, x, scale):
    z = vae.encode(x)
    return (z - z.mean()) / scale
"""),
    "decode: divided after": Wrong("latent", "plain", r"divided|scale", """
def decode(vae, z, scale):
    return vae.decode(z) / scale
"""),
    "latent_sample: divided by the scale at the end": Wrong("latent", "plain", r"divided|scale", """
@torch.no_grad()
def latent_sample(vae, eps_model, z_T, alpha_bars, steps, scale):
    T, z = len(alpha_bars) - 1, z_T
    for i in range(steps, 0, -1):
        t, s = T * i // steps, T * (i - 1) // steps
        eps = eps_model(z, t)
        z0 = (z - (1 - alpha_bars[t]).sqrt() * eps) / alpha_bars[t].sqrt()
        z = alpha_bars[s].sqrt() * z0 + (1 - alpha_bars[s]).sqrt() * eps
    return vae.decode(z / scale)
"""),
    "latent_sample: scaled in each step": Wrong("latent", "plain", r"scale|step", """
@torch.no_grad()
def latent_sample(vae, eps_model, z_T, alpha_bars, steps, scale):
    T, z = len(alpha_bars) - 1, z_T
    for i in range(steps, 0, -1):
        t, s = T * i // steps, T * (i - 1) // steps
        eps = eps_model(z, t)
        z0 = (z - (1 - alpha_bars[t]).sqrt() * eps) / alpha_bars[t].sqrt()
        z = (alpha_bars[s].sqrt() * z0 + (1 - alpha_bars[s]).sqrt() * eps) * scale
    return vae.decode(z)
"""),
    "progressive_target: not divided": Wrong("distill", "plain", r"divided", """
@torch.no_grad()
def progressive_target(teacher, x_t, t, t_mid, t_end, alpha_bars):
    middle = ddim(x_t, teacher(x_t, t), t, t_mid, alpha_bars)
    end = ddim(middle, teacher(middle, t_mid), t_mid, t_end, alpha_bars)
    a, b = shaped(alpha_bars, t, x_t), shaped(alpha_bars, t_end, x_t)
    return end - (b / a).sqrt() * x_t
"""),
    "progressive_target: x_t not shrunk": Wrong("distill", "plain", r"ᾱ|factor|multipl", """
@torch.no_grad()
def progressive_target(teacher, x_t, t, t_mid, t_end, alpha_bars):
    middle = ddim(x_t, teacher(x_t, t), t, t_mid, alpha_bars)
    end = ddim(middle, teacher(middle, t_mid), t_mid, t_end, alpha_bars)
    a, b = shaped(alpha_bars, t, x_t), shaped(alpha_bars, t_end, x_t)
    return (end - x_t) / ((1 - b).sqrt() - (b / a).sqrt() * (1 - a).sqrt())
"""),
    "progressive_target: second step's ε̂ from the first's": Wrong("distill", "plain", r"ε̂|teacher", """
@torch.no_grad()
def progressive_target(teacher, x_t, t, t_mid, t_end, alpha_bars):
    eps = teacher(x_t, t)
    middle = ddim(x_t, eps, t, t_mid, alpha_bars)
    end = ddim(middle, eps, t_mid, t_end, alpha_bars)
    a, b = shaped(alpha_bars, t, x_t), shaped(alpha_bars, t_end, x_t)
    return (end - (b / a).sqrt() * x_t) / ((1 - b).sqrt() - (b / a).sqrt() * (1 - a).sqrt())
"""),
    "distill_step: climbing": Wrong("distill", "plain", r"sign|negative|up", but(DISTILL_STEP, "loss.backward()", "(-loss).backward()")),
    "distill_step: the student asked at t_mid": Wrong(
        "distill", "plain", r"t_mid",
        but(DISTILL_STEP, "student(x_t, t)", "student(x_t, t_mid)"),
    ),
    "cross_attention: multiplied by √k": Wrong("attention", "einsum", r"divided|multiplied",
        but(CROSS_ATTENTION, "/ q.shape[-1]", "* q.shape[-1]")),
    "cross_attention: mask the wrong way": Wrong("attention", "einsum", r"mask|True",
        but(CROSS_ATTENTION, "~mask[", "mask[")),
    "cross_attention: queries for values": Wrong("attention", "einsum", r"q|queries|keys",
        but(CROSS_ATTENTION, "(weights @ v)", "(weights @ k)")),
    "cross_attention: sigmoid": Wrong("attention", "einsum", r"softmax|sigmoid",
        but(CROSS_ATTENTION, "scores.softmax(-1)", "torch.sigmoid(scores)")),
    "cross_attention: scaled by the tokens": Wrong("attention", "einsum", r"√|divided|scal|size of another axis",
        but(CROSS_ATTENTION, "q.shape[-1]", "k.shape[-2]")),
    "cross_attention: heads averaged": Wrong("attention", "einsum", r"mean|average",
        but(CROSS_ATTENTION, ".transpose(1, 2).reshape(B, N, -1)", ".mean(1).repeat(1, 1, heads)")),
    "cross_attention: W_o transposed into the heads": Wrong("attention", "einsum", r"√|root|heads",
        but(CROSS_ATTENTION, ".reshape(B, N, -1) @ W_o", ".flatten(2) @ W_o * heads ** -0.5")),
}  # fmt: skip

LATER: dict[str, Wrong] = {
    "cosine_betas: counted one step on": Wrong("schedule", "in_place_on_copies", r"t \+ 1|one step|t at|too", """
def cosine_betas(T, s=0.008, most=0.999):
    f = lambda t: np.cos((t / T + s) / (1 + s) * np.pi / 2) ** 2
    t = np.arange(T)
    return np.concatenate(([0.0], np.minimum(1 - f(t + 2) / f(t + 1), most)))
"""),
    "cosine_betas: cosine not squared": Wrong("schedule", "in_place_on_copies", "square", """
def cosine_betas(T, s=0.008, most=0.999):
    f = np.cos((np.arange(T + 1) / T + s) / (1 + s) * np.pi / 2)
    return np.concatenate(([0.0], np.minimum(1 - f[1:] / f[:-1], most)))
"""),
    "cosine_betas: ᾱ returned": Wrong("schedule", "in_place_on_copies", r"ᾱ|f\(t\)|not β", """
def cosine_betas(T, s=0.008, most=0.999):
    f = np.cos((np.arange(T + 1) / T + s) / (1 + s) * np.pi / 2) ** 2
    return f / f[0]
"""),
    "cosine_betas: α returned": Wrong("schedule", "in_place_on_copies", r"α|1 − |subtracted|ratio", """
def cosine_betas(T, s=0.008, most=0.999):
    f = np.cos((np.arange(T + 1) / T + s) / (1 + s) * np.pi / 2) ** 2
    return np.concatenate(([0.0], np.minimum(f[1:] / f[:-1], most)))
"""),
    "cosine_betas: (t + s)/T": Wrong("schedule", "in_place_on_copies", r"\bs\b|offset|shift", """
def cosine_betas(T, s=0.008, most=0.999):
    f = np.cos((np.arange(T + 1) + s) / T / (1 + s) * np.pi / 2) ** 2
    return np.concatenate(([0.0], np.minimum(1 - f[1:] / f[:-1], most)))
"""),
    "snr: of amplitudes": Wrong("schedule", "in_place_on_copies", r"root", """
def snr(alpha_bars):
    with np.errstate(divide="ignore"):
        return np.sqrt(alpha_bars) / np.sqrt(1 - alpha_bars)
"""),
    "terminal_snr_zero: ᾱ in place of its root": Wrong("schedule", "in_place_on_copies", r"root", """
def terminal_snr_zero(betas):
    bars = np.cumprod(1 - betas)
    bars[1:] = (bars[1:] - bars[-1]) * bars[1] / (bars[1] - bars[-1])
    return np.concatenate(([0.0], 1 - bars[1:] / bars[:-1]))
"""),
    "terminal_snr_zero: roots not squared again": Wrong("schedule", "in_place_on_copies", r"square", """
def terminal_snr_zero(betas):
    r = np.sqrt(np.cumprod(1 - betas))
    first, last = r[1], r[-1]
    r[1:] = (r[1:] - last) * first / (first - last)
    return np.concatenate(([0.0], 1 - r[1:] / r[:-1]))
"""),
    "linear_betas: linear in the root": Wrong("forward", "", r"root|square", """
def linear_betas(T, first=1e-4, last=0.02):
    return np.concatenate(([0.0], np.linspace(first ** 0.5, last ** 0.5, T) ** 2))
"""),
    "alpha_bars: 1 − the product of β": Wrong("forward", "", r"1 − β|product", """
def alpha_bars(betas):
    bars = 1 - np.cumprod(betas)
    bars[0] = 1
    return bars
"""),
    "forward_step: the same root twice": Wrong("forward", "", r"1 − β_t stood in place of β_t", """
def forward_step(x_prev, beta, eps):
    scale = np.sqrt(1 - beta)
    return scale * x_prev + scale * eps
"""),
    "noise_to: a bracket too far": Wrong("forward", "", r"ε.*√ᾱ_t|√ᾱ_t·√|√\(ᾱ_t", """
def noise_to(x0, t, eps, alpha_bars):
    a = per_sample(t, x0, alpha_bars)
    return np.sqrt(a) * (x0 + np.sqrt(1 - a) * eps)
"""),
    "noise_to: ** 1/2": Wrong("forward", "", r"half|1/2|0\.5|\*\*", """
def noise_to(x0, t, eps, alpha_bars):
    a = per_sample(t, x0, alpha_bars)
    return a ** 1/2 * x0 + (1 - a) ** 1/2 * eps
"""),
    "predict_x0: only x_t is divided": Wrong("forward", "", r"ε|divided|bracket", """
def predict_x0(x_t, t, eps, alpha_bars):
    a = per_sample(t, x_t, alpha_bars)
    return x_t / np.sqrt(a) - np.sqrt(1 - a) * eps
"""),
    "predict_x0: divided by ᾱ_t": Wrong("forward", "", r"root|√", """
def predict_x0(x_t, t, eps, alpha_bars):
    a = per_sample(t, x_t, alpha_bars)
    return (x_t - np.sqrt(1 - a) * eps) / a
"""),
    "posterior: β of the step before": Wrong("ddpm", "plain", r"t ?− ?1", """
def posterior(x_t, t, eps_hat, betas):
    bars = torch.cumprod(1 - betas, dim=0)
    beta = betas[t - 1]
    x0 = (x_t - (1 - bars[t]).sqrt() * eps_hat) / bars[t].sqrt()
    mean = bars[t - 1].sqrt() * beta / (1 - bars[t]) * x0 + (1 - beta).sqrt() * (1 - bars[t - 1]) / (1 - bars[t]) * x_t
    return mean, (1 - bars[t - 1]) / (1 - bars[t]) * beta
"""),
    "posterior: the deviation in place of the variance": Wrong("ddpm", "plain", r"root|deviation", """
def posterior(x_t, t, eps_hat, betas):
    bars = torch.cumprod(1 - betas, dim=0)
    x0 = (x_t - (1 - bars[t]).sqrt() * eps_hat) / bars[t].sqrt()
    mean = bars[t - 1].sqrt() * betas[t] / (1 - bars[t]) * x0 + (1 - betas[t]).sqrt() * (1 - bars[t - 1]) / (1 - bars[t]) * x_t
    return mean, ((1 - bars[t - 1]) / (1 - bars[t]) * betas[t]).sqrt()
"""),
    "posterior: by ε̂, with a root too few": Wrong("ddpm", "plain", r"root|√", """
def posterior(x_t, t, eps_hat, betas):
    bars = torch.cumprod(1 - betas, dim=0)
    mean = (x_t - betas[t] / (1 - bars[t]) * eps_hat) / (1 - betas[t]).sqrt()
    return mean, (1 - bars[t - 1]) / (1 - bars[t]) * betas[t]
"""),
    "posterior: by ε̂, not divided by √α": Wrong("ddpm", "plain", r"α_t|√\(1 − β_t\)|1", """
def posterior(x_t, t, eps_hat, betas):
    bars = torch.cumprod(1 - betas, dim=0)
    mean = x_t - betas[t] / (1 - bars[t]).sqrt() * eps_hat
    return mean, (1 - bars[t - 1]) / (1 - bars[t]) * betas[t]
"""),
    "ddpm_step: half the variance in the exponent": Wrong("ddpm", "plain", r"z|√β̃", """
def ddpm_step(x_t, t, eps_hat, betas, z):
    mean, variance = posterior(x_t, t, eps_hat, betas)
    return mean + torch.exp(0.5 * variance) * z
"""),
    "ddpm_step: noise at the last step alone": Wrong("ddpm", "plain", r"noise|z", """
def ddpm_step(x_t, t, eps_hat, betas, z):
    mean, variance = posterior(x_t, t, eps_hat, betas)
    return mean + betas[t].sqrt() * z if t == 1 else mean
"""),
    "ddpm_sample: one draw for all steps": Wrong("ddpm", "plain", r"z|noise", """
def ddpm_sample(eps_model, x_T, betas, draw_noise):
    x, z = x_T, draw_noise(len(betas) - 1)
    for t in range(len(betas) - 1, 0, -1):
        x = ddpm_step(x, t, eps_model(x, t), betas, z)
    return x
"""),
    "ddpm_sample: the model sees x_T each time": Wrong("ddpm", "plain", r"x_T", but(DDPM_SAMPLE, "eps_model(x, t)", "eps_model(x_T, t)")),
    "ddpm_sample: stops at t = 2": Wrong("ddpm", "plain", r"early|last step|t = 1|down to 1", but(DDPM_SAMPLE, "0, -1)", "1, -1)")),
    "ddim_timesteps: linspace to 0": Wrong("ddim", "plain", r"0|equal|step", """
def ddim_timesteps(T, steps):
    import numpy as np
    return [int(t) for t in np.linspace(T, 0, steps)]
"""),
    "ddim_timesteps: ascending": Wrong("ddim", "plain", r"rises", """
def ddim_timesteps(T, steps):
    return [T * i // steps for i in range(1, steps + 1)]
"""),
    "ddim_timesteps: a whole stride": Wrong("ddim", "plain", r"round|stride|//|steps", """
def ddim_timesteps(T, steps):
    return list(range(T, 0, -(T // steps)))[:steps]
"""),
    "ddim_step: σ² forgotten in the direction": Wrong("ddim", "plain", r"σ", but(DDIM_STEP, " - sigma**2", "")),
    "ddim_step: σ for σ²": Wrong("ddim", "plain", r"σ", but(DDIM_STEP, "sigma**2", "sigma")),
    "ddim_step: σ without its root": Wrong(
        "ddim", "plain", r"root|σ",
        but(DDIM_STEP, "((1 - b) / (1 - a) * (1 - a / b)).sqrt()", "(1 - b) / (1 - a) * (1 - a / b)"),
    ),
    "ddim_step: two roots missing": Wrong("ddim", "plain", r"root.* and ", """
def ddim_step(x_t, t, t_prev, eps_hat, alpha_bars, eta, z):
    a, b = alpha_bars[t], alpha_bars[t_prev]
    x0 = (x_t - (1 - a) * eps_hat) / a.sqrt()
    sigma = eta * ((1 - b) / (1 - a) * (1 - a / b)).sqrt()
    return b * x0 + (1 - b - sigma**2).sqrt() * eps_hat + sigma * z
"""),
    "ddim_sample: the noise of the next t": Wrong(
        "ddim", "plain", r"t_prev|draw_noise|noise",
        but(DDIM_SAMPLE, "draw_noise(t)", "draw_noise(t_prev)"),
    ),
    "ddim_sample: the model told t_prev": Wrong(
        "ddim", "plain", r"took ε̂ at t =",
        but(DDIM_SAMPLE, "eps_model(x, t)", "eps_model(x, max(t_prev, 1))"),
    ),
    "guided_eps: the weights exchanged": Wrong("guidance", "plain", r"swap|ε_cond", """
def guided_eps(eps_uncond, eps_cond, w):
    return w * eps_uncond + (1 - w) * eps_cond
"""),
    "drop_condition: keeps what it should drop": Wrong("guidance", "plain", r"u > p|u ≥ p|place|u <|swap|kept|keep|dropped", """
def drop_condition(tokens, null, p, u):
    out = tokens.clone()
    out[u >= p] = null
    return out
"""),
    "guided_sample: the two predictions exchanged": Wrong(
        "guidance", "plain", r"place|swap|ε_uncond|caption|null",
        but(GUIDED_SAMPLE, "eps_model(x, t, nothing), eps_model(x, t, tokens)", "eps_model(x, t, tokens), eps_model(x, t, nothing)"),
    ),
    "guided_sample: x̂_0 from the caption alone": Wrong(
        "guidance", "plain", r"ε_uncond|ε_cond|x̂_0",
        but(WITH_CONDITION, "(1 - alpha_bars[t]).sqrt() * eps", "(1 - alpha_bars[t]).sqrt() * cond"),
    ),
    "noise_mse: the image is the target": Wrong("loss", "plain", r"x_0", """
def noise_mse(eps_model, x0, t, eps, alpha_bars):
    bar = alpha_bars[torch.as_tensor(t)].reshape(-1, 1, 1, 1)
    x_t = bar.sqrt() * x0 + (1 - bar).sqrt() * eps
    return ((x0 - eps_model(x_t, t)) ** 2).mean()
"""),
    "noise_mse: the root of the mean": Wrong("loss", "plain", r"root", """
def noise_mse(eps_model, x0, t, eps, alpha_bars):
    bar = alpha_bars[torch.as_tensor(t)].reshape(-1, 1, 1, 1)
    x_t = bar.sqrt() * x0 + (1 - bar).sqrt() * eps
    return ((eps - eps_model(x_t, t)) ** 2).mean().sqrt()
"""),
    "noise_mse: the clean image is shown": Wrong("loss", "plain", r"x_0|noise|input|model", """
def noise_mse(eps_model, x0, t, eps, alpha_bars):
    return torch.nn.functional.mse_loss(eps_model(x0, t), eps)
"""),
    "noise_mse: summed over an image": Wrong("loss", "plain", r"sum|mean|times", """
def noise_mse(eps_model, x0, t, eps, alpha_bars):
    bar = alpha_bars[torch.as_tensor(t)].reshape(-1, 1, 1, 1)
    x_t = bar.sqrt() * x0 + (1 - bar).sqrt() * eps
    return ((eps - eps_model(x_t, t)) ** 2).flatten(1).sum(1).mean()
"""),
    "training_step: the loss after the step": Wrong("loss", "plain", r"before|after", """
def training_step(model, optimizer, x0, t, eps, alpha_bars):
    optimizer.zero_grad()
    noise_mse(model, x0, t, eps, alpha_bars).backward()
    optimizer.step()
    return noise_mse(model, x0, t, eps, alpha_bars).item()
"""),
    "timestep_embedding: sines between cosines": Wrong("timestep", "shift", r"cos|sin|order", """
def timestep_embedding(t, dim, max_period=10000):
    half = dim // 2
    angles = torch.outer(t.float(), max_period ** (-torch.arange(half) / half))
    return torch.stack((torch.cos(angles), torch.sin(angles)), dim=-1).flatten(1)
"""),
    "timestep_embedding: half − 1": Wrong("timestep", "shift", r"half|1|dim", """
def timestep_embedding(t, dim, max_period=10000):
    half = dim // 2
    angles = torch.outer(t.float(), max_period ** (-torch.arange(half) / (half - 1)))
    return torch.cat((torch.cos(angles), torch.sin(angles)), dim=-1)
"""),
    "timestep_embedding: over dim, not half": Wrong("timestep", "shift", r"dim|half|k", """
def timestep_embedding(t, dim, max_period=10000):
    angles = torch.outer(t.float(), max_period ** (-torch.arange(dim // 2) / dim))
    return torch.cat((torch.cos(angles), torch.sin(angles)), dim=-1)
"""),
    "timestep_embedding: the period in another place": Wrong("timestep", "shift", r"max_period|frequenc|log", """
def timestep_embedding(t, dim, max_period=10000):
    half = dim // 2
    angles = torch.outer(t.float(), torch.exp(-torch.arange(half) / half))
    return torch.cat((torch.cos(angles), torch.sin(angles)), dim=-1)
"""),
    "latent_scale: per channel": Wrong("latent", "plain", r"channel|one number|single|axis|shape", """
def latent_scale(latents):
    return latents.std(dim=(0, 2, 3))
"""),
    "latent_scale: root of the mean square": Wrong("latent", "plain", r"mean", """
def latent_scale(latents):
    return (latents ** 2).mean().sqrt()
"""),
    "latent_sample: decoded without the scale": Wrong(
        "latent", "plain", r"scale",
        but(LATENT_SAMPLE, "decode(vae, z, scale)", "vae.decode(z)"),
    ),
    "latent_sample: clamped like an image": Wrong(
        "latent", "plain", r"clamp",
        but(
            LATENT_SAMPLE,
            "(z - (1 - alpha_bars[t]).sqrt() * eps) / alpha_bars[t].sqrt()",
            "((z - (1 - alpha_bars[t]).sqrt() * eps) / alpha_bars[t].sqrt()).clamp(-1, 1)",
        ),
    ),
    "progressive_target: the mean of both predictions": Wrong("distill", "plain", r"mean|average|first ε̂|second ε̂", """
def progressive_target(teacher, x_t, t, t_mid, t_end, alpha_bars):
    with torch.no_grad():
        first = teacher(x_t, t)
        second = teacher(ddim(x_t, first, t, t_mid, alpha_bars), t_mid)
    return (first + second) / 2
"""),
    "progressive_target: both steps from x_t": Wrong(
        "distill", "plain", r"x_t|x at t_mid",
        but(PROGRESSIVE_TARGET, "ddim(middle, teacher", "ddim(x_t, teacher"),
    ),
    "distill_step: the student is its own teacher": Wrong(
        "distill", "plain", r"student|teacher",
        but(DISTILL_STEP, "target(teacher,", "target(student,"),
    ),
    "cross_attention: scaled by the whole width": Wrong("attention", "einsum", r"k|heads|width|size", """
def cross_attention(x, text, W_q, W_k, W_v, W_o, heads, mask=None):
    B, N, _ = x.shape
    Q, K, V = x @ W_q, text @ W_k, text @ W_v
    q, k, v = (y.view(B, -1, heads, y.shape[-1] // heads).transpose(1, 2) for y in (Q, K, V))
    scores = q @ k.transpose(-2, -1) / Q.shape[-1] ** 0.5
    if mask is not None:
        scores = scores.masked_fill(~mask[:, None, None, :], float("-inf"))
    return (scores.softmax(-1) @ v).transpose(1, 2).reshape(B, N, -1) @ W_o
"""),
    "cross_attention: a mask of zeros": Wrong("attention", "einsum", r"mask|∞", """
def cross_attention(x, text, W_q, W_k, W_v, W_o, heads, mask=None):
    B, N, _ = x.shape
    q, k, v = (y.view(B, -1, heads, y.shape[-1] // heads).transpose(1, 2) for y in (x @ W_q, text @ W_k, text @ W_v))
    scores = q @ k.transpose(-2, -1) / k.shape[-1] ** 0.5
    if mask is not None:
        scores = scores * mask[:, None, None, :]
    return (scores.softmax(-1) @ v).transpose(1, 2).reshape(B, N, -1) @ W_o
"""),
    "cross_attention: weights masked after the softmax": Wrong("attention", "einsum", r"mask|after", """
def cross_attention(x, text, W_q, W_k, W_v, W_o, heads, mask=None):
    B, N, _ = x.shape
    q, k, v = (y.view(B, -1, heads, y.shape[-1] // heads).transpose(1, 2) for y in (x @ W_q, text @ W_k, text @ W_v))
    weights = (q @ k.transpose(-2, -1) / k.shape[-1] ** 0.5).softmax(-1)
    if mask is not None:
        weights = weights * mask[:, None, None, :]
    return (weights @ v).transpose(1, 2).reshape(B, N, -1) @ W_o
"""),
    "cross_attention: heads split without a transpose": Wrong("attention", "einsum", r"heads|axes|columns", """
def cross_attention(x, text, W_q, W_k, W_v, W_o, heads, mask=None):
    B, N, _ = x.shape
    q, k, v = (y.reshape(B, heads, -1, y.shape[-1] // heads) for y in (x @ W_q, text @ W_k, text @ W_v))
    scores = q @ k.transpose(-2, -1) / k.shape[-1] ** 0.5
    if mask is not None:
        scores = scores.masked_fill(~mask[:, None, None, :], float("-inf"))
    return (scores.softmax(-1) @ v).transpose(1, 2).reshape(B, N, -1) @ W_o
"""),
    "cross_attention: heads not brought back": Wrong("attention", "einsum", r"heads|axes|transpos", """
def cross_attention(x, text, W_q, W_k, W_v, W_o, heads, mask=None):
    B, N, _ = x.shape
    q, k, v = (y.view(B, -1, heads, y.shape[-1] // heads).transpose(1, 2) for y in (x @ W_q, text @ W_k, text @ W_v))
    scores = q @ k.transpose(-2, -1) / k.shape[-1] ** 0.5
    if mask is not None:
        scores = scores.masked_fill(~mask[:, None, None, :], float("-inf"))
    return (scores.softmax(-1) @ v).reshape(B, N, -1) @ W_o
"""),
    "cross_attention: not scaled": Wrong("attention", "einsum", r"√|root|divided|scale", """
def cross_attention(x, text, W_q, W_k, W_v, W_o, heads, mask=None):
    B, N, _ = x.shape
    q, k, v = (y.view(B, -1, heads, y.shape[-1] // heads).transpose(1, 2) for y in (x @ W_q, text @ W_k, text @ W_v))
    scores = q @ k.transpose(-2, -1)
    if mask is not None:
        scores = scores.masked_fill(~mask[:, None, None, :], float("-inf"))
    return (scores.softmax(-1) @ v).transpose(1, 2).reshape(B, N, -1) @ W_o
"""),
    "linear_betas: t/T of the way": Wrong("forward", "", r"t = 0|counted", """
def linear_betas(T, first=1e-4, last=0.02):
    betas = first + (last - first) * np.arange(T + 1) / T
    betas[0] = 0
    return betas
"""),
    "forward_step: the noise shrunk, too": Wrong("forward", "", r"ε.*√", """
def forward_step(x_prev, beta, eps):
    return np.sqrt(1 - beta) * (x_prev + np.sqrt(beta) * eps)
"""),
    "predict_x0: the noise added": Wrong("forward", "", r"sign|subtract|added", """
def predict_x0(x_t, t, eps, alpha_bars):
    a = per_sample(t, x_t, alpha_bars)
    return (x_t + np.sqrt(1 - a) * eps) / np.sqrt(a)
"""),
    "predict_x0: the noise not scaled": Wrong("forward", "", r"ε", """
def predict_x0(x_t, t, eps, alpha_bars):
    a = per_sample(t, x_t, alpha_bars)
    return (x_t - eps) / np.sqrt(a)
"""),
    "noise_to: one step's α to the power of t": Wrong("forward", "", r"x_0 .*ε", """
def noise_to(x0, t, eps, alpha_bars):
    t_ = np.asarray(t)
    alpha = alpha_bars[t_] / alpha_bars[t_ - 1]
    a = per_sample(t, x0, alpha_bars) * 0 + np.reshape(alpha ** t_, (-1, *[1] * (np.ndim(x0) - 1)) if np.ndim(t) else ())
    return np.sqrt(a) * x0 + np.sqrt(1 - a) * eps
"""),
    "cosine_betas: never clipped": Wrong("schedule", "in_place_on_copies", r"most|clip|limit|larg|small", """
def cosine_betas(T, s=0.008, most=0.999):
    f = np.cos((np.arange(T + 1) / T + s) / (1 + s) * np.pi / 2) ** 2
    return np.concatenate(([0.0], 1 - f[1:] / f[:-1]))
"""),
    "cosine_betas: s left out": Wrong("schedule", "in_place_on_copies", r"\bs\b|offset", """
def cosine_betas(T, s=0.008, most=0.999):
    f = np.cos(np.arange(T + 1) / T * np.pi / 2) ** 2
    return np.concatenate(([0.0], np.minimum(1 - f[1:] / f[:-1], most)))
"""),
    "terminal_snr_zero: counted from 0": Wrong("schedule", "in_place_on_copies", r"√ᾱ_0|t = 0|first", """
def terminal_snr_zero(betas):
    roots = np.sqrt(np.cumprod(1 - betas))
    first, last = roots[0], roots[-1]
    bars = ((roots - last) * first / (first - last)) ** 2
    return np.concatenate(([0.0], 1 - bars[1:] / bars[:-1]))
"""),
    "snr: noise over signal": Wrong("schedule", "in_place_on_copies", r"upside down|noise|1 −", """
def snr(alpha_bars):
    with np.errstate(divide="ignore"):
        return (1 - alpha_bars) / alpha_bars
"""),
    "posterior: x̂_0 clipped": Wrong("ddpm", "plain", r"clamp", """
def posterior(x_t, t, eps_hat, betas):
    bars = torch.cumprod(1 - betas, dim=0)
    x0 = ((x_t - (1 - bars[t]).sqrt() * eps_hat) / bars[t].sqrt()).clamp(-1, 1)
    mean = bars[t - 1].sqrt() * betas[t] / (1 - bars[t]) * x0 + (1 - betas[t]).sqrt() * (1 - bars[t - 1]) / (1 - bars[t]) * x_t
    return mean, (1 - bars[t - 1]) / (1 - bars[t]) * betas[t]
"""),
    "ddpm_sample: upwards": Wrong(
        "ddpm", "plain", r"other way|from T|upwards|order|down",
        but(DDPM_SAMPLE, "len(betas) - 1, 0, -1", "1, len(betas)"),
    ),
    "ddpm_sample: told t − 1": Wrong("ddpm", "plain", r"t ?− ?1|at t =", but(DDPM_SAMPLE, "eps_model(x, t)", "eps_model(x, t - 1)")),
    "ddim_step: ᾱ_t in the direction": Wrong("ddim", "plain", r"noise of t\b|ᾱ_t", but(DDIM_STEP, "(1 - b - sigma", "(1 - a - sigma")),
    "ddim_step: η ignored": Wrong("ddim", "plain", r"η|σ", """
def ddim_step(x_t, t, t_prev, eps_hat, alpha_bars, eta, z):
    a, b = alpha_bars[t], alpha_bars[t_prev]
    x0 = (x_t - (1 - a).sqrt() * eps_hat) / a.sqrt()
    return b.sqrt() * x0 + (1 - b).sqrt() * eps_hat
"""),
    "ddim_timesteps: from 1 on": Wrong("ddim", "plain", r"\b1\b|T\b|end", """
def ddim_timesteps(T, steps):
    return [1 + i * (T // steps) for i in range(steps)][::-1]
"""),
    "guided_sample: always told T": Wrong(
        "guidance", "plain", r"took ε̂ at t =",
        but(GUIDED_SAMPLE, "eps_model(x, t, nothing), eps_model(x, t, tokens)", "eps_model(x, T, nothing), eps_model(x, T, tokens)"),
    ),
    "guided_sample: guided after the step": Wrong(
        "guidance", "plain", r"w|guid",
        but(GUIDED_SAMPLE, "guided_eps(eps_model(x, t, nothing), eps_model(x, t, tokens), w)", "eps_model(x, t, tokens)"),
    ),
    "noise_mse: the absolute error": Wrong("loss", "plain", r"absolute", """
def noise_mse(eps_model, x0, t, eps, alpha_bars):
    bar = alpha_bars[torch.as_tensor(t)].reshape(-1, 1, 1, 1)
    x_t = bar.sqrt() * x0 + (1 - bar).sqrt() * eps
    return (eps - eps_model(x_t, t)).abs().mean()
"""),
    "training_step: never cleared": Wrong("loss", "plain", r"gradient|clear", """
def training_step(model, optimizer, x0, t, eps, alpha_bars):
    loss = noise_mse(model, x0, t, eps, alpha_bars)
    loss.backward()
    optimizer.step()
    return loss.item()
"""),
    "timestep_embedding: log10": Wrong("timestep", "shift", r"log|frequenc|max_period", """
import math
def timestep_embedding(t, dim, max_period=10000):
    half = dim // 2
    angles = torch.outer(t.float(), torch.exp(-math.log10(max_period) * torch.arange(half) / half))
    return torch.cat((torch.cos(angles), torch.sin(angles)), dim=-1)
"""),
    "timestep_embedding: 2k over the half": Wrong("timestep", "shift", r"frequenc|dim|twice|2|squar", """
def timestep_embedding(t, dim, max_period=10000):
    half = dim // 2
    angles = torch.outer(t.float(), max_period ** (-2 * torch.arange(half) / half))
    return torch.cat((torch.cos(angles), torch.sin(angles)), dim=-1)
"""),
    "encode: the images multiplied": Wrong("latent", "plain", r"what goes in|images", """
def encode(vae, x, scale):
    return vae.encode(x * scale)
"""),
    "latent_sample: the images multiplied": Wrong(
        "latent", "plain", r"what goes in|images",
        but(LATENT_SAMPLE, "decode(vae, z, scale)", "vae.decode(z) * scale"),
    ),
    "latent_sample: the starting noise divided": Wrong(
        "latent", "plain", r"divided|z_T",
        but(LATENT_SAMPLE, "len(alpha_bars) - 1, z_T", "len(alpha_bars) - 1, z_T / scale"),
    ),
    "progressive_target: one step of the teacher": Wrong("distill", "plain", r"first ε̂|second|two steps|t_mid", """
def progressive_target(teacher, x_t, t, t_mid, t_end, alpha_bars):
    with torch.no_grad():
        return teacher(x_t, t)
"""),
    "progressive_target: solved for t_mid": Wrong("distill", "plain", r"t_mid|x at", """
def progressive_target(teacher, x_t, t, t_mid, t_end, alpha_bars):
    with torch.no_grad():
        middle = ddim(x_t, teacher(x_t, t), t, t_mid, alpha_bars)
        end = ddim(middle, teacher(middle, t_mid), t_mid, t_end, alpha_bars)
    a, b = shaped(alpha_bars, t_mid, x_t), shaped(alpha_bars, t_end, x_t)
    return (end - (b / a).sqrt() * middle) / ((1 - b).sqrt() - (b / a).sqrt() * (1 - a).sqrt())
"""),
    "distill_step: the absolute error": Wrong("distill", "plain", r"absolute", """
def distill_step(student, teacher, optimizer, x_t, t, t_mid, t_end, alpha_bars):
    loss = (student(x_t, t) - progressive_target(teacher, x_t, t, t_mid, t_end, alpha_bars)).abs().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()
"""),
    "cross_attention: the mask added": Wrong("attention", "einsum", r"mask|hid|∞", """
def cross_attention(x, text, W_q, W_k, W_v, W_o, heads, mask=None):
    B, N, _ = x.shape
    q, k, v = (y.view(B, -1, heads, y.shape[-1] // heads).transpose(1, 2) for y in (x @ W_q, text @ W_k, text @ W_v))
    scores = q @ k.transpose(-2, -1) / k.shape[-1] ** 0.5
    if mask is not None:
        scores = scores + mask[:, None, None, :]
    return (scores.softmax(-1) @ v).transpose(1, 2).reshape(B, N, -1) @ W_o
"""),
    "cross_attention: heads added up": Wrong("attention", "einsum", r"heads|sum|add",
        but(CROSS_ATTENTION, ".transpose(1, 2).reshape(B, N, -1)", ".sum(1).repeat(1, 1, heads)")),
}  # fmt: skip
