"""How long conversations are kept, what must not be removed, and what everybody is told."""

from typing import Self

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models

from conversations.models.conversation import Conversation


class Retention(models.Model):
    """For everybody, or for the members of a group in its place. `days` without activity, null for ever;
    `deleted_days` for which reviewers still find what its owner deleted."""

    group = models.OneToOneField(Group, models.CASCADE, null=True, blank=True, related_name="retention")
    days = models.PositiveIntegerField(null=True, blank=True)
    deleted_days = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["group__name"]

    def __str__(self) -> str:
        return self.group.name if self.group else "everybody"


class HoldQuerySet(models.QuerySet["Hold"]):
    def in_force(self) -> Self:
        return self.filter(released_at=None)


class Hold(models.Model):
    """A legal hold: nothing of this person, group or conversation is removed until it is released."""

    reason = models.CharField(max_length=300)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="holds")
    group = models.ForeignKey(Group, models.CASCADE, null=True, blank=True, related_name="holds")
    conversation = models.ForeignKey(Conversation, models.CASCADE, null=True, blank=True, related_name="holds")
    placed_by = models.CharField(max_length=150, blank=True, editable=False)
    placed_at = models.DateTimeField(auto_now_add=True)
    released_at = models.DateTimeField(null=True, blank=True)

    objects = HoldQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(person__isnull=False)
                | models.Q(group__isnull=False)
                | models.Q(conversation__isnull=False),
                name="hold_of_something",
            )
        ]

    def __str__(self) -> str:
        return f"hold {self.pk}"


class Notices(models.Model):
    """What everybody is told; one row at most. Terms are to be accepted anew by whoever did before `terms_since`."""

    banner = models.TextField(blank=True)
    terms = models.TextField(blank=True)
    terms_since = models.DateTimeField(null=True, blank=True, editable=False)

    def __str__(self) -> str:
        return "notices"
