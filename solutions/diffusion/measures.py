"""How good are generated images? Distances between feature distributions, class agreement, and the cost of sampling.

Features are (N, D), one row per image, here from `models.classifier`. Results compare only if they use the same features and the same
N: with few images the Fréchet distance is too high. With 2,000 images its standard deviation is about 0.2. Real images compared with
other real images don't reach 0 either, so report that number next to every result.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

Features = NDArray[np.float64]


def frechet_distance(real: Features, generated: Features) -> float:
    """Return ‖μ_r − μ_g‖² + tr(Σ_r + Σ_g − 2·(Σ_r·Σ_g)^½), with both feature sets taken as Gaussian (Heusel et al. 2017, eq. 6)."""
    S_r, S_g = np.cov(real, rowvar=False), np.cov(generated, rowvar=False)
    root = _root(S_r)
    cross = np.sqrt(np.linalg.eigvalsh(root @ S_g @ root).clip(0)).sum()  # = tr (Σ_r·Σ_g)^½, from a symmetric matrix
    distance = ((real.mean(0) - generated.mean(0)) ** 2).sum()
    return float(distance + np.trace(S_r) + np.trace(S_g) - 2 * cross)


def coverage(real: Features, generated: Features, k: int = 5) -> float:
    """Return the share of real images that have a generated one nearer than their k-th real neighbour (Naeem et al. 2020, eq. 4)."""
    return float((_distances(real, generated).min(1) < _radii(real, k)).mean())


def recall(real: Features, generated: Features, k: int = 5) -> float:
    """Return the share of real images nearer to some generated one than that one's k-th neighbour (Kynkäänniemi et al. 2019, eq. 2)."""
    return float((_distances(real, generated) < _radii(generated, k)).any(1).mean())


@dataclass(frozen=True)
class Quality:
    """What `quality` measures; `agreement` is None if no labels are given."""

    n: int
    fd: float
    coverage: float
    recall: float
    agreement: float | None


@torch.no_grad()
def quality(generated: Tensor, real: Tensor, feature_extractor: nn.Module, labels: Tensor | None = None) -> Quality:
    """Compare generated images with real ones, and with the requested classes. # (N, 1, 16, 16), (M, 1, 16, 16), (N,)

    `feature_extractor` returns features and logits. Coverage and recall depend on how many images are compared, so they use at most as
    many real images as generated ones.
    """
    features, logits = feature_extractor(generated)
    r, g = extract_features(real, feature_extractor), features.double().numpy()
    few = r[: len(g)]
    agreement = None if labels is None else round((logits.argmax(1) == labels).float().mean().item(), 4)
    return Quality(len(generated), round(frechet_distance(r, g), 2), round(coverage(few, g), 4), round(recall(few, g), 4), agreement)


@torch.no_grad()
def extract_features(images: Tensor, feature_extractor: nn.Module) -> Features:
    """Return the images' features. # (N, 1, 16, 16) -> (N, 64)"""
    features: Features = feature_extractor(images)[0].double().numpy()
    return features


def std_over_noise(x0: Tensor, seeds: int) -> float:
    """Return how much x̂_0 depends on the noise: its standard deviation over the seeds, averaged over everything else. # (K·seeds, ...)

    At T, where sampling starts, the noise says nothing about the image. So a network that is trained there answers with the mean of
    what was asked for, whatever the noise, and the result is near 0 if all seeds of a row of K were asked for the same.
    """
    return float(x0.view(-1, seeds, *x0.shape[1:]).std(dim=1).mean())


@dataclass(frozen=True)
class Cost:
    """What sampling took: wall-clock seconds, CPU seconds and network calls."""

    seconds: float
    cpu_seconds: float
    calls: int


def cost(draw: Callable[[], Any], network: nn.Module) -> Cost:
    """Call `draw` once and return what it took."""
    calls: list[int] = []
    hook = network.register_forward_hook(lambda *_: calls.append(1))
    wall, cpu = time.perf_counter(), time.process_time()
    draw()
    took = Cost(time.perf_counter() - wall, time.process_time() - cpu, len(calls))
    hook.remove()
    return took


def _root(S: Features) -> Features:
    """Return the symmetric square root of a covariance matrix."""
    values, vectors = np.linalg.eigh(S)
    root: Features = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    return root


def _distances(a: Features, b: Features) -> Features:
    """Return all pairwise distances. # (N, D), (M, D) -> (N, M)"""
    squares: Features = (a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T
    roots: Features = np.sqrt(squares.clip(0))
    return roots


def _radii(features: Features, k: int) -> Features:
    """Return each point's distance to its k-th nearest neighbour. # (N, D) -> (N,)"""
    radii: Features = np.partition(_distances(features, features), k, axis=1)[:, k]  # index 0 is the point itself
    return radii
