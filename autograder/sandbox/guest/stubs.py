"""What a guest finds in place of what a grader lacks: stubs for plots, progress bars, threads, pauses, and for the notebook around a cell.

They cost nothing and break nothing. If a student imports a package that is not available, the error names it. If they import one that
another preload profile has, the guest says so at once (see `Finder.lack`), and the submission is run again with that.
"""

import bdb
import builtins
import ctypes
import errno
import importlib.abc
import importlib.machinery
import os
import socket
import sys
import threading
import time
import traceback
import types
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from autograder.sandbox.guest import frameworks

# Packages, and parts of them, that are of no use where nobody looks.
SILENT = (
    *"matplotlib seaborn plotly IPython ipywidgets google tqdm wandb tensorboard tensorboardX tkinter turtle ipdb".split(),
    *(part for framework in frameworks.FRAMEWORKS.values() for part in framework.silent),
)
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


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """First in line for imports: stubs for silent packages, an error for those that are not available; the rest is Python's.

    `packages` are offered besides the given ones, and `brought` is all that this profile brought along. `lack` is called with the name of a
    module that another profile preloads, one of `lacking`, when it is imported.
    """

    def __init__(self, profile: str = "", packages: Iterable[str] = (), brought: Iterable[str] = ()):
        self.lack: Callable[[str], Any] = bool
        self.lacking = frozenset(frameworks.lacking(profile, packages))
        self._brought = frozenset(brought)
        *names, last = (*(name for name in packages if name in self._brought), *GIVEN)
        self._there = f"{', '.join(names)} and {last}"

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        top = name.partition(".")[0]
        if name in self.lacking:
            self.lack(name)
        if any(f"{name}.".startswith(f"{silent}.") for silent in SILENT):
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        if top in sys.stdlib_module_names or top in READABLE or top in self._brought or top.startswith("_"):  # _sysconfigdata_...
            return None
        words = f"`{name}` is not available while grading: there are {self._there}, and each file stands alone"
        raise ModuleNotFoundError(words, name=name)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        module = Nothing(spec.name)
        if spec.name.startswith("tqdm"):
            vars(module).update(tqdm=Bar, trange=lambda *bounds, **_: Bar(range(*bounds)))
        return module

    def exec_module(self, module: types.ModuleType) -> None: ...


def _no_threads(self: threading.Thread) -> None:
    raise RuntimeError("the grader has one thread: call the function instead of starting a thread")


def _no_input(prompt: object = "") -> str:
    raise EOFError("nothing can be typed while grading")


def _no_sleep(seconds: float) -> None:
    """Return at once: nobody looks, and a guest that really sleeps is stopped."""


def install(finder: Finder) -> None:
    """Install the stubs in this process."""
    sys.meta_path.insert(0, finder)
    time.sleep = _no_sleep  # type: ignore[assignment]
    threading.Thread.start = _no_threads  # type: ignore[method-assign]
    builtins.input = _no_input
    builtins.__dict__.update(get_ipython=Nothing, display=print)
    bdb.Bdb.set_trace = sys.breakpointhook = lambda *args, **kwargs: None  # type: ignore[method-assign]
    for framework in frameworks.loaded():
        framework.alone()


def missing_library(error: BaseException) -> str:
    """Name what could not be loaded if a shared library was not found; an empty text for every other exception."""
    if isinstance(error, ImportError) and error.path and error.name not in sys.modules:  # as the loader of extension modules raises it
        return error.name or error.path
    frames = [frame.f_code.co_filename for frame, _ in traceback.walk_tb(error.__traceback__)]
    return "a library" if isinstance(error, OSError) and frames[-1:] == [ctypes.__file__] else ""


def words(error: BaseException) -> str:
    """Say what an exception says, without a wall, and without a path of this machine's packages: a module's repr holds one."""
    said = denied(error) or str(error.msg if isinstance(error, SyntaxError) else error)
    said = said.removesuffix(f" ({getattr(error, 'path', None) or 'unknown location'})")  # of a module that has no such name
    for place in sorted(filter(None, sys.path), key=len, reverse=True):
        said = said.replace(place + os.sep, "")
    return said


def denied(error: BaseException) -> str:
    """Say what a wall kept from the student's code; an empty text if it was something else that went wrong."""
    if missing_library(error):
        return "it needs a library that is not available while grading"
    if not isinstance(error, OSError) or not any(map(_walled, (error, error.__cause__, error.__context__))):
        return ""
    if error.filename:
        return f"`{error.filename}` cannot be used while grading: there are no files"
    return "this is not available while grading: there are no files, no network and no other processes"


def _walled(error: BaseException | None) -> bool:
    """Whether a wall raised this. Where Landlock hides a file, it may not be opened; where namespaces do, it is not there."""
    return isinstance(error, socket.gaierror) or (isinstance(error, OSError) and error.errno in (errno.EPERM, errno.EACCES, errno.ENOENT))


def paths_of(brought: Iterable[str]) -> list[str]:
    """Return the files and folders of installed packages that are loaded, with the shared libraries beside them."""
    files = [file for name in brought if "-packages" in (file := getattr(sys.modules[name], "__file__", None) or "")]
    places = [os.path.dirname(file) if os.path.basename(file).startswith("__init__.") else file for file in files]
    return places + [f"{place}.libs" for place in places if os.path.isdir(f"{place}.libs")]


def hide_the_course() -> None:
    """Let imports find the standard library and the given packages alone, and leave nothing that says where the course is."""
    sys.path[:] = [path for path in sys.path if "site-packages" in path or path.startswith((sys.base_prefix, sys.base_exec_prefix))]
    sys.meta_path[:] = [finder for finder in sys.meta_path if "editable" not in getattr(finder, "__module__", "")]
    sys.path_importer_cache.clear()
    sys.argv[:] = [""]
