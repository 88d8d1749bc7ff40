"""Budgets: how much money and how many messages may go to models in a day or a month, and what went already."""

from typing import Self

from django.conf import settings
from django.contrib.auth.models import Group
from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

NANO = 10**9


class Scope(models.TextChoices):
    SITE = "site", _("everybody together")
    EACH = "each", _("each person")
    PERSON = "person", _("one person")
    GROUP = "group", _("a group together")
    MEMBERS = "members", _("each member of a group")


class Period(models.TextChoices):
    DAY = "day", _("day")
    MONTH = "month", _("month")


class Budget(models.Model):
    """A limit for somebody, for all models or one. `set_aside`: what one message is taken to cost at most.

    Without that it is what the prices give for a full context and the longest answer.
    """

    scope = models.CharField(max_length=8, choices=Scope)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="budgets")
    group = models.ForeignKey(Group, models.CASCADE, null=True, blank=True, related_name="budgets")
    model = models.CharField(max_length=200, blank=True)
    period = models.CharField(max_length=5, choices=Period, default=Period.MONTH)
    messages = models.PositiveIntegerField(null=True, blank=True)
    # 15 digits, which is what SQLite keeps of a decimal.
    money = models.DecimalField(
        max_digits=15, decimal_places=6, null=True, blank=True, validators=[MinValueValidator(0)]
    )
    set_aside = models.DecimalField(
        max_digits=15, decimal_places=6, null=True, blank=True, validators=[MinValueValidator(0)]
    )
    currency = models.CharField(max_length=3, default="USD")
    is_enabled = models.BooleanField(default=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(messages__isnull=False) | models.Q(money__isnull=False), name="budget_of_something"
            ),
            models.CheckConstraint(
                condition=models.Q(scope="person", person__isnull=False, group=None)
                | models.Q(scope__in=["group", "members"], group__isnull=False, person=None)
                | models.Q(scope__in=["site", "each"], person=None, group=None),
                name="budget_of_its_scope",
            ),
        ]

    def __str__(self) -> str:
        return f"budget {self.pk}"


class Spending(models.Model):
    """What went of a budget in one period. `subject`: the person it is counted for, 0 where people share it.

    `spent` and `reserved` in 10⁻⁹ of the currency, rounded up; reserved is what running replies may still cost.
    """

    budget = models.ForeignKey(Budget, models.CASCADE, related_name="spendings")
    subject = models.PositiveBigIntegerField()
    begins = models.DateField()
    messages = models.PositiveIntegerField(default=0)
    spent = models.BigIntegerField(default=0)
    reserved = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["budget", "subject", "begins"], name="one_spending_per_period"),
            models.CheckConstraint(condition=models.Q(spent__gte=0, reserved__gte=0), name="spending_is_no_credit"),
        ]

    def __str__(self) -> str:
        return f"spending {self.pk} of budget {self.budget_id}"


class ReservationQuerySet(models.QuerySet["Reservation"]):
    def of(self, reply: int, run: int) -> Self:
        return self.filter(reply=reply, run=run)


class Reservation(models.Model):
    """What a run of a reply holds of a budget until it is settled. `reply`: its primary key, even when it is gone."""

    reply = models.PositiveBigIntegerField()
    run = models.PositiveSmallIntegerField()
    spending = models.ForeignKey(Spending, models.CASCADE, related_name="reservations")
    money = models.BigIntegerField()
    at = models.DateTimeField(auto_now_add=True)

    objects = ReservationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["reply", "run", "spending"], name="one_reservation_per_run"),
        ]

    def __str__(self) -> str:
        return f"reservation for run {self.run} of {self.reply}"
