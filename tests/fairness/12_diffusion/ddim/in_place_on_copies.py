"""In place, but on its own copies; recursion instead of a loop; t passed to the model by name, as a 0-d tensor."""

import torch


def ddim_timesteps(T, steps):
    return tuple(reversed([(T * i) // steps for i in range(1, steps + 1)]))


def ddim_step(x_t, t, t_prev, eps_hat, alpha_bars, eta, z):
    table = alpha_bars.double()
    out = x_t.double().clone()
    out.sub_(torch.sqrt(1 - table[t]) * eps_hat).div_(torch.sqrt(table[t]))
    out.mul_(torch.sqrt(table[t_prev]))
    s2 = eta**2 * ((1 - table[t_prev]) * (1 - table[t] / table[t_prev]) / (1 - table[t]))
    out.add_(torch.sqrt(1 - table[t_prev] - s2) * eps_hat)
    out.add_(torch.sqrt(s2) * z)
    return out.float()


def ddim_sample(eps_model, x_T, alpha_bars, steps, eta, draw_noise):
    def go(x, ts):
        if not ts:
            return x
        end = ts[1] if len(ts) > 1 else 0
        return go(ddim_step(x, ts[0], end, eps_model(x, t=torch.tensor(ts[0])), alpha_bars, eta, draw_noise(ts[0])), ts[1:])

    return go(x_T, ddim_timesteps(len(alpha_bars) - 1, steps))
