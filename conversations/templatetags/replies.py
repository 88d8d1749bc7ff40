"""Filters for showing messages: rendered text, the words for codes, the sizes of pictures."""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import cache
from html import unescape
from itertools import count

from django import template
from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags
from django.utils.safestring import SafeString
from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _

from conversations import markup
from conversations.models import Attachment, Message
from conversations.models.work import Value
from conversations.queries import Block
from conversations.services import catalog, errors, notices, pictures

register = template.Library()

LONG = 8_000  # characters
STRETCH = 8_000  # characters that are laid out at once
BETWEEN_LINES = re.compile(r"(?<=[^\n])\n(?=[^\n])")
SHOWN = (560, 420)  # CSS pixels a picture in a message may take
SPOKEN = 1000  # characters
THUMBNAIL_SIDE = pictures.LIMITS.thumbnail_side


@register.filter
def rendered(block: Block) -> SafeString:
    """The safe HTML of a text: as stored where this version of the renderer made it, else rendered now."""
    is_kept = block.html and block.markup_version == markup.VERSION
    html = markup.trusted(block.html) if is_kept else markup.render(block.text)
    return markup.in_words(html, _words(get_language()))


@register.simple_tag
def finished(block: Block, message: Message, place: int) -> SafeString:
    """The same with links to its tables; `place` counts the blocks of the message."""
    addresses = (reverse("table", args=[message.uuid, place, number]) for number in count())
    return markup.with_links(rendered(block), addresses, _("Download this table as CSV"))


@cache
def _words(_language: str | None) -> dict[str, str]:
    """What the renderer leaves to be said in the reader's language; looked up once for each."""
    return {
        "Table": _("Table"),
        "Formula": _("Formula"),
        "done": pgettext("a task", "done"),
        "not done": pgettext("a task", "not done"),
    }


@register.filter
def spoken(blocks: Iterable[Block]) -> str:
    """The beginning of a finished reply for those who hear it."""
    texts = (alternative(one.attachment) if one.attachment else strip_tags(rendered(one)) for one in blocks)
    return unescape(" ".join(texts)).strip()[:SPOKEN]


@register.filter
def plain(text: str) -> SafeString:
    return markup.plain(text)


@register.filter
def is_long(text: str) -> bool:
    """Whether a text is to scroll inside itself, so that what stands around it stays at hand."""
    return len(text) > LONG or text.count("\n") > LONG // 50


@register.filter
def stretches(text: str) -> Iterator[str]:
    """A long text, cut between two lines that are not empty: pieces that a browser can lay out when they come near."""
    begin = 0
    while found := BETWEEN_LINES.search(text, begin + STRETCH):
        yield text[begin : found.end()]
        begin = found.end()
    yield text[begin:]


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


@register.filter
def look_words(what: str) -> str:
    """What a reviewer did, by the word in the record."""
    words = {
        "thread": _("read a conversation"),
        "list": _("saw titles in a list"),
        "search": _("searched"),
        "branches": _("compared branches"),
        "export": _("exported a conversation"),
        "export-redacted": _("exported a conversation with names masked"),
        "ratings": _("exported rated replies"),
    }
    return words.get(what, what)


@register.filter
def period(moment: datetime) -> str:
    """The heading under which a list of conversations shows something of this moment."""
    days = (timezone.localdate() - timezone.localdate(moment)).days
    for limit, words in ((0, _("Today")), (1, _("Yesterday")), (7, _("Previous 7 days")), (30, _("Previous 30 days"))):
        if days <= limit:
            return words
    return _("Earlier")


@register.filter
def seeing(offers: Iterable[catalog.Offer]) -> str:
    """The first model on offer that can see pictures; empty where none can."""
    return next((offer.model.id for offer in offers if offer.model.sees_images), "")


@register.filter
def alternative(attachment: Attachment) -> str:
    """What stands for the picture where it cannot be seen."""
    return attachment.alt or attachment.name or _("Picture by the model")


@register.filter
def shown_width(attachment: Attachment) -> int:
    """CSS pixels a picture takes where there is room; known before it is loaded, so that nothing jumps."""
    return round(attachment.width * _scale(attachment, *SHOWN))


@register.filter
def shown_height(attachment: Attachment) -> int:
    return max(1, round(attachment.height * _scale(attachment, *SHOWN)))


@register.filter
def thumbnail_width(attachment: Attachment) -> int:
    """Pixels of the stored thumbnail, for the browser's choice between it and the original."""
    return round(attachment.width * _scale(attachment, THUMBNAIL_SIDE, THUMBNAIL_SIDE))


def _scale(attachment: Attachment, width: int, height: int) -> float:
    return min(1.0, width / attachment.width, height / attachment.height)


@register.filter
def rated(message: Message) -> str:
    """What its owner thinks of a reply, where that was read along with it; never by a query of its own."""
    rating = message._state.fields_cache.get("rating")
    if rating is None:
        return ""
    return _("rated good") if rating.value == Value.GOOD else _("rated bad")


@register.simple_tag
def is_reviewed() -> bool:
    return bool(settings.CHATSITE_REVIEW)


@register.simple_tag
def banner() -> str:
    """What the organisation tells everybody at the top of each page."""
    return notices.current().banner


@register.simple_tag
def looks_are_shown() -> bool:
    return bool(settings.CHATSITE_SHOW_LOOKS)


@register.simple_tag
def signup_is_open() -> bool:
    """Whether anybody finds a form to sign up."""
    return settings.CHATSITE_SIGNUP in ("open", "approval")


@register.simple_tag
def signup_mode() -> str:
    return str(settings.CHATSITE_SIGNUP)


@register.simple_tag
def own_keys_are_taken() -> bool:
    return catalog.takes_own_keys()


@register.simple_tag
def site_languages() -> list[tuple[str, str]]:
    """Code and name, each in its own words; Django's own tag translates the names into the language of the page."""
    return list(settings.LANGUAGES)


@register.filter
def sentences(help_text: str) -> str:
    """Django writes some help texts as HTML lists; here they are sentences one after the other."""
    return strip_tags(str(help_text).replace("</li>", "</li> ")).strip()
