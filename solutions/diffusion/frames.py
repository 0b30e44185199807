"""What a sampler's callback saw, as a strip from noise to picture and as frames of an animation.

A step seen is (t, x_t, x̂_0), as `samplers` hands it to a callback, from noise to t = 0. Where a model walks more than once (a cascade)
its walks follow each other, small pictures enlarged to the size of the last; steps of embeddings are left out.
"""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from solutions.diffusion.order import Impossible
from solutions.diffusion.pictures import Pixels, grid

Step = tuple[int, Tensor, Tensor]


def strip(seen: list[Step], columns: int, cell: int = 48) -> Pixels:
    """Lay out `columns` of the steps from left to right: for each picture a row of x_t and a row of x̂_0. Refuse latents."""
    seen = _pictures(seen)
    columns = min(columns, len(seen))
    chosen = [seen[round(i * (len(seen) - 1) / max(1, columns - 1))] for i in range(columns)]
    by_picture = torch.stack([torch.stack([x, x0]) for _, x, x0 in chosen])  # (columns, 2, N, C, H, W)
    rows = by_picture.permute(2, 1, 0, 3, 4, 5).flatten(0, 2)  # picture by picture, x_t and then x̂_0, from left to right
    return grid(rows, columns, cell=cell)


def animation(seen: list[Step], most: int = 40, cell: int = 96) -> list[Pixels]:
    """Return up to `most` frames, each the pictures side by side: x_t above, x̂_0 below."""
    seen = _pictures(seen)
    count = min(most, len(seen))
    chosen = [seen[round(i * (len(seen) - 1) / max(1, count - 1))] for i in range(count)]
    return [np.vstack([grid(x, len(x), cell=cell), grid(x0, len(x0), cell=cell)]) for _, x, x0 in chosen]


def _pictures(seen: list[Step]) -> list[Step]:
    """Return the steps that are pictures, all of the last one's size."""
    shown = [step for step in seen if step[1].dim() == 4 and step[1].shape[1] in (1, 3)]
    if not shown:
        raise Impossible("this model's steps are not pictures, so there is nothing to show: known is a model that denoises pixels")
    size = shown[-1][1].shape[-1]
    return [(t, *(F.interpolate(x, size=size, mode="nearest") for x in pair)) for t, *pair in shown]  # type: ignore[misc]
