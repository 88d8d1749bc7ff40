"""Conversations for reviewers: searchable, read-only, the whole thread with every call; opening one is recorded."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _

from conversations import queries
from conversations.models import Conversation, Message, ProviderCall, User
from conversations.services import review
from conversations.views.attachments import file_response


class ErrorFilter(admin.AllValuesFieldListFilter):
    """By the error of any message; no error has a word, too."""

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        for choice in super().choices(changelist):
            yield {**choice, "display": choice["display"] or _("none")}


@admin.register(Conversation)
class ConversationAdmin(admin.ModelAdmin):
    """Nothing in here can be added, changed or deleted, and only people with the review permission get in."""

    list_display = ("title", "owner", "model", "active_at", "last_error", "is_deleted")
    list_filter = ("model", ("messages__error_code", ErrorFilter), "active_at")
    list_select_related = ("owner",)
    list_per_page = 50
    search_fields = ("title", "model", "owner__username", "owner__email", "messages__error_code")
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
