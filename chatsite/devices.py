"""Browsers that somebody has logged in with: strangers who guess do not use up their owner's tries."""

import secrets

from django.conf import settings
from django.core import signing
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from conversations.models import User

SALT = "chatsite.device"


def of(request: HttpRequest, user: User) -> str:
    """The name of the browser this person has logged in with before; "" for any other."""
    try:
        known = signing.loads(
            request.COOKIES.get(settings.DEVICE_COOKIE_NAME, ""), salt=SALT, max_age=settings.DEVICE_COOKIE_AGE
        )
    except signing.BadSignature:
        return ""
    return str(known["device"]) if known.get("user") == user.pk else ""


def note(request: HttpRequest, response: HttpResponseBase, user: User) -> None:
    """Remember in this browser that this person logged in."""
    value = {"user": user.pk, "device": of(request, user) or secrets.token_urlsafe(16)}
    response.set_cookie(
        settings.DEVICE_COOKIE_NAME,
        signing.dumps(value, salt=SALT),
        max_age=settings.DEVICE_COOKIE_AGE,
        secure=settings.SECURE,
        httponly=True,
        samesite="Lax",
    )
