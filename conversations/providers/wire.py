"""Sends a prepared request and gives the reply's events, by `requests` and urllib3.

- Deadlines hold against replies that drip: each read has the rest of the time, not a time of its own.
- The body of a stream is read through a tap, which never waits: one thread can read many streams (`patient=False`).
- A connection goes back to the pool after a reply that was read to its end, and is closed in every other case.
"""

import http.client
import select
import ssl
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress

import requests
from urllib3 import exceptions

from conversations import providers
from conversations.providers import attempts, connections, errors, listings, taps
from conversations.providers.attempts import Attempt, Refused
from conversations.providers.base import Endpoint, Model, Prepared, Vendor
from conversations.providers.call import DEFAULT_LIMITS, Call, Limits
from conversations.providers.connections import Line
from conversations.providers.events import Event, Pause
from conversations.providers.listings import Listed
from conversations.providers.replies.decoder import Decoder
from conversations.providers.taps import Tap
from conversations.providers.turns import ChatRequest

__all__ = ["Attempt", "Call", "Limits", "answer", "events", "listing"]

PIECE = 1 << 16  # bytes of a body that are read at once
_HEADERS = {"User-Agent": "chatsite", "Accept-Encoding": "identity"}


class _Exchange:
    """One request and its reply. After `events` has ended, `decoder` still tells usage and shape.

    A patient one waits for whatever is to come; another one gives a Pause where a patient one would wait for more of
    a stream, and one without a descriptor in front of everything else that waits.
    """

    def __init__(self, prepared: Prepared, endpoint: Endpoint, call: Call, limits: Limits, *, patient: bool) -> None:
        self.prepared, self.call, self.limits = prepared, call, limits
        self._secrets = endpoint.secrets
        self._is_patient = patient
        self.decoder: Decoder | None = None
        self._tap: Tap | None = None
        self._line = Line(call, public_only=endpoint.public_only)

    def events(self) -> Generator[Event | Pause, None, None]:
        """Raises ProviderError after the events that came before it."""
        if not self._is_patient:
            yield Pause()
        self.call.begin(self.limits)
        response: requests.Response | None = None
        try:
            response = self._send()
            self.call.answered(response.status_code)
            head, secrets = (response.status_code, response.headers), self._secrets
            decoder = self.decoder = Decoder(*head, secrets=secrets, caps=self.limits.caps)
            yield from self._read(response, decoder)
            self._drain(response)
        finally:
            if response is not None:
                response.close()
            self._line.let_go()
            self.call.end()

    def _send(self) -> requests.Response:
        connections.current.line = self._line
        try:
            request = requests.PreparedRequest()
            headers = dict(self.prepared.headers) | _HEADERS
            data = self.prepared.content if self.prepared.method == "POST" else None
            request.prepare(self.prepared.method, self.prepared.url, headers=headers, data=data)
            return connections.adapter().send(
                request, stream=True, timeout=(self.limits.connect, self.limits.first_byte)
            )
        except (requests.RequestException, exceptions.HTTPError, OSError) as error:
            self.call.check()
            raise self._why_not_sent(error) from error
        finally:
            connections.current.line = None

    def whole(self, limit: int) -> tuple[requests.Response, bytes]:
        """The head and the body of the reply, up to so many bytes of it. Raises ProviderError."""
        self.call.begin(self.limits)
        response: requests.Response | None = None
        try:
            response = self._send()
            self.call.answered(response.status_code)
            body = b""
            while len(body) <= limit and (piece := self._piece(response)):
                body += piece
            if len(body) > limit:
                raise errors.TooLarge("the reply is larger than can be taken")
            return response, body
        finally:
            if response is not None:
                response.close()
            self._line.let_go()
            self.call.end()

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

    def _read(self, response: requests.Response, decoder: Decoder) -> Iterator[Event | Pause]:
        yield from decoder.opening()
        failure: errors.ProviderError | None = None
        try:
            for data in self._pieces(response, decoder):
                if isinstance(data, Pause):
                    yield data
                else:
                    yield from decoder.feed(data)
        except errors.ProviderError as error:
            failure = error
        yield from decoder.end(is_cut=failure is not None)
        if failure and (isinstance(failure, errors.Cancelled) or not decoder.is_complete):
            is_early = isinstance(failure, errors.BrokenStream) and not decoder.has_content
            raise errors.Unreachable(failure.detail) if is_early else failure
        yield from decoder.close()

    def _pieces(self, response: requests.Response, decoder: Decoder) -> Iterator[bytes | Pause]:
        """What comes, as it comes."""
        self._tap = tap = self._tapped(response)
        progress = decoder.progress
        while not decoder.is_over:
            data = self._taken(tap, response) if tap else self._piece(response)
            if tap and data is None:
                yield from self._pause(tap, decoder)
                continue
            if not data:
                return
            yield data
            if decoder.progress != progress:
                progress = decoder.progress
                self.call.progressed(may_end=decoder.is_complete)

    def _tapped(self, response: requests.Response) -> Tap | None:
        """A tap on the body of a stream; None where the body is not one, or is coded."""
        incoming = self._line.incoming
        content_type = response.headers.get("content-type", "").strip().lower()
        framing = taps.framing_of(response.headers)
        if not (incoming and incoming.fp and framing and content_type.startswith("text/event-stream")):
            return None
        try:
            return Tap(incoming.sock, incoming.buffered(), framing)
        except OSError as error:
            self.call.check()
            raise errors.BrokenStream("the connection broke") from error

    def _pause(self, tap: Tap, decoder: Decoder) -> Iterator[Pause]:
        """Until more has come; many small pieces of a stream are worth waking up for only together."""
        if not self._is_patient:
            yield Pause(tap.fileno())
            return
        if decoder.has_content:
            self.call.wait(self.limits.nap)
        _wait_for(tap, self.call.remaining())

    def _taken(self, tap: Tap, response: requests.Response) -> bytes | None:
        """What has come, b"" at the end, None where nothing has. Raises ProviderError."""
        self.call.check()
        try:
            data = tap.take()
        except (taps.BadFraming, OSError) as error:
            self.call.check()
            raise errors.BrokenStream("the connection broke") from error
        self.call.check()  # a socket that was shut down reads like one that has come to its end
        if data is None:
            self.call.remaining()
        elif tap.is_over:
            self._give_back(response)
        return data

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
        if self._tap:
            self._drain_tap(self._tap, response)
            return
        last_moment = time.monotonic() + self.limits.linger
        with suppress(exceptions.HTTPError, OSError, http.client.HTTPException):
            while self._line.incoming and (seconds := last_moment - time.monotonic()) > 0:
                self._line.incoming.sock.settimeout(seconds)
                response.raw.read1(PIECE, decode_content=True)

    def _drain_tap(self, tap: Tap, response: requests.Response) -> None:
        """The same for a stream; who is not patient takes only what is here already."""
        last_moment = time.monotonic() + self.limits.linger
        with suppress(taps.BadFraming, OSError):
            while not tap.is_over and (left := last_moment - time.monotonic()) > 0:
                if tap.take() is not None:
                    continue
                if not self._is_patient:
                    return
                _wait_for(tap, left)
        if tap.is_over:
            self._give_back(response)

    def _give_back(self, response: requests.Response) -> None:
        """The body was read to its end, if not by http.client: the connection can serve another call."""
        incoming = self._line.incoming
        if incoming and not incoming.will_close:
            incoming.close()
            response.raw.release_conn()


def _wait_for(tap: Tap, seconds: float) -> None:
    poll = select.poll()
    poll.register(tap.fileno(), select.POLLIN)
    poll.poll(seconds * 1000)


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
    exchange = _Exchange(prepared, endpoint, call, limits, patient=True)
    return (event for event in exchange.events() if not isinstance(event, Pause))


def listing(vendor: Vendor, endpoint: Endpoint, *, call: Call, limits: Limits = DEFAULT_LIMITS) -> tuple[Listed, ...]:
    """The models that the endpoint lists, by name. Raises ProviderError."""
    prepared = listings.prepare(vendor, endpoint)
    response, body = _Exchange(prepared, endpoint, call, limits, patient=True).whole(listings.LARGEST)
    headers = {name.lower(): value for name, value in response.headers.items()}
    return listings.read(response.status_code, headers, body, endpoint.secrets)


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
    asked = (vendor, model, endpoint, request)
    found = paced_answer(*asked, call=call, on_attempt=on_attempt, limits=limits, patient=True)
    return (event for event in found if not isinstance(event, Pause))


def paced_answer(
    vendor: Vendor,
    model: Model,
    endpoint: Endpoint,
    request: ChatRequest,
    *,
    call: Call,
    on_attempt: Callable[[Attempt], None],
    limits: Limits = DEFAULT_LIMITS,
    patient: bool = False,
) -> Iterator[Event | Pause]:
    """As `answer`, for a thread that has other things to do than waiting: see Pause."""

    def exchange(chosen: Model) -> _Exchange:
        prepared = providers.prepare(vendor, chosen, endpoint, request)
        return _Exchange(prepared, endpoint, call, limits, patient=patient)

    return attempts.answer(model, exchange, call=call, limits=limits, tell=on_attempt)
