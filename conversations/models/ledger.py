"""The ledger: what each call to a provider used and cost. Rows outlive conversations and people, without content."""

from decimal import Decimal
from typing import TYPE_CHECKING, Self

from django.db import models
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from conversations.models.user import User

PICO = 10**12  # money is counted in 10⁻¹² of its currency
CREDIT_PARTS = 10**8  # and credits in 10⁻⁸
LARGEST = 2**63 - 1


class Basis(models.TextChoices):
    """Where an amount of money comes from."""

    STATED = "stated", _("the provider said it")
    PRICED = "priced", _("by the prices of that time")
    UNKNOWN = "", _("unknown")


class EntryQuerySet(models.QuerySet["LedgerEntry"]):
    def of(self, user: "User") -> Self:
        return self.filter(person=user.pk)


class LedgerEntry(models.Model):
    """One attempt at a provider, written when it has ended. Null is "nobody knows", never a guess.

    `amount` is money in 10⁻¹² of `currency`, `credits` and `remaining` are credits in 10⁻⁸: whole numbers, since SQLite
    keeps but 15 digits of a decimal, and so that databases add them up exactly. `stated` is the provider's own figure
    with all its digits. `prices` are those of that time, as text. Ids and names are copied, nothing refers to them;
    `call` is the primary key of the call's record. `day` is that of the site's time zone.
    """

    call = models.PositiveBigIntegerField(unique=True)
    reply = models.PositiveBigIntegerField(db_index=True)
    run = models.PositiveSmallIntegerField(default=1)
    attempt = models.PositiveSmallIntegerField()
    at = models.DateTimeField()
    day = models.DateField(db_index=True)
    person = models.PositiveBigIntegerField(null=True)
    person_name = models.CharField(max_length=150)
    model = models.CharField(max_length=200)
    connection = models.CharField(max_length=40)
    is_own_key = models.BooleanField(null=True)
    outcome = models.CharField(max_length=40)
    status_code = models.PositiveSmallIntegerField(null=True)
    prompt_tokens = models.PositiveBigIntegerField(null=True)
    output_tokens = models.PositiveBigIntegerField(null=True)
    reasoning_tokens = models.PositiveBigIntegerField(null=True)
    cached_tokens = models.PositiveBigIntegerField(null=True)
    pictures = models.PositiveIntegerField(null=True)
    credits = models.BigIntegerField(null=True)
    remaining = models.BigIntegerField(null=True)
    prices = models.JSONField(default=dict)
    stated = models.CharField(max_length=60, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    amount = models.BigIntegerField(null=True)
    basis = models.CharField(max_length=8, choices=Basis, blank=True)

    objects = EntryQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        default_permissions = ("view",)
        verbose_name_plural = "ledger"
        indexes = [
            models.Index(fields=["person", "day"], name="entry_of_person"),
            models.Index(fields=["day"], condition=models.Q(outcome="lost"), name="entry_lost"),
            models.Index(
                fields=["connection", "-id"], condition=models.Q(remaining__isnull=False), name="entry_of_credits"
            ),
        ]
        constraints = [
            models.CheckConstraint(condition=models.Q(amount__gte=0), name="entry_is_no_credit"),
            models.CheckConstraint(condition=models.Q(credits__gte=0), name="entry_gives_no_credits"),
        ]

    def __str__(self) -> str:
        return f"entry of call {self.call}"

    @property
    def money(self) -> Decimal | None:
        return None if self.amount is None else Decimal(self.amount).scaleb(-12)


class By(models.TextChoices):
    """What a sum is of. `OWN`: a person's calls of one model; `SHARED`: those of a connection that its key paid."""

    DAY = "day"
    PERSON = "person"
    GROUP = "group"
    MODEL = "model"
    CONNECTION = "connection"
    OWN = "own"
    SHARED = "shared"


class LedgerSum(models.Model):
    """What the calls of a day used and cost, of one person, model and so on: pages need not add up every call.

    `key` says of whom or what: the primary key of a person, the name of a group, else the id; `name` is the name of a
    person, and of `OWN` the model. `known`: calls of known cost. Amounts are in two halves, so that no sum is too
    large: whole millions of the ledger's parts, and the rest. `up_to`: the last entry in it; of all sums the highest
    says how far the ledger is summed up, without the calls that were lost: how those went may still become known.
    """

    by = models.CharField(max_length=10, choices=By)
    day = models.DateField()
    key = models.CharField(max_length=200, blank=True)
    name = models.CharField(max_length=200, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    calls = models.BigIntegerField(default=0)
    known = models.BigIntegerField(default=0)
    prompt_tokens = models.BigIntegerField(default=0)
    output_tokens = models.BigIntegerField(default=0)
    reasoning_tokens = models.BigIntegerField(default=0)
    cached_tokens = models.BigIntegerField(default=0)
    pictures = models.BigIntegerField(default=0)
    credits_high = models.BigIntegerField(default=0)
    credits_low = models.BigIntegerField(default=0)
    amount_high = models.BigIntegerField(default=0)
    amount_low = models.BigIntegerField(default=0)
    up_to = models.PositiveBigIntegerField(db_index=True)

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["by", "key", "day"], name="sum_of_one")]
        constraints = [
            models.UniqueConstraint(fields=["by", "day", "key", "name", "currency"], name="one_sum_of_each"),
        ]

    def __str__(self) -> str:
        return f"sum by {self.by} of {self.day}"
