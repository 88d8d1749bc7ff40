"""Forks in which tests run: on the code as it is, or on one broken version of a file that is loaded anew.

The fork comes before anything of the application is imported; the broken source stands in for the file when it is.
"""

import ast
import importlib.machinery
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType

ROOT = Path(__file__).resolve().parents[2]
CHILD = ROOT / "conversations" / "services" / "picture_child.py"  # runs by itself, from its file
WALL = 12.0  # times as long by the clock as by the processor
SPARE_WALL = 120.0  # seconds


@dataclass(slots=True)
class Trial:
    """One that runs. `log`: what its tests say. `seconds`: of processor time that it may take."""

    pid: int
    begun: float
    folder: Path
    seconds: float

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")


@dataclass(frozen=True, slots=True)
class Ended:
    status: int
    log: str

    @property
    def is_noticed(self) -> bool:
        return self.status != 0


def forked(template: Path, seconds: float, work: Callable[[Path], int]) -> Trial:
    """`template`: a data folder with an empty database. `work`: gets a folder with a copy of it."""
    folder = Path(tempfile.mkdtemp(prefix="mutant-"))
    shutil.copytree(template, folder / "data")
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            os.setsid()
            log = os.open(folder / "log", os.O_WRONLY | os.O_CREAT, 0o600)
            os.dup2(log, 1)
            os.dup2(log, 2)
            resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + 1, int(seconds) + 5))
            status = work(folder)
        finally:
            os._exit(status)
    return Trial(pid, time.monotonic(), folder, seconds)


def ended(trial: Trial) -> Ended | None:
    """How it ended; None while it runs."""
    pid, status = os.waitpid(trial.pid, os.WNOHANG)
    if not pid:
        if time.monotonic() - trial.begun < WALL * trial.seconds + SPARE_WALL:
            return None
        os.killpg(trial.pid, signal.SIGKILL)
        pid, status = os.waitpid(trial.pid, 0)
    end = Ended(status, trial.log)
    shutil.rmtree(trial.folder, ignore_errors=True)
    return end


def fresh(path: Path, tree: ast.Module, tests: Sequence[str], folder: Path) -> int:
    """Work: these tests, in this order, on the application with the tree in place of the file."""
    settle(folder)
    _stand_in(path, tree)
    import pytest

    files = dict.fromkeys(name.partition("::")[0] for name in tests)
    return int(pytest.main([*OPTIONS, "-x", *files], plugins=[Chosen(tests)]))


OPTIONS = ("-q", "--tb=line", "--reuse-db", "-p", "no:xdist", "-p", "no:rerunfailures")


class Chosen:
    """A plugin: of what was found, these tests, in this order."""

    def __init__(self, tests: Sequence[str]) -> None:
        self.order = {name: place for place, name in enumerate(tests)}

    def pytest_collection_modifyitems(self, items: list[object]) -> None:
        known = [item for item in items if item.nodeid in self.order or item.nodeid.partition("::")[0] in self.order]  # type: ignore[attr-defined]
        items[:] = sorted(known, key=lambda item: self.order.get(item.nodeid, -1))  # type: ignore[attr-defined]


def settle(folder: Path) -> None:
    os.environ["CHATSITE_DATA"] = str(folder / "data")
    os.chdir(ROOT)


def _stand_in(path: Path, tree: ast.Module) -> None:
    sys.dont_write_bytecode = True

    class Loader(importlib.machinery.SourceFileLoader):
        def get_code(self, fullname: str) -> CodeType | None:
            if self.path == str(path):
                return compile(tree, str(path), "exec")
            return super().get_code(fullname)

    compiled = (importlib.machinery.ExtensionFileLoader, importlib.machinery.EXTENSION_SUFFIXES)
    written = (Loader, importlib.machinery.SOURCE_SUFFIXES)
    sys.path_hooks.insert(0, importlib.machinery.FileFinder.path_hook(compiled, written))
    sys.path_importer_cache.clear()
