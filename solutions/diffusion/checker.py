"""The analytic checker: does an image obey its caption?

It looks for one item of each colour: unmixes the pixels into background and colours, takes the area and the centroid
of each colour, and redraws circle, square and triangle there to see which fits best. So it can only judge scenes whose
objects differ in colour, which `shapes.py` promises. It knows no model; its own errors on true images are in its test.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from solutions.diffusion.shapes import BACKGROUND, COLOURS, SHAPES, SIZES, Scene, SceneObject, coverage

THERE = 0.008  # area in images from which a colour counts as present; the smallest item has 0.023
FITS = 0.75  # overlap (intersection over union) from which a blob counts as the shape that fits it best
BETWEEN_SIZES = math.sqrt(SIZES["small"][1] * SIZES["large"][0])
ATTRIBUTES = ("count", "colour", "shape", "size", "relation")


@dataclass(frozen=True)
class Sighting:
    """What was seen of one colour in one image. Places and radius in image widths; shape None where nothing fits."""

    shape: str | None
    size: str
    x: float
    y: float


def see(images: Tensor) -> list[dict[str, Sighting]]:
    """Find the objects in images (N, 3, S, S) in [-1, 1]: for each image, a sighting by colour."""
    amount = unmix(images)  # (N, colours, S, S)
    area = amount.mean(dim=(2, 3))  # (N, colours)
    grid = (torch.arange(amount.shape[-1]) + 0.5) / amount.shape[-1]
    whole = amount.sum(dim=(2, 3)).clamp_min(1e-9)
    x = (amount.sum(dim=2) * grid).sum(dim=-1) / whole
    y = (amount.sum(dim=3) * grid).sum(dim=-1) / whole
    radius = (area / math.pi).sqrt()
    fit = torch.stack([overlap(amount, shape, x, y, radius) for shape in SHAPES], dim=-1)  # (N, colours, shapes)
    best, which = fit.max(dim=-1)
    found: list[dict[str, Sighting]] = [{} for _ in images]
    for n, c in (area > THERE).nonzero().tolist():
        shape = SHAPES[int(which[n, c])] if best[n, c] > FITS else None
        size = "small" if radius[n, c] < BETWEEN_SIZES else "large"
        found[n][tuple(COLOURS)[c]] = Sighting(shape, size, x[n, c].item(), y[n, c].item())
    return found


def unmix(images: Tensor) -> Tensor:
    """Share of each colour in each pixel: the colour nearest in direction from the background gets all that is there."""
    ground = torch.tensor(BACKGROUND).view(1, 3, 1, 1)
    away = torch.tensor(list(COLOURS.values())) - torch.tensor(BACKGROUND)  # (colours, 3)
    seen = (images + 1) / 2 - ground
    along = torch.einsum("nkhw,ck->nchw", seen, away / away.norm(dim=1, keepdim=True))
    nearest = along.argmax(dim=1, keepdim=True)
    share = (along / away.norm(dim=1).view(1, -1, 1, 1)).clamp(0, 1)
    share = torch.where(share < 0.3, 0.0, share)  # a haze of noise is not a item
    return torch.zeros_like(share).scatter(1, nearest, share.gather(1, nearest))


def overlap(amount: Tensor, shape: str, x: Tensor, y: Tensor, radius: Tensor) -> Tensor:
    """Intersection over union of each blob with the shape redrawn in its place: (N, colours)."""
    centre = torch.stack([x.flatten(), y.flatten()], dim=-1)
    drawn = coverage(shape, centre, radius.flatten(), amount.shape[-1]).view_as(amount)
    both, either = torch.minimum(amount, drawn), torch.maximum(amount, drawn)
    return both.sum(dim=(2, 3)) / either.sum(dim=(2, 3)).clamp_min(1e-9)


def obeys(seen: dict[str, Sighting], scene: Scene) -> dict[str, bool]:
    """Judge each attribute the caption names: count, colour, shape, size, relation; what it leaves open is right."""
    matched = match(seen, scene.objects)
    pairs = [(seen.get(colour) if colour else None, item) for colour, item in zip(matched, scene.objects, strict=True)]
    return {
        "count": len(seen) == len(scene.objects),
        "colour": all(item.colour is None or item.colour in seen for item in scene.objects),
        "shape": all(sight is not None and sight.shape == item.shape for sight, item in pairs),
        "size": all(sight is not None and item.size in (None, sight.size) for sight, item in pairs),
        "relation": scene.relation is None or related(pairs[0][0], pairs[1][0], scene.relation),
    }


def match(seen: dict[str, Sighting], objects: tuple[SceneObject, ...]) -> list[str | None]:
    """Colour of the sighting that each item means: its own colour if it has one, else a free one of its shape, else any."""
    taken: list[str | None] = []
    for item in objects:
        if item.colour is not None:
            taken.append(item.colour)
            continue
        free = [colour for colour in seen if colour not in taken]
        taken.append(next((c for c in free if seen[c].shape == item.shape), free[0] if free else None))
    return taken


def related(first: Sighting | None, second: Sighting | None, relation: str) -> bool:
    """Whether the first lies above, below, left of or right of the second, more so than any other way."""
    if first is None or second is None:
        return False
    right, down = second.x - first.x, second.y - first.y
    along, across = {"above": (down, right), "below": (-down, right), "left of": (right, down), "right of": (-right, down)}[relation]
    return along > abs(across)


def adherence(images: Tensor, scenes: list[Scene]) -> dict[str, float]:
    """Share of images (N, 3, S, S) with each attribute right, and with `all` of them right."""
    verdicts = [obeys(seen, scene) for seen, scene in zip(see(images.float()), scenes, strict=True)]
    shares = {name: sum(v[name] for v in verdicts) / len(verdicts) for name in ATTRIBUTES}
    return shares | {"all": sum(all(v.values()) for v in verdicts) / len(verdicts)}
