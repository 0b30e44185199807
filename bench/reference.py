"""Measure the reference implementation: `python -m bench.reference` prints a table (about a minute).

The overhead of sampling and training over the network's own work is measured in CPU seconds, against a bare loop with as many network
calls or gradient steps. The two alternate, and the minimum of several runs counts, because disturbances only add. `sample` starts a new
process, so it includes importing torch.
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

from solutions.diffusion.data import batches, load_fashion
from solutions.diffusion.guidance import guided
from solutions.diffusion.losses import VelocityLoss
from solutions.diffusion.models import fashion
from solutions.diffusion.samplers import ddim_sample, ddpm_sample, even_path
from solutions.diffusion.schedules import cosine_betas
from solutions.diffusion.train import OptimiserStep, TrainingConfig, diffusion_loss, train

TIMES, STEPS, N = 7, 20, 64


def cpu(work: Callable[[], object]) -> float:
    """Return the CPU seconds that the work takes in this process."""
    started = time.process_time()
    work()
    return time.process_time() - started


def added(sampler: str) -> tuple[float, float]:
    """Return the minimum CPU seconds of a bare loop of network calls, and of the sampler with as many."""
    labels = torch.arange(N) % 10
    eps_model = guided(fashion.trained(), fashion.ALPHA_BARS, "v", {"labels": labels})
    x = torch.randn((N, 1, 16, 16), generator=torch.Generator().manual_seed(0))
    path, betas = even_path(fashion.T, STEPS), cosine_betas(STEPS)

    def bare() -> None:
        for t in path[:-1]:
            eps_model(x, t)

    def sampler_run() -> None:
        if sampler == "ddim":
            ddim_sample(eps_model, x, fashion.ALPHA_BARS, path)
        else:
            ddpm_sample(eps_model, x, betas, torch.randn)

    return minimum(bare, sampler_run)


def trained() -> tuple[float, float]:
    """Return the minimum CPU seconds of bare gradient steps on a batch, and of `train` with as many: it draws, noises, clips, averages."""
    net, loss, draw = fashion.network(), VelocityLoss(fashion.ALPHA_BARS), batches(*load_fashion("train"), N)
    (x, labels), t = draw(torch.Generator().manual_seed(0)), torch.arange(1, N + 1)

    def bare() -> None:
        optimiser = torch.optim.AdamW(net.parameters())
        for _ in range(STEPS):
            optimiser.zero_grad()
            mse_loss(net(x, t, labels=labels), x).backward()  # type: ignore[no-untyped-call]
            optimiser.step()

    def full() -> None:
        step = OptimiserStep(
            list(net.parameters()), lambda batch, generator: diffusion_loss(loss, net, batch[0], generator, labels=batch[1])
        )
        train(net, [step], draw, TrainingConfig(steps=STEPS, batch=N))

    return minimum(bare, full)


def minimum(bare: Callable[[], object], full: Callable[[], object]) -> tuple[float, float]:
    """Return the minimum CPU seconds of both, run alternately."""
    pairs = [(cpu(bare), cpu(full)) for _ in range(TIMES)]
    return min(a for a, _ in pairs), min(b for _, b in pairs)


def cold() -> tuple[float, float]:
    """Return wall and CPU seconds of `sample` for 64 images with DDIM in 20 steps and guidance, including the start of the process."""
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
        bare, extra = added(sampler)
        print(f"| what {sampler} adds to {STEPS} network calls on {N} images | {100 * (extra / bare - 1):+.1f} % of {bare:.2f} s of CPU |")
    bare, training = trained()
    print(f"| what `train` adds to {STEPS} gradient steps on {N} images | {100 * (training / bare - 1):+.1f} % of {bare:.2f} s of CPU |")
    runs = [cold() for _ in range(3)]
    walls, cpus = [wall for wall, _ in runs], float(np.median([used for _, used in runs]))
    print(f"| `sample` of {N}, DDIM {STEPS}, w = 2, start included | {min(walls):.1f} to {max(walls):.1f} s, {cpus:.1f} s of CPU |")


if __name__ == "__main__":
    main()
