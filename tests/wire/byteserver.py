"""A server that sends exactly the bytes it is told to, on a real socket. It knows nothing of HTTP replies.

A script is a sequence of steps for one request: bytes go out in one write; an Event is waited for; a number is a pause
in seconds; `CLOSE` ends the connection in good order, `RESET` with a TCP reset; `GONE` waits until the client has hung
up, `HALF` ends only our direction and then does the same.
"""

import json
import os
import socket
import ssl
import struct
import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path
from types import TracebackType
from typing import Any, Self

CERTIFICATE = Path(__file__).parent / "localhost.pem"  # key and certificate of nobody but these tests
PATIENCE = 20.0  # seconds after which a test has failed


class Ending(Enum):
    """What a step does to the connection."""

    CLOSE = auto()
    RESET = auto()
    GONE = auto()
    HALF = auto()


CLOSE, RESET, GONE, HALF = Ending
Step = bytes | float | threading.Event | Ending
Script = Iterable[Step]


@dataclass
class Received:
    """One request; `connection` counts connections from 0."""

    line: str
    headers: dict[str, str]
    raw: bytes = field(repr=False)
    connection: int

    @property
    def body(self) -> Any:
        return json.loads(self.raw)


class ByteServer:
    """Plays one script for each request, in the order given; a context manager."""

    def __init__(self, *scripts: Script, tls: bool = False, reads: bool = True, patience: float = PATIENCE) -> None:
        """`reads`: False leaves every request where it is, so that a large one cannot be sent to its end.

        `patience`: seconds that one side may be silent.
        """
        self.scripts: list[Script] = list(scripts)
        self.received: list[Received] = []
        self.client_left = threading.Event()
        self.accepted = threading.Event()
        self.asked = threading.Event()
        self.closed = threading.Event()
        self.failures: list[BaseException] = []
        self._tls = _tls_context() if tls else None
        self._reads, self._patience = reads, patience
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self._socket.getsockname()[1]}"
        self._stopped = threading.Event()
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    @property
    def connections(self) -> int:
        """How many connections have brought a request."""
        return len({request.connection for request in self.received})

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stopped.set()
        for sock in (self._socket, *self._open):
            shut_down(sock)
        for thread in self._threads:
            thread.join(PATIENCE)
        for sock in (self._socket, *self._open):
            sock.close()
        if self.failures and error is None:
            raise self.failures[0]

    def _accept(self) -> None:
        while not self._stopped.is_set():
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            connection.settimeout(self._patience)
            self._open.append(connection)
            self.accepted.set()
            number = len(self._open) - 1
            thread = threading.Thread(target=self._serve, args=(connection, number), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls:
                connection = self._open[number] = self._tls.wrap_socket(connection, server_side=True)
            if not self._reads:
                assert self._stopped.wait(PATIENCE)
            while self._reads and (request := self._request(connection, number)):
                if not self._play(connection, self.script_for(request)):
                    return
        except OSError:
            self.client_left.set()
        except BaseException as failure:
            self.failures.append(failure)
        finally:
            connection.close()
            self.closed.set()

    def script_for(self, request: Received) -> Script:
        """What is played for this request."""
        return self.scripts.pop(0) if self.scripts else ()

    def _request(self, connection: socket.socket, number: int) -> Received | None:
        data = b""
        while b"\r\n\r\n" not in data:
            more = connection.recv(65536)
            if not more:
                self.client_left.set()
                return None
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        line, *fields = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (entry.partition(": ") for entry in fields)}
        while len(body) < int(headers.get("content-length", 0)):
            body += connection.recv(65536)
        self.received.append(request := Received(line, headers, body, number))
        self.asked.set()
        return request

    def _play(self, connection: socket.socket, script: Script) -> bool:
        """Whether the connection may bring another request."""
        for step in script:
            if isinstance(step, bytes):
                connection.sendall(step)
            elif isinstance(step, float):
                self._stopped.wait(step)
            elif isinstance(step, threading.Event):
                assert step.wait(PATIENCE), "nobody let the server go on"
            elif step in (GONE, HALF):
                if step is HALF:
                    connection.shutdown(socket.SHUT_WR)
                while connection.recv(65536):
                    pass
                self.client_left.set()
                return False
            elif step is RESET:
                reset(connection)
                return False
            else:
                return False
        return True


def reset(connection: socket.socket) -> None:
    """Close so that the other side sees a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    os.close(connection.detach())


def shut_down(sock: socket.socket) -> None:
    with suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)


def _tls_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    return context


# Replies as bytes


def head(status: str = "200 OK", content_type: str = "application/json", **headers: str | int) -> bytes:
    """The head of a reply; underscores in names stand for hyphens, "" leaves the content type out."""
    lines = [f"HTTP/1.1 {status}", *([f"Content-Type: {content_type}"] if content_type else [])]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def whole(body: bytes, status: str = "200 OK", content_type: str = "application/json", **headers: str | int) -> bytes:
    """A reply of known length."""
    return head(status, content_type, Content_Length=len(body), **headers) + body


def chunk(data: bytes) -> bytes:
    """One chunk of a chunked body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


LAST_CHUNK = b"0\r\n\r\n"


def chunked(pieces: Iterable[bytes], content_type: str = "text/event-stream", **headers: str | int) -> Iterator[bytes]:
    """A reply in chunks, each in a write of its own."""
    yield head("200 OK", content_type, Transfer_Encoding="chunked", **headers)
    for piece in pieces:
        yield chunk(piece)
    yield LAST_CHUNK


def byte_by_byte(data: bytes) -> list[bytes]:
    return [data[at : at + 1] for at in range(len(data))]
