"""Captioned shapes: scenes, their captions, and images of them drawn from signed distances.

A scene is one object, or two objects of different colours with a relation between them. `checker.py` can recover everything a caption
says from the image, so adherence is measured objectively. Some combinations of size, colour and shape are held out of training
(`UNSEEN`), to test whether a model composes words or remembers images. No tokens (`models/text.py`) and no models here.
"""

import math
from dataclasses import dataclass
from itertools import product

import torch
from torch import Tensor

SIZES = {"small": (0.085, 0.105), "large": (0.145, 0.162)}  # radius of the circle of equal area, in image widths
COLOURS = {"red": (0.93, 0.22, 0.20), "green": (0.20, 0.78, 0.32), "blue": (0.22, 0.42, 0.98), "yellow": (0.99, 0.86, 0.20)}
SHAPES = ("circle", "square", "triangle")
RELATIONS = ("above", "below", "left of", "right of")
BACKGROUND = (0.09, 0.09, 0.12)
MARGIN, GAP = 0.02, 0.04  # to the edge and between two objects, in image widths
SQUARE_HALF = math.sqrt(math.pi) / 2  # half the side of the square with the area of the unit circle
TRIANGLE_IN = math.sqrt(math.pi / (3 * math.sqrt(3)))  # inradius of the equilateral triangle with that area
# Extent from the centroid of a unit shape: left and right, up, down. A triangle points up; its centroid is low.
REACH = {
    "circle": (1.0, 1.0, 1.0),
    "square": (SQUARE_HALF, SQUARE_HALF, SQUARE_HALF),
    "triangle": (math.sqrt(3) * TRIANGLE_IN, 2 * TRIANGLE_IN, TRIANGLE_IN),
}


@dataclass(frozen=True)
class SceneObject:
    """One object of a scene; a size or colour that a terse caption leaves open is None."""

    shape: str
    colour: str | None = None
    size: str | None = None

    def __str__(self) -> str:
        return " ".join(word for word in ("a", self.size, self.colour, self.shape) if word)


@dataclass(frozen=True)
class Scene:
    """One object, or two with the relation of the first to the second."""

    objects: tuple[SceneObject, ...]
    relation: str | None = None

    def __str__(self) -> str:
        return f" {self.relation} ".join(str(item) for item in self.objects)


UNSEEN = frozenset(
    {
        SceneObject("triangle", "red", "large"),
        SceneObject("square", "green", "small"),
        SceneObject("circle", "blue", "large"),
        SceneObject("circle", "yellow", "small"),
    }
)
ALL = tuple(SceneObject(shape, colour, size) for shape, colour, size in product(SHAPES, COLOURS, SIZES))
SEEN = tuple(item for item in ALL if item not in UNSEEN)


def random_scene(rng: torch.Generator, *, count: int, among: tuple[SceneObject, ...] = SEEN) -> Scene:
    """Draw a random scene of `count` objects (1 or 2). Two objects differ in colour, so that they can be distinguished in an image."""
    first = among[_below(len(among), rng)]
    if count == 1:
        return Scene((first,))
    others = [item for item in among if item.colour != first.colour]
    return Scene((first, others[_below(len(others), rng)]), RELATIONS[_below(len(RELATIONS), rng)])


def draw(scenes: list[Scene], size: int, rng: torch.Generator) -> Tensor:
    """Draw each scene at random positions that satisfy it: (N, 3, size, size) in [-1, 1]. Every attribute must be given."""
    image = torch.tensor(BACKGROUND).view(1, 3, 1, 1).repeat(len(scenes), 1, size, size)
    placed = [place(scene, rng) for scene in scenes]
    for k in range(max(len(scene.objects) for scene in scenes)):
        rows = [n for n, scene in enumerate(scenes) if len(scene.objects) > k]
        spots = torch.tensor([placed[n][k] for n in rows])  # (R, 3): x, y, radius
        colours = torch.tensor([COLOURS[str(scenes[n].objects[k].colour)] for n in rows]).view(-1, 3, 1, 1)
        every = torch.stack([coverage(shape, spots[:, :2], spots[:, 2], size) for shape in SHAPES])  # (shapes, R, size, size)
        which = torch.tensor([SHAPES.index(scenes[n].objects[k].shape) for n in rows])
        inside = every[which, torch.arange(len(rows))].unsqueeze(1)  # (R, 1, size, size)
        image[rows] = (1 - inside) * image[rows] + inside * colours
    return 2 * image - 1


def coverage(shape: str, centre: Tensor, radius: Tensor, size: int) -> Tensor:
    """Approximate how much of each pixel a shape covers, from its signed distance. # centre (N, 2), radius (N,) -> (N, size, size)"""
    grid = (torch.arange(size) + 0.5) / size
    x = grid.view(1, 1, -1) - centre[:, 0].view(-1, 1, 1)
    y = grid.view(1, -1, 1) - centre[:, 1].view(-1, 1, 1)  # down is positive
    r = radius.view(-1, 1, 1)
    if shape == "circle":
        distance = (x**2 + y**2).sqrt() - r
    elif shape == "square":
        distance = torch.maximum(x.abs(), y.abs()) - SQUARE_HALF * r
    else:
        slant = math.sqrt(3) / 2 * x.abs() - y / 2
        distance = torch.maximum(y.expand_as(slant), slant) - TRIANGLE_IN * r
    return (0.5 - distance * size).clamp(0, 1)


def place(scene: Scene, rng: torch.Generator) -> list[tuple[float, float, float]]:
    """Choose x, y and radius of each object, uniformly among the positions that fit into the image and satisfy the relation."""
    radii = [_between(*SIZES[str(item.size)], rng) for item in scene.objects]
    ranges = [_centre_ranges(item.shape, r) for item, r in zip(scene.objects, radii, strict=True)]
    if scene.relation is None:
        x, y = (_between(low, high, rng) for low, high in ranges[0])
        return [(x, y, radii[0])]
    order = (0, 1) if scene.relation in ("above", "left of") else (1, 0)
    axis = 1 if scene.relation in ("above", "below") else 0
    spots = [[0.0, 0.0], [0.0, 0.0]]
    first, second = (ranges[k][axis] for k in order)  # along the relation: distribute the remaining slack
    apart = (1 - MARGIN - first[1]) + (second[0] - MARGIN) + GAP
    slack = second[1] - first[0] - apart
    u, v = sorted((_between(0, 1, rng), _between(0, 1, rng)))
    spots[order[0]][axis], spots[order[1]][axis] = first[0] + u * slack, first[0] + v * slack + apart
    reach = 0.7 * (spots[order[1]][axis] - spots[order[0]][axis])  # across it: always less, or the relation would be unclear
    (low, high), other = ranges[0][1 - axis], ranges[1][1 - axis]
    spots[0][1 - axis] = _between(low, high, rng)
    near = (max(other[0], spots[0][1 - axis] - reach), min(other[1], spots[0][1 - axis] + reach))
    spots[1][1 - axis] = _between(*near, rng)
    return [(x, y, r) for (x, y), r in zip(spots, radii, strict=True)]


def _centre_ranges(shape: str, r: float) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the range of centres along x and along y that keeps the shape within the margin."""
    side, up, down = (reach * r for reach in REACH[shape])
    return (MARGIN + side, 1 - MARGIN - side), (MARGIN + up, 1 - MARGIN - down)


def _between(low: float, high: float, rng: torch.Generator) -> float:
    return low + (high - low) * torch.rand((), generator=rng).item()


def _below(n: int, rng: torch.Generator) -> int:
    return int(torch.randint(n, (), generator=rng))
