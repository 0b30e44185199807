"""The models that a page draws with: what it has to know of each, whether Python samples (`live`) or the page does (`onnx_export`)."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from solutions.diffusion.errors import InvalidRequest
from solutions.diffusion.interface import SamplingConfig
from solutions.diffusion.store import SHIPPED


@dataclass(frozen=True)
class Drawing:
    """A network, and how it is sampled: from noise of `shape`, under the cosine schedule.

    `condition` is the argument that takes what `read` makes of a prompt for n images: labels (n,), or the tokens of words (n, L).
    """

    network: nn.Module
    sample: Callable[[Any, Tensor, SamplingConfig], Tensor]
    read: Callable[[str, int], Tensor]
    condition: str
    words: tuple[str, ...]  # in the order of their tokens
    first: int  # the first word's token
    null: int  # the token that stands for no condition
    shape: tuple[int, int, int]
    predicts: str
    clip: float | None = 1.0
    images: int = 4  # how many are drawn at once
    decode: Callable[[Tensor], Tensor] | None = None  # from latents to images


def drawing(name: str, folder: Path = SHIPPED) -> Drawing:
    """Return the drawing called `name`, with its weights from `folder`."""
    if name not in DRAWINGS:
        raise InvalidRequest(f"unknown model `{name[:40]}`: choose from {', '.join(there(folder))}")
    return _loaded(name, folder)


def there(folder: Path = SHIPPED) -> list[str]:
    """Return the names of the drawings whose weights are in `folder`."""
    return [name for name in DRAWINGS if (folder / f"{name}.safetensors").exists()]


@cache
def _loaded(name: str, folder: Path) -> Drawing:
    return DRAWINGS[name](folder)


def words_of(drawn: Drawing, condition: Tensor) -> list[str]:
    """Return the words of a prompt's tokens, (L,), or of none if it is a label, ()."""
    return [drawn.words[token - drawn.first] for token in condition.tolist() if token != drawn.null] if condition.dim() else []


def _fashion(folder: Path) -> Drawing:
    from solutions.diffusion.data import CLASSES
    from solutions.diffusion.models import fashion

    network, words = fashion.trained(folder), tuple(CLASSES)
    return Drawing(network, fashion.sample_images, fashion.labels_for, "labels", words, 0, fashion.NULL, (1, 16, 16), "v")


def _shapes(folder: Path) -> Drawing:
    from solutions.diffusion.models import captioned
    from solutions.diffusion.models.text import WORDS, tokens

    def read(prompt: str, n: int) -> Tensor:
        return tokens([prompt or captioned.DEFAULT_PROMPT]).repeat(n, 1)

    network, side = captioned.trained(SamplingConfig(weights=folder)), captioned.SIZE
    return Drawing(network, captioned.sample_images, read, "ids", WORDS, 1, 0, (3, side, side), "x0", images=2)


def _emoji(folder: Path) -> Drawing:
    from solutions.diffusion.models.emoji.model import trained

    return of_emoji(trained(folder))


def of_emoji(network: Any) -> Drawing:
    """Return the drawing of a model of emoji."""
    from solutions.diffusion.models.emoji import model
    from solutions.diffusion.models.emoji.text import tokens, vocabulary

    def read(prompt: str, n: int) -> Tensor:
        return tokens([prompt or model.SHOWN[0]]).repeat(n, 1)

    return Drawing(
        network, model.sample_images, read, "ids", tuple(vocabulary()), 1, 0, model.LATENT, "v", None, 2, network.to_images
    )


DRAWINGS = {"emoji": _emoji, "fashion": _fashion, "shapes": _shapes}
