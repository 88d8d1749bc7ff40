"""What happens about logging in, as lines of the log: who (by number), in what way, and never by name or with a secret.

Refusals with a status (forged forms, limits, what is not there) are logged by Django, with the same ids.
"""

import logging
from typing import Any

from allauth.account import signals as account
from allauth.mfa import signals as mfa
from django.contrib.auth import signals as auth
from django.dispatch import Signal
from django.http import HttpRequest

from chatsite import devices
from conversations.models import User

logger = logging.getLogger("chatsite.security")


def connect() -> None:
    for signal, receiver in RECEIVERS:
        signal.connect(receiver)
    for changed, what in CHANGES:
        changed.connect(_changed(what), weak=False)


def note(event: str, user: User | None, *, level: int = logging.INFO, **details: object) -> None:
    """`details`: kinds and numbers alone. The number of whoever it is about stands in the line as its user."""
    words = " ".join([f"event={event}", *(f"{name}={value}" for name, value in details.items() if value != "")])
    logger.log(level, words, extra={"user_id": user.pk if user else None, "event": event, "details": details})


def limited(request: HttpRequest, user: User | None) -> None:
    note("login.limited", user, level=logging.WARNING, known_device=_is_known(request, user))


def _is_known(request: HttpRequest, user: User | None) -> bool:
    return bool(user and devices.of(request, user))


def _step(*, user: User, method: str, **more: Any) -> None:
    more = {name: more[name] for name in ("type", "provider", "reauthenticated", "passwordless") if name in more}
    note("login.step", user, method=method, **more)


def _logged_in(*, user: User, **_more: Any) -> None:
    note("login.done", user)


def _failed(*, request: HttpRequest | None = None, **_more: Any) -> None:
    """Whose account it was is known to the adapter, which looked for it."""
    note("login.failed", getattr(request, "tried", None), level=logging.WARNING, method="password")


def _failed_again(*, user: User, authenticator: Any, **_more: Any) -> None:
    note("login.failed", user, level=logging.WARNING, method="mfa", type=authenticator.type)


def _logged_out(*, user: User | None, **_more: Any) -> None:
    if user is not None:
        note("logout", user)


def _changed(what: str) -> Any:
    def receive(*, user: User, authenticator: Any = None, **_more: Any) -> None:
        note(what, user, type=authenticator.type if authenticator else "")

    return receive


RECEIVERS: tuple[tuple[Signal, Any], ...] = (
    (account.authentication_step_completed, _step),
    (auth.user_logged_in, _logged_in),
    (auth.user_login_failed, _failed),
    (mfa.authentication_failed, _failed_again),
    (auth.user_logged_out, _logged_out),
)
CHANGES: tuple[tuple[Signal, str], ...] = (
    (account.user_signed_up, "account.made"),
    (account.password_set, "password.set"),
    (account.password_changed, "password.changed"),
    (account.password_reset, "password.reset"),
    (account.email_added, "address.added"),
    (account.email_changed, "address.changed"),
    (account.email_removed, "address.removed"),
    (mfa.authenticator_added, "factor.added"),
    (mfa.authenticator_removed, "factor.removed"),
    (mfa.authenticator_reset, "factor.reset"),
)
