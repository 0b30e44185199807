"""Noise schedules: their end points, reference values and errors."""

import numpy as np
import pytest
import torch

from solutions.diffusion.schedules import alpha_bars, cosine_betas, linear_betas, snr, terminal_snr_zero

# ᾱ after 0, 1, 2, 500, 501 and 1000 steps, computed independently
ANCHORS = {
    "linear": (linear_betas, [1, 0.9999, 0.99978002, 0.07858724, 0.07779666, 4.0358e-05]),
    "cosine": (cosine_betas, [1, 0.99995869, 0.99991256, 0.49384347, 0.49228504, 2.4287e-09]),
}


@pytest.mark.parametrize("name", ANCHORS)
def test_alpha_bars_meet_their_anchors(name):
    """ᾱ_t has the known value at six t."""
    make, expected = ANCHORS[name]
    np.testing.assert_allclose(alpha_bars(make(1000))[[0, 1, 2, 500, 501, 1000]], expected, rtol=3e-5)


@pytest.mark.parametrize("make", [linear_betas, cosine_betas])
@pytest.mark.parametrize("T", [1, 2, 7, 1000])
def test_a_table_counts_from_the_clean_image(make, T):
    """Row 0 is the clean image, rows are t = 0..T, in float64, and ᾱ decreases."""
    betas = make(T)
    assert betas.shape == (T + 1,)
    assert betas.dtype == np.float64
    assert betas[0] == 0
    assert alpha_bars(betas)[0] == 1
    assert (np.diff(alpha_bars(betas)) < 0).all()


def test_linear_betas_of_one_step_are_the_first():
    """T = 1 uses only `first`."""
    assert linear_betas(1).tolist() == [0, 1e-4]


def test_cosine_betas_stay_under_their_ceiling():
    """No β_t exceeds `most`; without the cap the last one would."""
    assert cosine_betas(1000).max() == 0.999
    assert cosine_betas(1000, most=0.5).max() == 0.5


def test_alpha_bars_of_a_torch_table_is_a_torch_table():
    """Torch in, torch out, same numbers."""
    got = alpha_bars(torch.from_numpy(linear_betas(10)))
    assert isinstance(got, torch.Tensor)
    np.testing.assert_array_equal(got.numpy(), alpha_bars(linear_betas(10)))


def test_snr_is_infinite_at_the_clean_image_without_a_warning():
    """SNR_0 = ∞, SNR_1 = 0.9999/0.0001."""
    table = snr(alpha_bars(linear_betas(1000)))
    assert table[0] == np.inf
    assert table[1] == pytest.approx(9999)


def test_zero_terminal_snr_keeps_both_ends_it_must():
    """ᾱ_0 = 1 and ᾱ_1 stay the same, ᾱ_T becomes exactly 0, and the argument is not modified."""
    betas = linear_betas(1000)
    before = betas.copy()
    changed = alpha_bars(terminal_snr_zero(betas))
    assert changed[0] == 1
    assert changed[1] == alpha_bars(betas)[1]
    assert changed[-1] == 0
    assert (np.diff(changed) < 0).all()
    np.testing.assert_array_equal(betas, before)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: linear_betas(0), "T is 0: this schedule needs at least 1 step"),
        (lambda: cosine_betas(-3), "T is -3: this schedule needs at least 1 step"),
        (lambda: terminal_snr_zero(linear_betas(1)), "T is 1: this schedule needs at least 2 steps"),
    ],
)
def test_too_few_steps_are_refused(call, text):
    """The message says how many are needed."""
    with pytest.raises(ValueError) as error:
        call()
    assert str(error.value) == text
