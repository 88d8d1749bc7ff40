"""Filters for showing messages: rendered text and the words for codes."""

from django import template
from django.utils.safestring import SafeString

from conversations import markup
from conversations.models import Message
from conversations.queries import Block
from conversations.services import catalog, errors

register = template.Library()


@register.filter
def rendered(block: Block) -> SafeString:
    """The safe HTML of a text: as stored where this version of the renderer made it, else rendered now."""
    if block.html and block.markup_version == markup.VERSION:
        return markup.trusted(block.html)
    return markup.render(block.text)


@register.filter
def plain(text: str) -> SafeString:
    return markup.plain(text)


@register.filter
def model_label(model_id: str) -> str:
    return catalog.label(model_id)


@register.filter
def error_sentence(message: Message) -> errors.Sentence:
    return errors.provider_sentence(
        message.error_code, retry_after=message.retry_after, finish_reason=message.finish_reason
    )


@register.filter
def notice_sentence(code: str) -> errors.Sentence:
    return errors.NOTICES.get(code, code)
