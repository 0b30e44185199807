"""The formulas as written, in torch."""


def ddim_timesteps(T, steps):
    return [T * i // steps for i in range(steps, 0, -1)]


def ddim_step(x_t, t, t_prev, eps_hat, alpha_bars, eta, z):
    a, b = alpha_bars[t], alpha_bars[t_prev]
    x0 = (x_t - (1 - a).sqrt() * eps_hat) / a.sqrt()
    sigma = eta * ((1 - b) / (1 - a) * (1 - a / b)).sqrt()
    return b.sqrt() * x0 + (1 - b - sigma**2).sqrt() * eps_hat + sigma * z


def ddim_sample(eps_model, x_T, alpha_bars, steps, eta, draw_noise):
    ts = ddim_timesteps(len(alpha_bars) - 1, steps)
    x = x_T
    for t, t_prev in zip(ts, [*ts[1:], 0], strict=True):
        x = ddim_step(x, t, t_prev, eps_model(x, t), alpha_bars, eta, draw_noise(t))
    return x
