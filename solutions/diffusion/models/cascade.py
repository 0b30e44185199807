"""A cascade: a base model draws 8 x 8 pixels from a caption, and a second model upsamples them to 32 x 32 (Ho et al. 2021).

As in Imagen (Saharia et al. 2022), the text encoder is frozen (ours comes from `captioned.py`) and both stages read the caption. The second
stage is conditioned on the small image, upsampled and concatenated to x_t. It trains on small images from the data but samples from
those of the base. So the small images are noised slightly on purpose, and the network is conditioned on how much. This noise
augmentation is what lets it correct the base's errors.
"""

from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from solutions.diffusion.forward import noise_to
from solutions.diffusion.guidance import drop_condition, guided
from solutions.diffusion.interface import SamplingConfig, TrainingOptions, run_sampler, train_and_store
from solutions.diffusion.losses import CleanLoss
from solutions.diffusion.models.captioned import BETAS, DEFAULT_PROMPT, SIZE, T, draw_batch
from solutions.diffusion.models.text import LENGTH, TextEncoder, TextPooler, tokens
from solutions.diffusion.prompt_adherence import measure
from solutions.diffusion.schedules import alpha_bars
from solutions.diffusion.store import load_weights
from solutions.diffusion.train import OptimiserStep, TrainingConfig, diffusion_loss
from solutions.diffusion.unet import UNet, timestep_embedding

NAME, SMALL, WIDTH = "cascade", 8, 64
ALPHA_BARS = alpha_bars(BETAS)
CONFIG = TrainingConfig(steps=3000, batch=32, lr=1.5e-3)
MAX_AUGMENTATION, AUGMENTATION = 600, 200  # t of the noise augmentation: the maximum in training, and the value in sampling
AUGMENTATION_DIM = 32  # width of the embedding of that t


class Base(nn.Module):
    """Predict x̂_0 of the small image from the encoded caption."""

    def __init__(self) -> None:
        super().__init__()
        self.unet = UNet(3, (32, 32), attend=(True, True), context_dim=WIDTH, vector_dim=WIDTH)
        self.pool = TextPooler(WIDTH)

    def forward(self, x: Tensor, t: Tensor, *, words: Tensor) -> Tensor:
        """Predict. # x: (B, 3, SMALL, SMALL), words: (B, LENGTH, WIDTH)"""
        return self.unet(x, t, context=words, vector=self.pool(words))  # type: ignore[no-any-return]


class SuperResolution(nn.Module):
    """Predict x̂_0 of the large image from the caption, the small image and the noise level of the small image."""

    def __init__(self) -> None:
        super().__init__()
        self.unet = UNet(
            3, (32, 32), attend=(True, True), patch=4, context_dim=WIDTH, vector_dim=WIDTH + AUGMENTATION_DIM, extra_channels=3
        )  # fmt: skip
        self.pool = TextPooler(WIDTH)

    def forward(self, x: Tensor, t: Tensor, *, words: Tensor, small: Tensor, s: Tensor) -> Tensor:
        """Predict. # x: (B, 3, SIZE, SIZE), small: (B, 3, SMALL, SMALL) noised to s: (B,)"""
        vector = torch.cat([self.pool(words), timestep_embedding(s, AUGMENTATION_DIM)], dim=1)
        upsampled = F.interpolate(small, size=x.shape[-2:], mode="nearest")
        return self.unet(x, t, context=words, vector=vector, extra=upsampled)  # type: ignore[no-any-return]


class Cascade(nn.Module):
    """The frozen text encoder and the two stages."""

    def __init__(self) -> None:
        super().__init__()
        self.text = TextEncoder(WIDTH).requires_grad_(False)
        self.base, self.super_resolution = Base(), SuperResolution()


def shrink(images: Tensor) -> Tensor:
    """Downsample by averaging blocks of pixels. # (B, 3, SIZE, SIZE) -> (B, 3, SMALL, SMALL)"""
    return F.avg_pool2d(images, SIZE // SMALL)


def augment(small: Tensor, s: Tensor, generator: torch.Generator) -> Tensor:
    """Noise the small images to t = s; s = 0 adds no noise (Ho et al. 2021, section 4). # (B, 3, SMALL, SMALL), s: (B,)"""
    return noise_to(small, s, torch.randn(small.shape, generator=generator), ALPHA_BARS)  # type: ignore[no-any-return]


def train(options: TrainingOptions) -> None:
    """Train both stages side by side on the same images, with the text encoder of the shipped `shapes` model.

    The shipped weights use the encoder as it was after the third run of `captioned` ("previous_runs" in their .json).
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
        s = torch.randint(MAX_AUGMENTATION + 1, (len(words),), generator=generator)
        small = augment(shrink(batch[0]), s, generator)
        return diffusion_loss(loss, model.super_resolution, batch[0], generator, words=words, small=small, s=s)

    optimiser_steps = [
        OptimiserStep(list(model.base.parameters()), base_loss),
        OptimiserStep(list(model.super_resolution.parameters()), super_resolution_loss),
    ]
    draw = partial(draw_batch, batch=CONFIG.batch)
    train_and_store(
        NAME, model, optimiser_steps, draw, CONFIG, options, lambda: measure(partial(sample_images, model), 100, (1, 2)), bits=6
    )


def sample(config: SamplingConfig) -> Tensor:
    """Sample n images for the prompt. # (n, 3, SIZE, SIZE) in [-1, 1]"""
    ids = tokens([config.prompt or DEFAULT_PROMPT]).repeat(config.n, 1)
    model = Cascade()
    model.load_state_dict(load_weights(NAME, config.weights))
    return sample_images(model.eval(), ids, config)


@torch.no_grad()
def sample_images(model: Cascade, ids: Tensor, config: SamplingConfig) -> Tensor:
    """Sample one image for each row of tokens: small, then large. # (N, LENGTH) -> (N, 3, SIZE, SIZE)"""
    words, nothing = model.text(ids), model.text(torch.zeros_like(ids))
    w = 2.0 if config.w is None else config.w
    base = guided(model.base, ALPHA_BARS, CleanLoss.predicts, {"words": words}, {"words": nothing}, w)
    small = run_sampler(config, base, (len(ids), 3, SMALL, SMALL), BETAS)
    s = torch.full((len(ids),), AUGMENTATION)
    condition = {"small": augment(small, s, torch.Generator().manual_seed(config.seed + T)), "s": s}
    large = guided(
        model.super_resolution, ALPHA_BARS, CleanLoss.predicts, {"words": words, **condition}, {"words": nothing, **condition}, w
    )
    return run_sampler(config, large, (len(ids), 3, SIZE, SIZE), BETAS)
