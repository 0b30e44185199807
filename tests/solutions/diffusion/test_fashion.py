"""The demo model as shipped: what it draws when it is asked."""

import json

import pytest
import torch

from solutions.diffusion import fashion
from solutions.diffusion.classifier import load_classifier
from solutions.diffusion.data import CLASSES
from solutions.diffusion.interface import InvalidRequest, SamplingConfig
from solutions.diffusion.store import SHIPPED, load_weights


@pytest.fixture(scope="module")
def net():
    """The shipped network."""
    return fashion.trained()


def test_it_draws_what_it_is_asked_for(net):
    """Of 40 images, four a class, the classifier takes at least 32 for what was asked, in 10 steps."""
    labels = torch.arange(40) % 10
    images = fashion.draw_with(net, SamplingConfig(seed=1, steps=10), labels)
    assert images.shape == (40, 1, 16, 16)
    assert images.abs().max() <= 1
    assert (load_classifier()(images)[1].argmax(1) == labels).sum() >= 32


def test_same_seed_same_pictures(net):
    """To the last bit, and another seed gives others."""
    labels = torch.tensor([9, 9])
    once, again, other = (fashion.draw_with(net, SamplingConfig(seed=seed, steps=3), labels) for seed in (0, 0, 1))
    assert torch.equal(once, again)
    assert not torch.allclose(once, other)


def test_unguided_ends_differ(net):
    """w = 0 doesn't depend on the class, w = 1 does."""
    boot, bag = torch.tensor([9]), torch.tensor([8])
    assert torch.equal(*(fashion.draw_with(net, SamplingConfig(w=0.0, steps=2), label) for label in (boot, bag)))
    assert not torch.allclose(*(fashion.draw_with(net, SamplingConfig(w=1.0, steps=2), label) for label in (boot, bag)))


def test_a_prompt_is_a_class_and_no_prompt_is_all():
    """Case and spaces around don't matter."""
    assert fashion.wanted(" Ankle boot ", 3).tolist() == [9, 9, 9]
    assert fashion.wanted(None, 12).tolist() == [*range(10), 0, 1]


def test_an_unknown_prompt_is_refused():
    """The message names all ten classes."""
    with pytest.raises(InvalidRequest) as error:
        fashion.wanted("sock", 1)
    assert str(error.value) == f"`sock` is not drawn here: known are {', '.join(CLASSES)}"


def test_every_shipped_weight_says_how_it_was_made():
    """Beside each file of weights lies a .json with its command and figures; all weights together are at most 8 MB."""
    files = sorted(SHIPPED.glob("*.safetensors"))
    assert {"classifier", "fashion"} <= {file.stem for file in files}
    for file in files:
        about = json.loads(file.with_suffix(".json").read_text(encoding="utf-8"))
        assert about["command"].startswith(f"python -m solutions.diffusion train {file.stem}")
        assert about["config"]
        assert about["metrics"]
    assert sum(file.stat().st_size for file in files) <= 8_000_000


def test_missing_weights_name_the_command_that_makes_them(tmp_path):
    """TextPooler text."""
    with pytest.raises(FileNotFoundError) as error:
        load_weights("fashion", tmp_path)
    assert str(error.value) == f"{tmp_path}/fashion.safetensors is missing: python -m solutions.diffusion train fashion --out {tmp_path}"
