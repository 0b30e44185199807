"""The U-Net: from a noisy image, its noise level (t) and a condition to a prediction of the same shape.

There are four kinds of condition: `labels` (one class each), `context` (tokens, by cross-attention), `vector` (one embedding each) and
`extra` (an image, as additional input channels). The network knows no noise schedule, nor whether it predicts ε, x_0 or v.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def timestep_embedding(t: Tensor, dim: int) -> Tensor:
    """Return cosines and sines of t at dim/2 frequencies from 1 to 1/10000 (Vaswani et al. 2017, section 3.5)."""
    frequencies = torch.exp(-math.log(10_000) * torch.arange(dim // 2, device=t.device) / (dim // 2))  # (dim/2,)
    angles = t.float()[:, None] * frequencies  # (B, dim/2)
    return torch.cat([angles.cos(), angles.sin()], dim=1)  # (B, dim)


def attention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None) -> Tensor:
    """Return softmax(q·kᵀ / √d)·v (Vaswani et al. 2017, eq. 1). # q: (..., N, d), k and v: (..., M, d), mask: (..., N, M), True = attend"""
    return attention_weights(q, k, mask) @ v  # (..., N, d)


def attention_weights(q: Tensor, k: Tensor, mask: Tensor | None = None) -> Tensor:
    """Return how much each query attends to each of the M keys: positive, with sum 1. # (..., N, M)"""
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    return scores.softmax(dim=-1)


class Attention(nn.Module):
    """Let the positions of an image attend to each other, or to the tokens of a context; the result is added to the image."""

    def __init__(self, channels: int, context_dim: int | None = None, heads: int = 4):
        super().__init__()
        self.heads = heads
        self.norm = nn.GroupNorm(8, channels)
        self.to_q = nn.Linear(channels, channels)
        self.to_kv = nn.Linear(context_dim or channels, 2 * channels)
        self.out = _zero(nn.Linear(channels, channels))

    def forward(self, x: Tensor, context: Tensor | None = None, mask: Tensor | None = None) -> Tensor:
        """Return x plus the attention output. # x: (B, C, H, W), context: (B, M, D), mask: (B, M), True = a real token"""
        q, k, v = self._project(x, context)
        seen = attention(q, k, v, None if mask is None else mask[:, None, None, :])
        change: Tensor = self.out(seen.transpose(1, 2).flatten(2))  # (B, H·W, C)
        return x + change.transpose(1, 2).reshape(x.shape)

    def maps(self, x: Tensor, context: Tensor) -> Tensor:
        """Return how much each place attends to each token, as an image for each token: the mean of the heads. # (B, M, H, W)"""
        q, k, _ = self._project(x, context)
        weights = attention_weights(q, k).mean(dim=1)  # (B, H·W, M)
        return weights.transpose(1, 2).reshape(-1, context.shape[1], *x.shape[2:])

    def _project(self, x: Tensor, context: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        places = self.norm(x).flatten(2).transpose(1, 2)  # (B, H·W, C)
        k, v = self.to_kv(places if context is None else context).chunk(2, dim=-1)
        return self._split(self.to_q(places)), self._split(k), self._split(v)  # (B, heads, N or M, C/heads)

    def _split(self, x: Tensor) -> Tensor:
        return x.view(*x.shape[:2], self.heads, -1).transpose(1, 2)  # (B, N, C) -> (B, heads, N, C/heads)


class ResBlock(nn.Module):
    """Two convolutions around a scale and shift computed from the embedding (Dhariwal & Nichol 2021, section 3, AdaGN)."""

    def __init__(self, c_in: int, c_out: int, emb_dim: int):
        super().__init__()
        self.norm1, self.conv1 = nn.GroupNorm(8, c_in), nn.Conv2d(c_in, c_out, 3, padding=1)
        self.to_scale_shift = nn.Linear(emb_dim, 2 * c_out)
        self.norm2, self.conv2 = nn.GroupNorm(8, c_out), _zero(nn.Conv2d(c_out, c_out, 3, padding=1))
        self.skip = nn.Conv2d(c_in, c_out, 1) if c_in != c_out else nn.Identity()

    def forward(self, x: Tensor, emb: Tensor) -> Tensor:
        """Return the transformed image. # x: (B, c_in, H, W), emb: (B, emb_dim) -> (B, c_out, H, W)"""
        h = self.conv1(F.silu(self.norm1(x)))
        scale, shift = self.to_scale_shift(F.silu(emb))[:, :, None, None].chunk(2, dim=1)  # (B, c_out, 1, 1) each
        h = self.conv2(F.silu(self.norm2(h) * (1 + scale) + shift))
        return self.skip(x) + h  # type: ignore[no-any-return]


class Stage(nn.Module):
    """One stage of the down or up path: a ResBlock and, optionally, self- and cross-attention."""

    def __init__(self, c_in: int, c_out: int, emb_dim: int, attend: bool, context_dim: int | None):
        super().__init__()
        self.res = ResBlock(c_in, c_out, emb_dim)
        self.self_attention = Attention(c_out) if attend else None
        self.cross_attention = Attention(c_out, context_dim) if attend and context_dim else None

    def forward(self, x: Tensor, emb: Tensor, context: Tensor | None, mask: Tensor | None) -> Tensor:
        """Return the transformed image. # (B, c_in, H, W) -> (B, c_out, H, W)"""
        x = self.res(x, emb)
        if self.self_attention:
            x = self.self_attention(x)
        if self.cross_attention:
            x = self.cross_attention(x, context, mask)
        return x


class Downsample(nn.Conv2d):
    """Halve the resolution. # (B, C, H, W) -> (B, C, H/2, W/2)"""

    def forward(self, x: Tensor, *_: Tensor | None) -> Tensor:
        return super().forward(x)


class Upsample(nn.Conv2d):
    """Double the resolution. # (B, C, H, W) -> (B, C, 2·H, 2·W)"""

    def forward(self, x: Tensor, *_: Tensor | None) -> Tensor:
        return super().forward(F.interpolate(x, scale_factor=2.0, mode="nearest"))


class UNet(nn.Module):
    """Predict a tensor of x_t's shape from x_t and t (Ronneberger et al. 2015; Ho et al. 2020, appendix B).

    channels      width of each level, finest first, multiples of 8; each level halves the resolution of the one before
    attend        which levels have attention (the middle always has)
    blocks        stages per level on the way down; there is one more on the way up
    patch         side of the squares of pixels that are folded into channels first; 2 makes everything about four times cheaper
    num_classes   allows `labels`, (B,); the label `num_classes` means "no class", and so does None
    context_dim   requires `context`, (B, M, context_dim), and allows a `mask` (B, M), True = a real token
    vector_dim    requires `vector`, (B, vector_dim): an embedding, or the `timestep_embedding` of another t
    extra_channels  requires `extra`, (B, extra_channels, H, W), concatenated to x_t
    """

    def __init__(
        self,
        in_channels: int,
        channels: Sequence[int] = (32, 64),
        *,
        attend: Sequence[bool] = (False, True),
        blocks: int = 1,
        patch: int = 1,
        emb_dim: int = 128,
        num_classes: int | None = None,
        context_dim: int | None = None,
        vector_dim: int | None = None,
        extra_channels: int = 0,
    ):
        super().__init__()
        self.emb_dim, self.patch, self.num_classes = emb_dim, patch, num_classes
        self.time = nn.Sequential(nn.Linear(emb_dim, emb_dim), nn.SiLU(), nn.Linear(emb_dim, emb_dim))
        self.label = nn.Embedding(num_classes + 1, emb_dim) if num_classes is not None else None
        self.vector = nn.Linear(vector_dim, emb_dim) if vector_dim else None
        self.conv_in = nn.Conv2d((in_channels + extra_channels) * patch**2, channels[0], 3, padding=1)

        self.down, width, skips = nn.ModuleList(), channels[0], [channels[0]]
        for level, c in enumerate(channels):
            if level:
                self.down.append(Downsample(width, width, 3, stride=2, padding=1))
                skips.append(width)
            for _ in range(blocks):
                self.down.append(Stage(width, c, emb_dim, attend[level], context_dim))
                width = c
                skips.append(width)

        self.middle1 = Stage(width, width, emb_dim, True, context_dim)
        self.middle2 = ResBlock(width, width, emb_dim)

        self.up = nn.ModuleList()
        for level, c in reversed(list(enumerate(channels))):
            for _ in range(blocks + 1):
                self.up.append(Stage(width + skips.pop(), c, emb_dim, attend[level], context_dim))
                width = c
            if level:
                self.up.append(Upsample(width, width, 3, padding=1))
        self.out = nn.Sequential(nn.GroupNorm(8, width), nn.SiLU(), _zero(nn.Conv2d(width, in_channels * patch**2, 3, padding=1)))

    def forward(
        self,
        x: Tensor,
        t: Tensor,
        *,
        labels: Tensor | None = None,
        context: Tensor | None = None,
        mask: Tensor | None = None,
        vector: Tensor | None = None,
        extra: Tensor | None = None,
    ) -> Tensor:
        """Return the prediction. # x: (B, C, H, W), t: (B,) -> (B, C, H, W)"""
        emb = self._embed(t, labels, vector)  # (B, emb_dim)
        x = x if extra is None else torch.cat([x, extra], dim=1)
        x = self.conv_in(F.pixel_unshuffle(x, self.patch))  # (B, channels[0], H/patch, W/patch)
        skips = [x]
        for layer in self.down:
            x = layer(x, emb, context, mask)
            skips.append(x)
        x = self.middle2(self.middle1(x, emb, context, mask), emb)
        for layer in self.up:
            x = torch.cat([x, skips.pop()], dim=1) if isinstance(layer, Stage) else x
            x = layer(x, emb, context, mask)
        return F.pixel_shuffle(self.out(x), self.patch)

    def _embed(self, t: Tensor, labels: Tensor | None, vector: Tensor | None) -> Tensor:
        emb = self.time(timestep_embedding(t, self.emb_dim).to(self.conv_in.weight.dtype))
        if self.label is not None:
            emb = emb + self.label(torch.full_like(t, self.num_classes or 0) if labels is None else labels)
        if self.vector is not None:
            emb = emb + self.vector(vector)
        return emb  # type: ignore[no-any-return]


def _zero(module: nn.Module) -> nn.Module:
    """Initialise a layer to zero, so that it contributes nothing at first."""
    for parameter in module.parameters():
        nn.init.zeros_(parameter)
    return module
