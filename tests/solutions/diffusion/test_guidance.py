"""Guidance: its two ends, what the network is called with, and dropped conditions."""

import pytest
import torch

from solutions.diffusion.forward import eps_from_v
from solutions.diffusion.guidance import drop_condition, guide, guided, kept
from solutions.diffusion.schedules import alpha_bars, linear_betas

BARS = alpha_bars(linear_betas(100))
X = torch.randn(2, 1, 2, 2, generator=torch.Generator().manual_seed(0))
ONE, NONE = torch.tensor([1, 1]), torch.tensor([7, 7])


class Recorder(torch.nn.Module):
    """A network that returns the label it is given and records its calls."""

    def __init__(self):
        super().__init__()
        self.asked = []

    def forward(self, x, t, labels=None):
        self.asked.append((len(x), t.tolist(), None if labels is None else labels.tolist()))
        return torch.ones_like(x) * labels.view(-1, 1, 1, 1)


def test_guidance_has_its_known_ends():
    """w = 0 is unconditional, w = 1 conditional, and w = 2 goes as far again beyond."""
    assert [guide(0.2, 0.5, w) for w in (0, 1, 2)] == pytest.approx([0.2, 0.5, 0.8])


@pytest.mark.parametrize(("w", "asked"), [(0.0, [7, 7]), (1.0, [1, 1]), (2.0, [7, 7, 1, 1])])
def test_only_the_halves_that_count_are_computed(w, asked):
    """The two ends cost one call on the batch, everything else one call on twice the batch, null condition first."""
    net = Recorder()
    eps = guided(net, BARS, "eps", {"labels": ONE}, {"labels": NONE}, w)(X, 40)
    assert net.asked == [(len(asked), [40] * len(asked), asked)]
    torch.testing.assert_close(eps, torch.full_like(X, 7 + w * (1 - 7)))


def test_guidance_in_v_is_guidance_in_eps():
    """The network's v is converted to ε̂ first. The conversion is linear, so the order makes no difference."""
    got = guided(Recorder(), BARS, "v", {"labels": ONE}, {"labels": NONE}, 3.0)(X, 40)
    torch.testing.assert_close(got, eps_from_v(X, 40, torch.full_like(X, 7 + 3 * (1 - 7)), BARS))


def test_sampling_makes_no_gradients():
    """ε̂ has no autograd graph."""
    net = torch.nn.Conv2d(1, 1, 1)
    assert not guided(lambda x, t: net(x), BARS, "eps")(X, 1).requires_grad


def test_a_condition_is_dropped_as_often_as_asked():
    """Of 10,000 labels a tenth become null, within 4 standard errors; the others stay."""
    labels = torch.arange(10_000)
    given = drop_condition(labels, torch.tensor(-1), 0.1, torch.Generator().manual_seed(0))
    dropped = given == -1
    assert dropped.double().mean().item() == pytest.approx(0.1, abs=4 * 0.003)
    assert torch.equal(given[~dropped], labels[~dropped])


@pytest.mark.parametrize(("p", "all_kept"), [(0.0, True), (1.0, False)])
def test_dropping_never_and_always_are_exact(p, all_kept):
    """p = 0 keeps every sample, p = 1 none."""
    assert kept(1000, p, torch.Generator().manual_seed(0)).all().item() is all_kept
    assert kept(1000, p, torch.Generator().manual_seed(0)).any().item() is all_kept


def test_a_dropped_sample_is_dropped_whole():
    """If the conditions are vectors, each row is either its own or the null row."""
    rows = torch.arange(1, 101).repeat(3, 1).T.contiguous()
    given = drop_condition(rows, torch.zeros(3, dtype=torch.int64), 0.5, torch.Generator().manual_seed(0))
    assert all(row.tolist() in ([0, 0, 0], [i + 1] * 3) for i, row in enumerate(given))
