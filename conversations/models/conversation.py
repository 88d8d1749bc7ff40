"""Conversations: whose, about what, with which model."""

import uuid
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.utils import timezone

from conversations.models.user import User

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

DEFAULT_MAX_TOKENS = 8192
"""What an answer may use where nobody chose a limit and the provider needs one."""


class ConversationQuerySet(models.QuerySet["Conversation"]):
    def existing(self) -> Self:
        """Conversations that are not deleted and whose time is not over."""
        return self.unexpired().filter(deleted_at=None)

    def unexpired(self) -> Self:
        return self.filter(models.Q(expires_at=None) | models.Q(expires_at__gt=timezone.now()))

    def held(self) -> Self:
        """Held against other writers until the transaction ends.

        Whoever changes what is on show, or the status of a reply, holds its conversation first: such changes then come
        one after the other and never wait for each other in a circle. (SQLite has one writer at a time anyway.)
        """
        return self.select_for_update(no_key=True)

    def visible_to(self, user: "User | AnonymousUser") -> Self:
        """Conversations this person may open: the own ones that exist."""
        if not user.is_authenticated or not user.is_active:
            return self.none()
        return self.existing().filter(owner=user)

    def visible_by(self, way: str, user: User) -> models.Q:
        """The same for rows that lead to a conversation by this way: by join, since somebody may have thousands."""
        unexpired = models.Q((f"{way}__expires_at", None)) | models.Q((f"{way}__expires_at__gt", timezone.now()))
        return models.Q((f"{way}__owner", user), (f"{way}__deleted_at", None)) & unexpired

    def listed_for(self, user: "User | AnonymousUser") -> Self:
        """Those this person may open, without the temporary ones: what any list shows."""
        return self.visible_to(user).filter(expires_at=None)

    def deleted_by(self, user: User) -> Self:
        """Own conversations that can still be taken back."""
        return self.unexpired().filter(owner=user, deleted_at__isnull=False)


class Conversation(models.Model):
    """A tree of messages. The branch on show is marked on the messages (`on_path`)."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="conversations")
    title = models.CharField(max_length=200, blank=True)
    model = models.CharField(max_length=200, help_text="Identifier of the model, such as segmind/gemini-1.5-pro")
    system_prompt = models.TextField(blank=True)
    parameters = models.JSONField(default=dict, blank=True)
    pinned = models.BooleanField(default=False)
    archived = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    active_at = models.DateTimeField(help_text="When the last message came; what lists are ordered by")
    deleted_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Set on temporary ones, which no list shows")
    forked_from = models.ForeignKey(
        "conversations.Message", models.SET_NULL, null=True, blank=True, related_name="forks"
    )

    objects = ConversationQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["-active_at", "-id"], name="conversation_review"),
            models.Index(
                fields=["owner", "-active_at", "-id"],
                condition=models.Q(deleted_at=None),
                name="conversation_list",
            ),
            models.Index(
                fields=["owner", "-active_at", "-id"],
                condition=models.Q(pinned=True, deleted_at=None),
                name="conversation_pinned",
            ),
            models.Index(
                fields=["expires_at"], condition=models.Q(expires_at__isnull=False), name="conversation_expiring"
            ),
            models.Index(
                fields=["deleted_at"], condition=models.Q(deleted_at__isnull=False), name="conversation_deleted"
            ),
        ]

    def __str__(self) -> str:
        # Not the title: staff who may not read conversations meet this text in deletion pages and histories.
        return f"conversation {self.uuid}"

    @property
    def is_existing(self) -> bool:
        """Whether it is not deleted and its time is not over."""
        return self.deleted_at is None and (self.expires_at is None or self.expires_at > timezone.now())

    @property
    def temperature(self) -> float | None:
        value: float | None = self.parameters.get("temperature")
        return value

    @property
    def max_tokens(self) -> int | None:
        value: int | None = self.parameters.get("max_tokens")
        return value
