"""Fixtures of the wire tests."""

from collections.abc import Iterator

import pytest

from conversations.providers import connections

from .byteserver import CERTIFICATE
from .reading import WAYS, Reader


@pytest.fixture(params=WAYS)
def read(request: pytest.FixtureRequest) -> Reader:
    """Reads replies whole, byte by byte, cut at every position, and over a real socket."""
    return Reader(request.param)


@pytest.fixture
def trusted() -> Iterator[None]:
    """The test server's certificate is trusted, in this test only."""
    connections.tls().load_verify_locations(CERTIFICATE)
    yield
    connections.tls.cache_clear()
    connections.adapter.cache_clear()
