"""Messages, their parts, and the pieces a running reply is made of until it ends."""

import uuid
from typing import TYPE_CHECKING, Any, Self

from django.conf import settings
from django.db import models
from django.db.models.expressions import RawSQL
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from conversations.models.attachment import Attachment
from conversations.models.conversation import Conversation
from conversations.models.user import User

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


class Role(models.TextChoices):
    USER = "user", _("user")
    ASSISTANT = "assistant", _("assistant")


class Status(models.TextChoices):
    """What became of a message. WAITING is for a person's message that is sent when the reply before it has ended."""

    WAITING = "waiting", _("waiting")
    PENDING = "pending", _("pending")
    STREAMING = "streaming", _("streaming")
    COMPLETE = "complete", _("complete")
    STOPPED = "stopped", _("stopped")
    FAILED = "failed", _("failed")
    INTERRUPTED = "interrupted", _("interrupted")


RUNNING = (Status.PENDING, Status.STREAMING)


class Spelt(models.Value):
    """A status, or an empty text, written into the statement itself, not beside it as a parameter.

    An index of some rows is used only where the database sees that its condition holds, and SQLite does not look into
    parameters: it would read every message there is to find the few that run.
    """

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[()]]:
        assert self.value == "" or self.value in Status.values
        return f"'{self.value}'", ()


_LINE = """
    WITH RECURSIVE line (id, parent_id) AS (
        SELECT id, parent_id FROM conversations_message WHERE id = %s
        UNION ALL
        SELECT above.id, above.parent_id FROM conversations_message above JOIN line ON above.id = line.parent_id
    ) SELECT id FROM line
"""
_BELOW = """
    WITH RECURSIVE below (id) AS (
        SELECT id FROM conversations_message WHERE id = %s
        UNION ALL
        SELECT child.id FROM conversations_message child JOIN below ON child.parent_id = below.id
    ) SELECT id FROM below
"""


class MessageQuerySet(models.QuerySet["Message"]):
    def visible_to(self, user: "User | AnonymousUser") -> Self:
        """Messages of conversations this person may open; by join, since somebody may have thousands of those."""
        if not user.is_authenticated or not user.is_active:
            return self.none()
        return self.in_existing_conversations().filter(conversation__owner=user)

    def failed(self) -> Self:
        return self.exclude(error_code=Spelt(""))

    def failed_with(self, error_code: str) -> Self:
        return self.failed().filter(error_code=error_code)

    def in_existing_conversations(self) -> Self:
        """By join: a condition on all existing conversations would read every one of them."""
        unexpired = models.Q(conversation__expires_at=None) | models.Q(conversation__expires_at__gt=timezone.now())
        return self.filter(unexpired, conversation__deleted_at=None)

    def replies(self) -> Self:
        return self.filter(role=Role.ASSISTANT)

    def running(self) -> Self:
        return self.filter(status__in=[Spelt(status) for status in RUNNING])

    def waiting(self) -> Self:
        """Messages of people that are sent when the reply above them has ended."""
        return self.filter(status=Spelt(Status.WAITING))

    def unfinished(self) -> dict[str, int]:
        """How many run or wait, by status; each count reads a partial index that holds nothing else."""
        running = self.running().order_by().values_list("status").annotate(count=models.Count("pk"))
        waiting = self.waiting().count()
        return {str(status): 0 for status in RUNNING} | dict(running) | {str(Status.WAITING): waiting}

    def on_path(self) -> Self:
        """The branch on show, oldest first."""
        return self.filter(on_path=True).order_by("depth")

    def on_show(self) -> Self:
        """The branch on show, and what stands beside its end to be compared."""
        beside = models.Q(column__isnull=False, parent__on_path=True)
        return self.filter(models.Q(on_path=True) | beside)

    def line_to(self, message: int | None) -> Self:
        """The message with this primary key and all it answers, oldest first: one branch, on show or not."""
        return self.filter(pk__in=RawSQL(_LINE, [message])).order_by("depth")  # noqa: S611

    def below(self, message: int) -> Self:
        """The message with this primary key and everything that follows it, on any branch."""
        return self.filter(pk__in=RawSQL(_BELOW, [message]))  # noqa: S611


class Message(models.Model):
    """One turn. Its content is its parts; while a reply runs, its pieces.

    `claim` is the token of the one worker that may write a STREAMING reply, `leased_until` how long it holds without
    being renewed. `key` and `key_digest` make a repeated send one message: unique per person, digest of the content.

    Children of one parent are its siblings: branches. `column` is set while replies to one message stand side by side
    and none has been picked. A reply that is continued counts its `runs`; `memory_from` is null when nothing was left
    out of what its model was sent.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="messages")
    parent = models.ForeignKey("self", models.CASCADE, null=True, blank=True, related_name="children")
    depth = models.PositiveIntegerField(default=0)
    on_path = models.BooleanField(default=True)
    role = models.CharField(max_length=10, choices=Role)
    status = models.CharField(max_length=12, choices=Status, default=Status.COMPLETE)
    sender = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="+")
    key = models.CharField(max_length=64, null=True, blank=True)
    key_digest = models.CharField(max_length=64, blank=True)
    model = models.CharField(max_length=200, blank=True)
    claim = models.CharField(max_length=32, blank=True)
    leased_until = models.DateTimeField(null=True, blank=True)
    error_code = models.CharField(max_length=40, blank=True)
    error_detail = models.CharField(max_length=500, blank=True)
    retry_after = models.PositiveIntegerField(null=True, blank=True, help_text="Seconds, where the provider says it")
    finish_reason = models.CharField(max_length=60, blank=True)
    notices = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    first_token_ms = models.PositiveIntegerField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    prompt_tokens = models.PositiveBigIntegerField(null=True, blank=True)
    output_tokens = models.PositiveBigIntegerField(null=True, blank=True)
    reasoning_tokens = models.PositiveBigIntegerField(null=True, blank=True)
    remaining_credits = models.DecimalField(max_digits=24, decimal_places=8, null=True, blank=True)
    cost_usd = models.DecimalField(max_digits=20, decimal_places=10, null=True, blank=True)
    memory_from = models.PositiveIntegerField(null=True, blank=True, help_text="Depth of the oldest message sent along")
    column = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Place among replies to be compared")
    runs = models.PositiveSmallIntegerField(default=1, help_text="How often a model wrote at it")

    objects = MessageQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["conversation", "depth"], condition=models.Q(on_path=True), name="one_message_on_path"
            ),
            models.UniqueConstraint(
                fields=["sender", "key"], condition=models.Q(key__isnull=False), name="one_message_per_key"
            ),
        ]
        indexes = [
            models.Index(
                fields=["status", "leased_until"],
                condition=models.Q(status__in=["pending", "streaming"]),
                name="message_running",
            ),
            models.Index(fields=["parent"], condition=models.Q(status="waiting"), name="message_waiting"),
            models.Index(fields=["error_code"], condition=~models.Q(error_code=""), name="message_failed"),
            models.Index(fields=["ended_at"], condition=models.Q(runs__gt=1), name="message_continued"),
        ]

    def __str__(self) -> str:
        return f"{self.role} {self.uuid}"

    @property
    def is_running(self) -> bool:
        return self.status in RUNNING

    @property
    def is_reply(self) -> bool:
        return self.role == Role.ASSISTANT

    @property
    def may_continue(self) -> bool:
        """Whether its text may have ended too early; whether there is any is a matter of its parts."""
        is_cut = self.status == Status.COMPLETE and "truncated" in self.notices
        return self.is_reply and (is_cut or self.status in (Status.STOPPED, Status.INTERRUPTED))

    @property
    def may_retry(self) -> bool:
        return self.status in (Status.FAILED, Status.INTERRUPTED, Status.STOPPED)


class Kind(models.TextChoices):
    TEXT = "text", _("text")
    REASONING = "reasoning", _("reasoning")
    IMAGE = "image", _("image")


class Part(models.Model):
    """A run of text, of reasoning, or a picture, in its place.

    `html` caches the rendered text as made by version `markup_version` of the renderer. `signature` is the provider's
    opaque thought signature, sent back unchanged. A text with a `name` is an attached text, such as a long paste.
    """

    message = models.ForeignKey(Message, models.CASCADE, related_name="parts")
    position = models.PositiveIntegerField()
    kind = models.CharField(max_length=10, choices=Kind)
    text = models.TextField(blank=True)
    name = models.CharField(max_length=200, blank=True)
    attachment = models.ForeignKey(Attachment, models.RESTRICT, null=True, blank=True, related_name="parts")
    signature = models.TextField(blank=True)
    html = models.TextField(blank=True)
    markup_version = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["message", "position"], name="one_part_per_position")]

    def __str__(self) -> str:
        return f"{self.kind} {self.position} of {self.message_id}"


class Piece(models.Model):
    """What arrived between two flushes of a running reply. Append-only; folded into parts when the reply ends.

    Nothing is written as often, so no row is in an index that nobody needs: the constraint finds those of a message.
    """

    message = models.ForeignKey(Message, models.CASCADE, related_name="pieces", db_index=False)
    sequence = models.PositiveIntegerField()
    kind = models.CharField(max_length=10, choices=Kind)
    text = models.TextField(blank=True)
    attachment = models.ForeignKey(
        Attachment, models.RESTRICT, null=True, blank=True, related_name="pieces", db_index=False
    )
    signature = models.TextField(blank=True)

    class Meta:
        ordering = ["sequence"]
        constraints = [models.UniqueConstraint(fields=["message", "sequence"], name="one_piece_per_sequence")]
        indexes = [
            models.Index(
                fields=["attachment"], condition=models.Q(attachment__isnull=False), name="piece_with_attachment"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.sequence} of {self.message_id}"
