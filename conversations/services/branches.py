"""Branches of a conversation: showing another one, answering anew beside a reply, taking a copy.

Messages with the same parent are siblings. Nothing in here overwrites one; what is on show is marked by `on_path`.
"""

from django.db import transaction
from django.db.models import OuterRef, Q, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _

from conversations.models import Conversation, Message, Part
from conversations.models.message import Kind, Status
from conversations.services import attachments, catalog, replies
from conversations.services.errors import Busy, NotNow

COPIED = (
    *("depth", "role", "status", "sender_id", "model", "error_code", "error_detail", "retry_after", "finish_reason"),
    *("notices", "started_at", "first_token_ms", "ended_at", "prompt_tokens", "output_tokens", "reasoning_tokens"),
    *("remaining_credits", "cost_usd", "memory_from"),
)
PART_COPIED = ("position", "kind", "text", "name", "signature", "html", "markup_version")


def lead_to(conversation: Conversation, last: Message | None) -> None:
    """Put the line that ends with this message on show, and nothing else; None for an empty one.

    Call it inside a transaction that holds the conversation.
    """
    line = Message.objects.line_to(last.pk if last else None)
    path = Message.objects.filter(conversation=conversation, on_path=True)
    path.exclude(pk__in=line).update(on_path=False)
    line.filter(on_path=False).update(on_path=True)


@transaction.atomic
def show(message: Message) -> None:
    """Put the branch of this message on show, down to what was written last below it. What runs elsewhere goes on."""
    conversation = _held(message)
    lead_to(conversation, Message.objects.below(message.pk).latest("pk"))


@transaction.atomic
def regenerate(reply: Message, model: str = "") -> Message:
    """A new reply beside this one, by this model or the same as before, and on show.

    A message that waits to be sent after this one then waits for the new one. Raises Busy while the branch or another
    answer to the same message is being written, Refusal where the model cannot.
    """
    conversation = _held(reply)
    reply.refresh_from_db()
    if reply.is_running or (reply.column is None and is_written(reply)):
        raise Busy()
    if not model:
        model = reply.model if catalog.is_offered(reply.model, conversation.owner_id) else conversation.model
    assert reply.parent is not None
    has_pictures = reply.parent.parts.filter(kind=Kind.IMAGE).exists()
    catalog.check(model, conversation.owner_id, has_pictures=has_pictures)
    fresh = _in_place_of(reply, model) if reply.column is not None else _beside(reply, model, conversation)
    Message.objects.waiting().filter(parent=reply).update(parent=fresh, on_path=fresh.on_path)
    return fresh


def _beside(reply: Message, model: str, conversation: Conversation) -> Message:
    assert reply.parent is not None
    lead_to(conversation, reply.parent)
    Conversation.objects.filter(pk=conversation.pk).update(active_at=timezone.now())
    reply.parent.refresh_from_db()
    return replies.begin(reply.parent, model)


def _in_place_of(reply: Message, model: str) -> Message:
    """In the column of one that is being compared, which leaves it."""
    assert reply.parent is not None
    Message.objects.filter(pk=reply.pk).update(on_path=False, column=None)
    return replies.begin(reply.parent, model, column=reply.column, on_path=reply.on_path)


def is_written(message: Message) -> bool:
    """Whether a sibling of this message is being written, or the end of what is on show with it."""
    here = Q(parent=message.parent_id) if message.parent_id else Q(pk=message.pk)
    if message.on_path:
        here |= Q(on_path=True)
    return Message.objects.filter(here, conversation=message.conversation_id).running().exists()


@transaction.atomic
def fork(message: Message) -> Conversation:
    """A new conversation of the same owner that begins with a copy of everything up to and including this message.

    Raises NotNow while a part of that is still to be written, Refusal where its pictures find no room.
    """
    source = _held(message)
    line = list(Message.objects.line_to(message.pk).prefetch_related("parts__attachment"))
    if any(one.is_running or one.status == Status.WAITING for one in line):
        raise NotNow(_("This reply is still being written. Wait for its end or stop it, then fork."))
    copy = Conversation.objects.create(
        owner_id=source.owner_id,
        title=_("%(title)s (fork)") % {"title": source.title[:180]},
        model=source.model,
        system_prompt=source.system_prompt,
        parameters=source.parameters,
        active_at=timezone.now(),
        forked_from=message,
    )
    pictures = [part.attachment for one in line for part in one.parts.all() if part.attachment]
    attachments.check_room(copy.owner, sum(picture.bytes for picture in pictures))
    _copy_into(copy, line)
    return copy


def _copy_into(copy: Conversation, line: list[Message]) -> None:
    made = Message.objects.bulk_create(
        Message(conversation=copy, **{name: getattr(one, name) for name in COPIED}) for one in line
    )
    above = Message.objects.filter(conversation=copy, on_path=True, depth=OuterRef("depth") - 1)
    Message.objects.filter(conversation=copy, depth__gt=0).update(parent=Subquery(above.values("pk")))
    pairs = zip(line, made, strict=True)
    Part.objects.bulk_create(_copy_of(part, into) for one, into in pairs for part in one.parts.all())


def _copy_of(part: Part, into: Message) -> Part:
    """The same for another message; a picture gets a row of its own, since that goes with its conversation."""
    values = {name: getattr(part, name) for name in PART_COPIED}
    picture = part.attachment and attachments.attach(into.conversation.owner, part.attachment)
    return Part(message=into, attachment=picture, **values)


def _held(message: Message) -> Conversation:
    return Conversation.objects.held().get(pk=message.conversation_id)
