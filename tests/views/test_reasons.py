"""Reasons that reviewers stated: one session holds a bounded number, and forgets the oldest."""

from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest

from conversations.admin import reviewing
from conversations.models import Conversation


def test_a_session_holds_three_hundred_reasons_and_forgets_the_oldest(db: None) -> None:
    request = HttpRequest()
    request.user, request.session = AnonymousUser(), SessionStore()
    talks = [Conversation(title=str(number)) for number in range(305)]
    for number, talk in enumerate(talks):
        reviewing.state(request, f"reason {number}", talk)
    request.session.save()
    request.session = SessionStore(request.session.session_key)
    held = [reviewing.stated(request, talk) for talk in talks]
    assert held == [""] * 5 + [f"reason {number}" for number in range(5, 305)]
    assert reviewing.newest(request) == "reason 304"
