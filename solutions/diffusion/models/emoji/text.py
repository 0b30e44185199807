"""From a caption to tokens: the words of the emoji's names and of the colours. The encoder is the one of the shapes (`..text`).

Token 0 is padding, and a caption of nothing but padding is the null condition of classifier-free guidance.
"""

from difflib import get_close_matches
from functools import cache

import torch
from torch import Tensor

from solutions.diffusion.errors import InvalidRequest
from solutions.diffusion.models.emoji.colours import HUES
from solutions.diffusion.models.emoji.data import load_emoji
from solutions.diffusion.models.text import words_in

LENGTH = 8  # words of the longest name
KINDS = "the names of things and colours, such as cat, rocket, heart, banana, purple"


@cache
def vocabulary() -> dict[str, int]:
    """Return every word and its token, from 1 on."""
    captions = load_emoji()[0].captions
    return {word: token for token, word in enumerate(sorted({*HUES, *" ".join(captions).split()}), start=1)}


def tokens(captions: list[str]) -> Tensor:
    """Turn captions into token ids (N, LENGTH); `""` is the null caption. Raise InvalidRequest for an unknown word."""
    return torch.tensor([_row(caption) for caption in captions]).view(-1, LENGTH)


def _row(caption: str) -> list[int]:
    known, words = vocabulary(), words_in(caption)
    for word in words:
        if word not in known:
            near = ", ".join(get_close_matches(word, known)) or KINDS
            raise InvalidRequest(f"prompt `{caption}`: unknown word `{word}`; choose from {near}")
    if len(words) > LENGTH:
        raise InvalidRequest(f"prompt `{caption}`: {len(words)} words, but at most {LENGTH} are allowed")
    return [known[word] for word in words] + [0] * (LENGTH - len(words))
