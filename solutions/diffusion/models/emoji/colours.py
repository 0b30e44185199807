"""Hues: the colour that an image has, and the same image in another colour.

A pixel's hue is an angle, 0 red, 120 green, 240 blue; its chroma, from 0 to 1, says how far it is from grey (Smith 1978, "Color gamut
transform pairs"). Images are (N, 3, H, W) in [-1, 1]. White paper, grey and black have no hue, so they keep their look when hues turn.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

HUES = {"red": 2.0, "orange": 28.0, "yellow": 52.0, "green": 110.0, "blue": 213.0, "purple": 285.0}
COLOURED = 0.25  # a pixel of at least this chroma has a colour


@dataclass(frozen=True)
class Colouring:
    """What hues an image has, one value per image: their mean, how concentrated they are, and how vivid the coloured pixels are."""

    mean: Tensor  # degrees, weighted by chroma
    concentration: Tensor  # 1: all hues are equal; 0: they cancel out
    share: Tensor  # of the pixels that are not paper, those with a colour
    value: Tensor  # mean brightness of the coloured pixels
    saturation: Tensor  # and their mean saturation


def hue_chroma_value(images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return hue in degrees, chroma and value (the largest channel) of each pixel. # (N, 3, H, W) -> three of (N, H, W)"""
    rgb = (images.clamp(-1, 1) + 1) / 2
    r, g, b = rgb.unbind(dim=1)
    value, chroma = rgb.amax(dim=1), rgb.amax(dim=1) - rgb.amin(dim=1)
    d = chroma.clamp_min(1e-6)
    sector = torch.where(value == r, (g - b) / d, torch.where(value == g, (b - r) / d + 2, (r - g) / d + 4))
    return 60 * sector % 360, chroma, value


def rotate(images: Tensor, degrees: Tensor) -> Tensor:
    """Turn the hue of every pixel; chroma and value stay. # (N, 3, H, W), (N,) -> (N, 3, H, W)"""
    hue, chroma, value = hue_chroma_value(images)
    sector = (hue + degrees.view(-1, 1, 1)) / 60
    distances = [(n + sector) % 6 for n in (5, 3, 1)]  # of red, green, blue
    channels = [value - chroma * torch.minimum(k, 4 - k).clamp(0, 1) for k in distances]
    return torch.stack(channels, dim=1) * 2 - 1


def colouring(images: Tensor) -> Colouring:
    """Return what hues the images have. # (N, 3, H, W) -> values (N,)"""
    hue, chroma, value = hue_chroma_value(images)
    coloured = chroma >= COLOURED
    weight, count = chroma * coloured, coloured.sum((1, 2)).clamp_min(1)
    x, y = ((weight * part(torch.deg2rad(hue))).sum((1, 2)) for part in (torch.cos, torch.sin))
    paper = (images > 0.8).all(dim=1)
    return Colouring(
        mean=torch.rad2deg(torch.atan2(y, x)) % 360,
        concentration=torch.hypot(x, y) / weight.sum((1, 2)).clamp_min(1e-6),
        share=coloured.sum((1, 2)) / (~paper).sum((1, 2)).clamp_min(1),
        value=(value * coloured).sum((1, 2)) / count,
        saturation=(weight / value.clamp_min(1e-6)).sum((1, 2)) / count,
    )


def nearest_colour(hue: Tensor) -> Tensor:
    """Return the index in `HUES` of the colour nearest to each hue. # (...) -> (...)"""
    return distance(hue[..., None], torch.tensor(list(HUES.values()))).argmin(dim=-1)


def distance(a: Tensor, b: Tensor) -> Tensor:
    """Return the angle between two hues, 0 to 180 degrees."""
    return ((a - b + 180) % 360 - 180).abs()


def colour_of(images: Tensor) -> list[str | None]:
    """Return the colour that most of an image has, by the vote of its coloured pixels; None if fewer than one in 50 is coloured."""
    hue, chroma, _ = hue_chroma_value(images)
    coloured, nearest = chroma >= COLOURED, nearest_colour(hue)
    weight = chroma * coloured
    votes = torch.stack([(weight * (nearest == index)).sum((1, 2)) for index in range(len(HUES))], dim=1)  # (N, colours)
    some = coloured.float().mean((1, 2)) >= 0.02
    names = list(HUES)
    return [names[vote] if seen else None for vote, seen in zip(votes.argmax(1).tolist(), some.tolist(), strict=True)]
