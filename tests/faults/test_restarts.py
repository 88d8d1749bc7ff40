"""Restarts of a real server under load."""

import signal
import socket
from contextlib import suppress
from pathlib import Path

import pytest

from tests.faults import restarts
from tests.faults.site import KEY, Embedded, Held, embedded
from tests.serving import until
from tests.simulator import Simulator

ALIVE = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.mark.parametrize("kind", [Embedded, Held], ids=["by itself", "behind a socket that stays"])
def test_no_send_is_lost_when_the_server_is_restarted(tmp_path: Path, kind: type[Embedded]) -> None:
    with (
        Simulator(key=KEY, first_ms=0) as simulator,
        embedded(tmp_path, simulator.base_url, "alice", kind=kind) as site,
    ):
        found = restarts.prove(site, site.members, people=3)
    assert not found.wrong
    assert found.sends > 5
    assert kind is Embedded or not found.failures


def test_whoever_was_let_in_is_answered_by_a_server_that_ends(tmp_path: Path) -> None:
    """Between being let in and asking a moment passes, in which the server may have been asked to end."""
    with embedded(tmp_path, "http://127.0.0.1:9", "alice") as site:
        with socket.create_connection(("127.0.0.1", site.port), timeout=60) as let_in:
            assert site.process is not None
            site.process.send_signal(signal.SIGTERM)
            until(lambda: not _lets_in(site.port), "the end of letting people in")
            let_in.sendall(ALIVE)
            assert let_in.recv(1000).startswith(b"HTTP/1.1 200")
        assert site.process.wait(30) in (0, -signal.SIGTERM)


def _lets_in(port: int) -> bool:
    with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port), timeout=60):
        return True
    return False
