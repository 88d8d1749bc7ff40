"""Fragments that are the same every time but for an address or a text: drawn once, then stamped.

A page of many messages, and every answer to a send, spent more than half of its time on what differs in a uuid.
"""

from functools import cache
from types import SimpleNamespace
from uuid import UUID

from django import template
from django.template import Context
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import escape
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from conversations import markup
from conversations.models import Conversation, Message
from conversations.models.message import Kind, Role, Status
from conversations.queries import Block, Shown
from conversations.services import catalog
from conversations.templatetags.replies import finished

register = template.Library()

BLANK = UUID(int=0)
BLANK_FORM = "blank-token"
BLANK_TEXT = "blank-text"
BLANK_FIGURES = "blank-figures"
BLANK_DEPTH = 987654321


@register.simple_tag(takes_context=True)
def stamped(context: Context, name: str, message: Message) -> SafeString:
    """The template `name`, which may look at nothing but `message.uuid`, `is_reply`, `may_retry`, and the token."""
    drawn = _drawn(name, get_language(), message.is_reply, message.may_retry)
    token = str(context.get("csrf_token", ""))
    return markup.trusted(drawn.replace(str(BLANK), str(message.uuid)).replace(BLANK_FORM, escape(token)))


@register.simple_tag(takes_context=True)
def new_message(context: Context, name: str, shown: Shown) -> SafeString:
    """The template `name` with a message that is new: nothing is known of it but what somebody wrote, if anything."""
    message, token = shown.message, str(context.get("csrf_token", ""))
    drawn = _drawn_new(name, get_language(), message.role, message.model, catalog.label(message.model))
    drawn = drawn.replace(str(BLANK), str(message.uuid)).replace(str(BLANK_DEPTH), str(message.depth))
    return markup.trusted(drawn.replace(BLANK_FORM, escape(token)).replace(BLANK_TEXT, _said(shown.body)))


@register.simple_tag(takes_context=True)
def finished_reply(context: Context, name: str, shown: Shown) -> SafeString:
    """The template `name` with a reply that has just ended: of most of them only text, figures and address differ."""
    message, token = shown.message, str(context.get("csrf_token", ""))
    if not _is_plain(shown):
        return render_to_string(name, {"shown": shown, "csrf_token": token})
    drawn = _drawn_finished(name, get_language(), message.model, catalog.label(message.model))
    drawn = drawn.replace(str(BLANK), str(message.uuid)).replace(str(BLANK_DEPTH), str(message.depth))
    drawn = drawn.replace(BLANK_FORM, escape(token)).replace(BLANK_FIGURES, _figures(message))
    return markup.trusted(drawn.replace(BLANK_TEXT, finished(shown.body[0], message, 0)))


@register.simple_tag
def placed(name: str, conversation: Conversation) -> SafeString:
    """The template `name`, which may look at nothing of the new conversation but `uuid` and `title`."""
    drawn = _drawn_place(name, get_language()).replace(str(BLANK), str(conversation.uuid))
    return markup.trusted(drawn.replace(BLANK_TEXT, escape(conversation.title)))


@cache
def _drawn(name: str, language: str | None, is_reply: bool, may_retry: bool) -> str:
    message = SimpleNamespace(uuid=BLANK, is_reply=is_reply, may_retry=may_retry)
    return render_to_string(name, {"message": message, "csrf_token": BLANK_FORM})


@cache
def _drawn_new(name: str, language: str | None, role: str, model: str, label: str) -> str:
    """`label` is the name of the model, which may change."""
    is_reply = role == Role.ASSISTANT
    status = Status.PENDING if is_reply else Status.COMPLETE
    message = Message(uuid=BLANK, depth=BLANK_DEPTH, role=role, status=status, model=model, created_at=timezone.now())
    body = [] if is_reply else [Block(Kind.TEXT, BLANK_TEXT)]
    drawn = render_to_string(name, {"shown": Shown(message, body), "csrf_token": BLANK_FORM})
    return drawn.replace(_said(body), BLANK_TEXT) if body else drawn


@cache
def _drawn_finished(name: str, language: str | None, model: str, label: str) -> str:
    message = Message(uuid=BLANK, depth=BLANK_DEPTH, role=Role.ASSISTANT, status=Status.COMPLETE, model=model)
    body = [Block(Kind.TEXT, BLANK_TEXT, html=BLANK_TEXT, markup_version=markup.VERSION)]
    drawn = render_to_string(name, {"shown": Shown(message, body), "csrf_token": BLANK_FORM})
    return drawn.replace(_figures(message), BLANK_FIGURES)


def _is_plain(shown: Shown) -> bool:
    """A reply that ended well, of one text, of which nothing else is to be said and beside which nothing stands."""
    message = shown.message
    is_alone = message.column is None and not shown.siblings and "rating" not in message._state.fields_cache
    is_good = message.status == Status.COMPLETE and not (message.error_code or message.notices or shown.reasoning)
    return message.is_reply and is_alone and is_good and [block.kind for block in shown.body] == [Kind.TEXT]


def _figures(message: Message) -> str:
    return render_to_string("conversations/_figures.html", {"message": message})


def _said(body: list[Block]) -> str:
    return render_to_string("conversations/_said.html", {"blocks": body}) if body else ""


@cache
def _drawn_place(name: str, language: str | None) -> str:
    return render_to_string(name, {"conversation": SimpleNamespace(uuid=BLANK, title=BLANK_TEXT, pk=0)})
