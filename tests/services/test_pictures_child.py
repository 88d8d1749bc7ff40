"""The process that reads hostile pictures: what bounds it, what it may know, and that it always ends. Needs Linux's /proc.

No database. Where a test needs a child that misbehaves, a script of its own stands in for the far side of the pipe.
"""

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from conversations.services import pictures
from conversations.services.pictures import LIMITS, Picture

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def large() -> bytes:
    """A picture that keeps a child busy long enough to be looked at."""
    file = io.BytesIO()
    Image.new("RGB", (6_000, 4_000), "navy").save(file, "PNG", compress_level=1)
    return file.getvalue()


@pytest.fixture(scope="module")
def small() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (60, 40), "navy").save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


def until[T](condition: Callable[[], T], seconds: float = 10) -> T: ...


def children(process: str = "self") -> set[int]:
    """The picture children of a process; one between fork and exec still looks like its parent and does not count."""
    found: set[int] = set()
    for listing in Path(f"/proc/{process}/task").glob("*/children"):
        found.update(int(pid) for pid in read(listing).split())
    return {pid for pid in found if b"picture_child.py" in read(Path(f"/proc/{pid}/cmdline"))}


def read(path: Path) -> bytes:
    """The content of a file under /proc; empty where its process is gone."""
    try:
        return path.read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""
