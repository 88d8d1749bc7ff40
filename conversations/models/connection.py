"""Connections to providers, the models they offer, and keys that people bring themselves. Keys are sealed here."""

import uuid
from decimal import Decimal
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.contrib.auth.models import Group
from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from conversations.models.user import User

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

PRICES = ("price_input", "price_output", "price_cached", "price_reasoning", "price_picture")


class Kind(models.TextChoices):
    """What a connection speaks."""

    OPENAI = "openai", _("OpenAI-compatible")
    GEMINI = "gemini", _("Gemini")
    SEGMIND = "segmind", "Segmind"
    AIMLAPI = "aimlapi", "AI/ML API"
    LOCAL = "local", _("this machine")


class Auth(models.TextChoices):
    """The header that carries the key."""

    BEARER = "bearer", "Authorization: Bearer"
    X_API_KEY = "x-api-key", "x-api-key"
    X_GOOG_API_KEY = "x-goog-api-key", "x-goog-api-key"
    NONE = "none", _("none: no key is sent")


class Form(models.TextChoices):
    """How a request is laid out."""

    OPENAI_CHAT = "openai_chat", _("chat completions")
    GEMINI_WRAPPED = "gemini_wrapped", _("Gemini inside “messages” (Segmind)")
    GEMINI = "gemini", "Gemini"


class SystemMode(models.TextChoices):
    NATIVE = "native", _("in its own field")
    PREPEND = "prepend", _("in front of the first message")


class LimitField(models.TextChoices):
    MAX_TOKENS = "max_tokens", "max_tokens"
    MAX_COMPLETION_TOKENS = "max_completion_tokens", "max_completion_tokens"


class ConnectionQuerySet(models.QuerySet["Connection"]):
    def taking_keys_of(self, user: "User | AnonymousUser") -> Self:
        """Those for which this person may bring a key, or has one; `own_hint`: the end of that, None without one."""
        mine = OwnKey.objects.of(user).filter(connection=models.OuterRef("pk"))
        hinted = self.annotate(own_hint=models.Subquery(mine.values("key_hint")))
        return hinted.filter(models.Q(takes_own_keys=True, is_enabled=True) | models.Q(own_hint__isnull=False))


class Connection(models.Model):
    """Where models are reached and as whom. `slug` begins the ids of its models and stays as it is.

    The vendors of this version have a row of the same slug. `key_hint`: the last characters of the key. Fewer credits
    than `credit_warning` are shown to administrators as too few.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    slug = models.SlugField(max_length=40, unique=True)
    label = models.CharField(max_length=80)
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.OPENAI)
    base_url = models.CharField(max_length=500, blank=True)
    auth = models.CharField(max_length=20, choices=Auth, blank=True)
    sealed_key = models.TextField(blank=True, editable=False)
    key_hint = models.CharField(max_length=4, blank=True, editable=False)
    sealed_headers = models.TextField(blank=True, editable=False)
    header_names = models.CharField(max_length=500, blank=True, editable=False)
    is_enabled = models.BooleanField(default=True)
    may_be_private = models.BooleanField(default=False)
    takes_own_keys = models.BooleanField(default=False)
    credit_warning = models.DecimalField(
        max_digits=15, decimal_places=4, null=True, blank=True, validators=[MinValueValidator(0)]
    )
    changed_at = models.DateTimeField(auto_now=True)

    objects = ConnectionQuerySet.as_manager()

    class Meta:
        ordering = ["label", "id"]

    def __str__(self) -> str:
        return self.label

    @property
    def key_bound_to(self) -> str:
        """What the sealed key belongs to: moved to another row it cannot be read."""
        return f"connection:{self.uuid}:key"

    @property
    def headers_bound_to(self) -> str:
        return f"connection:{self.uuid}:headers"


def _price() -> "models.DecimalField[Decimal | None, Decimal | None]":
    least = MinValueValidator(0)
    return models.DecimalField(max_digits=18, decimal_places=8, null=True, blank=True, validators=[least])


class OfferedModel(models.Model):
    """A model of a connection, as people see it and as it wants to be asked.

    Prices in `currency` per million tokens, `price_picture` for each picture; empty where nobody knows. An empty
    `request_form` or `auth` is that of the connection. `extra`: further members of the request. Without `groups` it is
    open to everybody.
    """

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="models")
    name = models.CharField(max_length=150)
    label = models.CharField(max_length=120, blank=True)
    description = models.CharField(max_length=300, blank=True)
    is_enabled = models.BooleanField(default=True)
    position = models.PositiveSmallIntegerField(default=100)
    sees_pictures = models.BooleanField(default=False)
    draws_pictures = models.BooleanField(default=False)
    streams = models.BooleanField(default=True)
    context_window = models.PositiveIntegerField(null=True, blank=True, validators=[MinValueValidator(1)])
    output_limit = models.PositiveIntegerField(null=True, blank=True, validators=[MinValueValidator(1)])
    groups = models.ManyToManyField(Group, blank=True, related_name="offered_models")
    default_temperature = models.FloatField(null=True, blank=True)
    default_max_tokens = models.PositiveIntegerField(null=True, blank=True, validators=[MinValueValidator(1)])
    extra = models.JSONField(default=dict, blank=True)
    request_form = models.CharField(max_length=20, choices=Form, blank=True)
    system_mode = models.CharField(max_length=10, choices=SystemMode, default=SystemMode.NATIVE)
    auth = models.CharField(max_length=20, choices=Auth, blank=True)
    image_only_text = models.CharField(max_length=200, blank=True)
    limit_field = models.CharField(max_length=30, choices=LimitField, default=LimitField.MAX_TOKENS)
    stream_usage = models.BooleanField(default=True)
    price_input = _price()
    price_output = _price()
    price_cached = _price()
    price_reasoning = _price()
    price_picture = _price()
    currency = models.CharField(max_length=3, default="USD")

    class Meta:
        ordering = ["position", "name", "id"]
        constraints = [
            models.UniqueConstraint(fields=["connection", "name"], name="one_model_per_name"),
            *(
                models.CheckConstraint(condition=models.Q((f"{field}__gte", 0)), name=f"{field}_is_no_credit")
                for field in PRICES
            ),
        ]

    def __str__(self) -> str:
        return f"{self.connection.slug}/{self.name}"


class OwnKeyQuerySet(models.QuerySet["OwnKey"]):
    def of(self, user: "User | AnonymousUser") -> Self:
        return self.filter(owner=user) if user.is_authenticated and user.is_active else self.none()


class OwnKey(models.Model):
    """A key that somebody brought for a connection: used for what they send, and gone with them."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="own_keys")
    connection = models.ForeignKey(Connection, models.CASCADE, related_name="own_keys")
    sealed_key = models.TextField(editable=False)
    key_hint = models.CharField(max_length=4, blank=True, editable=False)
    changed_at = models.DateTimeField(auto_now=True)

    objects = OwnKeyQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "connection"], name="one_own_key_per_connection")]

    def __str__(self) -> str:
        return f"own key {self.pk}"

    @property
    def bound_to(self) -> str:
        return f"own-key:{self.owner_id}:{self.connection.uuid}"
