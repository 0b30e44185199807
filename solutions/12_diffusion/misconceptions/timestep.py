"""Known misconceptions about timestep.py: the code that a student with each of them would write, and the sentence that corrects it."""

import torch
from torch import nn

from autograder.api import misconception

# ---- timestep_embedding


def _waves(t, dim, powers, max_period):
    return t.float()[:, None] * max_period**-powers, dim


def _powers(dim):
    return torch.arange(dim // 2) / (dim // 2)


def _powers_of_ddpm(dim):
    return torch.arange(dim // 2) / max(dim // 2 - 1, 1)


@misconception(of="timestep_embedding", section="reverse-direction", card="timestep-told")
def sines_first(t, dim, max_period=10000):
    """You put the sines first. Some implementations do, and a network can learn from either; here the cosines come first."""
    angles, _ = _waves(t, dim, _powers(dim), max_period)
    return torch.cat([angles.sin(), angles.cos()], dim=1)


@misconception(of="timestep_embedding", section="reverse-direction", card="timestep-told")
def cosines_and_sines_in_turn(t, dim, max_period=10000):
    """You alternated cosines and sines. Here all cosines come first, then all sines."""
    angles, _ = _waves(t, dim, _powers(dim), max_period)
    return torch.stack([angles.cos(), angles.sin()], dim=2).flatten(1)


@misconception(of="timestep_embedding", section="reverse-direction", card="timestep-told")
def divided_by_half_minus_one(t, dim, max_period=10000):
    """You divided k by half − 1, as DDPM's code does. Here it is divided by half: the lowest frequency stays above 1/max_period."""
    angles, _ = _waves(t, dim, _powers_of_ddpm(dim), max_period)
    return torch.cat([angles.cos(), angles.sin()], dim=1)


@misconception(of="timestep_embedding", section="reverse-direction", card="timestep-told")
def divided_by_all_of_dim(t, dim, max_period=10000):
    """You divided k by dim. There are only dim/2 frequencies: divide by half, or the slower half is missing."""
    angles, _ = _waves(t, dim, torch.arange(dim // 2) / dim, max_period)
    return torch.cat([angles.cos(), angles.sin()], dim=1)


@misconception(of="timestep_embedding", section="reverse-direction", card="timestep-told")
def frequencies_upside_down(t, dim, max_period=10000):
    """Your frequencies grow. The fastest is 1 and the others are below it: max_period is raised to a negative power."""
    angles, _ = _waves(t, dim, -_powers(dim), max_period)
    return torch.cat([angles.cos(), angles.sin()], dim=1)


@misconception(of="timestep_embedding", section="reverse-direction", card="timestep-told")
def t_made_small(t, dim, max_period=10000):
    """You divided t by 1000 first. Then even the fastest wave hardly changes from one t to the next: use t itself."""
    angles, _ = _waves(t / 1000, dim, _powers(dim), max_period)
    return torch.cat([angles.cos(), angles.sin()], dim=1)


@misconception(of="timestep_embedding", section="reverse-direction", card="timestep-told")
def max_period_ignored(t, dim, max_period=10000):
    """You hard-coded 10000. That is only the default: use max_period."""
    angles, _ = _waves(t, dim, _powers(dim), 10000)
    return torch.cat([angles.cos(), angles.sin()], dim=1)


@misconception(of="timestep_embedding", section="reverse-direction", card="timestep-told")
def one_wave_for_all(t, dim, max_period=10000):
    """You repeated t itself. A network reads numbers up to 1000 badly: give it waves, from fast to slow."""
    return t.float()[:, None].expand(len(t), dim)


@misconception(of="timestep_embedding", section="reverse-direction", card="timestep-told")
def sines_only(t, dim, max_period=10000):
    """You used sines only, at dim frequencies. There are dim/2 of them, each with a cosine and a sine."""
    angles, _ = _waves(t, dim, torch.arange(dim) / dim, max_period)
    return angles.sin()


@misconception(of="timestep_embedding", section="reverse-direction", card="timestep-told")
def embedding_of_ddpms_code(t, dim, max_period=10000):
    """This is the embedding of DDPM's code: sines first, k divided by half − 1. Here the cosines come first, and k is divided by half."""
    angles, _ = _waves(t, dim, _powers_of_ddpm(dim), max_period)
    return torch.cat([angles.sin(), angles.cos()], dim=1)


@misconception(of="timestep_embedding", section="reverse-direction", card="timestep-told")
def embedding_of_ddpms_code_for_10000(t, dim, max_period=10000):
    """This is the embedding of DDPM's code: sines first, k divided by half − 1, and always 10000. Here the cosines come first, k is divided
    by half, and max_period is given."""
    return embedding_of_ddpms_code(t, dim, 10000)


@misconception(of="timestep_embedding", section="reverse-direction", card="timestep-told")
def embedding_of_the_transformer(t, dim, max_period=10000):
    """This is the Transformer's code for positions, where sines and cosines alternate. Here all cosines come first, then all sines."""
    angles, _ = _waves(t, dim, _powers(dim), max_period)
    return torch.stack([angles.sin(), angles.cos()], dim=2).flatten(1)


@misconception(of="timestep_embedding", section="reverse-direction", card="timestep-told")
def embedding_of_the_transformer_for_10000(t, dim, max_period=10000):
    """This is the Transformer's code for positions: sines and cosines alternate, and 10000 is fixed. Here all cosines come first, then all
    sines, and max_period is given."""
    return embedding_of_the_transformer(t, dim, 10000)


# ---- ConditionedBlock


class _Block(nn.Module):
    """A plain block; `shift` transforms the embedding's contribution to each channel. # (B, channels)"""

    def __init__(self, channels, dim, shift):
        super().__init__()
        self.conv, self.told, self.shift = nn.Conv2d(channels, channels, 3, padding=1), nn.Linear(dim, channels), shift

    def forward(self, x, emb):
        return x + torch.tanh(self.conv(x) + self.shift(self.told(emb))[:, :, None, None])


@misconception(of="ConditionedBlock", section="reverse-direction", card="timestep-told")
def embedding_ignored(channels, dim):
    """Your block does not use the embedding. One set of weights serves all noise levels: tell it which one this is."""
    return _Block(channels, dim, torch.zeros_like)


@misconception(of="ConditionedBlock", section="reverse-direction", card="batch-of-steps")
def embedding_of_the_whole_batch(channels, dim):
    """Your block mixes the embeddings of the batch. Each sample has its own t, and must get only its own embedding."""
    return _Block(channels, dim, lambda told: told.mean(0, keepdim=True))


@misconception(of="ConditionedBlock", section="reverse-direction", card="batch-of-steps")
def embedding_of_the_first_sample(channels, dim):
    """Your block uses the first embedding for every sample. Give it the shape (B, channels, 1, 1), one row per sample."""
    return _Block(channels, dim, lambda told: told[:1])
