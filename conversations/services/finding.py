"""What reviewers read: conversations with their errors, whole threads, texts that hold certain words. Reads only."""

import datetime as dt
import re
from dataclasses import dataclass, field

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.utils.text import smart_split, unescape_string_literal

from conversations.models import Conversation, Message, Part, User
from conversations.models.message import MessageQuerySet

CODE = re.compile(r"[a-z_]{3,40}")  # of an error
STRETCH = 50_000  # texts that one page looks through
MOST = 200  # texts with the words that one page takes


@dataclass(frozen=True, slots=True)
class Found:
    """Conversations by primary key. `back` is where an older stretch begins, None where all was looked through;
    `since` is when the newest message was written that was not looked into, None likewise."""

    conversations: set[int] = field(default_factory=set)
    back: int | None = None
    since: dt.datetime | None = None


def saying(words: str, back: int | None = None) -> Found:
    """Look through the newest texts, or those before `back`.

    Stretch by stretch, since an index over all words would have to be kept with every message that anybody sends.
    """
    parts = Part.objects.order_by("-pk")
    if back is not None:
        parts = parts.filter(pk__lt=back)
    begin = Subquery(parts.values("pk")[:1]) - STRETCH
    saying = parts.filter(pk__gt=begin, text__icontains=words)
    hits = list(saying.values_list("pk", "message__conversation")[:MOST])
    older = parts.filter(pk__lt=hits[-1][0]) if len(hits) == MOST else parts.filter(pk__lte=begin)
    number, moment = older.values_list("pk", "message__created_at").first() or (None, None)
    return Found({conversation for _pk, conversation in hits}, number and number + 1, moment)


def named(words: str, *, with_titles: bool) -> Q:
    """Conversations by words of their person, their model and perhaps their title, all of which must be found; a code
    of an error finds those in which it happened.

    People are looked up first: letter case is costly to disregard, and conversations are many more than people.
    """
    code, every = words.strip(), Q()
    for word in smart_split(code):
        if word[0] in "\"'" and word[0] == word[-1]:
            word = unescape_string_literal(word)
        people = User.objects.filter(Q(username__icontains=word) | Q(email__icontains=word))
        one = Q(owner__in=people.values("pk")) | Q(model__icontains=word)
        every &= one | Q(title__icontains=word) if with_titles else one
    if CODE.fullmatch(code):
        every |= Q(pk__in=Message.objects.failed_with(code).values("conversation"))
    return every


def for_review(conversations: QuerySet[Conversation]) -> QuerySet[Conversation]:
    """With the code of the last error in each conversation.

    By moment, for which there is no index: by primary key PostgreSQL may go through all messages instead of a
    conversation's own.
    """
    failed = Message.objects.filter(conversation=OuterRef("pk")).exclude(error_code="")
    return conversations.annotate(
        last_error_code=Subquery(failed.order_by("-created_at", "-pk").values("error_code")[:1])
    )


def whole_thread(conversation: Conversation) -> MessageQuerySet:
    """Every message of every branch, oldest first, with parts and calls: for reviewers."""
    messages = Message.objects.filter(conversation=conversation).order_by("depth", "pk")
    return messages.prefetch_related("parts__attachment", "pieces__attachment", "calls")
