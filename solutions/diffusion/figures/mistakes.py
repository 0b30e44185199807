"""What the lesson's DDPM draws, and what it draws with one mistake in it. See `catalogue`.

The sampler is the solution to `ddpm.py`; a mistake is one of its `misconceptions`, put in the place of the function that it is of.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from autograder.api import load_module
from solutions.diffusion.figures.sheets import clothing, sheet
from solutions.diffusion.figures.theme import Theme
from solutions.diffusion.models import fashion
from solutions.diffusion.samplers import even_path

SOLUTIONS = Path(__file__).parents[2] / "12_diffusion"
LABELS = (9, 3, 8, 0, 1, 5)  # ankle boot, dress, bag, t-shirt, trouser, sandal
STEPS = 50
MISTAKES = {
    "noise_in_the_result": "noise in the\nlast step",
    "told_one_too_low": "told the $t$ of\nthe result",
    "mean_not_rescaled": "mean not\nrescaled",
    "clamped_on_the_way": "$x_t$ clamped\non the way",
    "mean_without_noise": "no fresh\nnoise",
    "noise_scaled_by_beta": "$\\hat{\\varepsilon}$ scaled\nby $\\beta_t$",
    "one_noise_for_all_steps": "one noise for\nall steps",
}


def mistakes(theme: Theme) -> Figure:
    """Draw a row for the right sampler and one for each mistake, all from the same noise, with its difference from the first."""
    right, wrong = drawn_with(), [drawn_with(mistake) for mistake in MISTAKES]
    labels = [f"{label}: {difference(images, right):.2g}" for label, images in zip(MISTAKES.values(), wrong, strict=True)]
    return sheet(theme, torch.stack([right, *wrong]), [], ["right", *labels], left=1.3)


def drawn_with(mistake: str = "") -> Tensor:
    """Return what DDPM draws in `STEPS` of the 1000 steps, with one mistake, or with none. # (6, 1, 16, 16)"""
    path = even_path(fashion.T, STEPS)[::-1]  # 0, 20, ..., 1000: the t that the network gets
    bars = fashion.ALPHA_BARS[path]
    betas = np.r_[0, 1 - bars[1:] / bars[:-1]]
    network = clothing(torch.tensor(LABELS), w=1.0)
    noise = torch.randn((STEPS + 1, len(LABELS), 1, 16, 16), generator=torch.Generator().manual_seed(3))
    return _sampler(mistake)(lambda x, t: network(x, path[t]), noise[0], betas, lambda t: noise[t])  # type: ignore[no-any-return]


def _sampler(mistake: str) -> Any:
    answer = load_module(SOLUTIONS / "ddpm.py")
    if mistake:
        wrong = getattr(load_module(SOLUTIONS / "misconceptions" / "ddpm.py"), mistake)
        setattr(answer, wrong.misconception.of, wrong)
    return answer.ddpm_sample


def difference(images: Tensor, others: Tensor) -> float:
    """Return the root mean square of the difference of all pixels, which are in [−1, 1] where an image is right."""
    return float(((images - others) ** 2).mean() ** 0.5)
