"""Viewers who are expected: each may come once, soon, and only with the session that was given the reply."""

import asyncio
import uuid
from typing import Any

from django.conf import settings

from conversations.models import User
from conversations.views import stream, viewers
from conversations.views.stream import Direct
from conversations.views.viewers import Expected, Viewer

REPLY = uuid.UUID("11111111-2222-3333-4444-555555555555")


def viewer(session: str | None = "session-of-alice") -> Viewer:
    return Viewer(user=User(username="alice"), session=session, conversation=1, reply=1, language="en")


def test_who_is_expected_comes_once() -> None:
    expected, alice = Expected(), viewer()
    expected.add(REPLY, alice)
    assert expected.take("session-of-alice", REPLY) is alice
    assert expected.take("session-of-alice", REPLY) is None


def test_nobody_else_is_let_in_and_for_no_other_reply() -> None:
    expected = Expected()
    expected.add(REPLY, viewer())
    assert expected.take("session-of-bob", REPLY) is None
    assert expected.take("", REPLY) is None
    assert expected.take("session-of-alice", uuid.uuid4()) is None


def test_a_person_without_a_session_is_not_expected() -> None:
    expected = Expected()
    expected.add(REPLY, viewer(session=None))
    assert expected.take("", REPLY) is None


def test_who_comes_too_late_is_not_let_in_and_not_kept() -> None:
    expected = Expected(valid_for=-1.0)
    expected.add(REPLY, viewer())
    expected.add(uuid.uuid4(), viewer())
    assert len(expected) == 1
    assert expected.take("session-of-alice", REPLY) is None


def test_who_leaves_is_not_expected_any_more() -> None:
    expected, bob = Expected(), viewer("session-of-bob")
    for one in (viewer(), bob):
        expected.add(REPLY, one)
    expected.forget("session-of-alice")
    assert expected.take("session-of-alice", REPLY) is None
    assert expected.take("session-of-bob", REPLY) is bob


def test_a_right_that_ends_ends_its_streams_within_five_seconds() -> None:
    """Also that of a stream which was promised before, opens at the last moment and asks the database."""
    assert viewers.EXPECTED_FOR + viewers.PATROL_EVERY + stream.POLL_EVERY <= 5.0


def asked_for(path: str, *, method: str = "GET", session: str = "session-of-alice") -> bool:
    """Whether Django was asked for this address."""
    asked = []

    async def django(scope: dict[str, Any], receive: Any, send: Any) -> None:
        asked.append(scope["path"])

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        return

    cookie = f"{settings.SESSION_COOKIE_NAME}={session}".encode()
    scope = {"type": "http", "method": method, "path": path, "headers": [(b"cookie", cookie)]}
    asyncio.run(Direct(django)(scope, receive, send))
    return bool(asked)


def test_whoever_is_not_expected_goes_on_to_django() -> None:
    path = f"/replies/{REPLY}/events/"
    assert asked_for(path)
    viewers.expected.add(REPLY, viewer())
    assert asked_for(path, session="session-of-bob")
    assert asked_for(path, method="POST")
    assert asked_for(f"/replies/{REPLY}/retry/")
    assert asked_for("/replies/not-a-uuid/events/")
    assert viewers.expected.take("session-of-alice", REPLY)
