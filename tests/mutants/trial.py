"""Tests on one broken version of a file: in a fork, so that Django and pytest are not loaded anew each time.

The fork comes before anything of the application is imported; the broken source stands in for the file when it is.
"""

import importlib.machinery
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType

ROOT = Path(__file__).resolve().parents[2]
CHILD = ROOT / "conversations" / "services" / "picture_child.py"  # runs by itself, from its file
SPARE = 20.0  # seconds of processor time that a broken version may take beyond five times that of the whole one
WALL = 12.0  # times as long by the clock


@dataclass(slots=True)
class Trial:
    """One that runs. `log`: what its tests say."""

    pid: int
    begun: float
    folder: Path

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")


@dataclass(frozen=True, slots=True)
class Ended:
    status: int
    seconds: float  # of processor time, children included
    log: str

    @property
    def is_noticed(self) -> bool:
        return self.status != 0


def begin(template: Path, path: Path, source: str, tests: Sequence[str], seconds: float) -> Trial:
    """`template`: a data folder with an empty database. `seconds`: of processor time that it may take."""
    folder = Path(tempfile.mkdtemp(prefix="mutant-"))
    shutil.copytree(template, folder / "data")
    pid = os.fork()
    if pid == 0:
        os._exit(_run(folder, path, source, tests, seconds))
    return Trial(pid, time.monotonic(), folder)


def end(trial: Trial, seconds: float) -> Ended | None:
    """How it ended; None while it runs."""
    pid, status, used = os.wait4(trial.pid, os.WNOHANG)
    if not pid:
        if time.monotonic() - trial.begun < WALL * seconds:
            return None
        os.killpg(trial.pid, signal.SIGKILL)
        pid, status, used = os.wait4(trial.pid, 0)
    ended = Ended(status, used.ru_utime + used.ru_stime, trial.log)
    shutil.rmtree(trial.folder, ignore_errors=True)
    return ended


def _run(folder: Path, path: Path, source: str, tests: Sequence[str], seconds: float) -> int:
    os.setsid()
    log = os.open(folder / "log", os.O_WRONLY | os.O_CREAT, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + 1, int(seconds) + 5))
    os.environ["CHATSITE_DATA"] = str(folder / "data")
    os.chdir(ROOT)
    _stand_in(path, source, folder)
    import pytest

    plugin = ["-p", "tests.mutants.child"] if path == CHILD else []
    return int(pytest.main(["-x", "-q", "--tb=line", "--reuse-db", "-p", "no:xdist", *plugin, *tests]))


def _stand_in(path: Path, source: str, folder: Path) -> None:
    sys.dont_write_bytecode = True
    (folder / path.name).write_text(source)
    os.environ["MUTANT"] = str(folder / path.name)

    class Loader(importlib.machinery.SourceFileLoader):
        def get_code(self, fullname: str) -> CodeType | None:
            if self.path == str(path):
                return compile(source, str(path), "exec")
            return super().get_code(fullname)

    compiled = (importlib.machinery.ExtensionFileLoader, importlib.machinery.EXTENSION_SUFFIXES)
    written = (Loader, importlib.machinery.SOURCE_SUFFIXES)
    sys.path_hooks.insert(0, importlib.machinery.FileFinder.path_hook(compiled, written))
    sys.path_importer_cache.clear()
