"""Measure the reference implementation: `python -m bench.reference` prints a table (about a minute).

What sampling and training add to the network's own work is taken in CPU seconds, with a bare loop of as many network calls or gradient
steps in turn; of each the least of several counts, for what disturbs a run only adds. `sample` is a new process, import of torch included.
"""

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import mse_loss

from solutions.diffusion import fashion
from solutions.diffusion.data import batches, load_fashion
from solutions.diffusion.guidance import guided
from solutions.diffusion.losses import MinSnrLoss
from solutions.diffusion.samplers import ddim_sample, ddpm_sample, even_path
from solutions.diffusion.schedules import cosine_betas
from solutions.diffusion.train import Config, Turn, diffusion_loss, train

TIMES, STEPS, N = 7, 20, 64


def cpu(work: Callable[[], object]) -> float:
    """Return the CPU seconds of this process that the work takes."""
    started = time.process_time()
    work()
    return time.process_time() - started


def added(sampler: str) -> tuple[float, float]:
    """Return the least CPU seconds of a bare loop of network calls, and of the sampler's walk with as many."""
    labels = torch.arange(N) % 10
    eps_model = guided(fashion.trained(), fashion.ALPHA_BARS, "v", {"labels": labels})
    x = torch.randn((N, 1, 16, 16), generator=torch.Generator().manual_seed(0))
    path, betas = even_path(fashion.T, STEPS), cosine_betas(STEPS)

    def bare() -> None:
        for t in path[:-1]:
            eps_model(x, t)

    def walk() -> None:
        if sampler == "ddim":
            ddim_sample(eps_model, x, fashion.ALPHA_BARS, path)
        else:
            ddpm_sample(eps_model, x, betas, torch.randn)

    return least(bare, walk)


def trained() -> tuple[float, float]:
    """Return the least CPU seconds of bare gradient steps on a batch, and of `train` with as many: it draws, noises, clips, averages."""
    net, loss, draw = fashion.network(), MinSnrLoss(fashion.ALPHA_BARS), batches(*load_fashion("train"), N)
    (x, labels), t = draw(torch.Generator().manual_seed(0)), torch.arange(1, N + 1)

    def bare() -> None:
        optimiser = torch.optim.AdamW(net.parameters())
        for _ in range(STEPS):
            optimiser.zero_grad()
            mse_loss(net(x, t, labels=labels), x).backward()  # type: ignore[no-untyped-call]
            optimiser.step()

    def whole() -> None:
        turn = Turn(list(net.parameters()), lambda batch, generator: diffusion_loss(loss, net, batch[0], generator, labels=batch[1]))
        train(net, [turn], draw, Config(steps=STEPS, batch=N))

    return least(bare, whole)


def least(bare: Callable[[], object], whole: Callable[[], object]) -> tuple[float, float]:
    """Return the least CPU seconds of both, taken in turn."""
    pairs = [(cpu(bare), cpu(whole)) for _ in range(TIMES)]
    return min(a for a, _ in pairs), min(b for _, b in pairs)


def cold() -> tuple[float, float]:
    """Return wall and CPU seconds of `sample` for 64 pictures with DDIM in 20 steps and guidance, from the start of the process."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "grid.png"
        used, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        command = [sys.executable, "-m", "solutions.diffusion", "sample", "--prompt", "ankle boot", "--n", str(N), "--steps", str(STEPS)]
        subprocess.run([*command, "--w", "2", "--out", str(out)], check=True, capture_output=True)
        seconds = time.monotonic() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    print("| what | figure |\n| --- | --- |")
    for sampler in ("ddim", "ddpm"):
        bare, walk = added(sampler)
        print(f"| what {sampler} adds to {STEPS} network calls on {N} pictures | {100 * (walk / bare - 1):+.1f} % of {bare:.2f} s of CPU |")
    bare, whole = trained()
    print(f"| what `train` adds to {STEPS} gradient steps on {N} pictures | {100 * (whole / bare - 1):+.1f} % of {bare:.2f} s of CPU |")
    runs = [cold() for _ in range(3)]
    walls, cpus = [wall for wall, _ in runs], float(np.median([used for _, used in runs]))
    print(f"| `sample` of {N}, DDIM {STEPS}, w = 2, start included | {min(walls):.1f} to {max(walls):.1f} s, {cpus:.1f} s of CPU |")


if __name__ == "__main__":
    main()
