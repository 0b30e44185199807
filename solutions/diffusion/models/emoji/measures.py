"""Does the model draw what was asked? Names it was trained on, colour–noun pairs it never saw, and copies of training images.

    names        the share of 200 names whose image the classifier recognises
    unseen       of held-out pairs ("blue tangerine"): the colour is right if most coloured pixels have it, the shape if the classifier
                 recognises the noun once the hue is rotated back, and `nearest` if no image of the training set is as near as the true one
    copies       the share of images nearer to a training image than the VAE's own reconstructions usually are

Distances are root mean squares over pixels in [-1, 1]. Each number has its reference next to it: the same measure on real images and on
real images passed through the VAE (for copies: on mirrored training images, which are as like emoji as can be, and which the U-Net was
not trained on).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from solutions.diffusion.forward import x0_from_v
from solutions.diffusion.interface import SamplingConfig
from solutions.diffusion.measures import std_over_noise
from solutions.diffusion.models.emoji.classifier import EmojiClassifier, recognised
from solutions.diffusion.models.emoji.colours import colour_of, colouring, rotate
from solutions.diffusion.models.emoji.data import Captioned, load_emoji, recoloured, training_set
from solutions.diffusion.models.emoji.model import ALPHA_BARS, LATENT, EmojiDiffusion, T, sample_images
from solutions.diffusion.models.emoji.text import tokens

NAMES, PAIRS, STEPS, BATCH = 200, 100, 20, 100
ALMOST = 0.95  # the share of reconstructions that count as copies, by definition
Draw = Callable[[Captioned], Tensor]


@dataclass(frozen=True)
class Asked:
    """What the model is asked for: names from training, and held-out pairs, both drawn with a fixed seed."""

    names: Captioned
    pairs: Captioned


def asked(names: int = NAMES, pairs: int = PAIRS) -> Asked:
    """Draw the captions to ask for, without replacement."""
    generator = torch.Generator().manual_seed(0)
    known, unseen = load_emoji()[0], recoloured()[1]
    chosen = (torch.randperm(len(each.captions), generator=generator)[:n] for each, n in ((known, names), (unseen, pairs)))
    return Asked(*(subset(each, rows) for each, rows in zip((known, unseen), chosen, strict=True)))


def subset(data: Captioned, rows: Tensor) -> Captioned:
    """Return some rows of captioned images. # rows: (n,)"""
    return Captioned(data.images[rows], [data.captions[row] for row in rows.tolist()], data.emoji[rows])


def measure(model: EmojiDiffusion, classifier: EmojiClassifier, scales: Sequence[float], wanted: Asked | None = None) -> dict[str, Any]:
    """Return the shares for the model at each w, and the same for real images and for reconstructions."""
    wanted = wanted or asked()
    near = copy_distance(model)

    def shares(draw: Draw) -> dict[str, float]:
        names, pairs = draw(wanted.names), draw(wanted.pairs)
        return {
            "names": recognised(classifier, names, wanted.names.emoji),
            **unseen_shares(classifier, pairs, wanted.pairs),
            "names copied": _share(nearest(names, training_set().images) <= near),
            "unseen copied": _share(nearest(pairs, training_set().images) <= near),
        }

    by_w = {f"w = {w:g}": shares(lambda data, w=w: drawn(model, data, w)) for w in scales}  # type: ignore[misc]
    reference = {
        "real images": shares(lambda data: data.images),
        "through the vae": shares(lambda data: reconstructed(model, data.images)),
        "mirrored": shares(lambda data: data.images.flip(-1)),
    }
    found = {"copy distance": round(near, 4), "std of x0 at T": round(std_at_T(model, wanted.names), 4)}
    return {**found, "captions": [len(wanted.names.captions), len(wanted.pairs.captions)], **by_w, **reference}


def drawn(model: EmojiDiffusion, data: Captioned, w: float) -> Tensor:
    """Sample an image for each caption. # (N, 3, S, S)"""
    parts = torch.split(tokens(data.captions), BATCH)
    return torch.cat([sample_images(model, ids, SamplingConfig(w=w, steps=STEPS, seed=seed)) for seed, ids in enumerate(parts)])


@torch.no_grad()
def std_at_T(model: EmojiDiffusion, data: Captioned, seeds: int = 16, captions: int = 8) -> float:
    """Return how much x̂_0 at T depends on the noise, in latents of unit variance."""
    ids = tokens(data.captions[:captions]).repeat_interleave(seeds, dim=0)
    z = torch.randn((len(ids), *LATENT), generator=torch.Generator().manual_seed(0))
    x0 = x0_from_v(z, T, model(z, torch.full((len(ids),), T), ids=ids), ALPHA_BARS)
    return std_over_noise(x0, seeds)


@torch.no_grad()
def reconstructed(model: EmojiDiffusion, images: Tensor) -> Tensor:
    """Return images passed through the VAE alone."""
    return torch.cat([model.vae.decode(model.vae.encode(part)[0]).clamp(-1, 1) for part in torch.split(images, BATCH)])


def unseen_shares(classifier: EmojiClassifier, images: Tensor, pairs: Captioned) -> dict[str, float]:
    """Return the shares of images with the asked colour, the asked noun, and both, and of those nearest to the true image."""
    own = colouring(load_emoji()[0].images[pairs.emoji]).mean
    with torch.no_grad():
        named = classifier(rotate(images, own - colouring(images).mean))[1].argmax(1)
    colour = torch.tensor([found == caption.split()[0] for found, caption in zip(colour_of(images), pairs.captions, strict=True)])
    shape = named == pairs.emoji
    right = rms(images, pairs.images) < nearest(images, training_set().images)
    shares = {"colour": colour, "shape": shape, "both": colour & shape, "nearest": right}
    return {f"unseen, {name}": _share(each) for name, each in shares.items()}


def copy_distance(model: EmojiDiffusion) -> float:
    """Return the distance within which the VAE reconstructs 95 of 100 training images: nearer than that is a copy."""
    images = training_set().images
    return float(rms(reconstructed(model, images), images).quantile(ALMOST))


def nearest(images: Tensor, others: Tensor) -> Tensor:
    """Return each image's distance to the nearest of the others. # (N, 3, S, S), (M, 3, S, S) -> (N,)"""
    distances: Tensor = torch.cdist(images.flatten(1), others.flatten(1), compute_mode="donot_use_mm_for_euclid_dist")
    return distances.amin(dim=1) / math.sqrt(images[0].numel())


def rms(images: Tensor, others: Tensor) -> Tensor:
    """Return the distance of each image to its counterpart. # (N, 3, S, S) twice -> (N,)"""
    return (images - others).square().flatten(1).mean(dim=1).sqrt()


def table(measured: dict[str, Any]) -> list[list[str]]:
    """Return the measurements as rows of cells, the first of them the heading."""
    rows = {name: each for name, each in measured.items() if isinstance(each, dict)}
    columns = list(next(iter(rows.values())))
    return [["", *columns], *([name, *(f"{each[column]:.2f}" for column in columns)] for name, each in rows.items())]


def _share(right: Tensor) -> float:
    return round(right.double().mean().item(), 4)
