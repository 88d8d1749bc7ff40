"""Fragments that are the same for every message but for its uuid and the token of its forms: drawn once, then stamped.

A page of thirty messages, and every answer to a send, spent a third of its time on buttons that differ in an address.
"""

from functools import cache
from types import SimpleNamespace
from uuid import UUID

from django import template
from django.template import Context
from django.template.loader import render_to_string
from django.utils.html import escape
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from conversations import markup
from conversations.models import Message

register = template.Library()

BLANK = UUID(int=0)
BLANK_FORM = "blank-token"


@register.simple_tag(takes_context=True)
def stamped(context: Context, name: str, message: Message) -> SafeString:
    """The template `name`, which may look at nothing but `message.uuid`, `is_reply`, `may_retry`, and the token."""
    drawn = _drawn(name, get_language(), message.is_reply, message.may_retry)
    token = str(context.get("csrf_token", ""))
    return markup.trusted(drawn.replace(str(BLANK), str(message.uuid)).replace(BLANK_FORM, escape(token)))


@cache
def _drawn(name: str, language: str | None, is_reply: bool, may_retry: bool) -> str:
    message = SimpleNamespace(uuid=BLANK, is_reply=is_reply, may_retry=may_retry)
    return render_to_string(name, {"message": message, "csrf_token": BLANK_FORM})
