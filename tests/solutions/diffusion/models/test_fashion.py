"""The demo model as shipped: does it draw what is requested?"""

import json

import pytest
import torch

from solutions.diffusion.data import CLASSES
from solutions.diffusion.interface import InvalidRequest, SamplingConfig
from solutions.diffusion.models import fashion
from solutions.diffusion.models.classifier import load_classifier
from solutions.diffusion.store import SHIPPED, load_weights
from solutions.diffusion.trade_offs import std_at_T


@pytest.fixture(scope="module")
def net():
    """The shipped network."""
    return fashion.trained()


def test_it_draws_what_it_is_asked_for(net):
    """Of 40 images in 10 steps, four per class, the classifier assigns at least 32 to the requested class."""
    labels = torch.arange(40) % 10
    images = fashion.sample_images(net, labels, SamplingConfig(seed=1, steps=10))
    assert images.shape == (40, 1, 16, 16)
    assert images.abs().max() <= 1
    assert (load_classifier()(images)[1].argmax(1) == labels).sum() >= 32


def test_where_sampling_starts_the_noise_says_nothing():
    """At T a trained network answers with the mean of the class: over 64 seeds x̂_0 hardly varies."""
    assert std_at_T() < 0.03


def test_same_seed_same_images(net):
    """Identical to the last bit; another seed gives other images."""
    labels = torch.tensor([9, 9])
    once, again, other = (fashion.sample_images(net, labels, SamplingConfig(seed=seed, steps=3)) for seed in (0, 0, 1))
    assert torch.equal(once, again)
    assert not torch.allclose(once, other)


def test_unguided_ends_differ(net):
    """w = 0 doesn't depend on the class, w = 1 does."""
    boot, bag = torch.tensor([9]), torch.tensor([8])
    assert torch.equal(*(fashion.sample_images(net, label, SamplingConfig(w=0.0, steps=2)) for label in (boot, bag)))
    assert not torch.allclose(*(fashion.sample_images(net, label, SamplingConfig(w=1.0, steps=2)) for label in (boot, bag)))


def test_a_prompt_is_a_class_and_no_prompt_is_all():
    """Case and surrounding spaces don't matter."""
    assert fashion.labels_for(" Ankle boot ", 3).tolist() == [9, 9, 9]
    assert fashion.labels_for(None, 12).tolist() == [*range(10), 0, 1]


def test_an_unknown_prompt_is_refused():
    """The message names all ten classes."""
    with pytest.raises(InvalidRequest) as error:
        fashion.labels_for("sock", 1)
    assert str(error.value) == f"unknown class `sock`: choose from {', '.join(CLASSES)}"


def test_every_shipped_weight_says_how_it_was_made():
    """Next to each weights file is a .json with its command and metrics; all weights together take at most 24 MB."""
    files = sorted(SHIPPED.glob("*.safetensors"))
    assert {"classifier", "fashion"} <= {file.stem for file in files}
    for file in files:
        about = json.loads(file.with_suffix(".json").read_text(encoding="utf-8"))
        assert about["command"].startswith(f"python -m solutions.diffusion train {file.stem.partition('-')[0]}")
        assert about["config"]
        assert about["metrics"]
    assert sum(file.stat().st_size for file in files) <= 24_000_000


def test_missing_weights_name_the_command_that_makes_them(tmp_path):
    """Full text."""
    with pytest.raises(FileNotFoundError) as error:
        load_weights("fashion", tmp_path)
    assert (
        str(error.value)
        == f"{tmp_path}/fashion.safetensors is missing; make it with: python -m solutions.diffusion train fashion --out {tmp_path}"
    )
