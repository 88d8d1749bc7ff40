"""The simulator as a real HTTP/1.1 server in threads of this process, and the handles by which a test holds it."""

import socket
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from . import directives
from .answering import Answering, Request, decoded
from .directives import Directives
from .reply import Checkpoint, Json, Reply
from .settings import Settings
from .transport import Gate, Outcome, play

# Read to the end even when it will be refused, so that the client sees the refusal and not a reset.
MOST_READ = 256 * 1024 * 1024


@dataclass(slots=True)
class Recorded:
    """One request as it came, and how its reply ended.

    headers    by lower-case name; the key included
    body       the JSON value, None where there was none
    status     of the reply, 0 before it was decided
    outcome    "" while it runs, then "sent", "left" (the client closed), "cut" or "reset"
    """

    method: str
    path: str
    headers: dict[str, str]
    raw: bytes = field(repr=False)
    body: Json = field(repr=False)
    status: int = 0
    outcome: Outcome = ""


@dataclass(slots=True)
class Scripted:
    """What a test has laid down for coming requests to a path."""

    path: str
    times: int
    reply: Reply | None
    wished: Directives


@dataclass(kw_only=True, eq=False)
class Simulator(Settings):
    """See the package's docstring. A context manager; `start` and `close` do the same by hand."""

    _gate: Gate = field(init=False, repr=False, default_factory=Gate)
    _scripts: list[Scripted] = field(init=False, repr=False, default_factory=list)
    _failures: list[str] = field(init=False, repr=False, default_factory=list)
    _count: int = field(init=False, repr=False, default=0)
    _open: int = field(init=False, repr=False, default=0)

    def __post_init__(self) -> None:
        self._answering = Answering(self)
        self._changed = self._gate.changed
        self._recorded: deque[Recorded] = deque(maxlen=self.keep)
        self._server = Server((self.host, self.port), Handler)
        self._server.simulator = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="simulator", daemon=True)

    # --- Life -----------------------------------------------------------------------------------------------------

    def start(self) -> Self:
        self._thread.start()
        return self

    def close(self) -> None:
        """Stop listening and break off whatever is still being answered."""
        self._server.shutdown()
        self._thread.join()
        self._server.hang_up()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
        if error is None:
            self.check()

    def begin_anew(self) -> None:
        """As it was at its start: nothing recorded, laid down or held; what is still being answered is broken off."""
        self.release()
        if not self.wait_for(lambda: self._open == 0, 0.2):
            self._server.hang_up()
        with self._changed:
            self._recorded.clear()
            self._scripts.clear()
            self._failures.clear()
            self._count = 0

    def check(self) -> None:
        """Raises AssertionError where the simulator itself had a fault."""
        if self._failures:
            raise AssertionError("The simulator itself failed:\n" + "\n".join(self._failures))

    @property
    def url(self) -> str:
        """The root, such as "http://127.0.0.1:9001"."""
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}"

    @property
    def base_url(self) -> str:
        """What goes into SEGMIND_BASE_URL and AIMLAPI_BASE_URL."""
        return f"{self.url}/v1"

    # --- What a test sees -----------------------------------------------------------------------------------------

    @property
    def requests(self) -> list[Recorded]:
        """What has come so far, oldest first; the last `keep` of them."""
        with self._changed:
            return list(self._recorded)

    @property
    def open_calls(self) -> int:
        """How many requests are being answered right now."""
        return self._open

    @property
    def held(self) -> int:
        """How many replies stand still and wait for `release()`."""
        return self._gate.waiting

    def wait_closed(self, timeout: float = 60.0) -> bool:
        """Whether, within `timeout` seconds, no request is being answered any more."""
        return self.wait_for(lambda: self._open == 0, timeout)

    def wait_held(self, count: int = 1, timeout: float = 60.0) -> bool:
        """Whether at least `count` replies come to stand still within `timeout` seconds."""
        return self.wait_for(lambda: self._gate.waiting >= count, timeout)

    def wait_requests(self, count: int, timeout: float = 60.0) -> bool:
        """Whether `count` requests have come, in all, within `timeout` seconds."""
        return self.wait_for(lambda: self._count >= count, timeout)

    def wait_for(self, claim: Callable[[], bool], timeout: float = 60.0) -> bool:
        """Whether `claim` about this simulator comes true within `timeout` seconds."""
        with self._changed:
            return self._changed.wait_for(claim, timeout)

    # --- What a test decides --------------------------------------------------------------------------------------

    def script(self, reply: Reply | None = None, *, times: int = 1, path: str = "", **wished: str | int) -> None:
        """Lay down the next `times` answers to POST requests whose path contains `path`.

        With `reply` that very reply, whatever was asked and by whom; otherwise directives, such as `fault="case-13"`,
        that go over those in the text. Scripts are used up in the order in which they were laid down.
        """
        if unknown := set(wished) - set(directives.MEANING):
            raise TypeError(f"no such directive: {', '.join(sorted(unknown))}")
        made = directives.of({name: str(value) for name, value in wished.items()})
        with self._changed:
            self._scripts.append(Scripted(path, times, reply, made))

    def hold(self) -> None:
        """From now on every reply stands still before its head and before each token, until `release()`."""
        self._gate.hold()

    def release(self) -> None:
        """Let everything go on that stands still, whoever stopped it."""
        self._gate.release()

    # --- What the handler calls -----------------------------------------------------------------------------------

    def answer(self, conn: socket.socket, method: str, path: str, headers: dict[str, str], raw: bytes) -> bool:
        """Answer one request on `conn`; says whether the connection may be used again."""
        recorded = Recorded(method, path, headers, raw, decoded(raw))
        with self._answered(recorded) as number:
            made = self._made(Request(number, method, path, headers, raw))
            recorded.status = made.status
            recorded.outcome = play(conn, made, self._gate)
        return recorded.outcome == "sent" and made.framing != "close"

    @contextmanager
    def _answered(self, recorded: Recorded) -> Iterator[int]:
        with self._changed:
            self._recorded.append(recorded)
            self._count += 1
            self._open += 1
            number = self._count
            self._changed.notify_all()
        try:
            yield number
        except Exception:
            # A bug in here must not pass for a fault of the wire: it is told at the end of the `with` block.
            self._failures.append(traceback.format_exc())
            raise
        finally:
            with self._changed:
                self._open -= 1
                self._changed.notify_all()

    def _made(self, request: Request) -> Reply:
        if request.method != "POST":
            return self._answering.reply(request, Directives())
        script = self._next_script(request)
        if script is not None and script.reply is not None:
            return script.reply.after(Checkpoint())
        return self._answering.reply(request, script.wished if script else Directives()).after(Checkpoint())

    def _next_script(self, request: Request) -> Scripted | None:
        with self._changed:
            script = next((script for script in self._scripts if script.path in request.path), None)
            if script is not None:
                script.times -= 1
                if script.times <= 0:
                    self._scripts.remove(script)
            return script


class Server(ThreadingHTTPServer):
    """A server that knows its connections, to break them off when it closes."""

    daemon_threads = True
    request_queue_size = 512
    simulator: Simulator

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self.connections: set[socket.socket] = set()
        self.gone = threading.Condition()
        super().__init__(address, handler)

    def hang_up(self) -> None:
        """Shut every connection and wait until its thread has noticed."""
        with self.gone:
            for conn in self.connections:
                # Already closed from the other side, or reset by a fault.
                try:
                    conn.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue
            self.gone.wait_for(lambda: not self.connections, 5)


class Handler(BaseHTTPRequestHandler):
    """Reads requests from one connection and has the simulator answer them, one after the other."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def setup(self) -> None:
        super().setup()
        with self.server.gone:
            self.server.connections.add(self.connection)

    def finish(self) -> None:
        with self.server.gone:
            self.server.connections.discard(self.connection)
            self.server.gone.notify_all()
        super().finish()

    def handle(self) -> None:
        try:
            super().handle()
        except ConnectionError:
            self.close_connection = True

    def serve(self) -> None:
        size = self.headers.get("Content-Length", "0")
        if not size.isdecimal() or int(size) > MOST_READ or "Transfer-Encoding" in self.headers:
            self.close_connection = True
            self.send_error(411)
            return
        raw = self.rfile.read(int(size))
        if len(raw) < int(size):
            self.close_connection = True
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        path = self.path.partition("?")[0]
        again = self.server.simulator.answer(self.connection, self.command, path, headers, raw)
        self.close_connection = self.close_connection or not again

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = serve

    def log_message(self, format: str, *args: Any) -> None:
        """Silent: what came is in `requests`."""
