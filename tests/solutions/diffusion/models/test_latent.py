"""Latent diffusion: the scale of the latents, and what the two halves pass to each other."""

from pathlib import Path

import pytest
import torch

from solutions.diffusion.interface import InvalidRequest, SamplingConfig
from solutions.diffusion.models import latent
from solutions.diffusion.models.latent import LATENT, NULL, LatentDiffusion, decoding, measure_latents, sample_images, vae_loss
from solutions.diffusion.models.vae import reparametrise


def model() -> LatentDiffusion:
    torch.manual_seed(0)
    return LatentDiffusion().eval()


def test_divided_by_their_scale_latents_have_unit_variance() -> None:
    """Measured over samples of the posterior, not over its means. Without the scale it is far away."""
    untrained, images = model(), torch.rand(300, 1, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1
    mean, logvar = measure_latents(untrained, images)
    z = reparametrise(mean, logvar, torch.randn(mean.shape, generator=torch.Generator().manual_seed(1))) / untrained.scale
    assert mean.shape == (300, *LATENT)
    assert z.std().item() == pytest.approx(1, abs=0.02)


def test_scale_is_kept_with_the_weights() -> None:
    """It is part of the state dict, so a loaded model decodes with the scale it was trained with."""
    untrained = model()
    untrained.scale.fill_(0.25)
    other = LatentDiffusion()
    other.load_state_dict(untrained.state_dict())
    assert other.scale.item() == 0.25


def test_decoding_undoes_the_scale() -> None:
    """`to_images` of z / scale is the VAE's image of z."""
    untrained, z = model(), torch.randn(2, *LATENT)
    untrained.scale.fill_(0.5)
    assert torch.equal(untrained.to_images(z / 0.5), untrained.vae.decode(z).clamp(-1, 1))


def test_latents_are_denoised_and_whoever_watches_sees_images() -> None:
    """The network is given latents; a callback and the caller get images in [-1, 1], the last of them the same."""
    untrained, given = model(), set()
    untrained.unet.register_forward_hook(lambda _, args, output: given.add((args[0].shape[1:], output.shape[1:])))
    seen: list[tuple[int, torch.Tensor, torch.Tensor]] = []
    config = SamplingConfig(steps=3, callback=lambda t, x, x0: seen.append((t, x, x0)))
    images = sample_images(untrained, torch.tensor([0, NULL]), decoding(config, untrained))
    assert given == {(LATENT, LATENT)}
    assert [t for t, _, _ in seen] == [666, 333, 0]
    assert all(shown.shape == (2, 1, 16, 16) and shown.abs().max() <= 1 for _, *pair in seen for shown in pair)
    assert torch.equal(seen[-1][1], images)


def test_classes_reach_the_image_by_cross_attention() -> None:
    """Another token gives another v, once the last attention layer is not zero."""
    untrained = model()
    for parameter in untrained.unet.parameters():
        parameter.data += 0.05 * torch.randn_like(parameter)
    z, t = torch.randn(1, *LATENT).repeat(2, 1, 1, 1), torch.tensor([500, 500])
    one, other = untrained(z, t, ids=torch.tensor([1, 2]))
    assert (one - other).abs().max() > 1e-4


def test_the_first_half_trains_the_autoencoder_only() -> None:
    """Its loss reaches the encoder and the decoder, and nothing of the diffusion model."""
    untrained = LatentDiffusion()
    vae_loss(untrained.vae, torch.zeros(2, 1, 16, 16), torch.Generator().manual_seed(0)).backward()
    assert untrained.vae.conv_in[1].weight.grad is not None
    assert all(parameter.grad is None for parameter in untrained.unet.parameters())


def test_missing_weights_and_unknown_classes_are_named(tmp_path: Path) -> None:
    """In one line each."""
    with pytest.raises(FileNotFoundError) as missing:
        latent.sample(SamplingConfig(weights=tmp_path))
    path = tmp_path / "latent.safetensors"
    assert str(missing.value) == f"{path} is missing; make it with: python -m solutions.diffusion train latent --out {tmp_path}"
    with pytest.raises(InvalidRequest) as unknown:
        latent.labels_for("hat", 1)
    assert str(unknown.value).startswith("unknown class `hat`: choose from t-shirt, trouser")
