import numpy as np

# as short as I could make it
col = lambda v, x: np.asarray(v, dtype=float).reshape(np.shape(v) + (1,) * (np.ndim(x) - np.ndim(v)) if np.ndim(v) else ())
mix = lambda a, x, eps: a**.5 * x + (1 - a)**.5 * eps

linear_betas = lambda T, first=1e-4, last=0.02: np.hstack([0, np.linspace(start=first, stop=last, num=T, endpoint=True)])
alpha_bars = lambda betas: np.cumprod(np.subtract(1, betas))
forward_step = lambda x_prev, beta, eps: mix(a=1 - beta, x=x_prev, eps=eps)
noise_to = lambda x0, t, eps, alpha_bars: mix(a=col(alpha_bars[t], x0), x=x0, eps=eps)
predict_x0 = lambda x_t, t, eps, alpha_bars: (lambda a: (x_t - (1 - a)**.5 * eps) / a**.5)(col(alpha_bars[t], x_t))
