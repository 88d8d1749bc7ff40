"""Who may review, and why they look: stated for each conversation, and for lists; remembered for a working day."""

import time

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from conversations.models import Conversation, User

LISTS = "lists"
LASTS = 8 * 60 * 60  # seconds
MOST = 300  # reasons that one session holds
SESSION_KEY = "reasons"


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"),
        min_length=5,
        max_length=500,
        widget=forms.TextInput({"list": "reasons", "autocomplete": "off"}),
        help_text=_("It stays in the record of looks, which nobody can change."),
    )


def may_review(request: HttpRequest) -> bool:
    return isinstance(request.user, User) and request.user.may_review


def reviewer_of(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


def stated(request: HttpRequest, conversation: Conversation | None = None) -> str:
    """The reason this reviewer gave for this conversation, or for lists of them; "" where there is none (any more)."""
    reason, moment = request.session.get(SESSION_KEY, {}).get(_about(conversation), ("", 0.0))
    return str(reason) if time.time() - moment < LASTS else ""


def state(request: HttpRequest, reason: str, conversation: Conversation | None = None) -> None:
    """Remember the reason; the one given longest ago is forgotten where there are too many."""
    reasons = request.session.get(SESSION_KEY, {}) | {_about(conversation): (reason, time.time())}
    newest = sorted(reasons.items(), key=lambda one: float(one[1][1]))[-MOST:]
    request.session[SESSION_KEY] = dict(newest)


def newest(request: HttpRequest) -> str:
    """What this reviewer said last: offered for the next conversation."""
    reasons = request.session.get(SESSION_KEY, {})
    return max(reasons.values(), key=lambda one: float(one[1]), default=("", 0.0))[0]


def _about(conversation: Conversation | None) -> str:
    return str(conversation.uuid) if conversation else LISTS
