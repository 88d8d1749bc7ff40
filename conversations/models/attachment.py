"""Pictures: one row for each use by a person, one file for each content."""

import builtins
import uuid
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import models
from django.utils.translation import gettext_lazy as _

from conversations.models.conversation import Conversation
from conversations.models.user import User

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

SUFFIX = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}


class Origin(models.TextChoices):
    UPLOADED = "uploaded", _("uploaded")
    GENERATED = "generated", _("generated")


class AttachmentQuerySet(models.QuerySet["Attachment"]):
    def visible_to(self, user: "User | AnonymousUser") -> Self:
        """Own pictures in messages this person may see, and those kept for a message that was refused."""
        if not user.is_authenticated or not user.is_active:
            return self.none()
        seen = Conversation.objects.visible_by("parts__message__conversation", user)
        running = Conversation.objects.visible_by("pieces__message__conversation", user)
        waiting = models.Q(parts=None, pieces=None)
        return self.filter(owner=user).filter(seen | running | waiting).distinct()


class Attachment(models.Model):
    """A vetted picture; `sha256` is the digest of the stored file, `bytes` its size, width and height in pixels."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="attachments")
    origin = models.CharField(max_length=10, choices=Origin)
    name = models.CharField(max_length=200, blank=True, help_text="Name the file had, as text only")
    alt = models.CharField(max_length=500, blank=True, help_text="What is to be seen, in words")
    sha256 = models.CharField(max_length=64, db_index=True)
    media_type = models.CharField(max_length=20)
    thumbnail_type = models.CharField(max_length=20)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    bytes = models.PositiveIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)

    objects = AttachmentQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.media_type} {self.uuid}"

    @property
    def path(self) -> str:
        return f"{self.sha256[:2]}/{self.sha256}.{SUFFIX[self.media_type]}"

    @property
    def thumbnail_path(self) -> str:
        return f"{self.sha256[:2]}/{self.sha256}.thumbnail.{SUFFIX[self.thumbnail_type]}"

    def read(self) -> builtins.bytes:
        """The whole file, for sending it to a provider."""
        with default_storage.open(self.path) as file:
            data: builtins.bytes = file.read()
        return data
