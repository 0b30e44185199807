"""A cascade: a base model draws 8 x 8 pixels from a caption, a second one makes 32 x 32 of them (Ho et al. 2021; Saharia et al. 2022).

As in Imagen (the second paper) the text encoder is frozen, ours comes from `captioned.py`, and both stages read the caption. The second
is conditioned on the small picture, enlarged and laid beside x_t. In training the small pictures are true ones, in sampling they are
the base's: so they are noised a little on purpose, and the network is told how much. That is noise augmentation, what lets it mend the
base's faults.
"""

from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from solutions.diffusion.captioned import BETAS, EVERYTHING, SIZE, T, draw_batch
from solutions.diffusion.examine import measure
from solutions.diffusion.forward import noise_to
from solutions.diffusion.guidance import drop_condition, guided
from solutions.diffusion.losses import CleanLoss
from solutions.diffusion.order import Order, Training, follow, train_and_store
from solutions.diffusion.schedules import alpha_bars
from solutions.diffusion.store import load_weights
from solutions.diffusion.text import LENGTH, TextEncoder, Whole, tokens
from solutions.diffusion.train import Config, Turn, diffusion_loss
from solutions.diffusion.unet import UNet, timestep_embedding

NAME, SMALL, WIDTH = "cascade", 8, 64
ALPHA_BARS = alpha_bars(BETAS)
CONFIG = Config(steps=3000, batch=32, lr=1.5e-3)
MOST, AUGMENTED = 600, 200  # the t of noise augmentation: at most in training, and in sampling
TOLD = 32  # width of the embedding of that t


class Base(nn.Module):
    """x̂_0 of the small picture, from the encoded caption."""

    def __init__(self) -> None:
        super().__init__()
        self.unet = UNet(3, (32, 32), attend=(True, True), context_dim=WIDTH, vector_dim=WIDTH)
        self.whole = Whole(WIDTH)

    def forward(self, x: Tensor, t: Tensor, *, words: Tensor) -> Tensor:
        """Predict. # x: (B, 3, SMALL, SMALL), words: (B, LENGTH, WIDTH)"""
        return self.unet(x, t, context=words, vector=self.whole(words))  # type: ignore[no-any-return]


class Enlarge(nn.Module):
    """x̂_0 of the large picture, from the caption, the small picture and how much that was noised."""

    def __init__(self) -> None:
        super().__init__()
        self.unet = UNet(
            3, (32, 32), attend=(True, True), patch=4, context_dim=WIDTH, vector_dim=WIDTH + TOLD, extra_channels=3
        )  # fmt: skip
        self.whole = Whole(WIDTH)

    def forward(self, x: Tensor, t: Tensor, *, words: Tensor, small: Tensor, s: Tensor) -> Tensor:
        """Predict. # x: (B, 3, SIZE, SIZE), small: (B, 3, SMALL, SMALL), noised to s: (B,)"""
        vector = torch.cat([self.whole(words), timestep_embedding(s, TOLD)], dim=1)
        beside = F.interpolate(small, size=x.shape[-2:], mode="nearest")
        return self.unet(x, t, context=words, vector=vector, extra=beside)  # type: ignore[no-any-return]


class Cascade(nn.Module):
    """The frozen text encoder and the two stages."""

    def __init__(self) -> None:
        super().__init__()
        self.text = TextEncoder(WIDTH).requires_grad_(False)
        self.base, self.enlarge = Base(), Enlarge()


def shrink(pictures: Tensor) -> Tensor:
    """Average squares of pixels. # (B, 3, SIZE, SIZE) -> (B, 3, SMALL, SMALL)"""
    return F.avg_pool2d(pictures, SIZE // SMALL)


def augment(small: Tensor, s: Tensor, generator: torch.Generator) -> Tensor:
    """Noise the small pictures to s, 0 for not at all (Ho et al. 2021, section 4). # (B, 3, SMALL, SMALL), s: (B,)"""
    return noise_to(small, s, torch.randn(small.shape, generator=generator), ALPHA_BARS)  # type: ignore[no-any-return]


def train(training: Training) -> None:
    """Train both stages side by side on the same pictures; the text encoder is that of the shipped `shapes`.

    The shipped weights have it as it was after the third run of `captioned` ("before" in their .json).
    """
    torch.manual_seed(CONFIG.seed)
    model, loss, null = Cascade(), CleanLoss(ALPHA_BARS), torch.zeros(LENGTH, dtype=torch.long)
    known = load_weights("shapes").items()
    model.text.load_state_dict({key.removeprefix("text."): value for key, value in known if key.startswith("text.")})

    def base_loss(batch: tuple[Tensor, Tensor], generator: torch.Generator) -> Tensor:
        words = model.text(drop_condition(batch[1], null, 0.1, generator))
        return diffusion_loss(loss, model.base, shrink(batch[0]), generator, words=words)

    def enlarge_loss(batch: tuple[Tensor, Tensor], generator: torch.Generator) -> Tensor:
        words = model.text(drop_condition(batch[1], null, 0.1, generator))
        s = torch.randint(MOST + 1, (len(words),), generator=generator)
        small = augment(shrink(batch[0]), s, generator)
        return diffusion_loss(loss, model.enlarge, batch[0], generator, words=words, small=small, s=s)

    turns = [Turn(list(model.base.parameters()), base_loss), Turn(list(model.enlarge.parameters()), enlarge_loss)]
    draw = partial(draw_batch, batch=CONFIG.batch)
    train_and_store(NAME, model, turns, draw, CONFIG, training, lambda: measure(partial(paint, model), 100, (1, 2)), bits=6)


def sample(order: Order) -> Tensor:
    """Draw what the prompt says, n times. # (n, 3, SIZE, SIZE) in [-1, 1]"""
    ids = tokens([order.prompt or EVERYTHING]).repeat(order.n, 1)
    model = Cascade()
    model.load_state_dict(load_weights(NAME, order.weights))
    return paint(model.eval(), ids, order)


@torch.no_grad()
def paint(model: Cascade, ids: Tensor, order: Order) -> Tensor:
    """Draw one picture for each row of tokens: small, then large. # (N, LENGTH) -> (N, 3, SIZE, SIZE)"""
    words, nothing = model.text(ids), model.text(torch.zeros_like(ids))
    w = 2.0 if order.w is None else order.w
    base = guided(model.base, ALPHA_BARS, CleanLoss.predicts, {"words": words}, {"words": nothing}, w)
    small = follow(order, base, (len(ids), 3, SMALL, SMALL), BETAS)
    s = torch.full((len(ids),), AUGMENTED)
    beside = {"small": augment(small, s, torch.Generator().manual_seed(order.seed + T)), "s": s}
    large = guided(model.enlarge, ALPHA_BARS, CleanLoss.predicts, {"words": words, **beside}, {"words": nothing, **beside}, w)
    return follow(order, large, (len(ids), 3, SIZE, SIZE), BETAS)
