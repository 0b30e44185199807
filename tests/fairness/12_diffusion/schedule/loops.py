"""Plain Python: lists, loops and the math module."""

import math


def cosine_betas(T, s=0.008, most=0.999):
    def f(t):
        return math.cos((t / T + s) / (1 + s) * math.pi / 2) ** 2

    betas = [0.0]
    for t in range(1, T + 1):
        betas.append(min(1 - f(t) / f(t - 1), most))
    return betas


def snr(alpha_bars):
    ratios = []
    for bar in alpha_bars:
        ratios.append(math.inf if bar == 1 else float(bar / (1 - bar)))
    return ratios


def terminal_snr_zero(betas):
    bar, roots = 1.0, []
    for beta in betas[1:]:
        bar *= 1 - beta
        roots.append(math.sqrt(bar))
    first, last = roots[0], roots[-1]
    roots = [1.0] + [(root - last) * first / (first - last) for root in roots]
    return [0.0] + [1 - (roots[t] / roots[t - 1]) ** 2 for t in range(1, len(roots))]
