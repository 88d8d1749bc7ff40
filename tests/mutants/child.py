"""A plugin: the process that reads pictures runs from the broken file."""

import os
from pathlib import Path

import pytest

from conversations.services import pictures


@pytest.fixture(autouse=True, scope="session")
def broken_child() -> None:
    pictures.CHILD = Path(os.environ["MUTANT"])
