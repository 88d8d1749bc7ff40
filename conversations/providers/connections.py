"""Connections that can be closed from another thread, pooled, by `requests` and urllib3.

What the standard way does not give, and why it is here:
- a call can be closed from another thread while it is silent: connections tell their line which socket they use, and
  the line keeps a duplicate of its descriptor, so that shutting it down touches no state of the reading thread;
- an endpoint that people set may be held to the public internet: the address is looked at before it is connected to,
  and again where a connection that somebody else made is used once more;
- no redirect is followed, no cookie kept, nothing taken from the environment: a session would do all three, and read
  the whole body of a redirect first, so its adapter is used without it.
"""

import http.client
import os
import socket
import ssl
import threading
import time
from contextlib import suppress
from functools import cache
from typing import Any

from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3 import exceptions
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from conversations.providers import addresses, errors
from conversations.providers.call import Call

PIECE = 1 << 16  # bytes; of a body that is sent, which has the time to connect for each
LONGEST_IDLE = 60.0  # seconds; routers forget silent connections, and then the next request waits in vain


class Line:
    """One attempt's hold on a socket, from the first address tried until the connection goes back to the pool."""

    def __init__(self, call: Call, *, public_only: bool = False) -> None:
        self.call = call
        self.public_only = public_only
        self.was_refused = False
        self.incoming: Incoming | None = None
        self._duplicate: socket.socket | None = None

    def hold(self, sock: socket.socket) -> None:
        """Let closing the call shut this socket down. Raises as `Call.check` does."""
        self.let_go()
        duplicate = self._duplicate = socket.socket(fileno=os.dup(sock.fileno()))
        self.call.attach(lambda: _shut_down(duplicate))

    def may_reach(self, address: tuple[Any, ...]) -> bool:
        """Whether this call may go to a socket's address."""
        return not self.public_only or addresses.is_public(str(address[0]))

    def let_go(self) -> None:
        """From now on the connection may serve another call."""
        self.call.detach()
        self.incoming = None
        if self._duplicate:
            self._duplicate.close()
            self._duplicate = None


def _shut_down(sock: socket.socket) -> None:
    with suppress(OSError):  # it was never connected, or the other side was quicker
        sock.shutdown(socket.SHUT_RDWR)


class _Head:
    """The lines of a reply's head as http.client reads them; it takes the end of the connection for their end."""

    def __init__(self, lines: Any) -> None:
        self._lines, self.close = lines, lines.close
        self.last = b""

    def readline(self, limit: int) -> bytes:
        self.last = self._lines.readline(limit)
        return self.last


class Incoming(http.client.HTTPResponse):
    """The reply on one connection."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.sock = sock

    def begin(self) -> None:
        lines = self.fp
        head: Any = _Head(lines)
        self.fp = head
        try:
            super().begin()
        finally:
            self.fp = self.fp and lines  # unless it was closed
        if not head.last:
            raise http.client.RemoteDisconnected("closed within the head")

    def buffered(self) -> bytes:
        """What of the body was read together with the head. From now on the socket is read directly."""
        self.sock.setblocking(False)
        try:
            return self.fp.peek(1)[:]
        except (BlockingIOError, ssl.SSLWantReadError):
            return b""


class _Observed:
    """A connection that tells its line about its socket."""

    line: Line
    idle_since = 0.0

    def _new_conn(self) -> socket.socket:
        return _connected(self, self.line)  # type: ignore[arg-type]

    def send(self, data: Any) -> None:
        """In pieces: the timeout of a socket holds for all that is sent at once, and pictures are large."""
        if not isinstance(data, bytes) or len(data) <= PIECE:
            super().send(data)  # type: ignore[misc]
            return
        for start in range(0, len(data), PIECE):
            super().send(memoryview(data)[start : start + PIECE])  # type: ignore[misc]

    def getresponse(self) -> Any:
        self.line.call.sent()
        return super().getresponse()  # type: ignore[misc]

    def response_class(self, sock: socket.socket, *args: Any, **kwargs: Any) -> Incoming:
        self.line.incoming = Incoming(sock, *args, **kwargs)
        return self.line.incoming


class _Plain(_Observed, HTTPConnection):  # type: ignore[misc]
    pass


class _Secure(_Observed, HTTPSConnection):  # type: ignore[misc]
    pass


def _connected(connection: HTTPConnection, line: Line) -> socket.socket:
    """A connected socket, known to its line before the first attempt to connect; one time for all addresses."""
    last_moment = time.monotonic() + float(connection.timeout or 0)
    try:
        found = socket.getaddrinfo(connection.host, connection.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise exceptions.NameResolutionError(connection.host, connection, socket.gaierror(str(error))) from error
    failure: OSError = OSError("no address")
    if not all(line.may_reach(address) for *_, address in found):
        raise errors.PrivateAddress("the address of this connection is not a public one")
    for family, kind, protocol, _, address in found:
        sock = socket.socket(family, kind, protocol)
        try:
            line.hold(sock)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.settimeout(max(0.05, last_moment - time.monotonic()))
            sock.connect(address)
            return sock
        except OSError as error:
            sock.close()
            failure = error
        except errors.ProviderError:
            sock.close()
            raise
    line.was_refused = isinstance(failure, ConnectionRefusedError)
    raise exceptions.NewConnectionError(connection, "no connection") from failure


current = threading.local()  # the line of the call that this thread is sending; urllib3 has no other way to pass it


def _is_usable(connection: Any, line: Line) -> bool:
    """Whether a connection of the pool is not too old, and leads to where this call may go."""
    if time.monotonic() - connection.idle_since > LONGEST_IDLE:
        return False
    try:
        return not line.public_only or line.may_reach(connection.sock.getpeername())
    except OSError:
        return False


class _Watching:
    """A pool that ties each connection it hands out to the line of the call, and unties it when it comes back."""

    def _get_conn(self, timeout: float | None = None) -> Any:
        connection = super()._get_conn(timeout)  # type: ignore[misc]
        connection.line = current.line
        if connection.sock is not None and not _is_usable(connection, current.line):
            connection.close()
        if connection.sock is not None:
            try:
                current.line.hold(connection.sock)
            except BaseException:
                connection.close()
                raise
        return connection

    def _put_conn(self, connection: Any) -> None:
        if connection is not None:
            connection.line.let_go()
            connection.idle_since = time.monotonic()
        super()._put_conn(connection)  # type: ignore[misc]


class _PlainPool(_Watching, HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecurePool(_Watching, HTTPSConnectionPool):
    ConnectionCls = _Secure

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, ssl_context=tls(), **kwargs)


@cache
def tls() -> ssl.SSLContext:
    """Whom we trust: the bundle that comes with requests, read at first use and not for each connection."""
    return ssl.create_default_context(cafile=DEFAULT_CA_BUNDLE_PATH)


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **kwargs: Any) -> None:
        super().init_poolmanager(connections, maxsize, block, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _SecurePool}

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        conn.cert_reqs = "CERT_REQUIRED"


@cache
def adapter() -> _Adapter:
    return _Adapter(pool_connections=16, pool_maxsize=256)
