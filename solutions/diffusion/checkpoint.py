"""A checkpoint: everything that a run's next step depends on, in one file, so that a resumed run ends as an uninterrupted one.

It holds the weights, their average, the optimisers' moments, the generator's state and the counts. Read with `weights_only`: no code.
"""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from solutions.diffusion.errors import InvalidRequest

Optimisers = list[torch.optim.AdamW]


def save(
    path: Path, counts: dict[str, Any], model: nn.Module, ema: dict[str, Tensor], optimisers: Optimisers, generator: torch.Generator
) -> None:
    """Write the checkpoint whole or not at all."""
    moments = [optimiser.state_dict() for optimiser in optimisers]
    whole = {**counts, "model": model.state_dict(), "ema": ema, "optimisers": moments, "chance": generator.get_state()}
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(whole, path.with_suffix(".part"))
    path.with_suffix(".part").replace(path)


def resume(
    path: Path, config: dict[str, Any], model: nn.Module, ema: dict[str, Tensor], optimisers: Optimisers, generator: torch.Generator
) -> dict[str, Any]:
    """Put the checkpoint's state into all that is handed in and return its counts; `InvalidRequest` if `config` is not the checkpoint's."""
    whole: dict[str, Any] = torch.load(path, weights_only=True)
    if whole["config"] != config:
        raise InvalidRequest(f"{path} is of a run with another configuration, {whole['config']}: delete it to start anew")
    model.load_state_dict(whole.pop("model"))
    ema.update(whole.pop("ema"))
    for optimiser, moments in zip(optimisers, whole.pop("optimisers"), strict=True):
        optimiser.load_state_dict(moments)
    generator.set_state(whole.pop("chance"))
    return whole
