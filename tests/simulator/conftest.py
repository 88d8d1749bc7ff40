"""One simulator for all tests that leave it as they found it, and a fresh one for the others."""

from collections.abc import Iterator

import pytest

from . import Simulator


@pytest.fixture(scope="module")
def sim() -> Iterator[Simulator]:
    with Simulator() as simulator:
        yield simulator


@pytest.fixture
def fresh() -> Iterator[Simulator]:
    with Simulator() as simulator:
        yield simulator
