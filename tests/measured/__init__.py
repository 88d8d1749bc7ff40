"""A plugin for `make coverage`: processes that read pictures are measured too. Nothing else is replaced."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from conversations.services import pictures
from tests.measured.picture_child import ROOM

CHILD = Path(__file__).with_name("picture_child.py")
_rooms = [0]


@pytest.fixture(autouse=True, scope="session")
def measured_child() -> Iterator[None]:
    with by(CHILD):
        yield


@contextmanager
def by(child: Path) -> Iterator[None]:
    """Let this file, ours or a link to it, stand before the process that reads pictures."""
    own, pictures.CHILD = pictures.CHILD, child
    _rooms.append(ROOM)
    try:
        yield
    finally:
        pictures.CHILD = own
        _rooms.pop()


def room() -> int:
    """Bytes of memory that a process which reads pictures may take for being measured; 0 where none is."""
    return _rooms[-1]
