"""How requests meet threads: one thread out of a few for the whole of a request, none for an open stream.

Django's own ASGI handler makes a new thread for each request and goes back and forth between it and the event loop for
each middleware and each signal. All our views are synchronous, so a request takes one trip to a thread that is
already there and keeps its database connection; only the body of an event stream runs in the event loop.
"""

import asyncio
import contextlib
import io
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import IO, Any, cast

from django.conf import settings
from django.core import signals
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.urls import set_script_prefix

from conversations.services import tracing
from conversations.services.tracing import request_id

logger = logging.getLogger(__name__)

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]


NO_ROOM = "The server cannot store anything at the moment. Go back and send again in a minute."
SEND = re.compile(r"/(c/[0-9a-f-]{36}/)?")
LARGE = 1 << 16  # bytes; what is larger brings pictures, which take their time


class Handler(ASGIHandler):
    """Django as an ASGI application whose requests run in the event loop's default threads.

    Sends have a thread of their own. They write, and so wait for each other anyway; one after the other the first of
    many gets its answer early, and all of them sooner than by turns.
    """

    def __init__(self) -> None:
        super().__init__()
        self._sends = ThreadPoolExecutor(1, thread_name_prefix="send")

    def load_middleware(self, is_async: bool = False) -> None:
        super().load_middleware(is_async=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        except OSError:
            logger.exception("a request could not be read")
            await self.send_response(_no_room(), send)
            return
        with closing(body):
            if _is_send(scope, body):
                response = await asyncio.get_running_loop().run_in_executor(self._sends, self._respond, scope, body)
            else:
                response = await asyncio.to_thread(self._respond, scope, body)
            if response.streaming:
                await self._stream(response, receive, send)
            else:
                await self.send_response(response, send)

    def _respond(self, scope: Scope, body: IO[bytes]) -> HttpResponseBase:
        """The whole of a request, up to its end for everything but an event stream."""
        identifier = request_id(_given_id(scope))
        tracing.present.take_up(identifier)
        try:
            set_script_prefix(get_script_prefix(scope))
            signals.request_started.send(sender=self.__class__, scope=scope)
            request, refusal = self.create_request(scope, body)
            response = cast(HttpResponseBase, self.get_response(request) if request else refusal)
            response._handler_class = self.__class__  # type: ignore[attr-defined]
            response.headers["X-Request-ID"] = identifier
            if not response.streaming or not response.is_async:  # type: ignore[attr-defined]
                response = _whole(response)
            return response
        finally:
            tracing.present.put_down()

    async def _stream(self, response: HttpResponseBase, receive: Receive, send: Send) -> None:
        """Send an event stream until it ends or nobody listens any more."""
        tasks = [
            asyncio.create_task(self.listen_for_disconnect(receive)),
            asyncio.create_task(self.send_response(response, send)),
        ]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        with contextlib.suppress(RequestAborted, asyncio.CancelledError):
            await tasks[0]
        with contextlib.suppress(asyncio.CancelledError):
            await tasks[1]
        response.close()


def _given_id(scope: Scope) -> str:
    """The id that the proxy gave the request; anybody could send one where there is none."""
    if not settings.CHATSITE_BEHIND_PROXY:
        return ""
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == b"x-request-id"), "")


def _no_room() -> HttpResponse:
    """A large body waits in a file, and there is no room for one."""
    headers = {"Retry-After": "5", "Connection": "close"}
    return HttpResponse(NO_ROOM, status=503, content_type="text/plain; charset=utf-8", headers=headers)


def _is_send(scope: Scope, body: IO[bytes]) -> bool:
    if scope["method"] != "POST" or not SEND.fullmatch(scope["path"]):
        return False
    size = body.seek(0, io.SEEK_END)
    body.seek(0)
    return size < LARGE


def _whole(response: HttpResponseBase) -> HttpResponseBase:
    """The response with its content in memory (files are small here), the request finished in this thread."""
    if response.streaming:
        content = b"".join(response.streaming_content)  # type: ignore[attr-defined]
        whole = HttpResponse(content, status=response.status_code, headers=dict(response.items()))
        whole.cookies = response.cookies
    else:
        whole = response  # type: ignore[assignment]
    response.close()
    return whole
