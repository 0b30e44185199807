"""Everything the engine knows about a framework for tensors: one entry of a table. Both sides of the wall use it.

Everywhere else values are numpy's. A framework's arrays ("tensors") cross the wall as numpy's, with the number of their framework,
and are rebuilt inside the guest. At import this module needs the standard library alone, since `preload` runs before numpy is loaded.
"""

import contextlib
import sys
from collections.abc import Callable, Iterable
from importlib import import_module
from importlib.util import find_spec
from typing import Any, NamedTuple

NUMPY = "numpy"  # the preload profile that every other one contains
TRAINING = "training"


class Framework(NamedTuple):
    """How to load one framework, recognise its tensors, and turn them into numpy's arrays and back."""

    name: str  # of its package, and of its preload profile; "NAME training" has an optimiser too
    packages: tuple[str, ...]  # it and what it is made of: guests may read these
    optimiser: bytes  # found in every source that trains
    out_of_memory: str  # what a RuntimeError says when memory ran out
    load: Callable[[bool], None]  # import it with one thread and use it once, with its optimiser if True
    slow: str  # a module that is imported late, and takes long, unless it was loaded with its optimiser
    silent: tuple[str, ...]  # parts that are of no use where nobody looks
    seed: Callable[[], None]
    alone: Callable[[], None]  # replace what would start threads, processes or a compiler by what gives the same without
    warm_up: bytes  # a source with a function f(x, n, a, table), run in the server before the first fork
    is_tensor: Callable[[Any], bool]  # of a value whose type is defined in the package
    to_numpy: Callable[[Any], Any]  # without a copy if possible
    from_numpy: Callable[[Any], Any]
    copy: Callable[[Any], Any]
    cast: Callable[[Any, str], Any]  # a copy; floats get this dtype, "float32" or "float64"
    literal: str  # Python for a tensor, from a list of numbers
    conversion: str  # Python for a tensor, from an array
    cpu_builds: str  # where its builds for a CPU are: a tenth of what PyPI has for Linux


# ---- torch


def _load_torch(training: bool) -> None:
    torch = import_module("torch")
    torch.set_num_threads(1)
    layer = torch.nn.Linear(2, 2)
    torch.nn.functional.mse_loss(layer(torch.zeros(1, 2)).softmax(-1).cumprod(0), torch.zeros(1, 2)).backward()
    if training:
        torch.optim.AdamW(layer.parameters()).step()


def _torch_alone() -> None:
    torch: Any = import_module("torch")
    torch.set_num_threads = torch.set_num_interop_threads = lambda count: None
    torch.compile = lambda model=None, **options: (lambda function: function) if model is None else model
    make = torch.utils.data.DataLoader.__init__

    def loader(self: Any, *args: Any, num_workers: int = 0, persistent_workers: bool = False, prefetch_factor: Any = None,
               multiprocessing_context: Any = None, **options: Any) -> None:  # fmt: skip
        make(self, *args, **options)

    torch.utils.data.DataLoader.__init__ = loader


def _torch_to_numpy(tensor: Any) -> Any:
    tensor = tensor.detach().cpu()
    if str(tensor.dtype) == "torch.bfloat16":
        tensor = tensor.float()
    return tensor.resolve_conj().resolve_neg().numpy()


def _cast_torch(tensor: Any, dtype: str) -> Any:
    return tensor.to(getattr(import_module("torch"), dtype)) if tensor.is_floating_point() else tensor.clone()


TORCH = Framework(
    name="torch",
    packages=tuple("torch torchgen functorch sympy mpmath networkx jinja2 markupsafe fsspec filelock typing_extensions".split()),
    optimiser=b"optim",
    out_of_memory="allocate memory",
    load=_load_torch,
    slow="torch._dynamo",
    silent=("torch.utils.tensorboard",),
    seed=lambda: import_module("torch").manual_seed(0),
    alone=_torch_alone,
    warm_up=b"""
import torch
def f(x, n, a, table):
    y = torch.as_tensor(x, dtype=torch.float64) * a + torch.sqrt(torch.as_tensor(table)) ** 2
    z = torch.cat([torch.zeros(1, dtype=torch.float64), torch.linspace(0, 1, n, dtype=torch.float64)]).cumsum(0).view(-1, 1)
    return y + z[torch.as_tensor([0])].float()
""",
    is_tensor=lambda value: hasattr(value, "detach") and hasattr(value, "dtype"),
    to_numpy=_torch_to_numpy,
    from_numpy=lambda array: import_module("torch").from_numpy(array),
    copy=lambda tensor: tensor.clone(),
    cast=_cast_torch,
    literal="torch.tensor({})",
    conversion="torch.from_numpy({})",
    cpu_builds="https://download.pytorch.org/whl/cpu",
)


# ---- what the engine asks


FRAMEWORKS = {framework.name: framework for framework in (TORCH,)}
NUMBERS = {name: number for number, name in enumerate(FRAMEWORKS, 1)}  # in a frame; 0 is numpy


def framework_of(value: Any) -> Framework | None:
    """Return the framework that a tensor belongs to, without importing it; None for every other value."""
    found = FRAMEWORKS.get(type(value).__module__.partition(".")[0])
    return found if found and found.is_tensor(value) else None


def rebuilt(array: Any, number: int) -> Any:
    """Turn an array from a frame into a tensor of the framework with this number."""
    return list(FRAMEWORKS.values())[number - 1].from_numpy(array) if number else array


def loaded() -> list[Framework]:
    """List the frameworks that this process has imported."""
    return [framework for name, framework in FRAMEWORKS.items() if sys.modules.get(name)]


def absent(profile: str) -> list[str]:
    """List the frameworks of a preload profile that are not installed, without importing one."""
    return [name for name in dict.fromkeys(profile.split()) if name in FRAMEWORKS and not _is_installed(name)]


def _is_installed(name: str) -> bool:
    with contextlib.suppress(ImportError, ValueError):  # somebody keeps it from being imported
        return find_spec(name) is not None
    return False


def installing(names: Iterable[str], package: str) -> str:
    """Return the command that adds frameworks to an installed `package`, whose extras are named after them."""
    wanted = list(names)
    return f'pip install "{package}[{",".join(wanted)}]"' + "".join(f" --extra-index-url {FRAMEWORKS[name].cpu_builds}" for name in wanted)


def load(profile: str) -> None:
    """Import what a preload profile names beside numpy, and use it once: what it sets up at first use is then there before any wall.

    A profile is a list of packages, and "training" for what a framework's optimiser needs. What is not installed is named when it is
    imported.
    """
    names, missing = profile.split(), absent(profile)
    for name in names:
        if name in missing:
            continue
        if name in FRAMEWORKS:
            FRAMEWORKS[name].load(TRAINING in names)
        elif name != TRAINING:
            with contextlib.suppress(Exception):  # installed or not
                import_module(name)


def lacking(profile: str, packages: Iterable[str]) -> list[str]:
    """List the modules that a fuller profile preloads: frameworks, what their optimisers need, and packages."""
    names = profile.split()
    slow = [framework.slow for framework in loaded() if TRAINING not in names]
    missing = absent(" ".join(FRAMEWORKS))
    return [name for name in (*FRAMEWORKS, *packages) if name not in (*names, *missing)] + slow


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether memory ran out: a framework may have no exception of its own for that."""
    said = isinstance(error, RuntimeError) and any(framework.out_of_memory in str(error) for framework in FRAMEWORKS.values())
    return said or isinstance(error, MemoryError)


def part_of(held: Any, name: str) -> Any:
    """Find a method of an object, or what reads ("@weights") and sets ("@set_weights") its weights."""
    if name == "@set_weights":
        return lambda weights: held.load_state_dict(weights) and None
    return getattr(held, "state_dict" if name == "@weights" else name)
