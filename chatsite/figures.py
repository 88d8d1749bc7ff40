"""`/metrics` of a process that serves no pages: a worker. The same token, the same page, a port of its own."""

import threading
from collections.abc import Iterable
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from django.conf import settings
from django.db import connection

from conversations.views import metrics

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


def serve() -> None:
    """Answer from now on, where a port is set, in threads that end with the process."""
    if settings.CHATSITE_METRICS_PORT:
        server = make_server(settings.HOST, settings.CHATSITE_METRICS_PORT, application, Server, Silent)
        threading.Thread(target=server.serve_forever, name="figures", daemon=True).start()


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Silent(WSGIRequestHandler):
    timeout = 10

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: Prometheus asks every few seconds."""


def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    if environ["PATH_INFO"] != "/metrics":
        return _answer(start_response, "404 Not Found")
    if not metrics.may_read(environ.get("HTTP_AUTHORIZATION", "")):
        return _answer(start_response, "401 Unauthorized", ("WWW-Authenticate", "Bearer"))
    from conversations.views import figures

    try:
        text = figures.text()
    finally:
        connection.close()
    return _answer(start_response, "200 OK", ("Content-Type", figures.CONTENT_TYPE_LATEST), body=text)


def _answer(start_response: "StartResponse", status: str, *headers: tuple[str, str], body: bytes = b"") -> list[bytes]:
    start_response(status, [*headers, ("Content-Length", str(len(body)))])
    return [body]
