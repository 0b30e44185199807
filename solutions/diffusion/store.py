"""Weights on disk: `NAME.safetensors` in float16 or 8 bits, and beside it `NAME.json` saying how they were made and what they reach.

In 8 bits a row of weights is whole numbers -127..127 times a step of its own, half the bytes again; biases and norms stay float16.
safetensors holds numbers only, so a file of weights can't run code. It doesn't know any model.
"""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

SHIPPED = Path(__file__).parent / "weights"
STEP = "/step"


def save_weights(name: str, state: dict[str, Tensor], about: dict[str, Any], folder: Path = SHIPPED, bits: int = 16) -> None:
    """Write the weights in `bits` (16 or 8), and `about` (command, config, seconds, figures) beside them."""
    folder.mkdir(parents=True, exist_ok=True)
    half = {key: value.half().contiguous() if value.is_floating_point() else value for key, value in sorted(state.items())}
    if bits == 8:
        half |= {name: part for key, value in state.items() if value.dim() > 1 for name, part in _in_bytes(key, value).items()}
    save_file(half, folder / f"{name}.safetensors")
    (folder / f"{name}.json").write_text(json.dumps(about, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def load_weights(name: str, folder: Path = SHIPPED) -> dict[str, Tensor]:
    """Return the weights in float32; FileNotFoundError names the command that makes them."""
    path = folder / f"{name}.safetensors"
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing: python -m solutions.diffusion train {name} --out {folder}")
    stored = load_file(path)
    steps = {key.removesuffix(STEP): stored.pop(key) for key in list(stored) if key.endswith(STEP)}
    whole = {key: value * steps[key] if key in steps else value for key, value in stored.items()}
    return {key: value.to(torch.float32) if value.is_floating_point() else value for key, value in whole.items()}


def about_weights(name: str, folder: Path = SHIPPED) -> dict[str, Any]:
    """Return what the `.json` beside the weights says."""
    about: dict[str, Any] = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    return about


def add_figures(name: str, figures: dict[str, Any], folder: Path = SHIPPED) -> None:
    """Put measured figures into the `.json` beside the weights, in place of older ones of the same names."""
    about = about_weights(name, folder)
    about["figures"] = {**about.get("figures", {}), **figures}
    (folder / f"{name}.json").write_text(json.dumps(about, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _in_bytes(key: str, value: Tensor) -> dict[str, Tensor]:
    """Return a tensor's rows as whole numbers and the step of each row. # (R, ...) -> int8 (R, ...), float32 (R, 1, ...)"""
    step = value.abs().flatten(1).amax(dim=1).clamp_min(1e-12).view(-1, *[1] * (value.dim() - 1)) / 127
    return {key: (value / step).round().to(torch.int8), key + STEP: step.float()}
