"""Sessions of a person, ended from outside. Open streams notice within 5 seconds; see views/viewers.py."""

from allauth.usersessions.models import UserSession
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.utils import timezone

from conversations.models import User


def end_all(user: User, *, keep: str | None = None) -> int:
    """End every session of this person but `keep`; returns how many.

    All sessions are looked through, since one from before they were listed belongs to nobody by its row. That is done
    for rare acts of administrators only.
    """
    UserSession.objects.filter(user=user).exclude(session_key=keep or "").delete()
    doomed = [
        session.session_key
        for session in Session.objects.filter(expire_date__gt=timezone.now()).exclude(pk=keep or "").iterator()
        if session.get_decoded().get(SESSION_KEY) == str(user.pk)
    ]
    Session.objects.filter(pk__in=doomed).delete()
    return len(doomed)
