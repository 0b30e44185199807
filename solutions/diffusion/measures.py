"""How good are made images? Distances between clouds of features, agreement with what was asked, and what sampling costs.

A cloud is (N, D), one row an image, here from `classifier`. Figures compare only if made with the same features and the same N: the
Fréchet distance of few images is too high. 2,000 give a standard deviation of about 0.2; real images against other
real ones don't reach 0 either, so that figure belongs beside every other.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

Cloud = NDArray[np.float64]


def frechet_distance(real: Cloud, made: Cloud) -> float:
    """Return ‖μ_r − μ_m‖² + tr(Σ_r + Σ_m − 2·(Σ_r·Σ_m)^½), clouds taken for Gaussians (Heusel et al. 2017, eq. 6)."""
    S_r, S_m = np.cov(real, rowvar=False), np.cov(made, rowvar=False)
    root = _root(S_r)
    cross = np.sqrt(np.linalg.eigvalsh(root @ S_m @ root).clip(0)).sum()  # = tr (Σ_r·Σ_m)^½, of a symmetric matrix
    apart = ((real.mean(0) - made.mean(0)) ** 2).sum()
    return float(apart + np.trace(S_r) + np.trace(S_m) - 2 * cross)


def coverage(real: Cloud, made: Cloud, k: int = 5) -> float:
    """Return the part of real images with a made one nearer than their k-th real neighbour (Naeem et al. 2020, eq. 4)."""
    return float((_distances(real, made).min(1) < _radii(real, k)).mean())


def recall(real: Cloud, made: Cloud, k: int = 5) -> float:
    """Return the part of real images that lie nearer to a made one than its k-th made neighbour (Kynkäänniemi et al. 2019, eq. 2)."""
    return float((_distances(real, made) < _radii(made, k)).any(1).mean())


def adherence(images: Tensor, captions: Sequence[Any], obeys: Callable[[Tensor, Any], bool]) -> float:
    """Return the part of images that a checker finds to show what their caption says. # images: (N, C, H, W)"""
    return sum(obeys(image, caption) for image, caption in zip(images, captions, strict=True)) / len(captions)


@dataclass(frozen=True)
class Quality:
    """What `quality` measured; `agreement` is None where no class was asked for."""

    n: int
    fd: float
    coverage: float
    recall: float
    agreement: float | None


@torch.no_grad()
def quality(made: Tensor, real: Tensor, feature_extractor: nn.Module, labels: Tensor | None = None) -> Quality:
    """Measure made images against real ones, and against the classes asked for. # (N, 1, 16, 16), (M, 1, 16, 16), (N,)

    `feature_extractor` returns features and logits. Coverage and recall depend on how many images are compared, so at most as many
    real images are used as generated ones.
    """
    features, logits = feature_extractor(made)
    r, m = cloud(real, feature_extractor), features.double().numpy()
    few = r[: len(m)]
    agreement = None if labels is None else round((logits.argmax(1) == labels).float().mean().item(), 4)
    return Quality(len(made), round(frechet_distance(r, m), 2), round(coverage(few, m), 4), round(recall(few, m), 4), agreement)


@torch.no_grad()
def cloud(images: Tensor, feature_extractor: nn.Module) -> Cloud:
    """Return the images' features. # (N, 1, 16, 16) -> (N, 64)"""
    features: Cloud = feature_extractor(images)[0].double().numpy()
    return features


@dataclass(frozen=True)
class Cost:
    """What a draw took: seconds on the wall, seconds of processors, network calls."""

    seconds: float
    cpu_seconds: float
    calls: int


def cost(draw: Callable[[], Any], network: nn.Module) -> Cost:
    """Draw once and return what it took."""
    calls: list[int] = []
    hook = network.register_forward_hook(lambda *_: calls.append(1))
    wall, cpu = time.perf_counter(), time.process_time()
    draw()
    took = Cost(time.perf_counter() - wall, time.process_time() - cpu, len(calls))
    hook.remove()
    return took


def _root(S: Cloud) -> Cloud:
    """Return the symmetric root of a covariance."""
    values, vectors = np.linalg.eigh(S)
    root: Cloud = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    return root


def _distances(a: Cloud, b: Cloud) -> Cloud:
    """Return all distances. # (N, D), (M, D) -> (N, M)"""
    squares: Cloud = (a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T
    roots: Cloud = np.sqrt(squares.clip(0))
    return roots


def _radii(cloud: Cloud, k: int) -> Cloud:
    """Return each point's distance to its k-th nearest other. # (N, D) -> (N,)"""
    radii: Cloud = np.partition(_distances(cloud, cloud), k, axis=1)[:, k]  # place 0 is the point itself
    return radii
