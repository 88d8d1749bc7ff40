"""Sessions of a person: noted, listed, ended. Open streams notice an end within 5 seconds; see views/viewers.py."""

import ipaddress
import re
import time
from collections.abc import Iterable

from allauth.usersessions.models import UserSession
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.db.models import QuerySet
from django.utils import timezone

from conversations.models import User

NOTE_EVERY = 300.0  # seconds between two notes that a session is in use
REMEMBERED = 20_000  # sessions of which this process knows when it noted them last
UNKNOWN = "0.0.0.0"  # noqa: S104, where the server is reached without an address, through a socket of the system

# The first that fits; names of others stand in nearly all of them.
BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrom", "Chrome"), ("Safari", "Safari"))
SYSTEMS = (
    ("Android", "Android"),
    ("iPhone|iPad", "iOS"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)

_noted: dict[str, float] = {}


def note(user: User, key: str, address: str, agent: str) -> None:
    """That this session is in use now; of the address only the network is kept."""
    _remember(key)
    seen = {"last_seen_at": timezone.now(), "ip": network_of(address), "user_agent": agent[:200]}
    if not UserSession.objects.filter(session_key=key, user=user).update(**seen):
        _forget_ended(user)
        UserSession.objects.update_or_create(session_key=key, defaults={"user": user, **seen})


def is_noted(key: str) -> bool:
    """Whether that was a moment ago: nothing is written then."""
    return time.monotonic() - _noted.get(key, float("-inf")) < NOTE_EVERY


def of(user: User) -> "QuerySet[UserSession]":
    """Those that live, the last used first."""
    found: QuerySet[UserSession] = UserSession.objects.filter(user=user, session_key__in=_living())
    return found.order_by("-last_seen_at", "-pk")


def end(user: User, sessions: "Iterable[UserSession]") -> None:
    keys = [session.session_key for session in sessions if session.user_id == user.pk]
    Session.objects.filter(pk__in=keys).delete()
    UserSession.objects.filter(session_key__in=keys).delete()


def end_all(user: User, *, keep: str | None = None) -> int:
    """End every session of this person but `keep`; returns how many.

    All sessions are looked through, since one from before they were listed belongs to nobody by its row. That is done
    for rare acts only.
    """
    UserSession.objects.filter(user=user).exclude(session_key=keep or "").delete()
    doomed = [
        session.session_key
        for session in Session.objects.filter(expire_date__gt=timezone.now()).exclude(pk=keep or "").iterator()
        if session.get_decoded().get(SESSION_KEY) == str(user.pk)
    ]
    Session.objects.filter(pk__in=doomed).delete()
    return len(doomed)


def network_of(address: str) -> str:
    """The address without what tells one device from its neighbours: 192.0.2.0, 2001:db8:1::."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return UNKNOWN
    prefix = 24 if parsed.version == 4 else 48
    return str(ipaddress.ip_network((parsed, prefix), strict=False).network_address)


def browser_of(agent: str) -> tuple[str, str]:
    """Names of browser and system in what a browser calls itself; "" for one that is not known."""

    def first(names: tuple[tuple[str, str], ...]) -> str:
        return next((name for pattern, name in names if re.search(pattern, agent)), "")

    return first(BROWSERS), first(SYSTEMS)


def _living() -> "QuerySet[Session, str]":
    return Session.objects.filter(expire_date__gt=timezone.now()).values_list("session_key", flat=True)


def _forget_ended(user: User) -> None:
    UserSession.objects.filter(user=user).exclude(session_key__in=_living()).delete()


def _remember(key: str) -> None:
    if len(_noted) >= REMEMBERED:
        _noted.clear()
    _noted[key] = time.monotonic()
