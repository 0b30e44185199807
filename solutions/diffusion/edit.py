"""Two applications of a model that was trained for neither: start from an image that exists, or keep a part of one.

Both need nothing but `eps_model` and a sampler (see `samplers`). Images may be numpy arrays or torch tensors.
"""

from collections.abc import Sequence
from itertools import pairwise

from solutions.diffusion.forward import Array, forward_step, noise_to
from solutions.diffusion.samplers import DrawNoise, EpsModel, ddim_sample


def sdedit(
    eps_model: EpsModel, image: Array, alpha_bars: Array, path: Sequence[int], draw_noise: DrawNoise, clip: float | None = 1.0
) -> Array:
    """Return an image that keeps the layout of `image`: noise it to path[0], and denoise it from there. # (B, ...)

    The smaller path[0], the closer to `image`; of T, next to nothing is left. Details go first, since noise hides them first (SDEdit, Meng
    et al. 2021, arXiv:2108.01073). The paper goes back with fresh noise in every step; this function takes DDIM's way back.
    """
    x = noise_to(image, path[0], draw_noise(image.shape), alpha_bars)
    return ddim_sample(eps_model, x, alpha_bars, path, clip=clip)


def inpaint(
    eps_model: EpsModel,
    image: Array,
    known: Array,
    alpha_bars: Array,
    path: Sequence[int],
    draw_noise: DrawNoise,
    *,
    repeats: int = 5,
    clip: float | None = 1.0,
) -> Array:
    """Fill in what is unknown of `image`: where `known` is 1 the result is the image, exactly; where it is 0, it is sampled. # (B, ...)

    After each step the known part is replaced by the image, noised to the same t. A step is then taken back and repeated, so that the
    sampled part can adapt to it (RePaint, Lugmayr et al. 2022, arXiv:2201.09865, algorithm 1). With `repeats` = 1 that part hardly does.
    """
    x = draw_noise(image.shape)
    for t, s in pairwise(path):
        for left in reversed(range(repeats if s else 1)):
            x = ddim_sample(eps_model, x, alpha_bars, [t, s], draw_noise, eta=1.0, clip=clip)
            x = known * noise_to(image, s, draw_noise(image.shape), alpha_bars) + (1 - known) * x
            if left:
                x = forward_step(x, 1 - alpha_bars[t] / alpha_bars[s], draw_noise(image.shape))  # from s back to t, in one step
    return x
