"""Weights on disk: `NAME.safetensors` in float16, and beside it `NAME.json` saying how they were made and what they reach.

safetensors holds numbers only, so a file of weights can't run code. It doesn't know any model.
"""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

SHIPPED = Path(__file__).parent / "weights"


def save_weights(name: str, state: dict[str, Tensor], about: dict[str, Any], folder: Path = SHIPPED) -> None:
    """Write the weights in float16, and `about` (command, config, seconds, figures) beside them."""
    folder.mkdir(parents=True, exist_ok=True)
    half = {key: value.half().contiguous() if value.is_floating_point() else value for key, value in sorted(state.items())}
    save_file(half, folder / f"{name}.safetensors")
    (folder / f"{name}.json").write_text(json.dumps(about, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def load_weights(name: str, folder: Path = SHIPPED) -> dict[str, Tensor]:
    """Return the weights in float32; FileNotFoundError names the command that makes them."""
    path = folder / f"{name}.safetensors"
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing: python -m solutions.diffusion train {name} --out {folder}")
    return {key: value.to(torch.float32) if value.is_floating_point() else value for key, value in load_file(path).items()}


def about_weights(name: str, folder: Path = SHIPPED) -> dict[str, Any]:
    """Return what the `.json` beside the weights says."""
    about: dict[str, Any] = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    return about


def add_figures(name: str, figures: dict[str, Any], folder: Path = SHIPPED) -> None:
    """Put measured figures into the `.json` beside the weights, in place of older ones of the same names."""
    about = about_weights(name, folder)
    about["figures"] = {**about.get("figures", {}), **figures}
    (folder / f"{name}.json").write_text(json.dumps(about, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
