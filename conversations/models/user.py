"""People, and the one-time link that makes the first administrator."""

import uuid

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext_lazy as _


class Theme(models.TextChoices):
    SYSTEM = "system", _("as the system")
    LIGHT = "light", _("light")
    DARK = "dark", _("dark")


class Density(models.TextChoices):
    COMFORTABLE = "comfortable", _("comfortable")
    COMPACT = "compact", _("compact")


class Role(models.TextChoices):
    """A name for what Django's own marks and permissions say together; see services/roles.py."""

    MEMBER = "member", _("member")
    REVIEWER = "reviewer", _("reviewer")
    ADMINISTRATOR = "administrator", _("administrator")


class User(AbstractUser):
    """A person and what they prefer; an empty `language` follows the browser, an empty `default_model` the last one.

    `waiting_since`: asked for an account that nobody has approved yet; such a person is not active.
    `exported_at`: when everything of this person was last saved for them.
    """

    language = models.CharField(max_length=10, blank=True)
    theme = models.CharField(max_length=10, choices=Theme, default=Theme.SYSTEM)
    density = models.CharField(max_length=12, choices=Density, default=Density.COMFORTABLE)
    default_model = models.CharField(max_length=200, blank=True)
    enter_sends = models.BooleanField(default=True)
    notifies = models.BooleanField(default=False)
    waiting_since = models.DateTimeField(null=True, blank=True, editable=False)
    accepted_terms_at = models.DateTimeField(null=True, blank=True, editable=False)
    exported_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta(AbstractUser.Meta):
        permissions = [("review_conversations", "Can read other people's conversations (every look is recorded)")]

    @property
    def may_review(self) -> bool:
        """Whether this person may read what others wrote, stating why; nobody where the organisation has it so."""
        is_staff = settings.CHATSITE_REVIEW and self.is_active and self.is_staff
        return bool(is_staff and self.has_perm("conversations.review_conversations"))

    @property
    def role(self) -> Role:
        if self.is_superuser:
            return Role.ADMINISTRATOR
        return Role.REVIEWER if self.may_review else Role.MEMBER


class SetupLink(models.Model):
    """The right to become the first administrator; the row is deleted by the one who uses it."""

    nonce = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"set-up link of {self.created_at}"
