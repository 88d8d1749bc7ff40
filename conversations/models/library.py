"""What people keep for later use: prompts with variables, and presets of model, system prompt and parameters."""

import uuid
from typing import TYPE_CHECKING, Self, TypeVar

from django.conf import settings
from django.db import models

from conversations.models.user import User

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

M = TypeVar("M", bound=models.Model)


class LibraryQuerySet(models.QuerySet[M]):
    def visible_to(self, user: "User | AnonymousUser") -> Self:
        """The own ones, and those that somebody shares with everybody."""
        if not user.is_authenticated or not user.is_active:
            return self.none()
        return self.filter(models.Q(owner=user) | models.Q(is_shared=True))

    def of(self, user: "User | AnonymousUser") -> Self:
        """The own ones, which one may change."""
        return self.filter(owner=user) if user.is_authenticated and user.is_active else self.none()


class Prompt(models.Model):
    """A text to begin a message with, inserted by `/name`; `{{topic}}` in it is a variable to fill in."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="prompts")
    name = models.SlugField(max_length=50, allow_unicode=True)
    text = models.TextField()
    is_shared = models.BooleanField(default=False)
    changed_at = models.DateTimeField(auto_now=True)

    objects = LibraryQuerySet["Prompt"].as_manager()

    class Meta:
        ordering = ["name", "id"]
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="one_prompt_per_name")]

    def __str__(self) -> str:
        return f"prompt {self.uuid}"


class Preset(models.Model):
    """Model, system prompt and parameters under a name; a conversation begun with it copies them."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="presets")
    name = models.CharField(max_length=80)
    model = models.CharField(max_length=200)
    system_prompt = models.TextField(blank=True)
    parameters = models.JSONField(default=dict, blank=True)
    is_shared = models.BooleanField(default=False)
    changed_at = models.DateTimeField(auto_now=True)

    objects = LibraryQuerySet["Preset"].as_manager()

    class Meta:
        ordering = ["name", "id"]
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="one_preset_per_name")]

    def __str__(self) -> str:
        return f"preset {self.uuid}"
