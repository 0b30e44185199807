"""Text to image: what the network is conditioned on, and what a caption changes in an image."""

import dataclasses
from functools import partial
from pathlib import Path

import pytest
import torch

from solutions.diffusion.checker import adherence
from solutions.diffusion.interface import InvalidRequest, SamplingConfig, TrainingOptions
from solutions.diffusion.models import captioned
from solutions.diffusion.models.captioned import TextUNet, draw_batch, sample_images
from solutions.diffusion.models.text import LENGTH, VOCABULARY, parse, tokens
from solutions.diffusion.prompt_adherence import adherence_shares, captions_by_kind
from solutions.diffusion.shapes import UNSEEN
from solutions.diffusion.store import load_weights, save_weights, weights_metadata


def small() -> TextUNet:
    torch.manual_seed(0)
    model = TextUNet(text_width=16, channels=(16,), attend=(True,), patch=4, emb_dim=16)
    for parameter in model.parameters():  # no zeros left, so that every layer has an effect
        parameter.data += 0.1 * torch.randn_like(parameter)
    return model.eval()


def test_batch_shows_what_its_captions_say() -> None:
    """Two of five show one object; the checker finds all of them right; the same generator gives the same batch."""
    images, ids = draw_batch(torch.Generator().manual_seed(0), 20)
    scenes = [parse(" ".join(VOCABULARY[i] for i in row).strip()) for row in ids]
    assert [len(scene.objects) for scene in scenes] == [1, 1, 2, 2, 2] * 4
    assert adherence(images, scenes)["all"] == 1
    assert torch.equal(images, draw_batch(torch.Generator().manual_seed(0), 20)[0])


def test_order_of_words_changes_the_prediction() -> None:
    """`red circle above blue square` and `blue square above red circle` have the same words; the network distinguishes them."""
    model, x = small(), torch.randn(1, 3, 32, 32).repeat(2, 1, 1, 1)
    ids = tokens(["a red circle above a blue square", "a blue square above a red circle"])
    one, other = model(x, torch.tensor([900, 900]), ids=ids)
    assert (one - other).abs().max() > 1e-4


def test_guidance_of_0_forgets_the_caption() -> None:
    """w = 0: any caption gives the image of the null caption; w = 1: it gives its own."""
    model = small()
    ids = tokens(["a red circle"])
    nothing = sample_images(model, torch.zeros_like(ids), SamplingConfig(steps=2, w=1))
    torch.testing.assert_close(sample_images(model, ids, SamplingConfig(steps=2, w=0)), nothing)
    assert not torch.allclose(sample_images(model, ids, SamplingConfig(steps=2, w=1)), nothing)


def test_captions_by_kind_have_one_object_held_out_objects_and_two() -> None:
    """Held-out objects appear only among the unseen."""
    asked = captions_by_kind(20)
    assert [len(asked[kind][0].objects) for kind in ("one", "unseen", "two")] == [1, 1, 2]
    assert {scene.objects[0] for scene in asked["unseen"]} == set(UNSEEN)
    assert not {item for kind in ("one", "two") for scene in asked[kind] for item in scene.objects} & UNSEEN


def test_adherence_shares_has_each_attribute() -> None:
    """An untrained network draws nothing right."""
    shares = adherence_shares(partial(sample_images, small()), captions_by_kind(4)["two"], SamplingConfig(steps=1))
    assert set(shares) == {"count", "colour", "shape", "size", "relation", "all"}
    assert shares["all"] == 0


def test_unknown_word_is_refused_before_weights_are_read() -> None:
    """The prompt is parsed first."""
    with pytest.raises(InvalidRequest, match="unknown word `hexagon`; choose from a, small"):
        captioned.sample(SamplingConfig(prompt="a red hexagon"))
    assert tokens([captioned.DEFAULT_PROMPT]).shape == (1, LENGTH)


def test_t_is_drawn_from_where_a_run_learns() -> None:
    """The arrangement: the last 20 t. Both: every second t from the last tenth, so a share of 0.55 above it, within five standard errors."""
    rng = torch.Generator().manual_seed(0)
    names, steps, draws, *_ = zip(*captioned.RUNS, strict=True)
    first, order, both, last = (draw(rng, 20_000) for draw in draws)
    assert names[-1] == captioned.NAME
    assert sum(steps) == captioned.CONFIG.steps
    assert (first.min(), first.max()) == (last.min(), last.max()) == (1, captioned.T)
    assert (order.min(), order.max()) == (captioned.T - 20, captioned.T)
    assert (both >= 900).double().mean().item() == pytest.approx(0.55, abs=5 * 0.5 / 20_000**0.5)
    assert (both.min(), both[::2].min()) == (1, 900)


def test_earlier_runs_are_recorded_and_not_trained_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four runs of one step each. If the third run's weights in the folder are doubled, the last run ends with doubled weights."""
    monkeypatch.setattr(captioned, "RUNS", tuple((name, 1, *rest) for name, _, *rest in captioned.RUNS))
    monkeypatch.setattr(captioned, "CONFIG", dataclasses.replace(captioned.CONFIG, steps=4))
    monkeypatch.setattr(captioned, "build", small)
    monkeypatch.setattr(captioned, "measure", lambda *_: {"asked": 1})
    training = TrainingOptions(out=tmp_path, checkpoints=tmp_path)
    captioned.train(training)
    once, about = load_weights("shapes", tmp_path), weights_metadata("shapes", tmp_path)
    assert about["previous_runs"] == {"shapes-first": 1, "shapes-order": 1, "shapes-both": 1}
    assert about["metrics"] == {"asked": 1}
    third = {name: 2 * value for name, value in load_weights("shapes-both", tmp_path).items()}
    save_weights("shapes-both", third, {"steps": 7}, tmp_path)
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.glob("shapes-*")}
    captioned.train(training)
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert weights_metadata("shapes", tmp_path)["previous_runs"]["shapes-both"] == 7
    for name, value in load_weights("shapes", tmp_path).items():
        assert (value.norm() / once[name].norm()).item() == pytest.approx(2, rel=0.02)  # up to a step of 1.5e-5 and 8 bits
