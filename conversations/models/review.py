"""The record of looks: who of the staff saw what of whom, when and why. Rows are added, never changed or removed."""

from typing import Any, NoReturn, Self

from django.conf import settings
from django.db import models


class Kept(TypeError):
    """Somebody tried to change or remove a record of a look."""

    def __init__(self) -> None:
        super().__init__("Records of looks are added by services.review; nobody changes or removes them.")


class LookQuerySet(models.QuerySet["Look"]):
    def concerning(self, user: Any) -> Self:
        """Looks at what belongs to this person."""
        return self.filter(owner=user.pk)

    def update(self, **values: Any) -> NoReturn:
        raise Kept

    def delete(self) -> NoReturn:
        raise Kept


class Look(models.Model):
    """One look by a reviewer, or one person's share of it where it went over conversations of several.

    Kept when the conversation or a person is deleted: ids and names are copied, nothing refers to them. `number` counts
    the records from 1 without a gap, `previous` and `digest` chain them (see services/chain.py). The database itself
    refuses to change or remove a row, by triggers that a migration made; one that remakes the table makes them anew.
    """

    number = models.PositiveBigIntegerField(unique=True)
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.DO_NOTHING, null=True, db_constraint=False, related_name="looks"
    )
    reviewer_name = models.CharField(max_length=150)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.DO_NOTHING, null=True, db_constraint=False, related_name="looked_at"
    )
    owner_name = models.CharField(max_length=150, blank=True)
    conversation = models.UUIDField(null=True, db_index=True)
    what = models.CharField(max_length=40)
    detail = models.TextField(blank=True, help_text="What was looked for, or which conversations were listed")
    reason = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField()
    previous = models.CharField(max_length=64)
    digest = models.CharField(max_length=64)

    objects = LookQuerySet.as_manager()

    class Meta:
        ordering = ["-number"]
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"record {self.number}"

    def save(self, *args: Any, **options: Any) -> NoReturn:
        raise Kept

    def delete(self, *args: Any, **options: Any) -> NoReturn:
        raise Kept
