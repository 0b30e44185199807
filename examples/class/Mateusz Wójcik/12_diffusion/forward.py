import numpy as np

# Used ufunc methods (outer, accumulate) and einsum on purpose, to practise for the attention lesson.


def linear_betas(T, first=1e-4, last=0.02):
    # weights of `last` go 0 .. 1, weights of `first` go 1 .. 0
    w = np.arange(T) / max(T - 1, 1)
    mix = np.stack([1 - w, w])                                   # (2, T)
    return np.r_[0.0, np.einsum("kt,k->t", mix, np.array([first, last]))]


def alpha_bars(betas):
    return np.multiply.accumulate(1.0 - np.asarray(betas))


def forward_step(x_prev, beta, eps):
    # sqrt(1-b), sqrt(b)  dot  (x, eps)
    c = np.sqrt(np.array([1.0 - beta, beta]))
    return np.einsum("k,k...->...", c, np.stack([np.asarray(x_prev, float), np.asarray(eps, float)]))


def scale(c, x):
    """c * x, where c is a number or one number for each sample"""
    if np.ndim(c) == 0:
        return np.multiply.outer(c, x)
    return np.einsum("b,b...->b...", c, x)


def noise_to(x0, t, eps, alpha_bars):
    a = np.take(alpha_bars, t)
    return scale(a**0.5, x0) + scale((1 - a) ** 0.5, eps)


def predict_x0(x_t, t, eps, alpha_bars):
    a = np.take(alpha_bars, t)
    return scale(a**-0.5, x_t - scale((1 - a) ** 0.5, eps))
