"""Stubs for what is of no use in a grader: plots, progress bars, threads. They cost nothing and break nothing.

If a student imports any other package that is not available, the error names it.
"""

import importlib.abc
import importlib.machinery
import sys
import threading
import types
from collections.abc import Iterator
from typing import Any

from autograder.sandbox.guest import frameworks

SILENT = ("matplotlib", "seaborn", "IPython", "ipywidgets", "tqdm")
GIVEN = (frameworks.NUMPY, *frameworks.FRAMEWORKS)
# What guests may read besides the standard library: the given packages and their dependencies.
READABLE = (frameworks.NUMPY, "numpy.libs", *(package for framework in frameworks.FRAMEWORKS.values() for package in framework.packages))


class Nothing(types.ModuleType):
    """Can be called, indexed, entered and unpacked, and has every attribute; nothing happens."""

    def __init__(self, name: str = "nothing"):
        super().__init__(name)
        self.__path__: list[str] = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Nothing(name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return Nothing()

    def __iter__(self) -> Iterator[Any]:
        return iter((Nothing(), Nothing()))

    def __getitem__(self, key: Any) -> Any:
        return Nothing()

    def __setitem__(self, key: Any, value: Any) -> None: ...

    def __enter__(self) -> Any:
        return Nothing()

    def __exit__(self, *args: object) -> None: ...


class Bar:
    """Stand in for `tqdm.tqdm`: iterate, and show nothing."""

    def __init__(self, iterable: Any = (), *args: Any, **kwargs: Any):
        self._iterable = iterable

    def __iter__(self) -> Iterator[Any]:
        return iter(self._iterable)

    def __len__(self) -> int:
        return len(self._iterable)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Nothing(name)

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *args: object) -> None: ...


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """First in line for imports: stubs for silent packages, an error for those that are not available; the rest is Python's."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        top = name.partition(".")[0]
        if top in SILENT:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        if top in sys.stdlib_module_names or top in READABLE or top.startswith("_"):  # _sysconfigdata_...: not in Python's own list
            return None
        given = " and ".join(GIVEN)
        raise ModuleNotFoundError(f"No module named '{name}' in the grader: it has {given}, and each file stands alone", name=name)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        module = Nothing(spec.name)
        if spec.name.startswith("tqdm"):
            vars(module).update(tqdm=Bar, trange=lambda *bounds, **_: Bar(range(*bounds)))
        return module

    def exec_module(self, module: types.ModuleType) -> None: ...


def _no_threads(self: threading.Thread) -> None:
    raise RuntimeError("the grader has one thread: call the function instead of starting a thread")


def install() -> None:
    """Install the stubs in this process."""
    sys.meta_path.insert(0, _Finder())
    threading.Thread.start = _no_threads  # type: ignore[method-assign]
    for framework in frameworks.loaded():
        for name in framework.threads:
            setattr(sys.modules[framework.name], name, lambda count: None)


def hide_the_course() -> None:
    """Let imports find the standard library and the given packages alone, and leave nothing that says where the course is."""
    sys.path[:] = [path for path in sys.path if "site-packages" in path or path.startswith((sys.base_prefix, sys.base_exec_prefix))]
    sys.meta_path[:] = [finder for finder in sys.meta_path if "editable" not in getattr(finder, "__module__", "")]
    sys.path_importer_cache.clear()
    sys.argv[:] = [""]
