"""Forward diffusion in PyTorch.

Same functions as in the starter; inputs may be floats, numpy arrays or tensors, tensors come back.
"""
import torch


def _tensor(x):
    return torch.as_tensor(x, dtype=torch.float64)


def linear_betas(T, first=1e-4, last=0.02):
    betas = torch.linspace(first, last, T, dtype=torch.float64)
    return torch.cat([torch.zeros(1, dtype=torch.float64), betas])      # (T + 1,)


def alpha_bars(betas):
    return torch.cumprod(1.0 - _tensor(betas), dim=0)                    # (T + 1,)


def forward_step(x_prev, beta, eps):
    x_prev, beta, eps = _tensor(x_prev), _tensor(beta), _tensor(eps)
    return torch.sqrt(1.0 - beta) * x_prev + torch.sqrt(beta) * eps


def gather(table, t, x):
    """table[t] with as many trailing ones as x needs, as in everybody's `extract`."""
    values = _tensor(table)[torch.as_tensor(t, dtype=torch.long)]
    if values.dim() == 0:
        return values
    return values.view(-1, *([1] * (x.dim() - 1)))                       # (B, 1, ..., 1)


@torch.no_grad()
def noise_to(x0, t, eps, alpha_bars):
    x0, eps = _tensor(x0), _tensor(eps)
    abar = gather(alpha_bars, t, x0)
    return abar.sqrt() * x0 + (1.0 - abar).sqrt() * eps


@torch.no_grad()
def predict_x0(x_t, t, eps, alpha_bars):
    x_t, eps = _tensor(x_t), _tensor(eps)
    abar = gather(alpha_bars, t, x_t)
    return (x_t - (1.0 - abar).sqrt() * eps) / abar.sqrt()


if __name__ == "__main__":
    abar = alpha_bars(linear_betas(1000))
    print("abar_1000 =", abar[-1].item())          # lesson says about 4e-5
    x0, eps = torch.randn(16, 3, 8, 8), torch.randn(16, 3, 8, 8)
    t = torch.randint(1, 1001, (16,))
    assert torch.allclose(predict_x0(noise_to(x0, t, eps, abar), t, eps, abar), x0.double(), atol=1e-5)
    print("ok")
