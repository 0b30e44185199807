"""What a sampler's callback saw, as a strip from noise to image or as the frames of an animation.

A step is (t, x_t, x̂_0), as `samplers` passes it to a callback, from noise down to t = 0: its x̂_0 is the one that x_t came from, so each x_t
is shown with that of the step after (`own_estimates`). If a model samples more than once (a cascade),
the passes follow each other and small images are enlarged to the size of the last. Steps of embeddings are left out.
"""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from solutions.diffusion.figures.images import Pixels, grid
from solutions.diffusion.interface import InvalidRequest

Step = tuple[int, Tensor, Tensor]


def strip(seen: list[Step], columns: int, cell: int = 48) -> Pixels:
    """Lay out `columns` of the steps from left to right: for each image a row of x_t and a row of x̂_0. Raise InvalidRequest for latents."""
    seen = _images(seen)
    columns = min(columns, len(seen))
    chosen = [seen[round(i * (len(seen) - 1) / max(1, columns - 1))] for i in range(columns)]
    by_image = torch.stack([torch.stack([x, x0]) for _, x, x0 in chosen])  # (columns, 2, N, C, H, W)
    rows = by_image.permute(2, 1, 0, 3, 4, 5).flatten(0, 2)  # image by image, first x_t and then x̂_0, from left to right
    return grid(rows, columns, cell=cell)


def animation(seen: list[Step], most: int = 40, cell: int = 96) -> list[Pixels]:
    """Return up to `most` frames, each with the images side by side: x_t above, x̂_0 below."""
    seen = _images(seen)
    count = min(most, len(seen))
    chosen = [seen[round(i * (len(seen) - 1) / max(1, count - 1))] for i in range(count)]
    return [np.vstack([grid(x, len(x), cell=cell), grid(x0, len(x0), cell=cell)]) for _, x, x0 in chosen]


def own_estimates(seen: list[Step]) -> list[Step]:
    """Return the steps of one or more passes, each x_t with the x̂_0 that was made from it, and the last of a pass with itself."""
    following = [*seen[1:], None]
    return [(t, x, after[2] if after and after[0] < t else x) for (t, x, _), after in zip(seen, following, strict=False)]


def _images(seen: list[Step]) -> list[Step]:
    """Return the steps that are images, each with its own estimate, all scaled to the size of the last one."""
    shown = own_estimates([step for step in seen if step[1].dim() == 4 and step[1].shape[1] in (1, 3)])
    if not shown:
        raise InvalidRequest("the steps of this model are not images, so there is nothing to show: choose a model that denoises pixels")
    size = shown[-1][1].shape[-1]
    return [(t, *(F.interpolate(x, size=size, mode="nearest") for x in pair)) for t, *pair in shown]  # type: ignore[misc]
