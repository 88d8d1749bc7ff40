"""Reads that span models, shaped for pages. Nothing in here writes."""

import datetime as dt
import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import (
    BooleanField,
    ExpressionWrapper,
    F,
    Q,
    QuerySet,
    Sum,
    prefetch_related_objects,
)
from django.db.models.functions import Left, Length
from django.utils import timezone

from conversations.models import Attachment, Conversation, Message, Part, Piece, Preset, Prompt, User
from conversations.models.conversation import ConversationQuerySet
from conversations.models.message import RUNNING, Kind, MessageQuerySet, Status

LIST_LENGTH = 50
LIST_LIMIT = 1000  # conversations that any one part of a page may list
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
CONTENT = "parts__attachment"
OPENING = 12  # messages that a conversation opens with: more than a screen; reaching for more brings a window
WINDOW = 30  # messages that one step of scrolling shows
ABOUT = 200  # characters of a prompt that a list shows


@dataclass(frozen=True, slots=True)
class Block:
    """A run of text or a picture as it is shown; `html` where a renderer of version `markup_version` made it.

    A text with a `name` is an attached one.
    """

    kind: str
    text: str = ""
    name: str = ""
    attachment: Attachment | None = None
    html: str = ""
    markup_version: int = 0


@dataclass(frozen=True, slots=True)
class Siblings:
    """Where a message stands among those with the same parent; the first is number 1. Its neighbours, if any."""

    number: int
    count: int
    previous: UUID | None
    next: UUID | None


@dataclass(frozen=True, slots=True)
class Shown:
    """A message with what a page says about it; `siblings` is None where it is the only one in its place, `columns` are
    it and those beside it, where they are compared. `is_new`: nothing but its text is known yet."""

    message: Message
    body: list[Block] = field(default_factory=list)
    reasoning: str = ""
    siblings: Siblings | None = None
    columns: "list[Shown]" = field(default_factory=list)
    is_new: bool = False

    @property
    def is_running(self) -> bool:
        return self.message.is_running or any(column.message.is_running for column in self.columns)

    @property
    def may_continue(self) -> bool:
        return self.message.may_continue and any(block.text for block in self.body)


@dataclass(frozen=True, slots=True)
class Window:
    """A run of neighbouring messages of the branch on show, oldest first.

    `before` and `after`: the depth from which a reader goes on upwards and downwards, None where nothing is left.
    """

    shown: list[Shown]
    before: int | None = None
    after: int | None = None


class Key(NamedTuple):
    """A place in a list of conversations, newest first; as text it is part of an address."""

    active_at: dt.datetime
    pk: int

    @classmethod
    def of(cls, conversation: Conversation) -> "Key":
        return cls(conversation.active_at, conversation.pk)

    @classmethod
    def read(cls, text: str) -> "Key | None":
        """None where the text is none of ours."""
        found = re.fullmatch(r"(\d{1,17})-(\d{1,18})", text)
        return cls(EPOCH + dt.timedelta(microseconds=int(found[1])), int(found[2])) if found else None

    def __str__(self) -> str:
        return f"{(self.active_at - EPOCH) // dt.timedelta(microseconds=1)}-{self.pk}"


@dataclass(frozen=True, slots=True)
class Listing:
    """A stretch of the list of conversations; `older` is where the next one begins, None at the end."""

    recent: list[Conversation]
    older: Key | None = None
    pinned: list[Conversation] = field(default_factory=list)

    def __iter__(self) -> Iterator[Conversation]:
        return iter([*self.pinned, *self.recent])

    @property
    def is_running(self) -> bool:
        """Whether a reply is being written in any of them."""
        return any(getattr(one, "is_running", False) for one in self)

    @property
    def fingerprint(self) -> str:
        """Differs where the list would look different."""
        seen = [(str(one.uuid), one.title, getattr(one, "is_running", False)) for one in self]
        return hashlib.sha256(repr((seen, len(self.pinned), timezone.localdate())).encode()).hexdigest()[:16]


def conversation_list(user: User, before: Key | None = None) -> Listing:
    """The newest conversations of this person, or the next ones older than `before`, and on top those pinned there.

    `is_running` on each says whether a reply is being written.
    """
    found = list(older_than(before, _loose(user))[: LIST_LENGTH + 1])
    recent = found[:LIST_LENGTH]
    older = Key.of(recent[-1]) if len(found) > LIST_LENGTH else None
    return Listing(recent, older, [] if before else _pinned(user))


def conversations_since(user: User, oldest: Key | None) -> Listing:
    """The list as it is now down to this key, or all of it: what a page that was opened earlier should show."""
    loose = _loose(user)
    if oldest:
        newer = Q(active_at=oldest.active_at, pk__gte=oldest.pk) | Q(active_at__gt=oldest.active_at)
        loose = loose.filter(newer, active_at__gte=oldest.active_at)
    return Listing(list(loose[:LIST_LIMIT]), oldest, _pinned(user))


def all_conversations(user: User, *, archived: bool) -> ConversationQuerySet:
    """What the page of all shows: everything listed, or what was put away."""
    listed = Conversation.objects.listed_for(user).order_by("-active_at", "-id")
    return listed.filter(archived=True) if archived else listed


def older_than(key: Key | None, conversations: ConversationQuerySet) -> ConversationQuerySet:
    if key is None:
        return conversations
    same_moment = Q(active_at=key.active_at, pk__lt=key.pk)
    # The second condition follows from the first; it is what an index can use.
    return conversations.filter(Q(active_at__lt=key.active_at) | same_moment, active_at__lte=key.active_at)


def _pinned(user: User) -> list[Conversation]:
    return list(_in_side_list(user).filter(pinned=True)[:LIST_LIMIT])


def _loose(user: User) -> ConversationQuerySet:
    return _in_side_list(user).filter(pinned=False)


def _in_side_list(user: User) -> ConversationQuerySet:
    running = Message.objects.running().values("conversation")
    listed = Conversation.objects.listed_for(user).filter(archived=False)
    return listed.annotate(is_running=ExpressionWrapper(Q(pk__in=running), BooleanField())).order_by(
        "-active_at", "-id"
    )


def library(user: User, kind: type[Prompt] | type[Preset], about: str) -> QuerySet[Any]:
    """Prompts or presets this person may use, the own ones first. Long texts stay where they are: `about` names the
    field whose beginning is shown; `is_mine` and `by` say whose it is."""
    is_mine = ExpressionWrapper(Q(owner=user), output_field=BooleanField())
    found = kind.objects.visible_to(user).annotate(is_mine=is_mine, by=F("owner__username"), about=Left(about, ABOUT))
    return found.defer(about).order_by("-is_mine", "name", "id")


def newest(conversation: Conversation) -> Window:
    """The end of the branch on show: what a conversation opens with, however long it is."""
    return _upwards(_path(conversation), OPENING)


def window_before(conversation: Conversation, depth: int) -> Window:
    """The messages next above this depth."""
    path = _path(conversation)
    after = depth - 1 if path.filter(depth__gte=depth).exists() else None
    return replace(_upwards(path.filter(depth__lt=depth)), after=after)


def window_after(conversation: Conversation, depth: int) -> Window:
    """The messages next below this depth."""
    found = list(_path(conversation).filter(depth__gt=depth)[: WINDOW + 1])
    after = found[WINDOW - 1].depth if len(found) > WINDOW else None
    return Window(all_shown(found[:WINDOW]), before=depth + 1, after=after)


def window_around(conversation: Conversation, message: Message) -> Window:
    """What stands about the place of this message, which may be one of another branch."""
    first, end = message.depth - WINDOW // 2, message.depth + WINDOW
    found = list(_path(conversation).filter(depth__gte=first - 1, depth__lte=end))  # one more on either side
    within = [one for one in found if first <= one.depth < end]
    before = first if found and found[0].depth < first else None
    after = end - 1 if found and found[-1].depth >= end else None
    return Window(all_shown(within), before=before, after=after)


def _path(conversation: Conversation) -> MessageQuerySet:
    path = Message.objects.filter(conversation=conversation).on_path()
    return path.select_related("rating").prefetch_related(CONTENT)


def _upwards(path: MessageQuerySet, length: int = WINDOW) -> Window:
    """The last messages of this path; one more is read to know whether that is all."""
    found = list(path.order_by("-depth")[: length + 1])
    before = found[length - 1].depth if len(found) > length else None
    return Window(all_shown(found[:length][::-1]), before=before)


def newest_answer(window: Window) -> Message | None:
    """The newest reply of a window that has ended and counts: a failed one is never sent back."""
    replies = [one.message for one in window.shown if one.message.is_reply and not one.message.is_running]
    return next((reply for reply in reversed(replies) if reply.status != Status.FAILED), None)


def last_answer(conversation: Conversation) -> Message | None:
    """The same of a whole conversation."""
    replies = Message.objects.filter(conversation=conversation).on_path().replies()
    return replies.exclude(status__in=(Status.FAILED, *RUNNING)).order_by("-depth").first()


def memory_of(conversation: Conversation) -> int | None:
    """Where the memory of that reply begins; None where nothing was left out."""
    return getattr(last_answer(conversation), "memory_from", None)


def characters_up_to(reply: Message) -> int:
    """Of the text that stands on the reply's branch, from where its memory begins to the reply itself."""
    remembered = Message.objects.line_to(reply.pk).filter(depth__gte=reply.memory_from or 0)
    texts = Part.objects.filter(message__in=remembered.order_by(), kind=Kind.TEXT)
    return int(texts.aggregate(total=Sum(Length("text")))["total"] or 0)


def just_sent(message: Message, parts: Iterable[Part], replies: Sequence[Message]) -> list[Shown]:
    """A message that was just stored and its replies, which have not begun: nothing of them needs to be read."""
    beside = list(map(Shown, replies))
    together = [replace(one, columns=beside) if beside[1:] else replace(one, is_new=True) for one in beside[:1]]
    body = _blocks(list(parts))
    return [Shown(message, body, is_new=all(block.kind == Kind.TEXT for block in body) and bool(replies)), *together]


def just_ended(reply: Message, parts: Sequence[Part]) -> Shown:
    """A reply that stands alone and was just written to its end: nothing of it needs to be read."""
    return _shown(reply, parts)


def turn(message: Message) -> list[Shown]:
    """A person's message and what is on show below it, the reply to it."""
    below = Message.objects.filter(parent=message, on_path=True).prefetch_related(CONTENT)
    return all_shown([message, *below])


def all_shown(messages: Iterable[Message]) -> list[Shown]:
    """Messages of a path as a page shows them, with their places among their siblings and what stands beside them.

    Takes one query for all siblings, and one where replies are compared.
    """
    found = list(messages)
    _read_pieces(found)
    siblings, beside = _siblings(found), _compared(found)
    return [
        replace(
            shown(one), siblings=siblings.get(one.pk), columns=beside[one.parent_id] if one.column is not None else []
        )
        for one in found
    ]


def single(message: Message) -> Shown:
    """One message with its place among its siblings, for the place of its own article."""
    return replace(shown(message), siblings=_siblings([message]).get(message.pk))


def _compared(messages: Iterable[Message]) -> dict[int | None, list[Shown]]:
    """What is compared, by the message that was answered."""
    parents = {message.parent_id for message in messages if message.column is not None}
    if not parents:
        return {}
    compared = Message.objects.filter(parent__in=parents, column__isnull=False).order_by("parent", "column", "pk")
    found = list(compared.prefetch_related(CONTENT))
    _read_pieces(found)
    groups = groupby(found, key=lambda message: message.parent_id)
    return {parent: [shown(message) for message in group] for parent, group in groups}


def _read_pieces(messages: Iterable[Message]) -> None:
    """By one query where any of them runs; else by none."""
    prefetch_related_objects([message for message in messages if message.is_running], "pieces__attachment")


def shown(message: Message) -> Shown:
    """A message with its parts, without its siblings; while it runs, its pieces follow those of its earlier runs."""
    pieces: list[Part | Piece] = list(message.parts.all())
    if message.is_running:
        pieces += message.pieces.all()
    return _shown(message, pieces)


def _shown(message: Message, pieces: Sequence[Part | Piece]) -> Shown:
    reasoning = "".join(piece.text for piece in pieces if piece.kind == Kind.REASONING)
    return Shown(message, _blocks([piece for piece in pieces if piece.kind != Kind.REASONING]), reasoning)


def origin_of(conversation: Conversation, user: User) -> Message | None:
    """The message this conversation was forked from, where this person may still see it."""
    if conversation.forked_from_id is None:
        return None
    visible = Message.objects.visible_to(user).select_related("conversation")
    return visible.filter(pk=conversation.forked_from_id).first()


def pictures_of(conversation: Conversation) -> QuerySet[Attachment]:
    """The pictures in any message of this conversation."""
    in_parts = Q(parts__message__conversation=conversation)
    return Attachment.objects.filter(in_parts | Q(pieces__message__conversation=conversation)).distinct()


def message_with(attachment: Attachment) -> Message | None:
    """The message this picture is in, with its conversation; None while it waits for one."""
    in_it = Q(parts__attachment=attachment) | Q(pieces__attachment=attachment)
    return Message.objects.filter(in_it).select_related("conversation").first()


def reply_for_stream(user: User, uuid: UUID) -> Message | None:
    return Message.objects.visible_to(user).replies().select_related("conversation").filter(uuid=uuid).first()


def _siblings(messages: Sequence[Message]) -> dict[int, Siblings]:
    """The place of each message among its siblings, by primary key; those that have none are left out."""
    parents = {message.parent_id for message in messages}
    same = Q(parent__in=parents - {None})
    if None in parents:
        same |= Q(depth=0, conversation__in={message.conversation_id for message in messages})
    rows = Message.objects.filter(same).order_by("parent", "pk").values_list("parent", "pk", "uuid")
    places: dict[int, Siblings] = {}
    for _parent, group in groupby(rows, key=itemgetter(0)):
        uuids = {pk: uuid for _parent, pk, uuid in group}
        around = [None, *uuids.values(), None]
        for number, pk in enumerate(uuids, start=1):
            if len(uuids) > 1:
                places[pk] = Siblings(number, len(uuids), around[number - 1], around[number + 1])
    return places


def _blocks(pieces: Sequence[Part | Piece]) -> list[Block]:
    """Neighbouring texts become one block; the first of them carries the cached HTML of the whole run."""
    blocks: list[Block] = []
    for (kind, is_attached), group in groupby(pieces, key=lambda piece: (piece.kind, bool(getattr(piece, "name", "")))):
        run = list(group)
        if kind == Kind.IMAGE:
            blocks += [Block(kind, attachment=piece.attachment) for piece in run]
        elif is_attached:
            blocks += [Block(kind, piece.text, name=getattr(piece, "name", "")) for piece in run]
        else:
            text = "".join(piece.text for piece in run)
            first, is_stored = run[0], isinstance(run[-1], Part)
            html, version = (first.html, first.markup_version) if is_stored and isinstance(first, Part) else ("", 0)
            blocks.append(Block(kind, text, html=html, markup_version=version))
    return blocks
