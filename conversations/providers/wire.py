"""The only socket: sends a prepared request and gives the reply's events, by `requests` and urllib3.

What the standard way does not give, and why it is here:
- a call can be closed from another thread while it is silent: connections tell their line which socket they use, and
  the line keeps a duplicate of its descriptor, so that shutting it down touches no state of the reading thread;
- deadlines hold against replies that drip: each read has the rest of the time, not a time of its own;
- no redirect is followed, no cookie kept, nothing taken from the environment: a session would do all three, and read
  the whole body of a redirect first, so its adapter is used without it;
- a connection goes back to the pool after a reply that was read to its end, and is closed in every other case.
"""

import http.client
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from functools import cache
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3 import exceptions
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from conversations import providers
from conversations.providers import attempts, errors
from conversations.providers.attempts import Attempt, Refused
from conversations.providers.base import Endpoint, Model, Prepared, Vendor
from conversations.providers.call import DEFAULT_LIMITS, Call, Limits
from conversations.providers.events import Event
from conversations.providers.replies.decoder import Decoder
from conversations.providers.turns import ChatRequest

__all__ = ["Attempt", "Call", "Limits", "answer", "events"]

PIECE = 1 << 16  # bytes; of a body that is read, and of one that is sent, which has the time to connect for each
LONGEST_IDLE = 60.0  # seconds; routers forget silent connections, and then the next request waits in vain
_HEADERS = {"User-Agent": "chatsite", "Accept-Encoding": "identity"}


# Connections that can be closed from another thread


class _Line:
    """One attempt's hold on a socket, from the first address tried until the connection goes back to the pool."""

    def __init__(self, call: Call) -> None:
        self.call = call
        self.was_refused = False
        self.incoming: _Incoming | None = None
        self._duplicate: socket.socket | None = None

    def hold(self, sock: socket.socket) -> None:
        """Let closing the call shut this socket down. Raises as `Call.check` does."""
        self.let_go()
        duplicate = self._duplicate = socket.socket(fileno=os.dup(sock.fileno()))
        self.call.attach(lambda: _shut_down(duplicate))

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


class _Incoming(http.client.HTTPResponse):
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
            if self.fp is head:  # and not closed
                self.fp = lines
        if not head.last:
            raise http.client.RemoteDisconnected("closed within the head")

    @property
    def has_more(self) -> bool:
        """Whether the next read would return at once."""
        if self.fp is None:
            return False
        timeout = self.sock.gettimeout()
        self.sock.settimeout(0)
        try:
            return len(self.fp.peek(1)) > (2 if self.chunk_left == 0 else 0)  # a chunk's own line end says nothing
        except (BlockingIOError, ssl.SSLWantReadError):
            return False
        except OSError:
            return True  # and the read will say what is wrong
        finally:
            self.sock.settimeout(timeout)


class _Observed:
    """A connection that tells its line about its socket."""

    line: _Line
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

    def response_class(self, sock: socket.socket, *args: Any, **kwargs: Any) -> _Incoming:
        self.line.incoming = _Incoming(sock, *args, **kwargs)
        return self.line.incoming


class _Plain(_Observed, HTTPConnection):  # type: ignore[misc]
    pass


class _Secure(_Observed, HTTPSConnection):  # type: ignore[misc]
    pass


def _connected(connection: HTTPConnection, line: _Line) -> socket.socket:
    """A connected socket, known to its line before the first attempt to connect; one time for all addresses."""
    last_moment = time.monotonic() + float(connection.timeout or 0)
    try:
        addresses = socket.getaddrinfo(connection.host, connection.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise exceptions.NameResolutionError(connection.host, connection, socket.gaierror(str(error))) from error
    failure: OSError = OSError("no address")
    for family, kind, protocol, _, address in addresses:
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
    if isinstance(failure, TimeoutError):
        raise exceptions.ConnectTimeoutError(connection, "timed out") from failure
    line.was_refused = isinstance(failure, ConnectionRefusedError)
    raise exceptions.NewConnectionError(connection, "no connection") from failure


_current = threading.local()  # the line of the call that this thread is sending; urllib3 has no other way to pass it


class _Watching:
    """A pool that ties each connection it hands out to the line of the call, and unties it when it comes back."""

    def _get_conn(self, timeout: float | None = None) -> Any:
        connection = super()._get_conn(timeout)  # type: ignore[misc]
        connection.line = _current.line
        if connection.sock is not None and time.monotonic() - connection.idle_since > LONGEST_IDLE:
            connection.close()
        if connection.sock is not None:
            try:
                _current.line.hold(connection.sock)
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
def _adapter() -> _Adapter:
    return _Adapter(pool_connections=16, pool_maxsize=256)


# One exchange


class _Exchange:
    """One request and its reply. After `events` has ended, `decoder` still tells usage and shape."""

    def __init__(self, prepared: Prepared, key: str, call: Call, limits: Limits) -> None:
        self.prepared, self.key, self.call, self.limits = prepared, key, call, limits
        self.decoder: Decoder | None = None
        self._line = _Line(call)

    def events(self) -> Generator[Event, None, None]:
        """Raises ProviderError after the events that came before it."""
        self.call.begin(self.limits)
        response: requests.Response | None = None
        try:
            response = self._send()
            self.call.answered(response.status_code)
            secrets, caps = (self.key,), self.limits.caps
            decoder = self.decoder = Decoder(response.status_code, response.headers, secrets=secrets, caps=caps)
            yield from self._read(response, decoder)
            self._drain(response)
        finally:
            if response is not None:
                response.close()
            self._line.let_go()
            self.call.end()

    def _send(self) -> requests.Response:
        _current.line = self._line
        try:
            request = requests.PreparedRequest()
            headers = dict(self.prepared.headers) | _HEADERS
            request.prepare(self.prepared.method, self.prepared.url, headers=headers, data=self.prepared.content)
            return _adapter().send(request, stream=True, timeout=(self.limits.connect, self.limits.first_byte))
        except (requests.RequestException, exceptions.HTTPError, OSError) as error:
            self.call.check()
            raise self._why_not_sent(error) from error
        finally:
            _current.line = None

    def _why_not_sent(self, error: Exception) -> errors.ProviderError:
        if isinstance(error, ValueError) and not isinstance(error, requests.exceptions.InvalidHeader):
            return errors.NotConfigured("the provider's address is not usable")
        if self._line.was_refused:
            return Refused("the connection was refused")
        causes = list(_causes(error))
        if any(isinstance(cause, TimeoutError | exceptions.ReadTimeoutError) for cause in causes):
            return errors.TimedOut("no answer for too long")
        if any(isinstance(cause, ssl.SSLError) for cause in causes):
            return errors.Unreachable("no trusted connection to the provider")
        if any(isinstance(cause, exceptions.NameResolutionError) for cause in causes):
            return errors.Unreachable("the provider's name is not known")
        nonsense = http.client.HTTPException | exceptions.InvalidHeader
        if any(isinstance(cause, nonsense) and not isinstance(cause, OSError) for cause in causes):
            return errors.UnexpectedReply("no HTTP reply")
        return errors.Unreachable("the connection broke before an answer")

    def _read(self, response: requests.Response, decoder: Decoder) -> Iterator[Event]:
        yield from decoder.opening()
        failure: errors.ProviderError | None = None
        try:
            for data in self._pieces(response, decoder):
                yield from decoder.feed(data)
        except errors.ProviderError as error:
            failure = error
        yield from decoder.end(is_cut=failure is not None)
        if failure and (isinstance(failure, errors.Cancelled) or not decoder.is_complete):
            is_early = isinstance(failure, errors.BrokenStream) and not decoder.has_content
            raise errors.Unreachable(failure.detail) if is_early else failure
        yield from decoder.close()

    def _pieces(self, response: requests.Response, decoder: Decoder) -> Iterator[bytes]:
        """What comes, as it comes; many small pieces of a stream are worth waking up for only together."""
        progress = decoder.progress
        while not decoder.is_over:
            data = self._piece(response)
            if not data:
                return
            yield data
            if decoder.progress != progress:
                progress = decoder.progress
                self.call.progressed(may_end=decoder.is_complete)
            incoming = self._line.incoming
            if decoder.streams and decoder.has_content and incoming and not incoming.has_more:
                self.call.wait(max(self.limits.nap, self.call.nap))

    def _piece(self, response: requests.Response) -> bytes:
        """The next bytes, b"" at the end. Raises ProviderError."""
        self.call.check()
        remaining = self.call.remaining()
        try:
            if self._line.incoming:
                self._line.incoming.sock.settimeout(remaining)
            data: bytes = response.raw.read1(PIECE, decode_content=True)
        except exceptions.ReadTimeoutError as error:
            self.call.check()
            raise errors.TimedOut("no progress for too long") from error
        except exceptions.DecodeError as error:
            raise errors.UnexpectedReply("compressed in an unreadable way") from error
        except (exceptions.HTTPError, OSError, http.client.HTTPException) as error:
            self.call.check()
            raise errors.BrokenStream("the connection broke") from error
        self.call.check()  # a socket that was shut down reads like one that has come to its end
        return data

    def _drain(self, response: requests.Response) -> None:
        """Take what is left of a body whose reply has ended, so that the connection can be used again; not for long."""
        last_moment = time.monotonic() + self.limits.linger
        with suppress(exceptions.HTTPError, OSError, http.client.HTTPException):
            while self._line.incoming and (seconds := last_moment - time.monotonic()) > 0:
                self._line.incoming.sock.settimeout(seconds)
                response.raw.read1(PIECE, decode_content=True)


def _causes(error: object) -> Iterator[BaseException]:
    """An exception and everything it wraps; urllib3 and requests keep that in different places."""
    if isinstance(error, BaseException):
        yield error
        inner = next((one for one in error.args if isinstance(one, BaseException)), None)
        yield from _causes(error.__cause__ or error.__context__ or inner or getattr(error, "reason", None))


# What others call


def events(
    vendor: Vendor,
    model: Model,
    endpoint: Endpoint,
    request: ChatRequest,
    *,
    call: Call,
    limits: Limits = DEFAULT_LIMITS,
) -> Iterator[Event]:
    """One attempt: the reply's events. Raises ProviderError, at any point; what came before it stays valid."""
    prepared = providers.prepare(vendor, model, endpoint, request)
    return _Exchange(prepared, endpoint.key, call, limits).events()


def answer(
    vendor: Vendor,
    model: Model,
    endpoint: Endpoint,
    request: ChatRequest,
    *,
    call: Call,
    on_attempt: Callable[[Attempt], None],
    limits: Limits = DEFAULT_LIMITS,
) -> Iterator[Event]:
    """As `events`, with the one retry and the one resend of `attempts`; `on_attempt` hears of each attempt twice."""

    def exchange(chosen: Model) -> _Exchange:
        return _Exchange(providers.prepare(vendor, chosen, endpoint, request), endpoint.key, call, limits)

    return attempts.answer(model, exchange, call=call, limits=limits, tell=on_attempt)
