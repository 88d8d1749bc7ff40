"""A plugin for `make coverage`: processes that read pictures are measured too. Nothing else is replaced."""

from pathlib import Path

import pytest

from conversations.services import pictures
from tests.measured.picture_child import ROOM

MEASURED = Path(__file__).with_name("picture_child.py")


@pytest.fixture(autouse=True, scope="session")
def measured_child() -> None:
    pictures.CHILD = MEASURED


def room() -> int:
    """Bytes of memory that a process which reads pictures may take for being measured; 0 where none is."""
    return ROOM if pictures.CHILD.resolve() == MEASURED else 0
