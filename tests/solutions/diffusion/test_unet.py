"""The U-Net: attention against a loop, gradients against finite differences, and an effect of every condition."""

import math

import pytest
import torch

from solutions.diffusion.unet import Attention, UNet, attention, timestep_embedding


def small(**options) -> UNet:
    """Return a tiny float64 U-Net whose zero layers are filled, so that every layer has an effect."""
    torch.manual_seed(0)
    net = UNet(1, (8, 16), emb_dim=16, **options).double()
    for parameter in net.parameters():
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.1)
    return net


X = torch.randn(2, 1, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
STEPS = torch.tensor([3, 700])


def test_attention_is_the_loop():
    """Each query's result is the average of the values, weighted by the softmax of q·k/√d over the unmasked keys."""
    g = torch.Generator().manual_seed(0)
    q, k, v = torch.randn(2, 4, 6, generator=g), torch.randn(2, 5, 6, generator=g), torch.randn(2, 5, 6, generator=g)
    mask = torch.tensor([[True, True, False, True, True]]).expand(4, 5).expand(2, 4, 5)
    got = attention(q, k, v, mask)
    for b in range(2):
        for n in range(4):
            weights = [math.exp(sum(q[b, n, i] * k[b, m, i] for i in range(6)) / math.sqrt(6)) if mask[b, n, m] else 0.0 for m in range(5)]
            answer = sum(w * v[b, m] for m, w in enumerate(weights)) / sum(weights)
            torch.testing.assert_close(got[b, n], answer)


def test_attention_weights_sum_to_one_over_the_keys():
    """If all values are 1, so is the result."""
    g = torch.Generator().manual_seed(0)
    got = attention(torch.randn(3, 4, 6, generator=g), torch.randn(3, 5, 6, generator=g), torch.ones(3, 5, 6))
    torch.testing.assert_close(got, torch.ones(3, 4, 6))


def test_a_masked_token_has_no_effect():
    """A masked token of the context doesn't reach the image; an unmasked one does."""
    layer = Attention(8, context_dim=4)
    torch.nn.init.normal_(layer.out.weight)
    x, words, mask = torch.randn(1, 8, 2, 2), torch.randn(1, 3, 4), torch.tensor([[True, True, False]])
    masked, real = words.clone(), words.clone()
    masked[0, 2], real[0, 1] = 9.0, 9.0
    torch.testing.assert_close(layer(x, masked, mask), layer(x, words, mask))
    assert not torch.allclose(layer(x, real, mask), layer(x, words, mask))


def test_timestep_embedding_distinguishes_every_t():
    """t = 0 gives cos 0 = 1 and sin 0 = 0; no two of 0..1000 share an embedding."""
    waves = timestep_embedding(torch.arange(1001), 32)
    assert waves[0].tolist() == [1.0] * 16 + [0.0] * 16
    distances = torch.cdist(waves, waves) + torch.eye(1001)
    assert distances.min() > 0.01


def test_the_prediction_has_the_shape_of_the_image_and_starts_at_zero():
    """Also with patches, three levels, and more than one stage per level."""
    for more in ({}, {"patch": 2}, {"channels": (8, 8, 16), "attend": (False, True, True), "blocks": 2}):
        net = UNet(3, **{"channels": (8, 16), **more})
        got = net(torch.randn(2, 3, 16, 16), STEPS)
        assert got.shape == (2, 3, 16, 16)
        assert not got.any()


def test_t_changes_the_prediction():
    """The same image at two t gives two predictions."""
    net = small()
    assert not torch.allclose(net(X, STEPS), net(X, STEPS + 100))


def test_each_sample_is_alone():
    """No sample sees another one of its batch."""
    net = small(num_classes=3)
    alone = torch.cat([net(X[i : i + 1], STEPS[i : i + 1], labels=torch.tensor([i])) for i in range(2)])
    torch.testing.assert_close(net(X, STEPS, labels=torch.tensor([0, 1])), alone)


def test_no_label_is_the_null_label():
    """Omitting labels is the same as the label `num_classes`; another label changes the prediction."""
    net = small(num_classes=3)
    torch.testing.assert_close(net(X, STEPS), net(X, STEPS, labels=torch.tensor([3, 3])))
    assert not torch.allclose(net(X, STEPS), net(X, STEPS, labels=torch.tensor([0, 3])))


@pytest.mark.parametrize(
    ("options", "given"),
    [
        ({"context_dim": 5}, {"context": torch.ones(2, 3, 5).double()}),
        ({"vector_dim": 5}, {"vector": torch.ones(2, 5).double()}),
        ({"extra_channels": 2}, {"extra": torch.ones(2, 2, 8, 8).double()}),
    ],
    ids=["context", "vector", "extra"],
)
def test_every_condition_has_an_effect(options, given):
    """Context, vector and extra image each change the prediction."""
    net = small(**options)
    other = {key: -value for key, value in given.items()}
    assert not torch.allclose(net(X, STEPS, **given), net(X, STEPS, **other))


def test_gradients_are_those_of_finite_differences():
    """Along a random direction in weight space, the slope of the loss agrees with a finite difference of step 2·10⁻⁶, to 1e-5."""
    net = small(context_dim=5, patch=2)
    words = torch.randn(2, 3, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(2))

    def loss():
        return (net(X, STEPS, context=words) ** 2).mean()

    loss().backward()
    g = torch.Generator().manual_seed(3)
    direction = [torch.randn(p.shape, generator=g, dtype=p.dtype) for p in net.parameters()]
    slope = sum((p.grad * d).sum() for p, d in zip(net.parameters(), direction, strict=True)).item()
    ends = []
    with torch.no_grad():
        for step in (1e-6, -2e-6):
            for p, d in zip(net.parameters(), direction, strict=True):
                p += step * d
            ends.append(loss().item())
    assert (ends[0] - ends[1]) / 2e-6 == pytest.approx(slope, rel=1e-5)
