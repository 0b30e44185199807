"""Text to image as Stable Diffusion does it, small enough for a laptop: emoji in colour, from words (Rombach et al. 2022).

    words --text encoder--> tokens --cross-attention--> U-Net, which denoises latents --VAE decoder--> image

    train    a classifier for the perceptual term, then the VAE (32 x 32 x 3 to 8 x 8 x 4), then the U-Net in its latents
    sample   DDIM or DDPM with guidance, for one prompt or several, separated by commas

The network predicts v under the cosine schedule, every t weighted alike: sampling starts at T, where a min-SNR weight would leave it
untrained. There is one image for each caption, so a model that has learned them all has memorised them; that it composes shows only in
captions that it never saw (`measures`).
"""

import dataclasses
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from solutions.diffusion.guidance import drop_condition, guided
from solutions.diffusion.interface import SamplingConfig, TrainingOptions, run_sampler, train_and_store
from solutions.diffusion.losses import VelocityLoss
from solutions.diffusion.models.emoji.classifier import NAME as CLASSIFIER_NAME
from solutions.diffusion.models.emoji.classifier import EmojiClassifier, load_classifier, perceptual_distance
from solutions.diffusion.models.emoji.classifier import train as train_classifier
from solutions.diffusion.models.emoji.data import SIDE, Captioned, load_emoji, training_set
from solutions.diffusion.models.emoji.text import LENGTH, tokens, vocabulary
from solutions.diffusion.models.latent import decoding, measure_latents
from solutions.diffusion.models.text import TextEncoder
from solutions.diffusion.models.vae import VAE, kl, reparametrise
from solutions.diffusion.schedules import alpha_bars, cosine_betas
from solutions.diffusion.store import SHIPPED, load_weights
from solutions.diffusion.train import DrawBatch, OptimiserStep, StepLoss, TrainingConfig, diffusion_loss
from solutions.diffusion.unet import UNet

NAME, VAE_NAME, T = "emoji", "emoji-vae", 1000
BETAS = cosine_betas(T)
ALPHA_BARS = alpha_bars(BETAS)
LATENT, TEXT_WIDTH = (4, SIDE // 4, SIDE // 4), 128
VAE_CONFIG = TrainingConfig(steps=1600, batch=48, lr=2e-3, bfloat16=True)
CONFIG = TrainingConfig(steps=17_300, batch=32, lr=1e-3, bfloat16=True)
PARTS = {CLASSIFIER_NAME: 0.1, VAE_NAME: 0.15, NAME: 0.75}  # of the minutes
RECOLOURED = 1 / 5  # of a batch: with a third, 44 of 100 unseen pairs were right after 3,617 steps, and 13 of 100 names
STEPS, W = 30, 3.0  # of the sampler, unless the config says otherwise
SHOWN = ("red heart", "banana", "rocket", "cat face", "octopus", "sunflower", "blue tangerine", "purple banana")


class EmojiDiffusion(nn.Module):
    """The VAE, the standard deviation of its latents, the text encoder, and the U-Net that predicts v in latents of unit variance."""

    scale: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.vae = new_vae()
        self.register_buffer("scale", torch.ones(()))
        self.text = TextEncoder(TEXT_WIDTH, words=len(vocabulary()) + 1, length=LENGTH)
        self.unet = UNet(LATENT[0], (64, 128), attend=(True, True), emb_dim=192, context_dim=TEXT_WIDTH, vector_dim=TEXT_WIDTH)

    def forward(self, z_t: Tensor, t: Tensor, *, ids: Tensor) -> Tensor:
        """Predict v for latents of unit variance. # z_t: (B, *LATENT), t: (B,), ids: (B, LENGTH)"""
        words = self.text(ids)  # (B, LENGTH, D)
        return self.unet(z_t, t, context=words, vector=words.mean(dim=1))  # type: ignore[no-any-return]

    def to_images(self, z: Tensor) -> Tensor:
        """Decode latents of unit variance. # (B, *LATENT) -> (B, 3, SIDE, SIDE)"""
        return self.vae.decode(z * self.scale).clamp(-1, 1)


def new_vae() -> VAE:
    """Return the untrained autoencoder."""
    return VAE(channels=3, width=64, latent=LATENT)


def train(options: TrainingOptions) -> None:
    """Train the classifier, the VAE and the U-Net in turn, each unless its weights exist already in `options.out`."""
    for name, train_part in ((CLASSIFIER_NAME, train_classifier), (VAE_NAME, train_vae), (NAME, train_unet)):
        if name == NAME or not (options.out / f"{name}.safetensors").exists():
            train_part(dataclasses.replace(options, minutes=options.minutes and options.minutes * PARTS[name]))


def train_vae(options: TrainingOptions) -> None:
    """Train the autoencoder alone, on images without their captions, half of them mirrored."""
    torch.manual_seed(VAE_CONFIG.seed)
    vae, classifier, images, draw = new_vae(), load_classifier(options.out), training_set().images, drawn_rows(VAE_CONFIG.batch)
    classifier.requires_grad_(False)

    def step_loss(rows: Tensor, generator: torch.Generator) -> Tensor:
        x = images[rows]
        mirrored = torch.rand(len(x), 1, 1, 1, generator=generator) < 0.5
        return vae_loss(vae, classifier, torch.where(mirrored, x.flip(-1), x), generator)

    optimiser_steps = [OptimiserStep(list(vae.parameters()), step_loss)]
    train_and_store(VAE_NAME, vae, optimiser_steps, draw, VAE_CONFIG, options, bits=8, previous_runs=[CLASSIFIER_NAME])


def vae_loss(vae: VAE, classifier: EmojiClassifier, x: Tensor, generator: torch.Generator) -> Tensor:
    """Return L1, which blurs less than squares do, plus the distance in a classifier's feature maps, plus a very small KL term."""
    x_hat, mean, logvar = vae(x, torch.randn((len(x), *vae.latent), generator=generator))
    return F.l1_loss(x_hat, x) + 0.2 * perceptual_distance(classifier, x_hat, x) + 1e-5 * kl(mean, logvar).mean()


def train_unet(options: TrainingOptions) -> None:
    """Train the text encoder and the U-Net together, with the VAE frozen."""
    torch.manual_seed(CONFIG.seed)
    model = EmojiDiffusion()
    model.vae.load_state_dict(load_weights(VAE_NAME, options.out))
    optimiser_steps = [OptimiserStep([*model.unet.parameters(), *model.text.parameters()], loss_on(model, training_set()))]
    previous_runs = [CLASSIFIER_NAME, VAE_NAME]
    train_and_store(NAME, model, optimiser_steps, drawn_rows(CONFIG.batch), CONFIG, options, bits=8, previous_runs=previous_runs)


def loss_on(model: EmojiDiffusion, data: Captioned) -> StepLoss:
    """Return the loss of a training step on latents sampled from the encoded images; sets the model's scale. # of rows (B,)"""
    loss, ids, (mean, logvar) = VelocityLoss(ALPHA_BARS), tokens(data.captions), measure_latents(model, data.images)
    null = torch.zeros(LENGTH, dtype=torch.long)

    def step_loss(rows: Tensor, generator: torch.Generator) -> Tensor:
        z = reparametrise(mean[rows], logvar[rows], torch.randn(mean[rows].shape, generator=generator)) / model.scale
        return diffusion_loss(loss, model, z, generator, ids=drop_condition(ids[rows], null, 0.1, generator))

    return step_loss


def drawn_rows(batch: int) -> DrawBatch:
    """Return the function that draws the rows of a batch from the training set: a fifth recoloured emoji. # (batch,)"""
    plain, total, few = len(load_emoji()[1]), len(training_set().captions), round(RECOLOURED * batch)

    def draw(generator: torch.Generator) -> Tensor:
        return torch.cat(
            [torch.randint(plain, (batch - few,), generator=generator), torch.randint(plain, total, (few,), generator=generator)]
        )

    return draw


def trained(folder: Path = SHIPPED) -> EmojiDiffusion:
    """Return the model with its trained weights."""
    model = EmojiDiffusion()
    model.load_state_dict(load_weights(NAME, folder))
    return model.eval()


def sample(config: SamplingConfig) -> Tensor:
    """Sample the prompts in turn, which are separated by commas. # (n, 3, SIDE, SIDE)"""
    prompts = [prompt.strip() for prompt in (config.prompt or ", ".join(SHOWN)).split(",")]
    ids = tokens([prompts[k % len(prompts)] for k in range(config.n)])
    model = trained(config.weights)
    return sample_images(model, ids, decoding(config, model))


def sample_latents(model: EmojiDiffusion, ids: Tensor, config: SamplingConfig) -> Tensor:
    """Sample latents of unit variance for each row of tokens (N, LENGTH). # (N, *LATENT)"""
    w = W if config.w is None else config.w
    eps_model = guided(model, ALPHA_BARS, VelocityLoss.predicts, {"ids": ids}, {"ids": torch.zeros_like(ids)}, w)
    return run_sampler(config, eps_model, (len(ids), *LATENT), BETAS, clip=None, steps=STEPS)


@torch.no_grad()
def sample_images(model: EmojiDiffusion, ids: Tensor, config: SamplingConfig) -> Tensor:
    """Sample one image for each row of tokens (N, LENGTH); the config's own prompt and n are ignored, and a callback sees latents."""
    return model.to_images(sample_latents(model, ids, config))
