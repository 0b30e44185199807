"""Text conditioning: a caption's words become tokens, and a small transformer encoder lets each word attend to the others.

The U-Net reads the encoder's output by cross-attention (`unet.py`). Token 0 is padding: it fills up short captions, and a
caption of nothing but padding is the null condition of classifier-free guidance. The words are those of `shapes.py`. No
image code here.
"""

import re

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from solutions.diffusion.interface import InvalidRequest
from solutions.diffusion.shapes import COLOURS, RELATIONS, SHAPES, SIZES, Scene, SceneObject

WORDS = ("a", *SIZES, *COLOURS, *SHAPES, *dict.fromkeys(" ".join(RELATIONS).split()))
VOCABULARY = ("", *WORDS)  # token 0 is padding, not a word
LENGTH = 10  # words of the longest caption: `a small red circle left of a large blue square`


def tokens(captions: list[str]) -> Tensor:
    """Turn captions into token ids (N, LENGTH); `""` is the null caption. Raise InvalidRequest for an unknown word."""
    return torch.tensor([_row(caption) for caption in captions]).view(-1, LENGTH)


def words_in(caption: str) -> list[str]:
    """Return the words of a caption, whatever their case and the punctuation around them."""
    return re.findall(r"\w+", caption.lower())


def _row(caption: str) -> list[int]:
    words = words_in(caption)
    unknown = [word for word in words if word not in WORDS]
    if unknown:
        raise InvalidRequest(f"prompt `{caption}`: unknown word `{unknown[0]}`; choose from {', '.join(WORDS)}")
    if len(words) > LENGTH:
        raise InvalidRequest(f"prompt `{caption}`: {len(words)} words, but at most {LENGTH} are allowed")
    return [VOCABULARY.index(word) for word in words] + [0] * (LENGTH - len(words))


def parse(caption: str) -> Scene:
    """Parse a caption into its scene, the inverse of `str(scene)`. Raise InvalidRequest if it has another form."""
    _row(caption)  # reports an unknown word first
    plain = " ".join(words_in(caption))
    for relation in RELATIONS:
        if f" {relation} " in f" {plain} ":
            first, second = f" {plain} ".split(f" {relation} ", 1)
            return Scene((_object(first, caption), _object(second, caption)), relation)
    return Scene((_object(plain, caption),))


def _object(phrase: str, caption: str) -> SceneObject:
    words = phrase.split()
    size = next((word for word in words if word in SIZES), None)
    colour = next((word for word in words if word in COLOURS), None)
    shape = next((word for word in words if word in SHAPES), "")
    item = SceneObject(shape, colour, size)
    if shape and [word for word in words if word != "a"] == [word for word in (size, colour, shape) if word]:
        return item
    raise InvalidRequest(f"prompt `{caption}`: write `a [size] [colour] shape`, optionally followed by a relation and a second object")


class TextEncoder(nn.Module):
    """A pre-norm transformer encoder (Vaswani et al. 2017; Xiong et al. 2020): ids (B, L) to one vector per word (B, L, D)."""

    def __init__(self, width: int = 64, layers: int = 2, heads: int = 4, *, words: int = len(VOCABULARY), length: int = LENGTH) -> None:
        super().__init__()
        self.word = nn.Embedding(words, width)
        # Same scale as the words (std 1): with the usual 0.02, word order is nearly invisible at first, and it decides what is above what.
        self.position = nn.Parameter(torch.randn(length, width))
        self.blocks = nn.ModuleList(TextBlock(width, heads) for _ in range(layers))
        self.norm = nn.LayerNorm(width)

    def forward(self, ids: Tensor) -> Tensor:
        """Encode ids (B, L) to (B, L, D)."""
        h = self.word(ids) + self.position  # (B, L, D)
        for block in self.blocks:
            h = block(h)
        return self.norm(h)  # type: ignore[no-any-return]


class TextBlock(nn.Module):
    """Self-attention, then an MLP applied to each word, both with residual connections."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, h: Tensor) -> Tensor:
        """Let each word of (B, L, D) attend to all words, padding included."""
        B, L, D = h.shape
        q, k, v = self.qkv(self.norm1(h)).view(B, L, 3, self.heads, D // self.heads).permute(2, 0, 3, 1, 4)  # (B, H, L, D/H)
        seen = F.scaled_dot_product_attention(q, k, v)  # (B, H, L, D/H)
        h = h + self.out(seen.transpose(1, 2).reshape(B, L, D))
        return h + self.mlp(self.norm2(h))  # type: ignore[no-any-return]


class TextPooler(nn.Module):
    """Pool a caption into one vector: the mean of its words, which ignores their order, plus an MLP of all words in their places.

    Only position and relation together say which object is above. The MLP's output starts at zero.
    """

    def __init__(self, width: int = 64, hidden: int = 256) -> None:
        super().__init__()
        self.hidden, self.out = nn.Linear(LENGTH * width, hidden), nn.Linear(hidden, width)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, words: Tensor) -> Tensor:
        """Pool encoded words. # (B, LENGTH, D) -> (B, D)"""
        placed: Tensor = self.out(F.silu(self.hidden(words.flatten(1))))
        return words.mean(dim=1) + placed
