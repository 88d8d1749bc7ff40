"""The event stream of one reply. Its body is the only asynchronous code: it waits for long and holds nothing.

Every event carries an HTML fragment. A stream ends with `final`, the whole article, then `end`.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from django.contrib.sessions.models import Session
from django.db import close_old_connections
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from conversations import queries
from conversations.generation.log import Event, Follower, State, hub
from conversations.models import Conversation, Message, User
from conversations.models.message import Status
from conversations.services import history

logger = logging.getLogger(__name__)

T = TypeVar("T")

PATROL_EVERY = 4.0  # seconds between two checks that viewers may still see what they see; 5 are promised
BEAT_EVERY = 4  # patrols between two signs of life
POLL_EVERY = 1.0  # seconds; only for replies that another process writes
RETRY = b"retry: 500\n\n"
STORED = "stored"  # the id of events that no log can go on from


@dataclass(eq=False, slots=True)
class Viewer:
    """Who looks at which stream: what the right to look depends on, as it was when the stream was opened."""

    request: HttpRequest
    user: int
    password: str
    session: str | None
    conversation: int
    reply: int
    language: str
    follower: Follower | None = None


@require_GET
def events(request: HttpRequest, reply_uuid: UUID) -> HttpResponseBase:
    """The stream of one reply, from where `Last-Event-ID` says or from the beginning."""
    try:
        viewer = _admit(request, reply_uuid)
    except PermissionError:
        return HttpResponse(status=401)
    response = StreamingHttpResponse(_stream(viewer), content_type="text/event-stream")
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
    return Viewer(
        request=request,
        user=user.pk,
        password=user.password,
        session=request.session.session_key,
        conversation=reply.conversation_id,
        reply=reply.pk,
        language=translation.get_language() or "en",
    )


async def _stream(viewer: Viewer) -> AsyncIterator[bytes]:
    yield RETRY
    viewer.follower = hub.follow(viewer.reply, viewer.request.headers.get("Last-Event-ID", ""))
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
            with translation.override(viewer.language):
                frames = b"".join(frame(event) for event in group if event.name != "ended")
            if frames:
                yield frames
            if group[-1].name == "ended":
                yield await in_thread(_final, viewer)


async def _polled(viewer: Viewer) -> AsyncIterator[bytes]:
    """A reply that has ended, or that nobody in this process writes: what the database says, until it has ended."""
    seen: str | None = None
    while True:
        is_running, html = await in_thread(_stored, viewer)
        if not is_running:
            yield await in_thread(_final, viewer)
            return
        if html != seen:
            seen = html
            yield frame(Event("reset", html, STORED)) + frame(Event("tail", "", STORED))
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
    context = {"blocks": queries.shown(reply).body}
    return True, render_to_string("conversations/_blocks.html", context)


def _final(viewer: Viewer) -> bytes:
    """The whole article as it is stored now; nothing but the end where the reply is gone."""
    with translation.override(viewer.language):
        found = Message.objects.filter(pk=viewer.reply, conversation__in=Conversation.objects.existing())
        reply = found.prefetch_related("parts__attachment").first()
        if reply is None:
            return encode("end", "", STORED)
        context = {"shown": queries.shown(reply)}
        html = render_to_string("conversations/_message.html", context, request=viewer.request)
        if reply.status != Status.FAILED:
            html += render_to_string(
                "conversations/_meter.html", {"fill": history.fill_after(reply), "swap_meter": True}
            )
        return encode("final", html, f"final:{reply.uuid}") + encode("end", "", f"final:{reply.uuid}")


async def in_thread(function: Callable[..., T], *arguments: object) -> T:
    """Run something that needs the database in one of the request threads, on a connection that works."""

    def run() -> T:
        close_old_connections()
        return function(*arguments)

    return await asyncio.to_thread(run)


def frame(event: Event) -> bytes:
    """One event as bytes of the stream."""
    if event.name == "beat":
        return b": still here\n\n"
    if isinstance(event.data, State):
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


class Patrol:
    """Checks every few seconds, for all streams of the event loop at once, that their viewers may still look."""

    def __init__(self) -> None:
        self._viewers: set[Viewer] = set()
        self._revoked: set[Viewer] = set()
        self._task: asyncio.Task[None] | None = None

    def join(self, viewer: Viewer) -> None:
        self._viewers.add(viewer)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._walk())

    def leave(self, viewer: Viewer) -> None:
        self._viewers.discard(viewer)
        self._revoked.discard(viewer)

    def is_closed(self, viewer: Viewer) -> bool:
        return viewer in self._revoked

    async def _walk(self) -> None:
        rounds = 0
        while self._viewers:
            await asyncio.sleep(PATROL_EVERY)
            rounds += 1
            viewers = list(self._viewers)
            try:
                allowed = await in_thread(still_allowed, viewers)
            except Exception:
                logger.exception("open streams could not be checked")
                allowed = set(viewers)
            for viewer in viewers:
                self._settle(viewer, viewer in allowed, beat=rounds % BEAT_EVERY == 0)

    def _settle(self, viewer: Viewer, is_allowed: bool, beat: bool) -> None:
        if not is_allowed:
            self._revoked.add(viewer)
            if viewer.follower:
                viewer.follower.close()
        elif beat and viewer.follower:
            viewer.follower.beat()


def still_allowed(viewers: list[Viewer]) -> set[Viewer]:
    """Those whose session lives, who are active, whose password is the same and whose conversation exists."""
    now, reached = timezone.now(), {viewer.user for viewer in viewers}
    sessions = _existing(Session, "session_key", [viewer.session for viewer in viewers], expire_date__gt=now)
    users = dict(User.objects.filter(pk__in=reached, is_active=True).values_list("pk", "password"))
    watched = {viewer.conversation for viewer in viewers}
    conversations = set(Conversation.objects.existing().filter(pk__in=watched).values_list("pk", flat=True))
    return {
        viewer
        for viewer in viewers
        if viewer.session in sessions
        and users.get(viewer.user) == viewer.password
        and viewer.conversation in conversations
    }


def _existing(model: Any, field: str, values: list[Any], **conditions: Any) -> set[Any]:
    found = model.objects.filter(**{f"{field}__in": set(values)}, **conditions)
    return set(found.values_list(field, flat=True))


patrol = Patrol()
