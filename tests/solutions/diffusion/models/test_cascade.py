"""The cascade: noise augmentation against its closed form, and what each stage is conditioned on."""

import pytest
import torch

from solutions.diffusion.interface import SamplingConfig
from solutions.diffusion.models.captioned import draw_batch
from solutions.diffusion.models.cascade import (
    ALPHA_BARS,
    AUGMENTATION,
    MAX_AUGMENTATION,
    SIZE,
    SMALL,
    Cascade,
    augment,
    sample_images,
    shrink,
)
from solutions.diffusion.models.text import tokens


def lively() -> Cascade:
    torch.manual_seed(0)
    model = Cascade()
    for parameter in model.parameters():  # no zeros left, so that every layer has an effect
        parameter.data += 0.05 * torch.randn_like(parameter)
    return model.eval()


def test_augmentation_has_the_mean_and_variance_of_the_forward_process() -> None:
    """√ᾱ_s of the image and 1 − ᾱ_s of noise, over 100,000 pixels, within five standard errors."""
    small = torch.full((2000, 1, 8, 8), 0.8)
    noised = augment(small, torch.full((2000,), AUGMENTATION), torch.Generator().manual_seed(0))
    a = ALPHA_BARS[AUGMENTATION]
    n = small.numel()
    assert noised.mean().item() == pytest.approx(0.8 * a**0.5, abs=5 * ((1 - a) / n) ** 0.5)
    assert noised.var().item() == pytest.approx(1 - a, rel=5 * (2 / n) ** 0.5)


def test_augmentation_of_0_changes_nothing() -> None:
    """ᾱ_0 = 1."""
    small = torch.rand(3, 3, SMALL, SMALL)
    assert torch.equal(augment(small, torch.zeros(3, dtype=torch.long), torch.Generator()), small)


def test_sampling_augments_as_training_did() -> None:
    """At most the noise level seen in training."""
    assert 0 < AUGMENTATION <= MAX_AUGMENTATION


def test_small_images_are_averages_of_the_large() -> None:
    """A checkerboard of single pixels averages to grey; a colour of 4 x 4 pixels stays."""
    board = (torch.arange(SIZE)[:, None] + torch.arange(SIZE)) % 2 * 2.0 - 1
    assert shrink(board.expand(1, 3, SIZE, SIZE)).abs().max() == 0
    images = draw_batch(torch.Generator().manual_seed(0), 2)[0]
    assert shrink(images).shape == (2, 3, SMALL, SMALL)
    torch.testing.assert_close(shrink(images).mean(), images.mean())


def test_second_stage_follows_the_small_image_and_its_noise() -> None:
    """Another small image, or another s, gives another prediction."""
    model = lively()
    words = model.text(tokens(["a red circle"]))
    x, t, s = torch.randn(1, 3, SIZE, SIZE), torch.tensor([500]), torch.tensor([100])
    small = torch.rand(1, 3, SMALL, SMALL)
    first = model.super_resolution(x, t, words=words, small=small, s=s)
    assert (first - model.super_resolution(x, t, words=words, small=-small, s=s)).abs().max() > 1e-3
    assert (first - model.super_resolution(x, t, words=words, small=small, s=s + 400)).abs().max() > 1e-3


def test_text_encoder_is_frozen() -> None:
    """Only the two U-Nets are trained."""
    model = Cascade()
    assert not any(parameter.requires_grad for parameter in model.text.parameters())
    assert all(parameter.requires_grad for stage in (model.base, model.super_resolution) for parameter in stage.parameters())


def test_images_follow_their_seed_and_come_out_large() -> None:
    """8 px are sampled first, then 32."""
    seen = []
    config = SamplingConfig(steps=2, seed=3, callback=lambda t, x, x0: seen.append(tuple(x.shape[-2:])))
    model, ids = lively(), tokens(["a red circle", "a blue square"])
    images = sample_images(model, ids, config)
    assert images.shape == (2, 3, SIZE, SIZE)
    assert torch.equal(images, sample_images(model, ids, config))
    assert seen[:4] == [(SMALL, SMALL)] * 2 + [(SIZE, SIZE)] * 2
