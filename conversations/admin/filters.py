"""What the list of conversations is narrowed by. No filter looks through a whole table to know its choices."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from conversations.admin import reviewing
from conversations.models import Conversation, Flag, Message, Rating
from conversations.models.work import Cause, Value
from conversations.services import catalog, errors, finding

NO_ERROR = "none"


class WordsFilter(admin.SimpleListFilter):
    """By words in any message, for who has said why; the newest texts first, then stretch by stretch."""

    title = _("words in messages")
    parameter_name = "words"
    template = "admin/conversations/conversation/words.html"

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: Any, model_admin: Any) -> None:
        super().__init__(request, params, model, model_admin)
        back = params.pop("back", [""])[-1]
        self.is_allowed = bool(reviewing.stated(request))
        self.found: finding.Found | None = None
        self.others = [
            (name, value)
            for name, values in request.GET.lists()
            for value in values
            if name not in ("words", "back", "p")
        ]
        if self.is_allowed and self.words:
            self.found = finding.saying(self.words, int(back) if back.isdecimal() and len(back) < 19 else None)

    @property
    def words(self) -> str:
        return (self.value() or "").strip()[:200]

    def expected_parameters(self) -> list[str | None]:
        return [self.parameter_name, "back"]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("", "")]  # none; but a filter without is not shown

    def queryset(self, request: HttpRequest, queryset: QuerySet[Conversation]) -> QuerySet[Conversation]:
        return queryset if self.found is None else queryset.filter(pk__in=self.found.conversations)


class FlagFilter(admin.SimpleListFilter):
    """By the cause of any flag, of a finished case, too."""

    title = _("flag")
    parameter_name = "flag"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[Any, Any]]:
        return [("any", _("any")), *Cause.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Conversation]) -> QuerySet[Conversation]:
        if not self.value():
            return queryset
        flags = Flag.objects.all() if self.value() == "any" else Flag.objects.filter(cause=self.value())
        return queryset.filter(pk__in=flags.values("case__conversation"))


class RatingFilter(admin.SimpleListFilter):
    """By what its owner thinks of any reply."""

    title = _("rating")
    parameter_name = "rating"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[Any, Any]]:
        return [(str(value), words) for value, words in Value.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Conversation]) -> QuerySet[Conversation]:
        if self.value() not in {"1", "-1"}:
            return queryset
        return queryset.filter(
            pk__in=Rating.objects.filter(value=int(self.value() or 0)).values("message__conversation")
        )


class ErrorFilter(admin.SimpleListFilter):
    """By the error of any message. Which ones there are is known, so that nobody looks through all messages."""

    title = _("error code")
    parameter_name = "error"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(NO_ERROR, _("none")), *((code, code) for code in sorted(errors.PROVIDER_SENTENCES))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Conversation]) -> QuerySet[Conversation]:
        match self.value():
            case None:
                return queryset
            case "none":
                return queryset.exclude(pk__in=Message.objects.failed().values("conversation"))
            case code:
                return queryset.filter(pk__in=Message.objects.failed_with(code).values("conversation"))


class ModelFilter(admin.SimpleListFilter):
    """By the model of a conversation, of those that this version knows."""

    title = _("model")
    parameter_name = "model"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return catalog.all_known()

    def queryset(self, request: HttpRequest, queryset: QuerySet[Conversation]) -> QuerySet[Conversation]:
        return queryset.filter(model=self.value()) if self.value() else queryset
