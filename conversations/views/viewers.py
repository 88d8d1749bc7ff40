"""Who looks at which stream, and the patrol that ends the streams of those who may not look any more."""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from django.contrib.sessions.models import Session
from django.db import close_old_connections
from django.utils import timezone

from conversations.generation.log import Follower
from conversations.models import Conversation, User

logger = logging.getLogger(__name__)

T = TypeVar("T")

# Together with a second for streams that ask the database, 5 seconds are promised from the end of a right to the end of
# the stream.
PATROL_EVERY = 3.0  # seconds between two checks that viewers may still see what they see
BEAT_EVERY = 5  # patrols between two signs of life
EXPECTED_FOR = 1.0  # seconds in which a page comes for the stream of the reply it was just given


@dataclass(eq=False, slots=True)
class Viewer:
    """Who looks at which stream: what the right to look depends on, as it was when the stream was opened.

    `token`: for the forms of what is shown.
    """

    user: User
    session: str | None
    conversation: int
    reply: int
    language: str
    is_running: bool = True
    token: str = ""
    follower: Follower | None = None


class Expected:
    """Viewers whose right to look was checked a moment ago, when they were given the reply: each may come once."""

    def __init__(self, valid_for: float = EXPECTED_FOR) -> None:
        self._valid_for = valid_for  # seconds
        self._viewers: dict[tuple[str, UUID], tuple[float, Viewer]] = {}

    def __len__(self) -> int:
        return len(self._viewers)

    def add(self, reply: UUID, viewer: Viewer) -> None:
        now = time.monotonic()
        for key, (until, _) in list(self._viewers.items()):
            if until >= now:
                break  # they stand in the order in which they came
            self._viewers.pop(key, None)
        if viewer.session:
            self._viewers[viewer.session, reply] = (now + self._valid_for, viewer)

    def forget(self, session: str) -> None:
        for key in [key for key in list(self._viewers) if key[0] == session]:
            self._viewers.pop(key, None)

    def take(self, session: str, reply: UUID) -> Viewer | None:
        until, viewer = self._viewers.pop((session, reply), (0.0, None))
        return viewer if until >= time.monotonic() else None


async def in_thread(function: Callable[..., T], *arguments: object) -> T:
    """Run something that needs the database in one of the request threads, on a connection that works."""

    def run() -> T:
        close_old_connections()
        return function(*arguments)

    return await asyncio.to_thread(run)


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

    @property
    def viewers(self) -> int:
        """How many streams are open."""
        return len(self._viewers)

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
    now, reached = timezone.now(), {viewer.user.pk for viewer in viewers}
    sessions = _existing(Session, "session_key", [viewer.session for viewer in viewers], expire_date__gt=now)
    users = dict(User.objects.filter(pk__in=reached, is_active=True).values_list("pk", "password"))
    watched = {viewer.conversation for viewer in viewers}
    conversations = set(Conversation.objects.existing().filter(pk__in=watched).values_list("pk", flat=True))
    return {
        viewer
        for viewer in viewers
        if viewer.session in sessions
        and users.get(viewer.user.pk) == viewer.user.password
        and viewer.conversation in conversations
    }


def _existing(model: Any, field: str, values: list[Any], **conditions: Any) -> set[Any]:
    found = model.objects.filter(**{f"{field}__in": set(values)}, **conditions)
    return set(found.values_list(field, flat=True))


patrol = Patrol()
expected = Expected()
