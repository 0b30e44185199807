"""The emoji model: its parts, what each is trained on, and that words reach the image."""

import dataclasses
import math
from pathlib import Path

import pytest
import torch

from solutions.diffusion.interface import SamplingConfig, TrainingOptions
from solutions.diffusion.models.emoji import classifier as classifier_module
from solutions.diffusion.models.emoji import model as model_module
from solutions.diffusion.models.emoji.classifier import EmojiClassifier, augment, load_classifier, perceptual_distance, recognised
from solutions.diffusion.models.emoji.data import Captioned, load_emoji, training_set
from solutions.diffusion.models.emoji.measures import asked, drawn, subset, unseen_shares
from solutions.diffusion.models.emoji.model import (
    LATENT,
    EmojiDiffusion,
    drawn_rows,
    loss_on,
    new_vae,
    sample_images,
    sample_latents,
    trained,
    vae_loss,
)
from solutions.diffusion.models.emoji.text import tokens
from solutions.diffusion.models.latent import decoding
from solutions.diffusion.store import weights_metadata


@pytest.fixture(scope="module")
def few() -> Captioned:
    """Return 24 emoji as they are drawn, and 8 recoloured ones."""
    plain = len(load_emoji()[1])
    return subset(training_set(), torch.cat([torch.arange(24), torch.arange(plain, plain + 8)]))


@pytest.fixture(scope="module")
def untrained() -> EmojiDiffusion:
    """Return the model with random weights and no zeros, so that every layer has an effect."""
    torch.manual_seed(0)
    model = EmojiDiffusion()
    for parameter in model.unet.parameters():
        parameter.data += 0.02 * torch.randn_like(parameter)
    return model.eval()


@pytest.fixture
def classifier() -> EmojiClassifier:
    torch.manual_seed(0)
    return EmojiClassifier(32)


def test_words_and_their_order_reach_the_prediction(untrained: EmojiDiffusion) -> None:
    """Another word gives another v, and so does another order."""
    z, t = torch.randn(1, *LATENT, generator=torch.Generator().manual_seed(0)).repeat(3, 1, 1, 1), torch.tensor([500] * 3)
    red, blue, swapped = untrained(z, t, ids=tokens(["red heart", "blue heart", "heart red"]))
    assert (red - blue).abs().max() > 1e-4
    assert (red - swapped).abs().max() > 1e-4


def test_images_have_full_size_although_only_latents_are_denoised(untrained: EmojiDiffusion) -> None:
    """The callback and the caller get colour images in [-1, 1]."""
    seen = []
    config = SamplingConfig(steps=2, callback=lambda t, x, x0: seen.append((t, tuple(x.shape))))
    images = sample_images(untrained, tokens(["red heart", ""]), decoding(config, untrained))
    assert images.shape == (2, 3, 32, 32)
    assert images.abs().max() <= 1
    assert seen == [(t, (2, 3, 32, 32)) for t in (500, 0)]
    assert sample_latents(untrained, tokens(["red heart"]), config).shape == (1, *LATENT)


def test_guidance_of_0_forgets_the_caption(untrained: EmojiDiffusion) -> None:
    """w = 0: any caption gives the image of the null caption."""
    ids = tokens(["rocket"])
    nothing = sample_images(untrained, torch.zeros_like(ids), SamplingConfig(steps=2, w=1))
    torch.testing.assert_close(sample_images(untrained, ids, SamplingConfig(steps=2, w=0)), nothing)


def test_a_fifth_of_a_batch_is_recoloured() -> None:
    """The others are emoji as they are drawn; the same generator draws the same rows."""
    rows = drawn_rows(60)(torch.Generator().manual_seed(0))
    plain = len(load_emoji()[1])
    assert (rows >= plain).sum() == 12
    assert rows.max() < len(training_set().captions)
    assert torch.equal(rows, drawn_rows(60)(torch.Generator().manual_seed(0)))


def test_the_loss_reaches_the_words_and_leaves_the_autoencoder_alone(few: Captioned) -> None:
    """v of unit variance: an untrained network, whose output is 0, has a loss of about 1."""
    torch.manual_seed(0)
    model = EmojiDiffusion()
    loss = loss_on(model, few)(torch.arange(32), torch.Generator().manual_seed(0))
    assert loss.item() == pytest.approx(1, abs=0.15)
    model.unet.out[-1].weight.data.normal_()  # it starts at zero, and lets no gradient through
    loss_on(model, few)(torch.arange(32), torch.Generator().manual_seed(0)).backward()
    assert model.text.word.weight.grad is not None
    assert all(parameter.grad is None for parameter in model.vae.parameters())


def test_latents_start_from_noise_at_t_of_T() -> None:
    """The schedule leaves less than a thousandth of the signal's standard deviation at T, where sampling starts."""
    assert math.sqrt(model_module.ALPHA_BARS[-1]) < 1e-3


def test_the_vae_learns_from_pixels_and_from_the_classifiers_maps(few: Captioned, classifier: EmojiClassifier) -> None:
    """The loss reaches encoder and decoder; the classifier itself is not trained."""
    classifier.requires_grad_(False)
    vae = new_vae()
    vae_loss(vae, classifier, few.images[:2], torch.Generator().manual_seed(0)).backward()
    assert vae.conv_in[1].weight.grad is not None
    assert vae.out[-2].weight.grad is not None
    assert all(parameter.grad is None for parameter in classifier.parameters())


def test_perceptual_distance_is_0_between_equal_images_and_at_most_4(few: Captioned, classifier: EmojiClassifier) -> None:
    """Two unit vectors are at most 2 apart."""
    one, other = few.images[:4], few.images[4:8]
    assert perceptual_distance(classifier, one, one).item() == 0
    assert 0 < perceptual_distance(classifier, one, other).item() < 4


def test_augmented_emoji_stay_on_white(few: Captioned) -> None:
    """What is shifted in is white, and the same generator gives the same images."""
    moved = augment(torch.ones(4, 3, 32, 32), torch.Generator().manual_seed(0))
    assert moved.mean().item() == pytest.approx(1, abs=0.02)
    assert not torch.equal(augment(few.images, torch.Generator().manual_seed(0)), few.images)
    assert torch.equal(*(augment(few.images, torch.Generator().manual_seed(0)) for _ in range(2)))


def test_recognised_counts_the_most_probable_names(few: Captioned, classifier: EmojiClassifier) -> None:
    """With labels of its own choice, a classifier is always right."""
    chosen = classifier(few.images)[1].argmax(1)
    assert recognised(classifier, few.images, chosen) == 1
    assert recognised(classifier, few.images, chosen + 1) == 0


def test_the_parts_share_the_minutes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half an hour in all, most of it for the U-Net; without minutes, each part takes its own number of steps."""
    given: dict[str, float | None] = {}
    for name in ("train_classifier", "train_vae", "train_unet"):
        monkeypatch.setattr(model_module, name, lambda options, name=name: given.update({name: options.minutes}))
    model_module.train(TrainingOptions(minutes=30, out=tmp_path))
    assert given == {"train_classifier": 3, "train_vae": 4.5, "train_unet": 22.5}
    model_module.train(TrainingOptions(out=tmp_path))
    assert set(given.values()) == {None}


def test_three_parts_are_trained_in_turn_and_none_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, few: Captioned) -> None:
    """Two steps each on 32 images: three files of weights. A second run leaves classifier and VAE as they are and trains the U-Net again."""
    emoji = load_emoji()[1][:24]
    plain = subset(few, torch.arange(24))
    for module in (classifier_module, model_module):
        monkeypatch.setattr(module, "load_emoji", lambda: (plain, emoji))
    monkeypatch.setattr(model_module, "training_set", lambda: few)
    for module, name in ((classifier_module, "CONFIG"), (model_module, "VAE_CONFIG"), (model_module, "CONFIG")):
        monkeypatch.setattr(module, name, dataclasses.replace(getattr(module, name), steps=2, batch=6))
    options = TrainingOptions(out=tmp_path, checkpoints=tmp_path, command="the command")
    model_module.train(options)
    vae = (tmp_path / "emoji-vae.safetensors").read_bytes()
    assert weights_metadata("emoji", tmp_path)["previous_runs"] == {"emoji-classifier": 2, "emoji-vae": 2}
    assert weights_metadata("emoji-vae", tmp_path)["previous_runs"] == {"emoji-classifier": 2}
    assert set(weights_metadata("emoji-classifier", tmp_path)["metrics"]) == {"as drawn", "augmented"}
    assert load_classifier(tmp_path).classes.out_features == 24
    model_module.train(options)
    assert (tmp_path / "emoji-vae.safetensors").read_bytes() == vae
    assert not list(tmp_path.glob("*.pt"))
    assert trained(tmp_path).scale != 1
    prompts = SamplingConfig(prompt="red heart, banana", n=3, steps=1, weights=tmp_path)
    assert model_module.sample(prompts).shape == (3, 3, 32, 32)


def test_it_draws_what_it_is_asked_for_also_in_colours_it_never_saw() -> None:
    """As shipped: of twenty names at least 18 are recognised, and of ten unseen pairs of colour and noun at least 8 are right in both."""
    model, classifier, wanted = trained(), load_classifier(), asked(20, 10)
    assert recognised(classifier, drawn(model, wanted.names, 3.0), wanted.names.emoji) >= 0.9
    assert unseen_shares(classifier, drawn(model, wanted.pairs, 3.0), wanted.pairs)["unseen, both"] >= 0.8
