"""A plugin for `make coverage`: processes that read pictures are measured too. Nothing else is replaced."""

from pathlib import Path

import pytest

from conversations.services import pictures


@pytest.fixture(autouse=True, scope="session")
def measured_child() -> None:
    pictures.CHILD = Path(__file__).with_name("picture_child.py")
