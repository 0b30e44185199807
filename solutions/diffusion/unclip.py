"""DALL-E 2's shape: a caption to an image embedding, an image embedding to an image (unCLIP, Ramesh et al. 2022).

    Clip      two encoders whose embeddings of an image and of its caption point the same way (Radford et al. 2021)
    Prior     diffusion over embeddings: from noise to the embedding of an image, told the caption's
    Decoder   diffusion over pixels, told the image embedding and no words

What the embedding leaves out the decoder can't know: it is where DALL-E 2 loses who is which colour. The three parts see the same
images in one run, each with a loss of its own.
"""

from functools import partial
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from solutions.diffusion.captioned import BETAS, EVERYTHING, SIZE, draw_batch
from solutions.diffusion.guidance import drop_condition, guided
from solutions.diffusion.interface import SamplingConfig, TrainingOptions, run_sampler, train_and_store
from solutions.diffusion.losses import CleanLoss
from solutions.diffusion.prompt_adherence import measure
from solutions.diffusion.schedules import alpha_bars
from solutions.diffusion.store import load_weights
from solutions.diffusion.text import TextEncoder, tokens
from solutions.diffusion.train import OptimiserStep, TrainingConfig, diffusion_loss
from solutions.diffusion.unet import UNet, timestep_embedding

NAME, EMBEDDING, TOLD = "unclip", 64, 32
ALPHA_BARS = alpha_bars(BETAS)
CONFIG = TrainingConfig(steps=2500, batch=48, lr=1.5e-3)
LENGTH_OF_ONE: float = EMBEDDING**0.5  # embeddings are handed on with this length, so that a number in them is of size about 1


class Clip(nn.Module):
    """Encoders of images and captions to directions in one space."""

    def __init__(self) -> None:
        super().__init__()
        widths = (12, 32, 48, 64)
        layers = [
            layer
            for before, after in pairwise(widths)
            for layer in (nn.Conv2d(before, after, 3, stride=2, padding=1), nn.GroupNorm(8, after), nn.SiLU())
        ]
        self.image_encoder = nn.Sequential(nn.PixelUnshuffle(2), *layers, nn.Flatten(), nn.Linear(64 * 4, EMBEDDING))
        self.text_encoder, self.text_projection = TextEncoder(32, layers=1), nn.Linear(320, EMBEDDING)
        self.logit_scale = nn.Parameter(torch.tensor(2.0))  # log of the logits' scale

    def encode_images(self, x: Tensor) -> Tensor:
        """Embed images. # (B, 3, SIZE, SIZE) -> (B, EMBEDDING), each of length LENGTH_OF_ONE"""
        return _on_sphere(self.image_encoder(x))

    def encode_captions(self, ids: Tensor) -> Tensor:
        """Embed captions. # (B, LENGTH) -> (B, EMBEDDING)"""
        return _on_sphere(self.text_projection(self.text_encoder(ids).flatten(1)))


def _on_sphere(z: Tensor) -> Tensor:
    direction: Tensor = F.normalize(z, dim=1)
    return direction * LENGTH_OF_ONE


def contrastive_loss(images: Tensor, captions: Tensor, logit_scale: Tensor) -> Tensor:
    """Ask of each image which caption of the batch is its own, and of each caption which image (Radford et al. 2021, figure 3)."""
    logits = F.normalize(images, dim=1) @ F.normalize(captions, dim=1).T * logit_scale.exp().clamp(max=100)  # (B, B)
    own = torch.arange(len(logits))
    return (F.cross_entropy(logits, own) + F.cross_entropy(logits.T, own)) / 2


class Prior(nn.Module):
    """x̂_0 of an image embedding from a noisy one, t and the caption's embedding (section 2.2)."""

    def __init__(self, width: int = 192) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(2 * EMBEDDING + TOLD, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU(), nn.Linear(width, EMBEDDING)
        )

    def forward(self, z: Tensor, t: Tensor, *, caption: Tensor) -> Tensor:
        """Predict. # z and caption: (B, EMBEDDING), t: (B,)"""
        return self.layers(torch.cat([z, caption, timestep_embedding(t, TOLD)], dim=1))  # type: ignore[no-any-return]


class UnClip(nn.Module):
    """The encoders, the prior and the decoder; a zero vector is the decoder's and the prior's null condition."""

    def __init__(self) -> None:
        super().__init__()
        self.clip, self.prior = Clip(), Prior()
        self.decoder = UNet(3, (32, 32), attend=(True, True), patch=4, vector_dim=EMBEDDING)


def train(training: TrainingOptions) -> None:
    """Train the three parts side by side; prior and decoder learn from embeddings, and send no gradient into the encoders."""
    torch.manual_seed(CONFIG.seed)
    model, loss, null = UnClip(), CleanLoss(ALPHA_BARS), torch.zeros(EMBEDDING)

    def align(batch: tuple[Tensor, Tensor], _: torch.Generator) -> Tensor:
        return contrastive_loss(model.clip.encode_images(batch[0]), model.clip.encode_captions(batch[1]), model.clip.logit_scale)

    def prior_loss(batch: tuple[Tensor, Tensor], generator: torch.Generator) -> Tensor:
        with torch.no_grad():
            image, caption = model.clip.encode_images(batch[0]), model.clip.encode_captions(batch[1])
        return diffusion_loss(loss, model.prior, image, generator, caption=drop_condition(caption, null, 0.1, generator))

    def decoder_loss(batch: tuple[Tensor, Tensor], generator: torch.Generator) -> Tensor:
        with torch.no_grad():
            image = model.clip.encode_images(batch[0])
        return diffusion_loss(loss, model.decoder, batch[0], generator, vector=drop_condition(image, null, 0.1, generator))

    parts = ((model.clip, align), (model.prior, prior_loss), (model.decoder, decoder_loss))
    optimiser_steps = [OptimiserStep(list(part.parameters()), part_loss) for part, part_loss in parts]
    draw = partial(draw_batch, batch=CONFIG.batch)

    def figures() -> dict[str, Any]:
        return measure(partial(paint, model), 100, (1, 2))

    train_and_store(NAME, model, optimiser_steps, draw, CONFIG, training, figures, bits=8)


def sample(config: SamplingConfig) -> Tensor:
    """Draw what the prompt says, n times. # (n, 3, SIZE, SIZE) in [-1, 1]"""
    ids = tokens([config.prompt or EVERYTHING]).repeat(config.n, 1)
    model = UnClip()
    model.load_state_dict(load_weights(NAME, config.weights))
    return paint(model.eval(), ids, config)


@torch.no_grad()
def paint(model: UnClip, ids: Tensor, config: SamplingConfig) -> Tensor:
    """Walk from noise to an image embedding for each row of tokens, then from noise to its image. # (N, LENGTH) -> (N, 3, SIZE, SIZE)"""
    w = 2.0 if config.w is None else config.w
    caption, null = model.clip.encode_captions(ids), torch.zeros(len(ids), EMBEDDING)
    prior = guided(model.prior, ALPHA_BARS, CleanLoss.predicts, {"caption": caption})
    image = run_sampler(config, prior, (len(ids), EMBEDDING), BETAS, clip=None)
    image = _on_sphere(image)
    decoder = guided(model.decoder, ALPHA_BARS, CleanLoss.predicts, {"vector": image}, {"vector": null}, w)
    return run_sampler(config, decoder, (len(ids), 3, SIZE, SIZE), BETAS)
