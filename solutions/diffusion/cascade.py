"""A cascade: a base model draws 8 x 8 pixels from a caption, a second one makes 32 x 32 of them (Ho et al. 2021; Saharia et al. 2022).

As in Imagen (the second paper) the text encoder is frozen, ours comes from `captioned.py`, and both stages read the caption. The second
is conditioned on the small image, enlarged and laid beside x_t. In training the small images are true ones, in sampling they are
the base's: so they are noised a little on purpose, and the network is told how much. That is noise augmentation, what lets it mend the
base's faults.
"""

from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from solutions.diffusion.captioned import BETAS, EVERYTHING, SIZE, T, draw_batch
from solutions.diffusion.forward import noise_to
from solutions.diffusion.guidance import drop_condition, guided
from solutions.diffusion.interface import SamplingConfig, TrainingOptions, run_sampler, train_and_store
from solutions.diffusion.losses import CleanLoss
from solutions.diffusion.prompt_adherence import measure
from solutions.diffusion.schedules import alpha_bars
from solutions.diffusion.store import load_weights
from solutions.diffusion.text import LENGTH, TextEncoder, TextPooler, tokens
from solutions.diffusion.train import OptimiserStep, TrainingConfig, diffusion_loss
from solutions.diffusion.unet import UNet, timestep_embedding

NAME, SMALL, WIDTH = "cascade", 8, 64
ALPHA_BARS = alpha_bars(BETAS)
CONFIG = TrainingConfig(steps=3000, batch=32, lr=1.5e-3)
MOST, AUGMENTED = 600, 200  # the t of noise augmentation: at most in training, and in sampling
TOLD = 32  # width of the embedding of that t


class Base(nn.Module):
    """x̂_0 of the small image, from the encoded caption."""

    def __init__(self) -> None:
        super().__init__()
        self.unet = UNet(3, (32, 32), attend=(True, True), context_dim=WIDTH, vector_dim=WIDTH)
        self.pool = TextPooler(WIDTH)

    def forward(self, x: Tensor, t: Tensor, *, words: Tensor) -> Tensor:
        """Predict. # x: (B, 3, SMALL, SMALL), words: (B, LENGTH, WIDTH)"""
        return self.unet(x, t, context=words, vector=self.pool(words))  # type: ignore[no-any-return]


class SuperResolution(nn.Module):
    """x̂_0 of the large image, from the caption, the small image and how much that was noised."""

    def __init__(self) -> None:
        super().__init__()
        self.unet = UNet(
            3, (32, 32), attend=(True, True), patch=4, context_dim=WIDTH, vector_dim=WIDTH + TOLD, extra_channels=3
        )  # fmt: skip
        self.pool = TextPooler(WIDTH)

    def forward(self, x: Tensor, t: Tensor, *, words: Tensor, small: Tensor, s: Tensor) -> Tensor:
        """Predict. # x: (B, 3, SIZE, SIZE), small: (B, 3, SMALL, SMALL), noised to s: (B,)"""
        vector = torch.cat([self.pool(words), timestep_embedding(s, TOLD)], dim=1)
        beside = F.interpolate(small, size=x.shape[-2:], mode="nearest")
        return self.unet(x, t, context=words, vector=vector, extra=beside)  # type: ignore[no-any-return]


class Cascade(nn.Module):
    """The frozen text encoder and the two stages."""

    def __init__(self) -> None:
        super().__init__()
        self.text = TextEncoder(WIDTH).requires_grad_(False)
        self.base, self.super_resolution = Base(), SuperResolution()


def shrink(images: Tensor) -> Tensor:
    """Average squares of pixels. # (B, 3, SIZE, SIZE) -> (B, 3, SMALL, SMALL)"""
    return F.avg_pool2d(images, SIZE // SMALL)


def augment(small: Tensor, s: Tensor, generator: torch.Generator) -> Tensor:
    """Noise the small images to s, 0 for not at all (Ho et al. 2021, section 4). # (B, 3, SMALL, SMALL), s: (B,)"""
    return noise_to(small, s, torch.randn(small.shape, generator=generator), ALPHA_BARS)  # type: ignore[no-any-return]


def train(training: TrainingOptions) -> None:
    """Train both stages side by side on the same images; the text encoder is that of the shipped `shapes`.

    The shipped weights have it as it was after the third run of `captioned` ("before" in their .json).
    """
    torch.manual_seed(CONFIG.seed)
    model, loss, null = Cascade(), CleanLoss(ALPHA_BARS), torch.zeros(LENGTH, dtype=torch.long)
    known = load_weights("shapes").items()
    model.text.load_state_dict({key.removeprefix("text."): value for key, value in known if key.startswith("text.")})

    def base_loss(batch: tuple[Tensor, Tensor], generator: torch.Generator) -> Tensor:
        words = model.text(drop_condition(batch[1], null, 0.1, generator))
        return diffusion_loss(loss, model.base, shrink(batch[0]), generator, words=words)

    def super_resolution_loss(batch: tuple[Tensor, Tensor], generator: torch.Generator) -> Tensor:
        words = model.text(drop_condition(batch[1], null, 0.1, generator))
        s = torch.randint(MOST + 1, (len(words),), generator=generator)
        small = augment(shrink(batch[0]), s, generator)
        return diffusion_loss(loss, model.super_resolution, batch[0], generator, words=words, small=small, s=s)

    optimiser_steps = [
        OptimiserStep(list(model.base.parameters()), base_loss),
        OptimiserStep(list(model.super_resolution.parameters()), super_resolution_loss),
    ]
    draw = partial(draw_batch, batch=CONFIG.batch)
    train_and_store(NAME, model, optimiser_steps, draw, CONFIG, training, lambda: measure(partial(paint, model), 100, (1, 2)), bits=6)


def sample(config: SamplingConfig) -> Tensor:
    """Draw what the prompt says, n times. # (n, 3, SIZE, SIZE) in [-1, 1]"""
    ids = tokens([config.prompt or EVERYTHING]).repeat(config.n, 1)
    model = Cascade()
    model.load_state_dict(load_weights(NAME, config.weights))
    return paint(model.eval(), ids, config)


@torch.no_grad()
def paint(model: Cascade, ids: Tensor, config: SamplingConfig) -> Tensor:
    """Draw one image for each row of tokens: small, then large. # (N, LENGTH) -> (N, 3, SIZE, SIZE)"""
    words, nothing = model.text(ids), model.text(torch.zeros_like(ids))
    w = 2.0 if config.w is None else config.w
    base = guided(model.base, ALPHA_BARS, CleanLoss.predicts, {"words": words}, {"words": nothing}, w)
    small = run_sampler(config, base, (len(ids), 3, SMALL, SMALL), BETAS)
    s = torch.full((len(ids),), AUGMENTED)
    beside = {"small": augment(small, s, torch.Generator().manual_seed(config.seed + T)), "s": s}
    large = guided(model.super_resolution, ALPHA_BARS, CleanLoss.predicts, {"words": words, **beside}, {"words": nothing, **beside}, w)
    return run_sampler(config, large, (len(ids), 3, SIZE, SIZE), BETAS)
