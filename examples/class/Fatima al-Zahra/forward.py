"""I prefer objects, so the maths is in NoiseSchedule and the functions that the exercise wants only pass things on."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True, eq=False)
class NoiseSchedule:
    """β_0 = 0, β_1, ..., β_T and everything that follows from them."""

    betas: np.ndarray

    @classmethod
    def linear(cls, T, first, last):
        return cls(np.append(0.0, np.linspace(first, last, T)))

    @cached_property
    def alphas(self):
        return 1 - self.betas

    @cached_property
    def alpha_bars(self):
        return self.alphas.cumprod()


class Jump:
    """The straight line between x_0 and x_t for fixed t, in both directions."""

    def __init__(self, alpha_bars, t, like):
        abar = np.asarray(alpha_bars)[t]
        if np.ndim(abar) > 0:                      # a t for each sample
            abar = abar.reshape(len(abar), *[1] * (np.ndim(like) - 1))
        self.signal = np.sqrt(abar)
        self.noise = np.sqrt(1 - abar)

    def there(self, x0, eps):
        return self.signal * x0 + self.noise * eps

    def back(self, x_t, eps):
        return (x_t - self.noise * eps) / self.signal


# ---- what the exercise asks for

def linear_betas(T, first=1e-4, last=0.02):
    return NoiseSchedule.linear(T, first, last).betas


def alpha_bars(betas):
    return NoiseSchedule(np.asarray(betas)).alpha_bars


def forward_step(x_prev, beta, eps):
    # one step is the jump whose only alpha-bar is 1 - beta :)
    return Jump([1.0, 1.0 - beta], 1, x_prev).there(x_prev, eps)


def noise_to(x0, t, eps, alpha_bars):
    return Jump(alpha_bars, t, like=x0).there(x0, eps)


def predict_x0(x_t, t, eps, alpha_bars):
    return Jump(alpha_bars, t, like=x_t).back(x_t, eps)
