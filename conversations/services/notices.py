"""What everybody is told: a banner, and terms to accept. Remembered for a few seconds, so that no page asks for it."""

import time

from django.conf import settings
from django.utils import timezone

from conversations.models import Notices, User

_remembered: list[tuple[float, Notices]] = []  # one at most: until when it holds


def current() -> Notices:
    now = time.monotonic()
    if not _remembered or _remembered[0][0] < now:
        _remembered[:] = [(now + settings.OFFERS_LIFE, Notices.objects.first() or Notices())]
    return _remembered[0][1]


def forget() -> None:
    """Something was changed. Other processes notice it within seconds."""
    _remembered.clear()


def must_accept(user: User) -> bool:
    """Whether there are terms that this person has not accepted as they are now."""
    told = current()
    if not told.terms or told.terms_since is None:
        return False
    return user.accepted_terms_at is None or user.accepted_terms_at < told.terms_since


def accept(user: User) -> None:
    user.accepted_terms_at = timezone.now()
    user.save(update_fields=["accepted_terms_at"])
