"""What reviewers work on: ratings of people, what people and rules flag, cases with notes and labels, the rules."""

from typing import Self

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from conversations.models.conversation import Conversation
from conversations.models.message import Message


class Value(models.IntegerChoices):
    GOOD = 1, _("good")
    BAD = -1, _("bad")


class Rating(models.Model):
    """What the owner of a conversation thinks of a reply."""

    message = models.OneToOneField(Message, models.CASCADE, related_name="rating")
    value = models.SmallIntegerField(choices=Value)
    comment = models.TextField(blank=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=["-changed_at"], name="rating_changed"),
            models.Index(fields=["value", "-changed_at"], name="rating_value"),
        ]

    def __str__(self) -> str:
        return f"rating {self.pk}"


class Label(models.Model):
    name = models.CharField(max_length=50, unique=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Progress(models.TextChoices):
    OPEN = "open", _("open")
    WORKING = "working", _("in progress")
    DONE = "done", pgettext_lazy("a case", "done")
    DISMISSED = "dismissed", _("dismissed")


CLOSED = (Progress.DONE, Progress.DISMISSED)


class CaseQuerySet(models.QuerySet["Case"]):
    def unfinished(self) -> Self:
        """As a condition on the moment: an index of these rows alone is used for it."""
        return self.filter(closed_at=None)

    def in_turn(self) -> Self:
        """The order in which a queue is worked through: what was flagged first comes first."""
        return self.order_by("opened_at", "pk")


class Case(models.Model):
    """A conversation that somebody is to look at. Each has one unfinished case at most, flagged once or many times."""

    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="cases")
    status = models.CharField(max_length=10, choices=Progress, default=Progress.OPEN)
    assignee = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="cases")
    labels = models.ManyToManyField(Label, blank=True, related_name="cases")
    opened_at = models.DateTimeField(auto_now_add=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    objects = CaseQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["conversation"], condition=models.Q(closed_at=None), name="one_unfinished_case"
            )
        ]
        indexes = [
            models.Index(fields=["opened_at", "id"], condition=models.Q(closed_at=None), name="case_unfinished"),
            models.Index(fields=["-opened_at", "-id"], name="case_opened"),
        ]

    def __str__(self) -> str:
        return f"case {self.pk}"


class RuleKind(models.TextChoices):
    WORDS = "words", _("words in messages")
    COST = "cost", _("cost of a reply")
    SAMPLE = "sample", _("random sample of replies")


class Rule(models.Model):
    """What flags by itself. `checked_up_to`: the primary key of the last message it has looked at; `continued_up_to`:
    the end of the last reply that it has looked at again, since somebody let it be written on."""

    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=10, choices=RuleKind)
    words = models.TextField(blank=True)
    dollars = models.DecimalField(max_digits=10, decimal_places=4, null=True, blank=True)
    percent = models.DecimalField(max_digits=6, decimal_places=3, null=True, blank=True)
    enabled = models.BooleanField(default=True)
    checked_up_to = models.PositiveBigIntegerField(default=0, editable=False)
    continued_up_to = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Cause(models.TextChoices):
    REPORTED = "reported", _("reported by its owner")
    WORDS = "words", _("words")
    COST = "cost", _("cost")
    SAMPLE = "sample", _("sample")
    REVIEWER = "reviewer", _("by a reviewer")


class Flag(models.Model):
    """Why a conversation should be looked at; `message` where it is about one."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="flags")
    message = models.ForeignKey(Message, models.CASCADE, null=True, blank=True, related_name="flags")
    cause = models.CharField(max_length=10, choices=Cause)
    rule = models.ForeignKey(Rule, models.SET_NULL, null=True, blank=True, related_name="flags")
    comment = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ()
        ordering = ["id"]
        indexes = [models.Index(fields=["cause", "case"], name="flag_cause")]

    def __str__(self) -> str:
        return f"flag {self.pk}"


class Note(models.Model):
    """What a reviewer wrote down about a case."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="notes")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    author_name = models.CharField(max_length=150)
    text = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ()
        ordering = ["id"]

    def __str__(self) -> str:
        return f"note {self.pk}"
