"""Text as a condition: a caption's words become tokens, and a small transformer encoder lets each word see the others.

The U-Net attends to the encoder's output by cross-attention (`unet.py`). Token 0 stands for nothing: it fills short
captions up, and a caption of it alone is the null condition of classifier-free guidance. The words are those of
`shapes.py`; this file does not know images.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from solutions.diffusion.interface import InvalidRequest
from solutions.diffusion.shapes import COLOURS, RELATIONS, SHAPES, SIZES, Scene, SceneObject

WORDS = ("a", *SIZES, *COLOURS, *SHAPES, *dict.fromkeys(" ".join(RELATIONS).split()))
VOCABULARY = ("", *WORDS)  # token 0 is no word
LENGTH = 10  # words of the longest caption: `a small red circle left of a large blue square`


def tokens(captions: list[str]) -> Tensor:
    """Turn captions into token ids (N, LENGTH); `""` is the null caption. `InvalidRequest` names an unknown word and the known ones."""
    return torch.tensor([_row(caption) for caption in captions]).view(-1, LENGTH)


def _row(caption: str) -> list[int]:
    words = caption.lower().replace(",", " ").split()
    unknown = [word for word in words if word not in WORDS]
    if unknown:
        raise InvalidRequest(f"prompt `{caption}`: unknown word `{unknown[0]}`; known: {', '.join(WORDS)}")
    if len(words) > LENGTH:
        raise InvalidRequest(f"prompt `{caption}`: {len(words)} words, at most {LENGTH}")
    return [VOCABULARY.index(word) for word in words] + [0] * (LENGTH - len(words))


def parse(caption: str) -> Scene:
    """Read a caption back into its scene, the inverse of `str(scene)`; `InvalidRequest` says what a caption looks like."""
    _row(caption)  # names an unknown word first
    for relation in RELATIONS:
        if f" {relation} " in f" {caption.lower()} ":
            first, second = f" {caption.lower()} ".split(f" {relation} ", 1)
            return Scene((_object(first, caption), _object(second, caption)), relation)
    return Scene((_object(caption.lower(), caption),))


def _object(phrase: str, caption: str) -> SceneObject:
    words = phrase.split()
    size = next((word for word in words if word in SIZES), None)
    colour = next((word for word in words if word in COLOURS), None)
    shape = next((word for word in words if word in SHAPES), "")
    item = SceneObject(shape, colour, size)
    if shape and [word for word in words if word != "a"] == [word for word in (size, colour, shape) if word]:
        return item
    raise InvalidRequest(f"prompt `{caption}`: say `a [size] [colour] shape`, and perhaps a relation and another one")


class TextEncoder(nn.Module):
    """A pre-norm transformer encoder (Vaswani et al. 2017; Xiong et al. 2020): ids (B, L) to one vector a word (B, L, D)."""

    def __init__(self, width: int = 64, layers: int = 2, heads: int = 4) -> None:
        super().__init__()
        self.word = nn.Embedding(len(VOCABULARY), width)
        # Of the words' own size (std 1): at the customary 0.02 order is nearly invisible at first, and order is who is above whom.
        self.position = nn.Parameter(torch.randn(LENGTH, width))
        self.blocks = nn.ModuleList(TextBlock(width, heads) for _ in range(layers))
        self.norm = nn.LayerNorm(width)

    def forward(self, ids: Tensor) -> Tensor:
        """Encode ids (B, L) to (B, L, D)."""
        h = self.word(ids) + self.position  # (B, L, D)
        for block in self.blocks:
            h = block(h)
        return self.norm(h)  # type: ignore[no-any-return]


class TextBlock(nn.Module):
    """Self-attention, then a word-wise network, each added to what came in."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, h: Tensor) -> Tensor:
        """Let each word of (B, L, D) look at all words, the empty ones too."""
        B, L, D = h.shape
        q, k, v = self.qkv(self.norm1(h)).view(B, L, 3, self.heads, D // self.heads).permute(2, 0, 3, 1, 4)  # (B, H, L, D/H)
        seen = F.scaled_dot_product_attention(q, k, v)  # (B, H, L, D/H)
        h = h + self.out(seen.transpose(1, 2).reshape(B, L, D))
        return h + self.mlp(self.norm2(h))  # type: ignore[no-any-return]


class TextPooler(nn.Module):
    """A caption as one vector: its words' mean, which forgets their order, and what a small network makes of each word in its place.

    Place and relation together say which item is above, neither alone does. That second part starts by saying nothing.
    """

    def __init__(self, width: int = 64, hidden: int = 256) -> None:
        super().__init__()
        self.hidden, self.out = nn.Linear(LENGTH * width, hidden), nn.Linear(hidden, width)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, words: Tensor) -> Tensor:
        """Sum up encoded words. # (B, LENGTH, D) -> (B, D)"""
        placed: Tensor = self.out(F.silu(self.hidden(words.flatten(1))))
        return words.mean(dim=1) + placed
