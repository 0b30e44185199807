"""The analytic checker: does an image match its caption?

It looks for one object of each colour: it unmixes the pixels into background and colours, takes the area and the centroid of each
colour, and redraws a circle, a square and a triangle there to see which fits best. So it can only judge scenes whose objects differ
in colour, as those of `shapes.py` do. It uses no model; its test measures its own errors on correct images.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from solutions.diffusion.shapes import BACKGROUND, COLOURS, SHAPES, SIZES, Scene, SceneObject, coverage

MIN_AREA = 0.008  # area, as a share of the image, above which a colour counts as present; the smallest object has 0.023
MIN_OVERLAP = 0.75  # overlap (intersection over union) above which a blob counts as the best-fitting shape
SIZE_THRESHOLD = math.sqrt(SIZES["small"][1] * SIZES["large"][0])
ATTRIBUTES = ("count", "colour", "shape", "size", "relation")


@dataclass(frozen=True)
class Detection:
    """What was found of one colour in one image. Positions and radius in image widths; shape is None if nothing fits."""

    shape: str | None
    size: str
    x: float
    y: float


def detect(images: Tensor) -> list[dict[str, Detection]]:
    """Find the objects in images (N, 3, S, S) in [-1, 1]: for each image, a detection per colour."""
    amount = unmix(images)  # (N, colours, S, S)
    area = amount.mean(dim=(2, 3))  # (N, colours)
    grid = (torch.arange(amount.shape[-1]) + 0.5) / amount.shape[-1]
    whole = amount.sum(dim=(2, 3)).clamp_min(1e-9)
    x = (amount.sum(dim=2) * grid).sum(dim=-1) / whole
    y = (amount.sum(dim=3) * grid).sum(dim=-1) / whole
    radius = (area / math.pi).sqrt()
    fit = torch.stack([overlap(amount, shape, x, y, radius) for shape in SHAPES], dim=-1)  # (N, colours, shapes)
    best, which = fit.max(dim=-1)
    found: list[dict[str, Detection]] = [{} for _ in images]
    for n, c in (area > MIN_AREA).nonzero().tolist():
        shape = SHAPES[int(which[n, c])] if best[n, c] > MIN_OVERLAP else None
        size = "small" if radius[n, c] < SIZE_THRESHOLD else "large"
        found[n][tuple(COLOURS)[c]] = Detection(shape, size, x[n, c].item(), y[n, c].item())
    return found


def unmix(images: Tensor) -> Tensor:
    """Return the share of each colour in each pixel. The colour nearest in direction from the background gets all of it."""
    ground = torch.tensor(BACKGROUND).view(1, 3, 1, 1)
    away = torch.tensor(list(COLOURS.values())) - torch.tensor(BACKGROUND)  # (colours, 3)
    seen = (images + 1) / 2 - ground
    along = torch.einsum("nkhw,ck->nchw", seen, away / away.norm(dim=1, keepdim=True))
    nearest = along.argmax(dim=1, keepdim=True)
    share = (along / away.norm(dim=1).view(1, -1, 1, 1)).clamp(0, 1)
    share = torch.where(share < 0.3, 0.0, share)  # a haze of noise is not an object
    return torch.zeros_like(share).scatter(1, nearest, share.gather(1, nearest))


def overlap(amount: Tensor, shape: str, x: Tensor, y: Tensor, radius: Tensor) -> Tensor:
    """Return the intersection over union of each blob with the shape redrawn in its place. # (N, colours)"""
    centre = torch.stack([x.flatten(), y.flatten()], dim=-1)
    drawn = coverage(shape, centre, radius.flatten(), amount.shape[-1]).view_as(amount)
    both, either = torch.minimum(amount, drawn), torch.maximum(amount, drawn)
    return both.sum(dim=(2, 3)) / either.sum(dim=(2, 3)).clamp_min(1e-9)


def obeys(seen: dict[str, Detection], scene: Scene) -> dict[str, bool]:
    """Judge each attribute that the caption names: count, colour, shape, size, relation. What it leaves open counts as right."""
    matched = match(seen, scene.objects)
    pairs = [(seen.get(colour) if colour else None, item) for colour, item in zip(matched, scene.objects, strict=True)]
    return {
        "count": len(seen) == len(scene.objects),
        "colour": all(item.colour is None or item.colour in seen for item in scene.objects),
        "shape": all(found is not None and found.shape == item.shape for found, item in pairs),
        "size": all(found is not None and item.size in (None, found.size) for found, item in pairs),
        "relation": scene.relation is None or related(pairs[0][0], pairs[1][0], scene.relation),
    }


def match(seen: dict[str, Detection], objects: tuple[SceneObject, ...]) -> list[str | None]:
    """Return the colour of the detection that each object refers to: its own colour if given, else a free one of its shape, else any."""
    taken: list[str | None] = []
    for item in objects:
        if item.colour is not None:
            taken.append(item.colour)
            continue
        free = [colour for colour in seen if colour not in taken]
        taken.append(next((c for c in free if seen[c].shape == item.shape), free[0] if free else None))
    return taken


def related(first: Detection | None, second: Detection | None, relation: str) -> bool:
    """Return whether the first lies in this relation to the second, more clearly than in any other."""
    if first is None or second is None:
        return False
    right, down = second.x - first.x, second.y - first.y
    along, across = {"above": (down, right), "below": (-down, right), "left of": (right, down), "right of": (-right, down)}[relation]
    return along > abs(across)


def adherence(images: Tensor, scenes: list[Scene]) -> dict[str, float]:
    """Return the share of images (N, 3, S, S) with each attribute right, and with `all` of them right."""
    verdicts = [obeys(seen, scene) for seen, scene in zip(detect(images.float()), scenes, strict=True)]
    shares = {name: sum(v[name] for v in verdicts) / len(verdicts) for name in ATTRIBUTES}
    return shares | {"all": sum(all(v.values()) for v in verdicts) / len(verdicts)}
