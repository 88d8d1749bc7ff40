"""Requests by the byte: what a browser would never send, and what came of it."""

import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

import uvicorn

from chatsite.body_limit import Application
from chatsite.front import Front

PATIENCE = 60.0  # seconds


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)


def exchange(port: int, pieces: Iterable[bytes]) -> tuple[int, bytes]:
    """How many bytes the other side took of these, and all it said until it closed. Raises TimeoutError if it does not.

    The pieces end early where it says something or closes.
    """
    taken, said = 0, b""
    with connect(port) as line, suppress(ConnectionError):
        for piece in pieces:
            line.sendall(piece)
            taken += len(piece)
            line.setblocking(False)
            with suppress(BlockingIOError):
                said = line.recv(1)
                break
            line.settimeout(PATIENCE)
        line.settimeout(PATIENCE)
        while more := line.recv(1 << 16):
            said += more
    return taken, said


def status(said: bytes) -> int:
    """0 where the connection was closed without an answer."""
    return int(said.split()[1]) if said else 0


@contextmanager
def serving(application: Application, *, head_seconds: float = PATIENCE) -> Iterator[int]:
    """The application behind our own front, on a port of its own."""

    class Hurried(Front):
        pass

    Hurried.head_seconds = head_seconds
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(application, http=Hurried, ws="none", lifespan="off", log_config=None)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(PATIENCE)
