"""Modules that are loaded when they are first used: few servers need them, and every one would carry them in memory."""

import importlib
import sys
import threading
from functools import cache
from types import ModuleType
from typing import Any

_loading = threading.RLock()


class _Later(ModuleType):
    """Stands in for a module of the same name, for those who import it from its package."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(_module(self.__name__), name)


def load_later(name: str) -> None:
    """Whoever imports the module from its package, and only then uses it, loads it by its first use."""
    sys.modules.setdefault(name, _Later(name))


def _module(name: str) -> ModuleType:
    with _loading:
        return _loaded(name)


@cache
def _loaded(name: str) -> ModuleType:
    sys.modules.pop(name, None)
    return importlib.import_module(name)
