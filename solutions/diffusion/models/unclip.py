"""DALL-E 2 in miniature: from a caption to an image embedding, from the embedding to an image (unCLIP, Ramesh et al. 2022).

    Clip      two encoders whose embeddings of an image and of its caption point the same way (Radford et al. 2021)
    Prior     diffusion over embeddings: from noise to an image embedding, conditioned on the caption's embedding
    Decoder   diffusion over pixels, conditioned on the image embedding and on no words

The decoder can't know what the embedding leaves out: this is where DALL-E 2 forgets which object has which colour. The three parts are
trained on the same images in one run, each with its own loss. Guidance acts on the decoder alone; DALL-E 2 guides its prior, too.
"""

from functools import partial
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from solutions.diffusion.guidance import drop_condition, guided
from solutions.diffusion.interface import SamplingConfig, TrainingOptions, run_sampler, train_and_store
from solutions.diffusion.losses import CleanLoss
from solutions.diffusion.models.captioned import BETAS, DEFAULT_PROMPT, SIZE, draw_batch
from solutions.diffusion.models.text import TextEncoder, tokens
from solutions.diffusion.prompt_adherence import measure
from solutions.diffusion.schedules import alpha_bars
from solutions.diffusion.store import load_weights
from solutions.diffusion.train import OptimiserStep, TrainingConfig, diffusion_loss
from solutions.diffusion.unet import UNet, timestep_embedding

NAME, EMBEDDING, TIME_DIM = "unclip", 64, 32
ALPHA_BARS = alpha_bars(BETAS)
CONFIG = TrainingConfig(steps=2500, batch=48, lr=1.5e-3)
EMBEDDING_NORM: float = EMBEDDING**0.5  # embeddings are passed on with this norm, so that their entries are of size about 1


class Clip(nn.Module):
    """Encoders that map images and captions to directions in one space."""

    def __init__(self) -> None:
        super().__init__()
        widths = (12, 32, 48, 64)
        layers = [
            layer
            for c_in, c_out in pairwise(widths)
            for layer in (nn.Conv2d(c_in, c_out, 3, stride=2, padding=1), nn.GroupNorm(8, c_out), nn.SiLU())
        ]
        self.image_encoder = nn.Sequential(nn.PixelUnshuffle(2), *layers, nn.Flatten(), nn.Linear(64 * 4, EMBEDDING))
        self.text_encoder, self.text_projection = TextEncoder(32, layers=1), nn.Linear(320, EMBEDDING)
        self.logit_scale = nn.Parameter(torch.tensor(2.0))  # log of the factor on the logits

    def encode_images(self, x: Tensor) -> Tensor:
        """Embed images. # (B, 3, SIZE, SIZE) -> (B, EMBEDDING), each of norm EMBEDDING_NORM"""
        return _normalised(self.image_encoder(x))

    def encode_captions(self, ids: Tensor) -> Tensor:
        """Embed captions. # (B, LENGTH) -> (B, EMBEDDING)"""
        return _normalised(self.text_projection(self.text_encoder(ids).flatten(1)))


def _normalised(z: Tensor) -> Tensor:
    direction: Tensor = F.normalize(z, dim=1)
    return direction * EMBEDDING_NORM


def contrastive_loss(images: Tensor, captions: Tensor, logit_scale: Tensor) -> Tensor:
    """Match each image with its caption among the batch, and each caption with its image (Radford et al. 2021, figure 3)."""
    logits = F.normalize(images, dim=1) @ F.normalize(captions, dim=1).T * logit_scale.exp().clamp(max=100)  # (B, B)
    own = torch.arange(len(logits))
    return (F.cross_entropy(logits, own) + F.cross_entropy(logits.T, own)) / 2


class Prior(nn.Module):
    """Predict x̂_0 of an image embedding from a noisy one, t and the caption's embedding (section 2.2)."""

    def __init__(self, width: int = 192) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(2 * EMBEDDING + TIME_DIM, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU(), nn.Linear(width, EMBEDDING)
        )

    def forward(self, z: Tensor, t: Tensor, *, caption: Tensor) -> Tensor:
        """Predict. # z and caption: (B, EMBEDDING), t: (B,)"""
        return self.layers(torch.cat([z, caption, timestep_embedding(t, TIME_DIM)], dim=1))  # type: ignore[no-any-return]


class UnClip(nn.Module):
    """The encoders, the prior and the decoder. The zero vector is the null condition of both prior and decoder."""

    def __init__(self) -> None:
        super().__init__()
        self.clip, self.prior = Clip(), Prior()
        self.decoder = UNet(3, (32, 32), attend=(True, True), patch=4, vector_dim=EMBEDDING)


def train(options: TrainingOptions) -> None:
    """Train the three parts side by side. Prior and decoder learn from the embeddings and send no gradient into the encoders."""
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

    def metrics() -> dict[str, Any]:
        return measure(partial(sample_images, model), 100, (1, 2))

    train_and_store(NAME, model, optimiser_steps, draw, CONFIG, options, metrics, bits=8)


def sample(config: SamplingConfig) -> Tensor:
    """Sample n images for the prompt. # (n, 3, SIZE, SIZE) in [-1, 1]"""
    ids = tokens([config.prompt or DEFAULT_PROMPT]).repeat(config.n, 1)
    model = UnClip()
    model.load_state_dict(load_weights(NAME, config.weights))
    return sample_images(model.eval(), ids, config)


@torch.no_grad()
def sample_images(model: UnClip, ids: Tensor, config: SamplingConfig) -> Tensor:
    """Sample an image embedding for each row of tokens, then an image from it. # (N, LENGTH) -> (N, 3, SIZE, SIZE)"""
    w = 2.0 if config.w is None else config.w
    caption, null = model.clip.encode_captions(ids), torch.zeros(len(ids), EMBEDDING)
    prior = guided(model.prior, ALPHA_BARS, CleanLoss.predicts, {"caption": caption})
    image = run_sampler(config, prior, (len(ids), EMBEDDING), BETAS, clip=None)
    image = _normalised(image)
    decoder = guided(model.decoder, ALPHA_BARS, CleanLoss.predicts, {"vector": image}, {"vector": null}, w)
    return run_sampler(config, decoder, (len(ids), 3, SIZE, SIZE), BETAS)
