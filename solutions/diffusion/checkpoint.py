"""Checkpoints: everything a run's next step depends on, in one file, so that a resumed run ends like an uninterrupted one.

A checkpoint holds the weights, their moving average, the optimisers' moments, the generator's state and the counters. It is read with
`weights_only`, so it can't run code.
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
    """Write the checkpoint atomically."""
    moments = [optimiser.state_dict() for optimiser in optimisers]
    state = {**counts, "model": model.state_dict(), "ema": ema, "optimisers": moments, "generator": generator.get_state()}
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(state, path.with_suffix(".part"))
    path.with_suffix(".part").replace(path)


def resume(
    path: Path, config: dict[str, Any], model: nn.Module, ema: dict[str, Tensor], optimisers: Optimisers, generator: torch.Generator
) -> dict[str, Any]:
    """Restore the checkpoint into the objects passed in and return its counters. Raise InvalidRequest if it has another `config`."""
    state: dict[str, Any] = torch.load(path, weights_only=True)
    if state["config"] != config:
        raise InvalidRequest(f"{path} belongs to a run with another configuration, {state['config']}: delete it to start over")
    model.load_state_dict(state.pop("model"))
    ema.update(state.pop("ema"))
    for optimiser, moments in zip(optimisers, state.pop("optimisers"), strict=True):
        optimiser.load_state_dict(moments)
    generator.set_state(state.pop("generator"))
    return state
