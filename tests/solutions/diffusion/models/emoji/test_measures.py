"""The measures of the emoji model: each on images whose answer is known."""

import pytest
import torch

from solutions.diffusion.models.emoji.classifier import EmojiClassifier
from solutions.diffusion.models.emoji.data import load_emoji, recoloured, training_set
from solutions.diffusion.models.emoji.measures import asked, copy_distance, measure, nearest, rms, std_at_T, subset, table, unseen_shares
from solutions.diffusion.models.emoji.model import EmojiDiffusion


class PerfectClassifier(EmojiClassifier):
    """Names an image after the nearest emoji as it is drawn."""

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return logits that are largest for the nearest emoji."""
        return x, -torch.cdist(x.flatten(1), load_emoji()[0].images.flatten(1))


@pytest.fixture(scope="module")
def perfect() -> PerfectClassifier:
    return PerfectClassifier(1)


def test_asked_are_200_names_and_100_held_out_pairs() -> None:
    """None twice, none of the pairs in training, and the same ones each time."""
    wanted = asked()
    assert len(set(wanted.names.captions)) == 200
    assert len(set(wanted.pairs.captions)) == 100
    assert set(wanted.pairs.captions) <= set(recoloured()[1].captions)
    assert not set(wanted.pairs.captions) & set(training_set().captions)
    assert wanted.names.captions == asked().names.captions


def test_true_images_of_held_out_pairs_are_right_in_everything(perfect: PerfectClassifier) -> None:
    """Rotating the hue back gives the emoji as it is drawn."""
    shares = unseen_shares(perfect, (pairs := asked(1, 40).pairs).images, pairs)
    assert shares["unseen, nearest"] == 1
    assert shares["unseen, shape"] >= 0.95
    assert shares["unseen, both"] >= 0.95


def test_an_image_of_the_noun_in_its_own_colour_is_right_in_shape_alone(perfect: PerfectClassifier) -> None:
    """What a model draws that has learned nouns and ignores colours."""
    pairs = asked(1, 40).pairs
    shares = unseen_shares(perfect, load_emoji()[0].images[pairs.emoji], pairs)
    assert shares == {"unseen, colour": 0, "unseen, shape": 1, "unseen, both": 0, "unseen, nearest": 0}


def test_an_image_of_another_noun_in_the_asked_colour_is_right_in_colour_alone(perfect: PerfectClassifier) -> None:
    """The pairs with the red of another noun."""
    unseen = recoloured()[1]
    red = torch.tensor([k for k, caption in enumerate(unseen.captions) if caption.startswith("red ")])
    pairs = subset(unseen, red)
    shares = unseen_shares(perfect, pairs.images.roll(1, 0), pairs)
    assert shares["unseen, colour"] >= 0.95
    assert shares["unseen, shape"] == shares["unseen, both"] == 0


def test_distances_are_root_mean_squares_over_pixels() -> None:
    """Black and white are 2 apart; the nearest of several counts."""
    white, black, grey = torch.ones(1, 3, 4, 4), -torch.ones(1, 3, 4, 4), torch.zeros(1, 3, 4, 4)
    assert rms(white, black).item() == 2
    assert nearest(white, torch.cat([black, grey])).item() == pytest.approx(1)


def test_reconstructions_are_copies_by_definition() -> None:
    """95 of 100 training images are reconstructed within the distance of a copy."""
    torch.manual_seed(0)
    model = EmojiDiffusion().eval()
    model.vae.encode = lambda x: (x, x)  # type: ignore[method-assign,assignment]
    model.vae.decode = lambda z: z + 0.1 * (z < 0)  # type: ignore[method-assign,assignment]
    assert 0 < copy_distance(model) < 0.1


def test_a_network_that_ignores_the_noise_has_no_std_at_T() -> None:
    """v = −x_0, the same for every noise: 0. A network that answers with the noise itself: 1."""
    model = EmojiDiffusion().eval()
    for answer, std in ((lambda z, t, ids: torch.ones_like(z), 0), (lambda z, t, ids: z, 1)):
        model.forward = answer  # type: ignore[method-assign]
        assert std_at_T(model, asked(8, 1).names) == pytest.approx(std, abs=0.05)


def test_the_table_has_a_row_for_each_w_and_for_each_reference(perfect: PerfectClassifier, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a VAE that changes nothing, real images and reconstructions have the same shares, and all are copies."""
    model = EmojiDiffusion().eval()
    model.vae.encode = lambda x: (x, x)  # type: ignore[method-assign,assignment]
    model.vae.decode = lambda z: z  # type: ignore[method-assign,assignment]
    monkeypatch.setattr("solutions.diffusion.models.emoji.measures.drawn", lambda model, data, w: data.images)
    measured = measure(model, perfect, [1.0, 3.0], asked(3, 3))
    rows = table(measured)
    assert [row[0] for row in rows] == ["", "w = 1", "w = 3", "real images", "through the vae", "mirrored"]
    assert rows[0][1:] == list(measured["w = 1"])
    assert measured["real images"] == measured["through the vae"] == measured["w = 1"]
    assert measured["real images"]["names copied"] == 1
    assert measured["captions"] == [3, 3]
