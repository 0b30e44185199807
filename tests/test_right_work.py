"""Right submissions as unusual as students write them: each earns every point.

Each row is written from the starter's text alone. It is appended to a plain solution of the exercise (`tests/fairness`), and so replaces
the functions that it defines; a row that begins with `#!` comes first in the file instead.
"""

from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest

from autograder.course.loading import read_course
from autograder.course.model import Submission, limits_for
from autograder.grading.attempt import attempt, load_materials
from autograder.sandbox.servers import Sandbox

ROOT = Path(__file__).parent.parent
COURSE = read_course(ROOT)
LESSON = COURSE.lessons[0]
PLAIN = {"attention": "einsum", "forward": "loops", "schedule": "typed", "timestep": "shift", "train": "tokens"}  # the others have a plain one

RIGHT = {
    # ---- schedule: numbers and float64 arrays in, numpy or torch out, in double or single precision
    "schedule: torch's own precision": """
import torch
def cosine_betas(T, s=0.008, most=0.999):
    t = torch.arange(T + 1)
    f = torch.cos((t / T + s) / (1 + s) * torch.pi / 2) ** 2
    return torch.cat([torch.zeros(1), torch.clamp(1 - f[1:] / f[:-1], max=most)])
def snr(alpha_bars):
    a = torch.tensor(alpha_bars, dtype=torch.float32)
    return a / (1 - a)
def terminal_snr_zero(betas):
    roots = torch.cumprod(1 - torch.tensor(betas).float(), 0).sqrt()
    first, last = roots[1].clone(), roots[-1].clone()
    roots[1:] -= last
    roots[1:] *= first / (first - last)
    out = torch.zeros(len(betas))
    out[1:] = 1 - roots[1:] ** 2 / roots[:-1] ** 2
    return out
""",
    "schedule: numpy in single precision": """
def cosine_betas(T, s=0.008, most=0.999):
    t = np.arange(T + 1, dtype=np.float32)
    f = np.cos((t / np.float32(T) + np.float32(s)) / np.float32(1 + s) * np.float32(np.pi / 2)) ** 2
    return np.append(np.float32(0), np.minimum(1 - f[1:] / f[:-1], np.float32(most)))
def snr(alpha_bars):
    with np.errstate(all="ignore"):
        return alpha_bars.astype("f4") / (1 - alpha_bars.astype("f4"))
""",
    "schedule: long doubles, lists and the standard library": """
import math
from decimal import Decimal
def cosine_betas(T, s=0.008, most=0.999):
    f = [math.cos((t / T + s) / (1 + s) * math.pi / 2) ** 2 for t in range(T + 1)]
    return [0] + [min(1 - after / before, most) for before, after in zip(f, f[1:])]
def snr(alpha_bars):
    return tuple(math.inf if a == 1 else float(Decimal(float(a)) / (1 - Decimal(float(a)))) for a in alpha_bars)
def terminal_snr_zero(betas):
    roots = np.sqrt(np.cumprod(1 - betas.astype(np.longdouble)))
    roots[1:] = (roots[1:] - roots[-1]) * roots[1] / (roots[1] - roots[-1])
    return np.concatenate([[0], 1 - (roots[1:] / roots[:-1]) ** 2])
""",
    "schedule: a default dtype, callables and partials": """
import functools, torch
torch.set_default_dtype(torch.float64)
class Cosine:
    def __init__(self, power):
        self.power = power
    def __call__(self, T, s=0.008, most=0.999):
        f = torch.cos((torch.linspace(0, 1, T + 1) + s) / (1 + s) * torch.pi / 2).pow(self.power)
        return torch.nn.functional.pad((1 - f[1:] / f[:-1]).clamp_max(most), (1, 0))
cosine_betas = Cosine(2)
snr = functools.partial(lambda one, bars: torch.as_tensor(bars) / (one - torch.as_tensor(bars)), 1)
""",
    # ---- forward
    "forward: torch's own precision, from lists": """
import torch
def linear_betas(T, first=1e-4, last=0.02):
    return torch.cat([torch.zeros(1), torch.linspace(first, last, T)])
def alpha_bars(betas):
    return torch.cumprod(1 - torch.tensor(betas.tolist()), 0)
def _both(x, eps):
    return torch.tensor(x, dtype=torch.float32), torch.tensor(eps, dtype=torch.float32)
def forward_step(x_prev, beta, eps):
    x, e = _both(x_prev, eps)
    return (1 - beta) ** 0.5 * x + beta ** 0.5 * e
def noise_to(x0, t, eps, alpha_bars):
    x, e = _both(x0, eps)
    a = torch.tensor(alpha_bars.tolist())[torch.as_tensor(t)].reshape(-1, *[1] * (x.ndim - 1))
    return torch.sqrt(a) * x + torch.sqrt(1 - a) * e
def predict_x0(x_t, t, eps, alpha_bars):
    x, e = _both(x_t, eps)
    a = torch.tensor(alpha_bars.tolist())[torch.as_tensor(t)].reshape(-1, *[1] * (x.ndim - 1))
    return (x - torch.sqrt(1 - a) * e) / torch.sqrt(a)
""",
    "forward: decorators, vectorised functions and structural patterns": """
import functools, numbers, numpy as np
from dataclasses import dataclass
@functools.lru_cache(maxsize=None)
def linear_betas(T, first=1e-4, last=0.02):
    return np.r_[0, np.linspace(first, last, T)]
forward_step = np.vectorize(lambda x, beta, e: (1 - beta) ** 0.5 * x + beta ** 0.5 * e)
@dataclass(frozen=True)
class Mix:
    signal: float
    noise: "np.ndarray"
def mix(t, alpha_bars, ndim):
    match t:
        case numbers.Integral():
            a = alpha_bars[t]
        case _:
            a = np.expand_dims(np.take(alpha_bars, t), tuple(range(1, ndim)))
    return Mix(a ** 0.5, (1 - a) ** 0.5)
def noise_to(x0, t, eps, alpha_bars):
    m = mix(t, alpha_bars, np.ndim(x0))
    return m.signal * x0 + m.noise * eps
""",
    "forward: compiled and scripted torch, under no_grad": """
import torch
@torch.compile
def blend(a, x, e):
    return a.sqrt() * x + (1 - a).sqrt() * e
@torch.jit.script
def unblend(a: torch.Tensor, x: torch.Tensor, e: torch.Tensor) -> torch.Tensor:
    return (x - (1 - a).sqrt() * e) / a.sqrt()
def column(table, t, ndim):
    return torch.from_numpy(table)[torch.as_tensor(t)].reshape(-1, *(1,) * (ndim - 1))
@torch.no_grad()
def noise_to(x0, t, eps, alpha_bars):
    return blend(column(alpha_bars, t, x0.ndim), torch.from_numpy(x0), torch.from_numpy(eps))
@torch.inference_mode()
def predict_x0(x_t, t, eps, alpha_bars):
    return unblend(column(alpha_bars, t, x_t.ndim), torch.from_numpy(x_t), torch.from_numpy(eps)).numpy()
""",
    "forward: strict warnings, and work on copies": """
import logging, warnings
import numpy as np
warnings.simplefilter("error")
np.seterr(all="raise", under="ignore")
logging.basicConfig(level=logging.DEBUG)
log = logging.getLogger(__name__)
def forward_step(x_prev, beta, eps):
    log.debug("one step with beta = %s", beta)
    out = np.array(x_prev, dtype=float)
    out *= np.sqrt(1 - beta)
    out += np.sqrt(beta) * np.asarray(eps)
    return out
""",
    "forward: what is imported late, and by name": """
import importlib
def torch():
    return importlib.import_module("tor" + "ch")
def alpha_bars(betas):
    return torch().cumprod(1 - torch().from_numpy(betas), 0)
def forward_step(x_prev, beta, eps):
    exec("import torch.nn.functional as F; from torch import fft")
    return (1 - beta) ** 0.5 * x_prev + beta ** 0.5 * eps
""",
    "forward: imports that nothing uses, here or anywhere": """#!
from __future__ import annotations
import os, sys, json, math, time, random, pathlib, sqlite3, ssl, ctypes, multiprocessing, decimal, zoneinfo, asyncio, http.client
import pandas as pd, scipy, sklearn, seaborn as sns, cv2, einops, jaxtyping
import numpy as np, torch, torchvision
from scipy import stats
from sklearn.model_selection import train_test_split
import matplotlib
matplotlib.use("TkAgg")
import matplotlib.pyplot as plt
from tqdm.auto import tqdm
from turtle import *
from google.colab import drive
drive.mount("/content/drive")
os.environ["CUDA_VISIBLE_DEVICES"] = "0"
random.seed(0); np.random.seed(0); torch.manual_seed(0)
from .helpers import show
Image = jaxtyping.Float[np.ndarray, "b c h w"]
def annotated(x: Image, y: pd.DataFrame) -> stats.norm: return x
""",
    "forward: an end full of experiments": """
import datetime, matplotlib.pyplot as plt
print("today is", datetime.datetime.now(), linear_betas(3))
fig, axes = plt.subplots(2, 3, figsize=(9, 6))
for axis, t in zip(axes.flat, (1, 10, 100)):
    axis.imshow(noise_to(np.zeros((1, 2, 2)), 0, np.ones((1, 2, 2)), np.ones(2))[0], cmap="gray")
plt.tight_layout(); plt.savefig("noise.png"); plt.show()
breakpoint()
x = float(input("x? "))
np.save("betas.npy", linear_betas(10))
data = np.load("cifar10.npz")["images"]
assert forward_step(0.8, 0.1, -0.3) == 0.664, "rounded by hand"
while True: pass
if __name__ == "__main__":
    import sys
    sys.exit(main())
""",
    "forward: form feeds, tabs and Windows' ends of lines": "\f\r\ndef forward_step(x_prev, beta, eps):\r\n\tscale = (1 - beta) ** 0.5\r\n\treturn scale * x_prev + beta ** 0.5 * eps\r\n",
    # ---- loss: float32 tensors; gradients must flow
    "loss: one element, a default dtype, and a loss in double precision": """
import torch
torch.set_default_dtype(torch.float64)
def noise_mse(eps_model, x0, t, eps, alpha_bars):
    a = alpha_bars[t].reshape(-1, 1, 1, 1)
    error = eps_model(a.sqrt() * x0 + (1 - a).sqrt() * eps, t).double() - eps.double()
    return (error ** 2).mean(dim=(0, 1, 2, 3), keepdim=True)
""",
    "loss: other names, and no word of an optimiser": """
def noise_mse(net, clean, when, noise, table):
    a = table[when]
    a = a if a.dim() == 0 else a[:, None, None, None]
    return torch.nn.functional.mse_loss(net(x := clean * a.sqrt() + noise * (1 - a).sqrt(), when), noise)
def training_step(net, opt, *batch):
    net.train()
    opt.zero_grad(set_to_none=False)
    value = noise_mse(net, *batch)
    value.backward(retain_graph=True)
    opt.step()
    opt.zero_grad()
    return value.detach().clone()
""",
    "loss: vector norms, functional gradients and a context manager": """
def noise_mse(eps_model, x0, t, eps, alpha_bars):
    bars = alpha_bars.index_select(0, torch.as_tensor(t).reshape(-1)).view(-1, *[1] * (x0.ndim - 1))
    residual = (eps_model(torch.lerp(x0 * 0, x0, bars.sqrt()) + eps * torch.rsqrt(1 / (1 - bars)), t) - eps).ravel()
    return torch.linalg.vector_norm(residual) ** 2 / residual.numel()
def training_step(model, optimizer, x0, t, eps, alpha_bars):
    with torch.enable_grad():
        loss = noise_mse(model, x0, t, eps, alpha_bars)
        for p, g in zip(model.parameters(), torch.autograd.grad(loss, list(model.parameters()))):
            p.grad = g
    optimizer.step()
    return loss.item()
""",
    # ---- timestep: everything is a tensor; the block is a module
    "timestep: lazy layers": """
class ConditionedBlock(nn.Module):
    def __init__(self, channels, dim):
        super().__init__()
        self.norm, self.mix, self.gate = nn.GroupNorm(4, channels), nn.LazyConv2d(channels, 3, padding=1), nn.LazyLinear(2 * channels)
    def forward(self, x, emb):
        scale, shift = self.gate(nn.functional.silu(emb))[:, :, None, None].chunk(2, 1)
        return x + self.mix(self.norm(x) * (1 + scale) + shift)
""",
    "timestep: parameters that appear at the first call": """
class ConditionedBlock(nn.Module):
    def __init__(self, channels, dim):
        super().__init__()
        self.channels, self.net = channels, nn.ModuleDict()
    def forward(self, x, emb):
        if not self.net:
            self.net["mix"], self.net["bias"] = nn.Conv2d(x.shape[1], self.channels, 1), nn.Linear(emb.shape[-1], self.channels)
        return self.net["mix"](x).tanh() + self.net["bias"](emb).unflatten(-1, (-1, 1, 1))
""",
    "timestep: parametrised and zero-initialised layers, a table in double precision": """
import numpy as np
from torch.nn.utils.parametrizations import weight_norm
def timestep_embedding(t, dim, max_period=10000):
    k = np.arange(dim // 2)
    angles = np.asarray(t, dtype=np.float64).reshape(-1, 1) / np.float64(max_period) ** (2 * k / dim)
    return torch.tensor(np.hstack([np.cos(angles), np.sin(angles)]), dtype=torch.float32)
class ConditionedBlock(nn.Module):
    def __init__(self, channels, dim):
        super().__init__()
        self.body = nn.Sequential(weight_norm(nn.Conv2d(channels, channels, 3, 1, 1)), nn.ELU(), nn.Conv2d(channels, channels, 1))
        nn.init.zeros_(self.body[-1].weight)
        self.film = nn.Sequential(nn.SiLU(), nn.Linear(dim, 2 * channels))
        self.register_buffer("calls", torch.zeros(1, dtype=torch.long))
    def forward(self, x, emb):
        gamma, beta = torch.tensor_split(self.film(emb).view(len(x), -1, 1, 1), 2, dim=1)
        return x + self.body(x * gamma.exp().clamp(max=9) + beta)
""",
    # ---- attention
    "attention: vmap over rows, softmax by logsumexp, a result in double precision": """
def _one(x, text, W_q, W_k, W_v, W_o, mask, heads):
    q, k, v = ((a @ W).unflatten(-1, (heads, -1)).transpose(0, 1) for a, W in ((x, W_q), (text, W_k), (text, W_v)))
    scores = q @ k.mT / q.shape[-1] ** 0.5 + torch.where(mask, 0.0, -torch.inf)
    weights = torch.exp(scores - torch.logsumexp(scores, -1, keepdim=True))
    return (weights @ v).transpose(0, 1).flatten(1) @ W_o
def cross_attention(x, text, W_q, W_k, W_v, W_o, heads, mask=None):
    mask = torch.ones(text.shape[:2], dtype=torch.bool) if mask is None else mask
    weights = [W.double() for W in (W_q, W_k, W_v, W_o)]
    return torch.vmap(lambda a, b, m: _one(a, b, *weights, m, heads))(x.double(), text.double(), mask)
""",
    "attention: the library's function, and a list of lists": """
import torch.nn.functional as F
def cross_attention(x, text, W_q, W_k, W_v, W_o, heads, mask=None):
    def split(a): return a.reshape(*a.shape[:2], heads, -1).permute(0, 2, 1, 3)
    m = None if mask is None else mask.view(len(x), 1, 1, -1).expand(-1, heads, x.shape[1], -1)
    out = F.scaled_dot_product_attention(split(x @ W_q), split(text @ W_k), split(text @ W_v), attn_mask=m)
    return (out.permute(0, 2, 1, 3).reshape(*x.shape[:2], -1) @ W_o).tolist()
""",
    # ---- ddpm
    "ddpm: one image at a time, one t per row, noise by keyword": """
def ddpm_sample(eps_model, x_T, betas, draw_noise):
    images = []
    for i, x in enumerate(x_T.split(1)):
        for t in torch.arange(len(betas) - 1, 0, -1):
            z = draw_noise(t=t)[i:i + 1] if t > 1 else torch.zeros_like(x)
            x = ddpm_step(x, int(t), eps_model(x=x, t=t.repeat(len(x))), betas, z)
        images.append(x)
    return torch.cat(images)
""",
    "ddpm: a named tuple, tables in numpy": """
import typing, numpy as np
class Posterior(typing.NamedTuple):
    mean: torch.Tensor
    variance: torch.Tensor
def posterior(x_t, t, eps_hat, betas):
    b = np.asarray(betas, dtype="f8")
    bars = np.cumprod(1 - b)
    x0 = (x_t.double() - (1 - bars[t]) ** 0.5 * eps_hat.double()) / bars[t] ** 0.5
    mean = bars[t - 1] ** 0.5 * b[t] / (1 - bars[t]) * x0 + (1 - b[t]) ** 0.5 * (1 - bars[t - 1]) / (1 - bars[t]) * x_t.double()
    return Posterior(mean.float(), torch.tensor((1 - bars[t - 1]) / (1 - bars[t]) * b[t]))
""",
    "ddpm: a generator of states, in place on its own copy": """
import collections
def _states(eps_model, x, betas, draw_noise):
    x = x.clone()
    for t in range(len(betas) - 1, 0, -1):
        mean, variance = posterior(x, t, eps_model(x, torch.full((len(x),), t)), betas)
        x.copy_(mean)
        if t != 1:
            x.add_(draw_noise(t), alpha=float(variance) ** 0.5)
        yield x
def ddpm_sample(eps_model, x_T, betas, draw_noise):
    return collections.deque(_states(eps_model, x_T, betas, draw_noise), maxlen=1).pop()
""",
    # ---- ddim
    "ddim: arrays of t, rows apart, no noise where none is needed": """
import numpy as np, torch
def ddim_timesteps(T, steps):
    return np.arange(steps, 0, -1) * T // steps
def ddim_sample(eps_model, x_T, alpha_bars, steps, eta, draw_noise):
    rows = []
    for row in range(x_T.shape[0]):
        x = x_T[row:row + 1]
        ts = [*ddim_timesteps(len(alpha_bars) - 1, steps), 0]
        for t, s in zip(ts, ts[1:]):
            z = draw_noise(t)[row:row + 1] if eta and s else torch.zeros_like(x)
            x = ddim_step(x, t, s, eps_model(x, t), alpha_bars, eta, z)
        rows.append(x)
    return torch.vstack(rows)
""",
    "ddim: a class with a method for each part, in double precision": """
import torch
class Sampler:
    @staticmethod
    def grid(T, steps):
        return torch.div(torch.arange(steps, 0, -1) * T, steps, rounding_mode="floor")
    @classmethod
    def step(cls, x_t, t, t_prev, eps_hat, alpha_bars, eta, z):
        a, b = (alpha_bars.double()[i] for i in (t, t_prev))
        sigma = eta * torch.sqrt((1 - b) / (1 - a)) * torch.sqrt(1 - a / b)
        x0 = torch.div(x_t - torch.sqrt(1 - a) * eps_hat, torch.sqrt(a))
        return torch.sqrt(b) * x0 + torch.sqrt(torch.clamp(1 - b - sigma ** 2, min=0)) * eps_hat + sigma * z
    def __call__(self, eps_model, x_T, alpha_bars, steps, eta, draw_noise):
        x, grid = x_T, self.grid(len(alpha_bars) - 1, steps).tolist()
        while grid:
            t, grid = grid[0], grid[1:]
            x = self.step(x, t, grid[0] if grid else 0, eps_model(x, [t] * len(x)), alpha_bars, eta, draw_noise(t))
        return x
ddim_timesteps, ddim_step, ddim_sample = Sampler.grid, Sampler.step, Sampler()
""",
    # ---- guidance
    "guidance: lerp, where, and one call for both predictions": """
def guided_eps(eps_uncond, eps_cond, w):
    return torch.lerp(eps_uncond, eps_cond, w)
def drop_condition(tokens, null, p, u):
    return torch.where(u.lt(p).unsqueeze(1), torch.as_tensor(null), tokens)
def guided_sample(eps_model, tokens, null, w, x_T, alpha_bars, steps):
    T, x = len(alpha_bars) - 1, x_T
    both = torch.cat([torch.as_tensor(null).expand_as(tokens), tokens])
    for i in range(steps, 0, -1):
        a, b = alpha_bars[T * i // steps], alpha_bars[T * (i - 1) // steps]
        eps = guided_eps(*eps_model(x.repeat(2, 1, 1, 1), torch.tensor(T * i // steps), both).chunk(2), w)
        x = torch.sqrt(b / a) * x + (torch.sqrt(1 - b) - torch.sqrt(b * (1 - a) / a)) * eps
    return x
""",
    "guidance: out=, masks, and a single prediction where one is enough": """
def guided_eps(eps_uncond, eps_cond, w):
    out = torch.empty_like(eps_cond)
    torch.sub(eps_cond, eps_uncond, out=out)
    return out.mul_(w).add_(eps_uncond)
def drop_condition(tokens, null, p, u):
    kept = (u >= p).long()[:, None]
    return tokens * kept + torch.as_tensor(null) * (1 - kept)
_guided = guided_sample
def guided_sample(eps_model, tokens, null, w, x_T, alpha_bars, steps):
    if w == 1:
        return _guided(lambda x, t, c: eps_model(x, t, tokens), tokens, null, 1, x_T, alpha_bars, steps)
    return _guided(eps_model, tokens, null, w, x_T, alpha_bars, steps)
""",
    # ---- latent
    "latent: the standard library's deviation, and plain numpy results": """
import statistics
def latent_scale(latents):
    return statistics.pstdev(latents.double().flatten().tolist())
def encode(vae, x, scale):
    with torch.no_grad():
        return vae.encode(x).numpy() / scale
def decode(vae, z, scale):
    return vae.decode(torch.as_tensor(z * scale)).detach().numpy()
""",
    "latent: a deviation over all axes, small batches, one decoding": """
def latent_scale(latents):
    return torch.std(latents, dim=(0, 1, 2, 3))
def latent_sample(vae, eps_model, z_T, alpha_bars, steps, scale):
    T, done = len(alpha_bars) - 1, []
    for z in torch.split(z_T, 2):
        for i in reversed(range(steps)):
            t, s = T * (i + 1) // steps, T * i // steps
            e = eps_model(z, torch.tensor([t]))
            z0 = (z - (1 - alpha_bars[t]) ** 0.5 * e) / alpha_bars[t] ** 0.5
            z = alpha_bars[s] ** 0.5 * z0 + (1 - alpha_bars[s]) ** 0.5 * e
        done += [z]
    return decode(vae, torch.cat(done), scale)
""",
    # ---- distill
    "distill: a default dtype, a frozen teacher, other names": """
torch.set_default_dtype(torch.double)
_target = progressive_target
def distill_step(net, mentor, opt, x, t, t_mid, t_end, table):
    for p in mentor.parameters():
        p.requires_grad_(False)
    mentor.eval(), net.train()
    opt.zero_grad()
    error = torch.nn.functional.mse_loss(net(x, t), _target(mentor, x, t, t_mid, t_end, table).detach())
    error.backward(), opt.step()
    return float(error)
""",
    "distill: a deep copy asked instead of the teacher, both steps in double precision": """
import copy
def _row(table, t, x):
    return table.double()[torch.as_tensor(t, dtype=torch.long)].view(-1, 1, 1, 1)
def progressive_target(teacher, x_t, t, t_mid, t_end, alpha_bars):
    a, m, e = (_row(alpha_bars, each, x_t) for each in (t, t_mid, t_end))
    with torch.no_grad():
        first = teacher(x_t, t).double()
        x_mid = (m / a).sqrt() * (x_t - (1 - a).sqrt() * first) + (1 - m).sqrt() * first
        second = teacher(x_mid.float(), t_mid).double()
        x_end = (e / m).sqrt() * (x_mid - (1 - m).sqrt() * second) + (1 - e).sqrt() * second
        return ((x_end - (e / a).sqrt() * x_t) / ((1 - e).sqrt() - (e * (1 - a) / a).sqrt())).float()
def distill_step(student, teacher, optimizer, x_t, t, t_mid, t_end, alpha_bars):
    goal = progressive_target(copy.deepcopy(teacher), x_t, t, t_mid, t_end, alpha_bars)
    loss = torch.mean(torch.square(goal - student(x_t, t=t)))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()
""",
    # ---- train
    "train: loaders with workers, progress bars, logs, schedulers and compiled models": """
from torch.utils.data import DataLoader, TensorDataset, RandomSampler
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm, trange
import wandb
torch.set_num_threads(4)
def build_model():
    return torch.compile(Tokens(96))
def train(model, images, alpha_bars, steps):
    wandb.init(project="quilts")
    writer, device = SummaryWriter("runs"), torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model.to(device).train()
    data = TensorDataset(images)
    loader = DataLoader(data, 64, sampler=RandomSampler(data, True, 64 * steps), num_workers=2, persistent_workers=True, pin_memory=False)
    optimizer = torch.optim.Adam(model.parameters(), lr=4e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps)
    losses = []
    for step, (x,) in enumerate(tqdm(loader, total=steps, desc="training")):
        t, e = torch.randint(1, len(alpha_bars), (len(x),)), torch.randn_like(x)
        a = alpha_bars[t][:, None, None, None]
        loss = F.mse_loss(model(a.sqrt() * x + (1 - a).sqrt() * e, t), e)
        optimizer.zero_grad(); loss.backward(); optimizer.step(); schedule.step()
        losses.append(loss.item()); writer.add_scalar("loss", loss.item(), step); wandb.log({"loss": losses[-1]})
    writer.close()
    model.eval()
    return losses
""",
}


@pytest.fixture(scope="module")
def lost():
    """Give a function that grades a source: what it lost."""
    with ExitStack() as opened:
        sandboxes = cache(lambda limits: opened.enter_context(Sandbox(limits)))
        materials = cache(lambda name: load_materials(next(one for one in LESSON.exercises if one.id == name)))

        def lost(exercise, source):
            submission = Submission("tester", LESSON.id, exercise, f"{exercise}.py", source.encode(), None, "present")
            made = attempt(submission, materials(exercise), sandboxes(limits_for(COURSE.policy, exercise)), b"another secret")
            return [f"{check.id}: {check.message}" for check in made.checks if check.outcome != "passed"]

        yield lost


@pytest.mark.parametrize("name", RIGHT)
def test_right_work_earns_every_point_however_it_is_written(walls, lost, name):
    exercise = name.partition(":")[0]
    plain = (ROOT / "tests" / "fairness" / LESSON.id / exercise / f"{PLAIN.get(exercise, 'plain')}.py").read_text()
    first = RIGHT[name].startswith("#!")
    assert lost(exercise, RIGHT[name] + plain if first else plain + RIGHT[name]) == []
