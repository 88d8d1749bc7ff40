"""The record of looks: who of the staff opened whose conversation, and when."""

from django.conf import settings
from django.db import models


class Look(models.Model):
    """One look by a reviewer. Kept when the conversation or a person is deleted: ids and names are copied."""

    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="looks")
    reviewer_name = models.CharField(max_length=150)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="looked_at")
    owner_name = models.CharField(max_length=150)
    conversation = models.UUIDField(db_index=True)
    what = models.CharField(max_length=40)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.reviewer_name} looked at {self.conversation}"
