"""The event stream of one reply. Its body is the only asynchronous code: it waits for long and holds nothing.

Every event carries an HTML fragment. A stream ends with `final`, the whole article, then `end`.
"""

import asyncio
import contextlib
import re
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse, parse_cookie
from django.http.response import HttpResponseBase
from django.middleware.csrf import get_token
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from conversations import queries
from conversations.generation.log import Event, Follower, State, hub
from conversations.models import Message, User
from conversations.models.message import Status
from conversations.queries import Shown
from conversations.services import history
from conversations.services.replies import Ended
from conversations.services.tracing import request_id
from conversations.views.viewers import Viewer, expected, in_thread, patrol

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

ADDRESS = re.compile(r"/replies/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/events/")
POLL_EVERY = 1.0  # seconds; only for replies that another process writes, of which nothing else is known
POLLS_A_BEAT = 15
RETRY = b"retry: 500\n\n"
STORED = "stored"  # the id of events that no log can go on from
HEADERS = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"private, no-store"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"same-origin"),
    (b"x-accel-buffering", b"no"),
    (b"x-content-type-options", b"nosniff"),
]


@require_GET
def events(request: HttpRequest, reply_uuid: UUID) -> HttpResponseBase:
    """The stream of one reply, from where `Last-Event-ID` says or from the beginning."""
    try:
        viewer = _admit(request, reply_uuid)
    except PermissionError:
        return HttpResponse(status=401)
    last_event_id = request.headers.get("Last-Event-ID", "")
    response = StreamingHttpResponse(_stream(viewer, last_event_id), content_type="text/event-stream")
    response.headers["X-Accel-Buffering"] = "no"
    return response


def _admit(request: HttpRequest, reply_uuid: UUID) -> Viewer:
    """Find the reply for this person. Raises PermissionError where nobody is logged in."""
    user = request.user
    if not isinstance(user, User):
        raise PermissionError
    reply = queries.reply_for_stream(user, reply_uuid)
    if reply is None:
        raise Http404
    return _viewer(request, user, reply, get_token(request))


def _viewer(request: HttpRequest, user: User, reply: Message, token: str) -> Viewer:
    return Viewer(
        user=user,
        session=request.session.session_key,
        conversation=reply.conversation_id,
        reply=reply.pk,
        language=translation.get_language() or "en",
        is_running=reply.is_running,
        token=token,
    )


def expect(request: HttpRequest, user: User, reply: Message, token: str) -> None:
    """The page that is given this reply will ask for its stream at once; it needs no second check then."""
    expected.add(reply.uuid, _viewer(request, user, reply, token))


class Direct:
    """In front of Django: the streams of viewers who are expected. Everything else goes on to Django.

    A send costs half as much when the stream of its reply does not take the way of a whole request.
    """

    def __init__(self, django: Application) -> None:
        self._django = django

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = ADDRESS.fullmatch(scope["path"]) if scope["method"] == "GET" else None
        headers = dict(scope["headers"]) if found else {}
        cookies = parse_cookie(headers.get(b"cookie", b"").decode("latin-1"))
        viewer = expected.take(cookies.get(settings.SESSION_COOKIE_NAME, ""), UUID(found[1])) if found else None
        if viewer is None:
            await self._django(scope, receive, send)
            return
        gone = asyncio.create_task(_disconnected(receive))
        sending = asyncio.create_task(_send(viewer, headers.get(b"last-event-id", b"").decode("latin-1"), send))
        await asyncio.wait([gone, sending], return_when=asyncio.FIRST_COMPLETED)
        for task in (gone, sending):
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await sending


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send(viewer: Viewer, last_event_id: str, send: Send) -> None:
    headers = [*HEADERS, (b"x-request-id", request_id().encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    async with contextlib.aclosing(_stream(viewer, last_event_id)) as stream:
        async for chunk in stream:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _stream(viewer: Viewer, last_event_id: str) -> AsyncGenerator[bytes]:
    yield RETRY
    viewer.follower = hub.follow(viewer.reply, last_event_id) if viewer.is_running else None
    source = _followed(viewer, viewer.follower) if viewer.follower else _polled(viewer)
    patrol.join(viewer)
    try:
        async for chunk in source:
            yield chunk
    finally:
        patrol.leave(viewer)


async def _followed(viewer: Viewer, follower: Follower) -> AsyncIterator[bytes]:
    """A reply that this process writes."""
    async with contextlib.aclosing(follower.groups()) as groups:
        async for group in groups:
            if frames := b"".join(frame(event, viewer.language) for event in group if event.name != "ended"):
                yield frames
            if group[-1].name == "ended":
                yield await in_thread(_final, viewer, follower.ended)


async def _polled(viewer: Viewer) -> AsyncIterator[bytes]:
    """A reply that has ended, or that nobody in this process writes: what the database says, until it has ended."""
    seen: str | None = None
    silent = 0
    while True:
        is_running, html = await in_thread(_stored, viewer)
        if not is_running:
            yield await in_thread(_final, viewer)
            return
        if html != seen:
            seen, silent = html, 0
            yield encode("reset", html, STORED) + encode("tail", "", STORED)
        elif (silent := silent + 1) % POLLS_A_BEAT == 0:
            yield frame(Event("beat"), viewer.language)
        if patrol.is_closed(viewer):
            return
        await asyncio.sleep(POLL_EVERY)
        if follower := hub.follow(viewer.reply, ""):
            # This process writes it after all: it was just begun, or begun again.
            viewer.follower = follower
            async for chunk in _followed(viewer, follower):
                yield chunk
            return


def _stored(viewer: Viewer) -> tuple[bool, str]:
    found = Message.objects.filter(pk=viewer.reply)
    reply = found.prefetch_related("parts__attachment", "pieces__attachment").first()
    if reply is None or not reply.is_running:
        return False, ""
    with translation.override(viewer.language):
        return True, render_to_string("conversations/_blocks.html", {"blocks": queries.shown(reply).body})


def _final(viewer: Viewer, ended: Ended | None = None) -> bytes:
    """The whole article as it is stored now; nothing but the end where the reply is gone."""
    with translation.override(viewer.language):
        shown = queries.just_ended(ended.reply, ended.parts) if ended else _read(viewer.reply)
        if shown is None:
            return encode("end", "", STORED)
        reply = shown.message
        context = {
            "shown": shown,
            "csrf_token": viewer.token,
            "replaced": f"message-{reply.uuid}",
            "fill": None if reply.status == Status.FAILED else history.fill_after(reply),
        }
        html = render_to_string("conversations/_final.html", context)
        return encode("final", html, f"final:{reply.uuid}") + encode("end", "", f"final:{reply.uuid}")


def _read(primary_key: int) -> Shown | None:
    found = Message.objects.filter(pk=primary_key).in_existing_conversations()
    reply = found.prefetch_related("parts__attachment").first()
    return queries.single(reply) if reply else None


def frame(event: Event, language: str) -> bytes:
    """One event as bytes of the stream."""
    if event.name == "beat":
        return b": still here\n\n"
    if isinstance(event.data, State):
        with translation.override(language):
            return encode("state", words(event.data), event.id)
    return encode(event.name, event.data, event.id)


def encode(name: str, data: str, identifier: str) -> bytes:
    """An event by the event-stream grammar: no character of the data can end it or begin another field."""
    lines = [f"event: {name}", f"id: {identifier}"]
    lines += [f"data: {line}" for line in data.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    return ("\n".join(lines) + "\n\n").encode()


def words(state: State) -> str:
    """What a running reply is doing, for people."""
    match state.name:
        case "queued":
            return _("Waiting in line, number %(place)d") % {"place": state.position}
        case "thinking":
            return _("Thinking…")
        case "writing":
            return _("Writing…")
        case "drawing":
            return _("Drawing…")
    return _("Waiting for the model…")
