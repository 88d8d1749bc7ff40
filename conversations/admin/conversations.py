"""Conversations for reviewers: searchable, read-only, the whole thread with every call; opening one is recorded."""

import json
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _

from conversations import queries
from conversations.models import Conversation, Message, ProviderCall, User
from conversations.services import catalog, errors, review
from conversations.views.attachments import file_response

NO_ERROR = "none"


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


@admin.register(Conversation)
class ConversationAdmin(admin.ModelAdmin):
    """Nothing in here can be added, changed or deleted, and only people with the review permission get in."""

    list_display = ("title", "owner", "model", "active_at", "last_error", "is_deleted")
    list_filter = (ModelFilter, ErrorFilter, "active_at")
    list_select_related = ("owner",)
    list_per_page = 50
    search_fields = ("title", "model", "owner__username", "owner__email")
    search_help_text = _("Person, title, model or error code")
    ordering = ("-active_at",)
    show_facets = admin.ShowFacets.NEVER

    def has_module_permission(self, request: HttpRequest) -> bool:
        return may_review(request)

    def has_view_permission(self, request: HttpRequest, obj: Conversation | None = None) -> bool:
        return may_review(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Conversation | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Conversation | None = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Conversation]:
        return queries.for_review(super().get_queryset(request))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Conversation], search_term: str
    ) -> tuple[QuerySet[Conversation], bool]:
        """By person, title and model; the code of an error also finds the conversations in which it happened."""
        found, _may_repeat = super().get_search_results(request, queryset, search_term)
        failed = Message.objects.failed_with(search_term.strip())
        if not failed.exists():
            return found, False
        return queryset.filter(Q(pk__in=found.values("pk")) | Q(pk__in=failed.values("conversation"))), False

    @admin.display(description=_("last error"))
    def last_error(self, conversation: Conversation) -> str:
        return getattr(conversation, "last_error_code", None) or ""

    @admin.display(description=_("deleted"), boolean=True)
    def is_deleted(self, conversation: Conversation) -> bool:
        return conversation.deleted_at is not None

    def get_urls(self) -> list[URLPattern]:
        picture = self.admin_site.admin_view(self.picture_view)
        return [
            path("<int:pk>/pictures/<uuid:attachment_uuid>/<str:size>/", picture, name="review_picture"),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The whole thread instead of a form."""
        conversation = self._conversation(request, object_id)
        review.record_look(reviewer_of(request), conversation, "thread")
        context = {
            **self.admin_site.each_context(request),
            "title": conversation.title,
            "opts": self.opts,
            "conversation": conversation,
            "thread": [(one, calls_of(one.message)) for one in queries.whole_thread(conversation)],
        }
        return TemplateResponse(request, "admin/conversations/conversation/thread.html", context)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        raise Http404

    def picture_view(self, request: HttpRequest, pk: int, attachment_uuid: UUID, size: str) -> HttpResponseBase:
        """A picture of the thread; part of the look that opening the thread recorded."""
        conversation = self._conversation(request, str(pk))
        found = get_object_or_404(queries.pictures_of(conversation), uuid=attachment_uuid)
        return file_response(found, "original" if size == "original" else "thumbnail")

    def _conversation(self, request: HttpRequest, object_id: str) -> Conversation:
        conversation: Conversation | None = self.get_object(request, object_id) if may_review(request) else None
        if conversation is None:
            raise Http404
        return conversation


def may_review(request: HttpRequest) -> bool:
    return isinstance(request.user, User) and request.user.may_review


def reviewer_of(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


def calls_of(message: Message) -> list[tuple[ProviderCall, str]]:
    """The calls made for a message, each with the request as it was sent, indented for reading."""
    return [(call, json.dumps(call.request, indent=2, ensure_ascii=False)) for call in message.calls.all()]
