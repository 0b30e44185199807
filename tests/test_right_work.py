"""Right submissions as unusual as students write them: each earns every point.

Each row is written from the starter's text alone. It is appended to a plain solution of the exercise (`tests/fairness`), and so replaces
the functions that it defines; a row that begins with `#!` comes first in the file instead. docs/author.md says what the rows show.
"""

import re
from contextlib import ExitStack
from functools import cache

import pytest

from autograder.course.loading import read_course
from autograder.course.model import Submission
from autograder.course.policy import limits_for
from autograder.grading.attempt import attempt, load_materials
from tests.courses import ROOT
from tests.shared import SharedSandbox

COURSE = read_course(ROOT)
LESSON = COURSE.lessons[0]
PLAIN = {"attention": "einsum", "forward": "loops", "schedule": "typed", "timestep": "shift", "train": "tokens"}  # the others have a plain one

PROMISES = "arguments are what the starter promises"
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
    "schedule: arguments are what the starter promises": """
def table(a):
    return type(a) is np.ndarray and a.dtype == np.float64 and a.ndim == 1 and len(a) >= 2
_cosine, _snr, _zero = cosine_betas, snr, terminal_snr_zero
def cosine_betas(T, s=0.008, most=0.999):
    assert type(T) is int and T >= 1 and type(s) is type(most) is float
    return _cosine(T, s, most)
def snr(alpha_bars):
    assert table(alpha_bars) and alpha_bars[0] == 1
    return _snr(alpha_bars)
def terminal_snr_zero(betas):
    assert table(betas) and betas[0] == 0 and len(betas) >= 3
    return _zero(betas)
""",
    "schedule: numpy's scalars in a list, torch's in a list, another order of bytes": """
import torch
_cosine, _snr, _zero = cosine_betas, snr, terminal_snr_zero
def cosine_betas(*args):
    return [np.float32(beta) for beta in _cosine(*args)]
def snr(alpha_bars):
    return np.asarray(_snr(alpha_bars)).astype(">f8")[::-1][::-1]
def terminal_snr_zero(betas):
    return [torch.tensor(beta) for beta in _zero(betas)]
""",
    "schedule: an array.array, a masked array, a parameter": """
import array, torch
_cosine, _zero = cosine_betas, terminal_snr_zero
def cosine_betas(*args):
    return array.array("d", map(float, _cosine(*args)))
def snr(alpha_bars):
    ratios = np.ma.divide(alpha_bars, 1 - alpha_bars)
    return np.ma.array(ratios.filled(np.inf))
def terminal_snr_zero(betas):
    return torch.nn.Parameter(torch.as_tensor(np.asarray(_zero(betas))))
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
    "forward: arguments are what the starter promises": """
import numpy as np
def images(x, eps):
    return all(type(a) is float or type(a) is np.ndarray and a.dtype == np.float64 for a in (x, eps)) and np.shape(x) == np.shape(eps)
def table(a):
    return type(a) is np.ndarray and a.dtype == np.float64 and a.ndim == 1
def times(t, x, a):
    kind = type(t) is int or type(t) is np.ndarray and t.dtype.kind == "i" and t.shape == np.shape(x)[:1]
    return kind and np.all(np.asarray(t) >= 0) and np.all(np.asarray(t) < len(a))
_linear, _bars, _step, _to, _back = linear_betas, alpha_bars, forward_step, noise_to, predict_x0
def linear_betas(T, first=1e-4, last=0.02):
    assert type(T) is int and T >= 1 and type(first) is type(last) is float
    return _linear(T, first, last)
def alpha_bars(betas):
    assert table(betas) and betas[0] == 0
    return _bars(betas)
def forward_step(x_prev, beta, eps):
    assert images(x_prev, eps) and type(beta) is float and 0 <= beta <= 1
    return _step(x_prev, beta, eps)
def noise_to(x0, t, eps, alpha_bars):
    assert images(x0, eps) and table(alpha_bars) and times(t, x0, alpha_bars)
    return _to(x0, t, eps, alpha_bars)
def predict_x0(x_t, t, eps, alpha_bars):
    assert images(x_t, eps) and table(alpha_bars) and times(t, x_t, alpha_bars)
    return _back(x_t, t, eps, alpha_bars)
""",
    "forward: Greek names, a star, annotations, positions alone": """
from numpy import *
import numpy as np
ᾱ_0: float = 1.0
type_of = float | np.ndarray
def alpha_bars(βs: "np.ndarray") -> list[float]:
    ᾱ = [ᾱ_0]
    for β in βs[1:]:
        ᾱ.append(ᾱ[-1] * (1 - β))
    return ᾱ
def forward_step(x: type_of, β: float, ε: type_of, /) -> type_of:
    return sqrt(1 - β) * x + sqrt(β) * ε
""",
    "forward: arrays without axes, numpy's scalars, Fortran's order, lists of lists": """
import numpy as np
_step, _to, _back = forward_step, noise_to, predict_x0
def forward_step(x_prev, beta, eps):
    return np.asarray(_step(np.asarray(x_prev), np.float32(beta), np.asarray(eps)))
def noise_to(x0, t, eps, alpha_bars):
    return np.asarray(_to(x0, t, eps, alpha_bars), dtype=np.float32, order="F")[()]
def predict_x0(x_t, t, eps, alpha_bars):
    return np.asarray(_back(x_t, t, eps, alpha_bars)).tolist()
""",
    "forward: a cached recursion, a dataclass, an enum, a context manager": """
import contextlib, dataclasses, enum, functools, numpy as np
class Root(enum.Enum):
    SIGNAL, NOISE = "1 - β", "β"
@functools.lru_cache
def bar(t, betas):
    return 1.0 if t == 0 else bar(t - 1, betas) * (1 - betas[t])
def alpha_bars(betas):
    return [bar(t, tuple(betas)) for t in range(len(betas))]
@dataclasses.dataclass
class Schedule:
    T: int
    first: float = 1e-4
    last: float = 0.02
    def table(self) -> "np.ndarray":
        return np.array([0, *(self.first + (self.last - self.first) * np.arange(self.T) / max(self.T - 1, 1))])
def linear_betas(*args):
    return Schedule(*args).table()
@contextlib.contextmanager
def roots(beta):
    yield {Root.SIGNAL: (1 - beta) ** 0.5, Root.NOISE: beta ** 0.5}
def forward_step(x_prev, beta, eps):
    with roots(beta) as root:
        return np.add(np.multiply(root[Root.SIGNAL], x_prev), np.multiply(root[Root.NOISE], eps))
""",
    "forward: tables at the top, and a small network trained at the end": """
import numpy as np, torch
__all__ = ["forward_step"]
BARS = alpha_bars(linear_betas(1000))
rng, net = np.random.default_rng(0), torch.nn.Linear(4, 4)
optimizer = torch.optim.Adam(net.parameters())
for step in range(60):
    x, e = rng.standard_normal((2, 16, 4))
    noisy = torch.as_tensor(noise_to(x, rng.integers(1, 1001, 16), e, BARS)).float()
    loss = ((net(noisy) - torch.as_tensor(e).float()) ** 2).mean()
    optimizer.zero_grad(); loss.backward(); optimizer.step()
    print(step, loss.item())
torch.save(net.state_dict(), "net.pt")
""",
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
    "loss: arguments are what the starter promises": """
import torch
def batch(x0, t, eps, bars):
    images = all(type(a) is torch.Tensor and a.dtype == torch.float32 and a.ndim == 4 and not a.requires_grad for a in (x0, eps))
    table = type(bars) is torch.Tensor and bars.dtype == torch.float32 and bars.ndim == 1 and bars[0] == 1
    times = type(t) is int or type(t) is torch.Tensor and t.dtype == torch.int64 and t.shape == x0.shape[:1]
    return images and x0.shape == eps.shape and table and times and 0 <= int(torch.as_tensor(t).min()) <= int(torch.as_tensor(t).max()) < len(bars)
_mse, _step = noise_mse, training_step
def noise_mse(eps_model, *args):
    assert callable(eps_model) and batch(*args)
    return _mse(eps_model, *args)
def training_step(model, optimizer, *args):
    assert isinstance(model, torch.nn.Module) and isinstance(optimizer, torch.optim.Optimizer) and batch(*args)
    assert {id(p) for group in optimizer.param_groups for p in group["params"]} == {id(p) for p in model.parameters()}
    return _step(model, optimizer, *args)
""",
    "loss: a module for the loss, a sum over rows, a numpy scalar": """
import numpy as np, torch
class Loss(torch.nn.Module):
    def __init__(self, weight=1.0):
        super().__init__()
        self.weight = weight
    def forward(self, eps_model, x0, t, eps, alpha_bars):
        bars = alpha_bars[t].expand(len(x0))
        x_t = torch.einsum("b,bchw->bchw", bars.sqrt(), x0) + torch.einsum("b,bchw->bchw", (1 - bars).sqrt(), eps)
        rows = zip(eps, eps_model(x_t, t))
        return self.weight * sum(((noise - predicted) ** 2).sum() for noise, predicted in rows) / eps.numel()
noise_mse = Loss()
def training_step(model, optimizer, *batch):
    with torch.autograd.set_detect_anomaly(True):
        loss = noise_mse(model, *batch)
        model.zero_grad()
        torch.autograd.backward([loss])
    optimizer.step()
    return np.float32(loss.detach())
""",
    "loss: gradients by a transform, a loss that still has its own": """
import torch
def training_step(model, optimizer, *batch):
    names, parameters = zip(*model.named_parameters())
    def loss_of(parameters):
        state = dict(zip(names, parameters))
        return noise_mse(lambda x, t: torch.func.functional_call(model, state, (x, t)), *batch)
    before = noise_mse(model, *batch)
    for parameter, gradient in zip(parameters, torch.func.grad(loss_of)(parameters)):
        parameter.grad = gradient
    optimizer.step()
    return before
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
    "timestep: arguments are what the starter promises": """
import torch
_embedding, Block = timestep_embedding, ConditionedBlock
def timestep_embedding(t, dim, max_period=10000):
    assert type(t) is torch.Tensor and t.dtype == torch.int64 and t.ndim == 1 and type(dim) is int and dim % 2 == 0
    return _embedding(t, dim, max_period)
class ConditionedBlock(Block):
    def __init__(self, channels, dim):
        assert type(channels) is type(dim) is int and channels % 8 == 0
        super().__init__(channels, dim)
        self.sizes = channels, dim
    def forward(self, x, emb):
        assert all(type(a) is torch.Tensor and a.dtype == torch.float32 for a in (x, emb)) and x.ndim == 4 and emb.ndim == 2
        assert len(x) == len(emb) and (x.shape[1], emb.shape[1]) == self.sizes
        return super().forward(x, emb)
""",
    "timestep: numbers on a circle, layers used twice, bare parameters, channels last": """
def timestep_embedding(t, dim, max_period=10000):
    k = torch.arange(dim // 2)
    circle = torch.polar(torch.ones(len(t), dim // 2), torch.outer(t.float(), max_period ** (-2.0 * k / dim)))
    return torch.view_as_real(circle).permute(0, 2, 1).flatten(1)
class ConditionedBlock(nn.Module):
    def __init__(self, channels, dim, *, groups=8):
        super().__init__()
        self.norm, self.mix = nn.GroupNorm(groups, channels), nn.Conv2d(channels, channels, 3, padding="same")
        self.again, self.drop = self.mix, nn.Dropout(0.0)
        self.told = nn.ParameterList([nn.Parameter(torch.randn(dim, channels) / dim ** 0.5), nn.Parameter(torch.zeros(channels))])
    def forward(self, x, emb):
        weight, bias = self.told
        x = x.contiguous(memory_format=torch.channels_last)
        h = self.mix(nn.functional.silu(self.norm(x))) + (emb @ weight + bias).view(len(x), -1, 1, 1)
        return x + self.drop(self.again(nn.functional.silu(h)))
""",
    "timestep: rows in Python, attention in the block, weights in double precision": """
import math
def timestep_embedding(t, dim, max_period=10000):
    turns = [[one * max_period ** (-k / (dim // 2)) for k in range(dim // 2)] for one in t.tolist()]
    return torch.tensor([[*map(math.cos, row), *map(math.sin, row)] for row in turns])
class ConditionedBlock(nn.Module):
    def __init__(self, channels, dim):
        super().__init__()
        self.told, self.norm = nn.Linear(dim, channels, dtype=torch.float64), nn.LayerNorm(channels)
        self.attend = nn.MultiheadAttention(channels, 2, batch_first=True)
        self.apply(lambda layer: nn.init.zeros_(layer.bias) if isinstance(layer, nn.Linear) else None)
    def forward(self, x, emb):
        h = self.norm(x.flatten(2).transpose(1, 2)) + self.told(emb.double()).float()[:, None]
        return x + self.attend(h, h, h, need_weights=False)[0].transpose(1, 2).reshape(x.shape)
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
    "attention: arguments are what the starter promises": """
_attend = cross_attention
def cross_attention(x, text, W_q, W_k, W_v, W_o, heads, mask=None):
    arrays = (x, 3), (text, 3), (W_q, 2), (W_k, 2), (W_v, 2), (W_o, 2)
    assert all(type(a) is torch.Tensor and a.dtype == torch.float32 and a.ndim == axes for a, axes in arrays)
    assert type(heads) is int and W_q.shape[1] % heads == 0 and W_q.shape[1] == W_k.shape[1] == W_v.shape[1] == W_o.shape[0]
    assert W_q.shape[0] == x.shape[2] and W_k.shape[0] == W_v.shape[0] == text.shape[2] and len(x) == len(text)
    assert mask is None or type(mask) is torch.Tensor and mask.dtype == torch.bool and mask.shape == text.shape[:2] and mask.any(1).all()
    return _attend(x, text, W_q, W_k, W_v, W_o, heads, mask)
""",
    "attention: numpy, in loops": """
import numpy as np
def cross_attention(x, text, W_q, W_k, W_v, W_o, heads, mask=None):
    x, text, W_q, W_k, W_v, W_o = map(np.asarray, (x, text, W_q, W_k, W_v, W_o))
    read, k = np.zeros((*x.shape[:2], W_q.shape[1]), "f4"), W_q.shape[1] // heads
    for row in range(len(x)):
        for head in range(heads):
            own = slice(head * k, (head + 1) * k)
            scores = x[row] @ W_q[:, own] @ (text[row] @ W_k[:, own]).T / np.sqrt(k)
            scores = scores if mask is None else np.where(mask[row], scores, -np.inf)
            weights = np.exp(scores - scores.max(1, keepdims=True))
            read[row, :, own] = weights / weights.sum(1, keepdims=True) @ (text[row] @ W_v[:, own])
    return read @ W_o
""",
    "attention: one product for all heads, the least number for the mask": """
def cross_attention(x, text, W_q, W_k, W_v, W_o, heads, mask=None):
    q, k, v = (a.view(len(x), -1, heads, a.shape[-1] // heads).permute(0, 2, 1, 3).flatten(0, 1) for a in (x @ W_q, text @ W_k, text @ W_v))
    scores = torch.baddbmm(torch.zeros(()), q, k.mT, beta=0, alpha=q.shape[-1] ** -0.5).unflatten(0, (len(x), heads))
    scores = scores if mask is None else scores.masked_fill(mask.logical_not()[:, None, None], torch.finfo(scores.dtype).min)
    read = torch.bmm(scores.softmax(-1).flatten(0, 1), v).unflatten(0, (len(x), heads))
    return read.transpose(1, 2).flatten(2) @ W_o
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
    "ddpm: arguments are what the starter promises": """
def tensors(*xs):
    return all(type(x) is torch.Tensor and x.dtype == torch.float32 and x.shape == xs[0].shape for x in xs)
def table(betas):
    return type(betas) is torch.Tensor and betas.dtype == torch.float32 and betas.ndim == 1 and betas[0] == 0
_posterior, _step, _sample = posterior, ddpm_step, ddpm_sample
def posterior(x_t, t, eps_hat, betas):
    assert tensors(x_t, eps_hat) and table(betas) and type(t) is int and 1 <= t < len(betas)
    return _posterior(x_t, t, eps_hat, betas)
def ddpm_step(x_t, t, eps_hat, betas, z):
    assert tensors(x_t, eps_hat, z) and table(betas) and type(t) is int and 1 <= t < len(betas)
    return _step(x_t, t, eps_hat, betas, z)
def ddpm_sample(eps_model, x_T, betas, draw_noise):
    def model(x, t):
        predicted = eps_model(x, t)
        assert tensors(x, predicted)
        return predicted
    assert table(betas) and tensors(x_T, draw_noise(len(betas) - 1), draw_noise(torch.tensor(1)))
    return _sample(model, x_T, betas, draw_noise)
""",
    "ddpm: numpy all the way, a list for two results": """
import numpy as np
def posterior(x_t, t, eps_hat, betas):
    x, e, b = map(np.asarray, (x_t, eps_hat, betas))
    bars = np.cumprod(1 - b)
    x0 = (x - np.sqrt(1 - bars[t]) * e) / np.sqrt(bars[t])
    kept = np.sqrt(1 - b[t]) * (1 - bars[t - 1]) / (1 - bars[t])
    return [np.sqrt(bars[t - 1]) * b[t] / (1 - bars[t]) * x0 + kept * x, (1 - bars[t - 1]) / (1 - bars[t]) * b[t]]
def ddpm_step(x_t, t, eps_hat, betas, z):
    mean, variance = posterior(x_t, t, eps_hat, betas)
    return mean + np.sqrt(variance) * np.asarray(z)
def ddpm_sample(eps_model, x_T, betas, draw_noise):
    x = np.array(x_T)
    for t in np.arange(len(betas))[:0:-1]:
        x = ddpm_step(x, t, eps_model(x, np.full(len(x), t)), betas, draw_noise(t))
    return x
""",
    "ddpm: all noise beforehand, t as floats in a column, a result that wants gradients": """
def ddpm_sample(eps_model, x_T, betas, draw_noise):
    noises = {t: draw_noise([t]) for t in range(betas.numel() - 1, 0, -1)}
    x = x_T
    for t, z in noises.items():
        x = ddpm_step(x, t, eps_model(x, torch.full((len(x), 1), float(t))), betas, z)
    return x.requires_grad_()
""",
    "ddpm: a recursion, t in a tuple, double precision": """
def ddpm_sample(eps_model, x_T, betas, draw_noise):
    def down(x, t):
        if t == 0:
            return x.float()
        return down(ddpm_step(x, t, eps_model(x, (t,) * len(x)), betas.double(), draw_noise(t) if t > 1 else 0 * x), t - 1)
    return down(x_T.double(), len(betas) - 1)
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
    "ddim: arguments are what the starter promises": """
import torch
def tensors(*xs):
    return all(type(x) is torch.Tensor and x.dtype == torch.float32 and x.shape == xs[0].shape for x in xs)
def table(bars):
    return type(bars) is torch.Tensor and bars.dtype == torch.float32 and bars.ndim == 1 and bars[0] == 1 and bars[-1] > 0
_grid, _step, _sample = ddim_timesteps, ddim_step, ddim_sample
def ddim_timesteps(T, steps):
    assert type(T) is type(steps) is int and 1 <= steps <= T
    return _grid(T, steps)
def ddim_step(x_t, t, t_prev, eps_hat, alpha_bars, eta, z):
    assert tensors(x_t, eps_hat, z) and table(alpha_bars) and type(eta) is float and 0 <= eta <= 1
    assert type(t) is type(t_prev) is int and 0 <= t_prev < t < len(alpha_bars)
    return _step(x_t, t, t_prev, eps_hat, alpha_bars, eta, z)
def ddim_sample(eps_model, x_T, alpha_bars, steps, eta, draw_noise):
    assert table(alpha_bars) and type(steps) is int and type(eta) is float and tensors(x_T, draw_noise(3))
    return _sample(eps_model, x_T, alpha_bars, steps, eta, draw_noise)
""",
    "ddim: a range, a tuple, keywords, noise only where it is needed": """
import itertools, torch
def ddim_timesteps(T, steps):
    return tuple(T * i // steps for i in range(steps, 0, -1)) if T % steps else range(T, 0, -T // steps)
def ddim_step(x_t, t, t_prev, eps_hat, alpha_bars, eta, z=None):
    a, b = alpha_bars[t], alpha_bars[t_prev]
    sigma = eta * ((1 - b) / (1 - a) * (1 - a / b)) ** 0.5
    x = (b / a) ** 0.5 * (x_t - (1 - a) ** 0.5 * eps_hat) + (1 - b - sigma * sigma) ** 0.5 * eps_hat
    return x if z is None else x + sigma * z
@torch.no_grad()
def ddim_sample(eps_model, x_T, alpha_bars, steps, eta, draw_noise):
    x = x_T
    for t, s in itertools.pairwise([*ddim_timesteps(len(alpha_bars) - 1, steps), 0]):
        x = ddim_step(x, t, s, eps_model(t=torch.tensor(t), x=x), alpha_bars, eta, draw_noise(t) if eta > 0 else None)
    return x
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
    "guidance: arguments are what the starter promises": """
def tensors(*xs):
    return all(type(x) is torch.Tensor and x.dtype == torch.float32 and x.shape == xs[0].shape for x in xs)
def captions(tokens, null):
    row = type(null) is int or type(null) is torch.Tensor and null.dtype == torch.int64 and null.shape == tokens.shape[1:]
    return type(tokens) is torch.Tensor and tokens.dtype == torch.int64 and tokens.ndim == 2 and row
_guided, _drop, _sample = guided_eps, drop_condition, guided_sample
def guided_eps(eps_uncond, eps_cond, w):
    assert tensors(eps_uncond, eps_cond) and type(w) is float and w >= 0
    return _guided(eps_uncond, eps_cond, w)
def drop_condition(tokens, null, p, u):
    assert captions(tokens, null) and type(p) is float and 0 <= p <= 1
    assert tensors(u) and u.shape == tokens.shape[:1] and (u >= 0).all() and (u < 1).all()
    return _drop(tokens, null, p, u)
def guided_sample(eps_model, tokens, null, w, x_T, alpha_bars, steps):
    assert captions(tokens, null) and type(w) is float and tensors(x_T) and tensors(alpha_bars) and alpha_bars[0] == 1 and type(steps) is int
    assert len(tokens) == len(x_T)
    return _sample(eps_model, tokens, null, w, x_T, alpha_bars, steps)
""",
    "guidance: one row at a time, numpy's captions, small integers": """
import numpy as np
def drop_condition(tokens, null, p, u):
    null = np.broadcast_to(null, tokens.shape[1:])
    return np.array([null if chance < p else row for row, chance in zip(tokens.numpy(), u.tolist())], dtype=np.int16)
def guided_sample(eps_model, tokens, null, w, x_T, alpha_bars, steps):
    T, images = len(alpha_bars) - 1, []
    for x, caption in zip(x_T.split(1), np.asarray(tokens, dtype=np.int32)[:, None]):
        nothing = np.broadcast_to(np.asarray(null, dtype=np.int32), caption.shape)
        for i in range(steps, 0, -1):
            a, b = alpha_bars[T * i // steps], alpha_bars[T * (i - 1) // steps]
            eps = guided_eps(*(eps_model(x, T * i // steps, each) for each in (nothing, caption)), w)
            x = b ** 0.5 * (x - (1 - a) ** 0.5 * eps) / a ** 0.5 + (1 - b) ** 0.5 * eps
        images.append(x[0])
    return torch.stack(images)
""",
    "guidance: captions in lists, keywords in another order": """
def drop_condition(tokens, null, p, u):
    dropped = torch.lt(u, p)[:, None].expand_as(tokens)
    return tokens.masked_scatter(dropped, torch.as_tensor(null).expand_as(tokens)[dropped])
def guided_sample(eps_model, tokens, null, w, x_T, alpha_bars, steps):
    T, x = len(alpha_bars) - 1, x_T
    both = drop_condition(tokens, null, 1.0, torch.zeros(len(tokens))), tokens
    for i in range(steps, 0, -1):
        a, b = alpha_bars[T * i // steps], alpha_bars[T * (i - 1) // steps]
        without, told = (eps_model(tokens=each.tolist(), t=[T * i // steps] * len(x), x=x) for each in both)
        eps = without.mul(1 - w).add(told, alpha=w)
        x = torch.addcmul(b.sqrt() * (x - (1 - a).sqrt() * eps) / a.sqrt(), (1 - b).sqrt(), eps)
    return x
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
    "latent: arguments are what the starter promises": """
def tensors(*xs):
    return all(type(x) is torch.Tensor and x.dtype == torch.float32 and x.ndim == 4 for x in xs)
_scale, _encode, _decode, _sample = latent_scale, encode, decode, latent_sample
def latent_scale(latents):
    assert tensors(latents)
    return _scale(latents)
def encode(vae, x, scale):
    assert tensors(x, vae.encode(x)) and type(scale) is float and scale > 0
    return _encode(vae, x, scale)
def decode(vae, z, scale):
    assert tensors(z) and type(scale) is float and scale > 0
    return _decode(vae, z, scale)
def latent_sample(vae, eps_model, z_T, alpha_bars, steps, scale):
    assert tensors(z_T) and type(alpha_bars) is torch.Tensor and alpha_bars.dtype == torch.float32 and alpha_bars[0] == 1
    assert type(steps) is int and type(scale) is float and callable(vae.decode) and callable(eps_model)
    return _sample(vae, eps_model, z_T, alpha_bars, steps, scale)
""",
    "latent: numpy in double precision, one image at a time, keywords": """
import numpy as np
def latent_scale(latents):
    return np.std(latents.numpy(), dtype="f8")
def encode(vae, x, scale):
    return torch.cat([vae.encode(x=image[None]) for image in x]) / scale
def decode(vae, z, scale):
    return np.stack([np.asarray(vae.decode(z=one[None]))[0] for one in np.asarray(z) * scale])
def latent_sample(vae, eps_model, z_T, alpha_bars, steps, scale):
    z, bars = z_T.numpy().astype("f8"), alpha_bars.numpy().astype("f8")
    T = len(bars) - 1
    for i in range(steps, 0, -1):
        a, b = bars[T * i // steps], bars[T * (i - 1) // steps]
        eps = np.asarray(eps_model(z, T * i // steps))
        z = np.sqrt(b / a) * (z - np.sqrt(1 - a) * eps) + np.sqrt(1 - b) * eps
    return decode(vae, z, scale)
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
    "distill: arguments are what the starter promises": """
def batch(x, t, t_mid, t_end, bars):
    images = type(x) is torch.Tensor and x.dtype == torch.float32 and x.ndim == 4
    table = type(bars) is torch.Tensor and bars.dtype == torch.float32 and bars.ndim == 1 and bars[0] == 1
    single = type(t) is type(t_mid) is type(t_end) is int
    rows = all(type(each) is torch.Tensor and each.dtype == torch.int64 and each.shape == x.shape[:1] for each in (t, t_mid, t_end))
    start, middle, end = map(torch.as_tensor, (t, t_mid, t_end))
    return images and table and (single or rows) and bool((start > middle).all() and (middle > end).all() and (end >= 0).all())
_target, _step = progressive_target, distill_step
def progressive_target(teacher, *args):
    assert callable(teacher) and batch(*args)
    return _target(teacher, *args)
def distill_step(student, teacher, optimizer, *args):
    assert isinstance(student, torch.nn.Module) and isinstance(teacher, torch.nn.Module) and isinstance(optimizer, torch.optim.Optimizer)
    assert batch(*args)
    return _step(student, teacher, optimizer, *args)
""",
    "distill: numpy's target, a closure for the optimizer": """
import numpy as np
_target = progressive_target
def progressive_target(*args):
    with torch.inference_mode():
        return np.asarray(_target(*args))
def distill_step(student, teacher, optimizer, x_t, t, *rest):
    goal = torch.tensor(progressive_target(teacher, x_t, t, *rest))
    def closure():
        optimizer.zero_grad()
        loss = torch.nn.MSELoss()(student(x_t, t), goal)
        loss.backward()
        return loss
    return optimizer.step(closure).detach().numpy()
""",
    # ---- the starter's parameters in another order
    "forward: parameters in another order": """
def forward_step(beta, eps, x_prev):
    return (1 - beta) ** .5 * x_prev + beta ** .5 * eps
def linear_betas(T, last=0.02, first=1e-4):
    return [0.0, *(first + (last - first) * i / max(T - 1, 1) for i in range(T))]
def noise_to(x0, eps, t, alpha_bars):
    if hasattr(t, "__len__"):
        return [noise_to(x, e, int(one), alpha_bars) for x, one, e in zip(x0, t, eps)]
    return alpha_bars[t] ** .5 * x0 + (1 - alpha_bars[t]) ** .5 * eps
""",
    "loss: parameters in another order, where objects are given": """
in_order = training_step
def training_step(optimizer, model, x0, eps, t, alpha_bars):
    return in_order(model, optimizer, x0, t, eps, alpha_bars)
""",
    # ---- a name that is used twice
    "schedule: results under the functions' own names": """
import numpy as np
snr = snr(np.array([1, 0.5]))
for cosine_betas in [cosine_betas(10)]:
    print(cosine_betas)
""",
    "forward: a value under a function's name that another function calls": """
import numpy as np
def jump(x0, t, eps, alpha_bars):
    return noise_to(x0, t, eps, alpha_bars)
def predict_x0(x_t, t, eps, alpha_bars):
    one = np.ones_like(np.asarray(x_t, float))
    signal = jump(one, t, 0 * one, alpha_bars)
    return (x_t - jump(0 * one, t, eps, alpha_bars)) / signal
noise_to = noise_to(np.ones((1, 1, 2, 2)), 3, np.zeros((1, 1, 2, 2)), np.linspace(1, 0.1, 10))
alpha_bars = alpha_bars(linear_betas(1000))
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
    loader = DataLoader(data, 32, sampler=RandomSampler(data, True, 32 * steps), num_workers=2, persistent_workers=True, pin_memory=False)
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
        sandboxes = cache(lambda limits: opened.enter_context(SharedSandbox(limits)))
        materials = cache(lambda name: load_materials(next(one for one in LESSON.exercises if one.id == name)))

        def lost(exercise, source):
            submission = Submission("tester", LESSON.id, exercise, f"{exercise}.py", source.encode(), None, "present")
            made = attempt(submission, materials(exercise), sandboxes(limits_for(COURSE.policy, "12_diffusion", exercise)), b"another secret")
            return [f"{check.id}: {check.message}" for check in made.checks if check.outcome != "passed"]

        yield lost


@pytest.mark.parametrize("name", RIGHT)
def test_right_work_earns_every_point_however_it_is_written(walls, lost, name):
    exercise = name.partition(":")[0]
    plain = (ROOT / "tests" / "fairness" / LESSON.id / exercise / f"{PLAIN.get(exercise, 'plain')}.py").read_text()
    first = RIGHT[name].startswith("#!")
    assert lost(exercise, RIGHT[name] + plain if first else plain + RIGHT[name]) == []


def test_each_row_that_the_guide_for_authors_names_is_one_of_these():
    guide = (ROOT / "docs" / "author.md").read_text(encoding="utf-8").partition("### A good starter")[2].partition("### A good check")[0]
    named = set(re.findall(r'"([^"]+)"', guide)) - {PROMISES}
    assert len(named) > 20
    assert named <= set(RIGHT)
    assert {name.partition(":")[0] for name in RIGHT if name.endswith(PROMISES)} == {one.id for one in LESSON.exercises} - {"train"}
