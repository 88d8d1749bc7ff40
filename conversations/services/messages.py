"""Sending: a message, its pictures and the PENDING reply in one transaction.

While a reply of the branch runs, a message is stored without a reply and waits for its end.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from conversations.models import Conversation, Message, Part, User, rows
from conversations.models.message import Kind, Role, Status
from conversations.services import attachments, branches, catalog, columns, conversations, replies, texts
from conversations.services.attachments import Chosen
from conversations.services.errors import Busy, KeyReused, NotNow, Refusal
from conversations.services.texts import AttachedText


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody wants to send; `key` makes a repeated send one message, `compare` names further models to ask.

    `order` holds uuids of stored pictures to send again, and an empty word for each of `images` between them.
    """

    text: str
    model: str
    key: str
    images: "Sequence[UploadedFile[bytes]]" = ()
    order: Sequence[str] = ()
    texts: Sequence[AttachedText] = ()
    system_prompt: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    is_temporary: bool = False
    compare: Sequence[str] = ()

    @property
    def models(self) -> tuple[str, ...]:
        """All models that are to answer, the one on show first."""
        return tuple(dict.fromkeys((self.model, *self.compare)))

    def digest(self, *, beside: str = "") -> str:
        """SHA-256 over the content, to tell a repetition from another message under the same key.

        `beside`: the uuid of the message this is to be another version of.
        """
        digest = hashlib.sha256(beside.encode() + self.text.encode("utf-8", "surrogatepass"))
        for image in self.images:
            image.seek(0)
            digest.update(b"\0" + hashlib.sha256(image.read()).digest())
            image.seek(0)
        for words in (*self.order, *(word for attached in self.texts for word in (attached.name, attached.text))):
            digest.update(b"\0" + words.encode("utf-8", "surrogatepass"))
        return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Sent:
    """The stored message, its parts and its replies, none where it waits.

    `is_repeated` where an earlier send with the same key made them; `picked`: the reply it goes on with, where that
    stood side by side with others.
    """

    message: Message
    replies: Sequence[Message] = ()
    parts: Sequence[Part] = ()
    is_repeated: bool = False
    picked: Message | None = None

    @property
    def reply(self) -> Message:
        """The reply that is on show; raises IndexError where the message waits."""
        return self.replies[0]


def send(user: User, draft: Draft, conversation: Conversation | None = None) -> Sent:
    """Store the message in this conversation (or a new one) and hand its reply to the engine, or let it wait.

    Raises Refusal for empty or oversized content, a model that is not offered or a refused picture, NotNow where a
    message waits already, KeyReused when the key was used for something else.
    """
    digest = draft.digest()
    # A text that begins a conversation is simply stored: where it was sent before, its key is refused.
    is_simple = conversation is None and not (draft.images or any(draft.order))
    if not is_simple and (earlier := _sent_before(user, draft.key, digest, conversation)):
        return earlier
    _check(user, draft)
    pictures = attachments.choose(user, draft.images, draft.order)
    try:
        return _store(user, draft, digest, pictures, conversation)
    except IntegrityError:
        # The same form came twice at the same time; the other one was quicker.
        if earlier := _sent_before(user, draft.key, digest, conversation):
            return earlier
        raise


def edit(user: User, message: Message, draft: Draft) -> Sent:
    """Send another version of a message, which stays as it is: a sibling with a reply of its own, both on show.

    Raises as `send`, and Busy while the end of its branch is being written.
    """
    digest = draft.digest(beside=str(message.uuid))
    if earlier := _sent_before(user, draft.key, digest, message.conversation):
        return earlier
    _check(user, draft)
    pictures = attachments.choose(user, draft.images, draft.order)
    try:
        return _store_beside(user, message, draft, digest, pictures)
    except IntegrityError:
        if earlier := _sent_before(user, draft.key, digest, message.conversation):
            return earlier
        raise


@transaction.atomic
def go_on(reply: Message) -> None:
    """Let the last reply of the path be written on where it ended.

    Raises NotNow where that makes no sense, Busy, Refusal where its model is not on offer any more.
    """
    conversation, ended = _at_the_end(reply)
    catalog.check(ended.model, conversation.owner_id, has_pictures=False)
    if not replies.go_on(ended):
        raise NotNow(_("This reply is whole. Send a new message instead."))


def _at_the_end(reply: Message) -> tuple[Conversation, Message]:
    """The conversation, held against other writers, and the reply as it is now.

    Raises NotNow where the reply is neither the last on the path nor beside that, Busy while it is written.
    """
    conversation = Conversation.objects.held().get(pk=reply.conversation_id)
    path = Message.objects.filter(conversation=conversation).on_path().exclude(status=Status.WAITING)
    last = path.last()
    here = Message.objects.filter(conversation=conversation).on_show().filter(depth=last.depth if last else 0)
    found = here.replies().select_related("parent").filter(pk=reply.pk).first()
    if found is None:
        raise NotNow(_("The conversation has gone on since. Send a new message instead."))
    if found.is_running:
        raise Busy()
    return conversation, found


def _sent_before(user: User, key: str, digest: str, conversation: Conversation | None) -> Sent | None:
    message = Message.objects.filter(sender=user, key=key).select_related("conversation").first()
    if message is None:
        return None
    elsewhere = conversation is not None and conversation.pk != message.conversation_id
    if message.key_digest != digest or elsewhere or message.conversation.deleted_at:
        raise KeyReused()
    return Sent(message, list(message.children.order_by("-on_path", "pk")), is_repeated=True)


def _check(user: User, draft: Draft) -> None:
    pictures = len(draft.images) + len([word for word in draft.order if word])
    if not draft.text.strip() and not pictures and not draft.texts:
        raise Refusal(_("Write something or attach a picture, then send."))
    if len(draft.text) > settings.MESSAGE_MAX_LENGTH:
        limit = settings.MESSAGE_MAX_LENGTH
        raise Refusal(_("This message is longer than %(limit)d characters. Shorten or split it.") % {"limit": limit})
    texts.check(draft.texts)
    if pictures > settings.MESSAGE_MAX_IMAGES:
        limit = settings.MESSAGE_MAX_IMAGES
        raise Refusal(_("At most %(limit)d pictures fit into one message. Remove some.") % {"limit": limit})
    columns.check(draft.models)
    for model in draft.models:
        catalog.check(model, user.pk, has_pictures=bool(pictures))


@transaction.atomic
def _store(user: User, draft: Draft, digest: str, pictures: list[Chosen], conversation: Conversation | None) -> Sent:
    target, last = _locked(conversation) if conversation else _begin(user, draft), None
    if pictures:
        attachments.check_room(user, attachments.new_bytes(pictures))
    if conversation:
        last = Message.objects.filter(conversation=target).on_path().last()
        Conversation.objects.filter(pk=target.pk).update(active_at=timezone.now(), model=draft.model)
    if last and last.status == Status.WAITING:
        raise NotNow(_("A message is waiting to be sent already. Withdraw it or let it be sent, then send this one."))
    waits = last is not None and last.is_running
    if waits and len(draft.models) > 1:
        raise NotNow(_("A reply is still being written here. Wait for its end or stop it, then compare."))
    picked = last if last and columns.close(last) else None
    message = rows.insert(
        Message(
            conversation=target,
            parent=last,
            depth=last.depth + 1 if last else 0,
            role=Role.USER,
            status=Status.WAITING if waits else Status.COMPLETE,
            model=draft.model if waits else "",
            sender=user,
            key=draft.key,
            key_digest=digest,
        )
    )
    parts = _add_parts(message, draft, pictures)
    return Sent(message, [] if waits else _begin_replies(message, draft.models, parts), parts, picked=picked)


@transaction.atomic
def _store_beside(user: User, message: Message, draft: Draft, digest: str, pictures: list[Chosen]) -> Sent:
    conversation = _locked(message.conversation)
    message.refresh_from_db()
    if message.status == Status.WAITING:
        raise NotNow(_("This message was not sent yet. Withdraw it to change it."))
    if branches.is_written(message):
        raise Busy()
    branches.lead_to(conversation, message.parent)
    version = Message.objects.create(
        conversation=conversation,
        parent=message.parent,
        depth=message.depth,
        role=Role.USER,
        sender=user,
        key=draft.key,
        key_digest=digest,
    )
    parts = _add_parts(version, draft, pictures)
    Conversation.objects.filter(pk=conversation.pk).update(active_at=timezone.now(), model=draft.model)
    return Sent(version, [replies.begin(version, draft.model, asked=parts)], parts)


def _begin_replies(message: Message, models: Sequence[str], asked: Sequence[Part]) -> list[Message]:
    """One reply, or several side by side, of which the first is on show."""
    if len(models) == 1:
        return [replies.begin(message, models[0], asked=asked)]
    return [replies.begin(message, model, column=place, on_path=place == 0) for place, model in enumerate(models)]


def _locked(conversation: Conversation) -> Conversation:
    """The conversation as it is now, held against other writers; it may have been deleted since it was looked up."""
    found = Conversation.objects.existing().held().filter(pk=conversation.pk).first()
    if found is None:
        raise NotNow(_("This conversation was deleted. Start a new one."))
    return found


def _begin(user: User, draft: Draft) -> Conversation:
    fallback = draft.texts[0].name[: conversations.TITLE_LENGTH] if draft.texts else _("Picture")
    return conversations.create(
        user,
        title=conversations.title_from(conversations.clean(draft.text), fallback=fallback),
        model=draft.model,
        system_prompt=draft.system_prompt,
        parameters=draft.parameters,
        is_temporary=draft.is_temporary,
    )


def _add_parts(message: Message, draft: Draft, pictures: list[Chosen]) -> list[Part]:
    """Attached texts, what was written, pictures: in this order."""
    assert message.sender is not None
    named = [(attachments.display_name(one.name, _("text")), one.text) for one in draft.texts]
    written = [("", draft.text)] if draft.text.strip() else []
    parts = [Part(kind=Kind.TEXT, name=name, text=conversations.clean(text)) for name, text in (*named, *written)]
    for chosen in pictures:
        parts.append(Part(kind=Kind.IMAGE, attachment=attachments.attach(message.sender, chosen)))
    for position, part in enumerate(parts):
        part.message, part.position = message, position
        rows.insert(part)
    return parts
