"""People, and the one-time link that makes the first administrator."""

import uuid

from django.contrib.auth.models import AbstractUser
from django.db import models


class User(AbstractUser):
    """A person. Own model from the first migration on, so that it can grow."""

    class Meta(AbstractUser.Meta):
        permissions = [("review_conversations", "Can read other people's conversations (every look is recorded)")]

    @property
    def may_review(self) -> bool:
        return self.is_active and self.is_staff and self.has_perm("conversations.review_conversations")


class SetupLink(models.Model):
    """The right to become the first administrator; the row is deleted by the one who uses it."""

    nonce = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"set-up link of {self.created_at}"
