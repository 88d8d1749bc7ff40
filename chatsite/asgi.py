"""The ASGI entry: Django, a limit on request bodies in front of it, and what has to begin and end with the process."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from types import FrameType
from typing import Any, cast

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatsite.settings")

import django

django.setup(set_prefix=False)

from asgiref.sync import sync_to_async  # noqa: E402
from django.conf import settings  # noqa: E402
from django.core.handlers.asgi import ASGIHandler  # noqa: E402
from django.http import HttpRequest  # noqa: E402
from django.http.response import HttpResponseBase  # noqa: E402

from chatsite import database  # noqa: E402
from chatsite.body_limit import Application, BodyLimit  # noqa: E402
from conversations.generation.engine import pool  # noqa: E402
from conversations.generation.log import hub  # noqa: E402
from conversations.generation.sweeper import Sweeper  # noqa: E402
from conversations.providers import local  # noqa: E402

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class OneThreadHandler(ASGIHandler):
    """Django with all middleware in one thread for each request.

    Left to itself each middleware runs as a coroutine that goes to the thread and back: ten changes of threads a
    request, half of what a small request costs. All our views are synchronous; only the body of a stream is not.
    """

    def load_middleware(self, is_async: bool = False) -> None:
        super().load_middleware(is_async=False)

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        response: HttpResponseBase = await sync_to_async(self.get_response, thread_sensitive=True)(request)
        return response


sweeper = Sweeper(pool, is_alone=bool(os.environ.get("CHATSITE_IS_ALONE")))
limited = BodyLimit(
    cast(Application, OneThreadHandler()),
    upload_bytes=settings.UPLOAD_MAX_BYTES,
    other_bytes=settings.BODY_MAX_BYTES,
    upload_paths=r"^/(c/[0-9a-f-]{36}/)?$",
)


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
    else:
        await limited(scope, receive, send)


async def lifespan(receive: Receive, send: Send) -> None:
    """Begin housekeeping with the server; at its end park the replies that run and stop the local model."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            end_streams_on(signal.SIGTERM)
            end_streams_on(signal.SIGINT)
            database.hold_open()
            await asyncio.to_thread(sweeper.start)
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            sweeper.stop()
            await asyncio.to_thread(pool.close)
            await asyncio.to_thread(local.stop)
            await send({"type": "lifespan.shutdown.complete"})
            return


def end_streams_on(number: signal.Signals) -> None:
    """Chain before the server's own handler: it waits for open streams, which would otherwise never end."""
    previous = signal.getsignal(number)

    def handler(received: int, frame: FrameType | None) -> None:
        hub.close()
        if callable(previous):
            previous(received, frame)

    try:
        signal.signal(number, handler)
    except ValueError:  # not in the main thread: a test runs the application, and nobody will signal it
        return
