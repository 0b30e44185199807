"""Weights on disk: `NAME.safetensors` in float16 or fewer bits, and `NAME.json`, which says how they were made and how good they are.

With 8 bits each row of weights is stored as integers -127..127 and a step size, half the bytes of float16; with 6 bits as integers
-31..31, four of them in three bytes. Biases and norms stay float16. safetensors holds nothing but numbers, so loading weights can't run
code. This module knows no models.
"""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

SHIPPED = Path(__file__).parent / "weights"
STEP, SHAPE = "/step", "/shape"  # suffixes of a tensor's name: the step size of each row; bits and shape of a packed tensor


def save_weights(name: str, state: dict[str, Tensor], metadata: dict[str, Any], folder: Path = SHIPPED, bits: int = 16) -> None:
    """Write the weights in `bits` (16, or at most 8), and `metadata` (command, config, seconds, metrics) next to them."""
    folder.mkdir(parents=True, exist_ok=True)
    half = {key: value.half().contiguous() if value.is_floating_point() else value for key, value in sorted(state.items())}
    if bits <= 8:
        half |= {name: part for key, value in state.items() if value.dim() > 1 for name, part in _quantised(key, value, bits).items()}
    save_file(half, folder / f"{name}.safetensors")
    (folder / f"{name}.json").write_text(json.dumps(metadata, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def load_weights(name: str, folder: Path = SHIPPED) -> dict[str, Tensor]:
    """Return the weights in float32. If the file is missing, FileNotFoundError names the command that makes it."""
    whole = {key: value if step is None else value * step.float() for key, (value, step) in stored_weights(name, folder).items()}
    return {key: value.to(torch.float32) if value.is_floating_point() else value for key, value in whole.items()}


def stored_weights(name: str, folder: Path = SHIPPED) -> dict[str, tuple[Tensor, Tensor | None]]:
    """Return each tensor as it is stored: numbers of 16 bits, or integers of 8 and the step size of each row, (R, ...) and (R, 1, ...)."""
    path = folder / f"{name}.safetensors"
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing; make it with: python -m solutions.diffusion train {name} --out {folder}")
    stored = load_file(path)
    for key in [key.removesuffix(SHAPE) for key in stored if key.endswith(SHAPE)]:
        bits, *shape = stored.pop(key + SHAPE).tolist()
        stored[key] = _unpack(stored[key], bits)[: math.prod(shape)].view(shape)
    return {key: (value, stored.get(key + STEP)) for key, value in stored.items() if not key.endswith(STEP)}


def weights_metadata(name: str, folder: Path = SHIPPED) -> dict[str, Any]:
    """Return the contents of the weights' `.json`."""
    metadata: dict[str, Any] = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    return metadata


def add_metrics(name: str, metrics: dict[str, Any], folder: Path = SHIPPED) -> None:
    """Add measured metrics to the weights' `.json`, replacing those of the same name."""
    metadata = weights_metadata(name, folder)
    metadata["metrics"] = {**metadata.get("metrics", {}), **metrics}
    (folder / f"{name}.json").write_text(json.dumps(metadata, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _quantised(key: str, value: Tensor, bits: int) -> dict[str, Tensor]:
    """Return a tensor's rows as integers, packed if below 8 bits, and the step size of each row. # (R, ...) and (R, 1, ...)"""
    most = 2 ** (bits - 1) - 1
    step = value.abs().flatten(1).amax(dim=1).clamp_min(1e-12).view(-1, *[1] * (value.dim() - 1)) / most
    quantised = (value / step).round().to(torch.int8)
    if bits == 8:
        return {key: quantised, key + STEP: step.float()}
    return {key: _pack(quantised, bits), key + STEP: step.half(), key + SHAPE: torch.tensor([bits, *value.shape])}


def _pack(whole: Tensor, bits: int) -> Tensor:
    """Concatenate the lowest `bits` bits of each number, shifted so that the smallest is 0. # int8 (...) -> uint8 (bytes,)"""
    raised = (whole.flatten().numpy() + (2 ** (bits - 1) - 1)).astype(np.uint8)
    return torch.from_numpy(np.packbits(np.unpackbits(raised[:, None], axis=1)[:, 8 - bits :]))


def _unpack(packed: Tensor, bits: int) -> Tensor:
    """Undo `_pack`; up to a byte of zeros may remain at the end. # uint8 (bytes,) -> int8 (N,)"""
    row = np.unpackbits(packed.numpy())
    each = row[: len(row) // bits * bits].reshape(-1, bits)
    return torch.from_numpy((each @ (1 << np.arange(bits)[::-1]) - (2 ** (bits - 1) - 1)).astype(np.int8))
