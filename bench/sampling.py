"""Measure the reference implementation's sampling: `python -m bench.sampling` prints a table (about a minute).

What the samplers add to the network's own work is taken in CPU seconds, a walk and a bare loop of as many network calls in turn; of
each the least of several counts, for what disturbs a run only adds. `sample` is a new process, import of torch included.
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

from solutions.diffusion import fashion
from solutions.diffusion.guidance import guided
from solutions.diffusion.samplers import ddim_sample, ddpm_sample, even_path
from solutions.diffusion.schedules import cosine_betas

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

    pairs = [(cpu(bare), cpu(walk)) for _ in range(TIMES)]
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
    runs = [cold() for _ in range(3)]
    walls, cpus = [wall for wall, _ in runs], float(np.median([used for _, used in runs]))
    print(f"| `sample` of {N}, DDIM {STEPS}, w = 2, start included | {min(walls):.1f} to {max(walls):.1f} s, {cpus:.1f} s of CPU |")


if __name__ == "__main__":
    main()
