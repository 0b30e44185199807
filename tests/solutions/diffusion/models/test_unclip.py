"""unCLIP: the contrastive loss at its extremes, and what each part may know."""

import math

import pytest
import torch

from solutions.diffusion.interface import SamplingConfig
from solutions.diffusion.models.text import tokens
from solutions.diffusion.models.unclip import EMBEDDING, UnClip, contrastive_loss, sample_images


def lively() -> UnClip:
    torch.manual_seed(0)
    model = UnClip()
    for parameter in model.parameters():  # no zeros left, so that every layer has an effect
        parameter.data += 0.05 * torch.randn_like(parameter)
    return model.eval()


def test_pairs_that_point_the_same_way_cost_nothing() -> None:
    """Orthogonal pairs with a large logit scale: each finds its partner."""
    z = torch.eye(4)
    assert contrastive_loss(z, z, torch.tensor(math.log(100))).item() == pytest.approx(0, abs=1e-6)


def test_embeddings_that_say_nothing_cost_the_log_of_the_batch() -> None:
    """All the same: a guess among 4."""
    z = torch.ones(4, 4)
    assert contrastive_loss(z, z, torch.tensor(1.0)).item() == pytest.approx(math.log(4))


def test_swapped_pairs_cost_the_logit_scale() -> None:
    """Each image points at another's caption: the loss is about the logit scale."""
    z = torch.eye(2)
    assert contrastive_loss(z, z.flip(0), torch.tensor(math.log(20))).item() == pytest.approx(20, abs=1e-3)


def test_embeddings_have_one_norm() -> None:
    """√EMBEDDING, so that the entries are of size about 1, as the schedule expects."""
    model = lively()
    for z in (model.clip.encode_images(torch.rand(3, 3, 32, 32)), model.clip.encode_captions(tokens(["a red circle"] * 3))):
        torch.testing.assert_close(z.square().mean(dim=1), torch.ones(3))
        assert z.shape == (3, EMBEDDING)


def test_caption_reaches_the_image_only_through_the_embedding() -> None:
    """The decoder sees no words, and yet another caption gives another image."""
    model = lively()
    assert not any("cross_attention" in key for key in model.decoder.state_dict())
    one, other = sample_images(model, tokens(["a red circle", "a large blue square"]), SamplingConfig(steps=2))
    assert one.shape == (3, 32, 32)
    assert not torch.equal(one, other)


def test_images_follow_their_seed() -> None:
    """Prior and decoder draw from the config's seed."""
    model, ids = lively(), tokens(["a red circle"])
    assert torch.equal(
        sample_images(model, ids, SamplingConfig(steps=2, seed=1)), sample_images(model, ids, SamplingConfig(steps=2, seed=1))
    )
    assert not torch.equal(
        sample_images(model, ids, SamplingConfig(steps=2, seed=1)), sample_images(model, ids, SamplingConfig(steps=2, seed=2))
    )
