"""A TCP proxy between browsers and a site that cuts, falls silent or answers 503, as each connection is told to."""

import contextlib
import select
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self
from urllib.parse import urlsplit

from tests.wire.byteserver import reset, shut_down

How = Literal["pass", "close", "reset", "freeze", "orphan", "503", "deaf"]
UNAVAILABLE = (
    b"HTTP/1.1 503 Unavailable\r\nContent-Type: text/html\r\nContent-Length: 4\r\nConnection: close\r\n\r\nBusy"
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What becomes of one connection, once `after` bytes came from the site (for "deaf": from the browser).

    close, reset: both sides end. freeze: the browser is left waiting, the site is told that it has gone.
    orphan: the browser is told that the site has gone, the site is left waiting. 503: the site is never asked.
    deaf: no more of the request is passed on, and both sides end.
    """

    how: How = "pass"
    after: int = 0


class Proxy:
    """`plan` is asked for each connection, with the first bytes of its first request. A context manager."""

    def __init__(self, url: str, plan: Callable[[bytes], Plan]) -> None:
        self.plan = plan
        self.cuts = 0
        self._port = urlsplit(url).port
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._left: list[socket.socket] = []
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._is_over = False

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._is_over = True
        shut_down(self._listening)
        self._listening.close()
        for thread in self._threads:
            thread.join(60)
        for sock in self._left:
            sock.close()

    def _accept(self) -> None:
        while not self._is_over:
            try:
                browser, _ = self._listening.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(browser,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, browser: socket.socket) -> None:
        with contextlib.suppress(OSError):
            first = browser.recv(65536)
            if not first:
                browser.close()
                return
            plan = self.plan(first)
            if plan.how == "503":
                self._count()
                browser.sendall(UNAVAILABLE)
                browser.close()
                return
            site = socket.create_connection(("127.0.0.1", self._port or 0), timeout=60)
            self._carry(browser, site, first, plan)

    def _carry(self, browser: socket.socket, site: socket.socket, first: bytes, plan: Plan) -> None:
        """Both directions, until one side ends or it is time."""
        budget = plan.after
        sides = {browser: site, site: browser}
        pending = {browser: first}
        counted = browser if plan.how == "deaf" else site
        try:
            while not self._is_over:
                ready = list(pending) or select.select([browser, site], [], [], 0.2)[0]
                for side in ready:
                    data = pending.pop(side, b"") or side.recv(65536)
                    if not data:
                        return
                    if plan.how != "pass" and side is counted:
                        data, budget = data[:budget], budget - len(data)
                    sides[side].sendall(data)
                    if plan.how != "pass" and budget < 0:
                        self._end(browser, site, plan)
                        return
        finally:
            for sock in (browser, site):
                if sock not in self._left and sock.fileno() >= 0:
                    shut_down(sock)
                    sock.close()

    def _end(self, browser: socket.socket, site: socket.socket, plan: Plan) -> None:
        self._count()
        if plan.how == "reset":
            reset(browser)
            reset(site)
        elif plan.how in ("freeze", "orphan"):
            self._left.append(browser if plan.how == "freeze" else site)

    def _count(self) -> None:
        with self._lock:
            self.cuts += 1
