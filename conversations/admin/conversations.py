"""Conversations for reviewers: read-only, the whole record. Each look states its reason and is recorded."""

import json
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from conversations import queries
from conversations.admin import reviewing
from conversations.admin.filters import ErrorFilter, ModelFilter, WordsFilter
from conversations.admin.reviewing import ReasonForm, ReviewAdmin, may_review, reviewer_of
from conversations.models import Conversation, Message, ProviderCall
from conversations.services import review
from conversations.views.attachments import file_response
from conversations.views.http import SeeOther

PAGE_LENGTH = 200  # messages of a thread


@admin.register(Conversation)
class ConversationAdmin(ReviewAdmin):
    """Nothing in here can be added, changed or deleted, and only people with the review permission get in.

    Titles are content, too: the list shows them, and searches in them and in texts, once a reason is stated for lists.
    """

    list_filter = (WordsFilter, ModelFilter, ErrorFilter, "active_at")
    list_select_related = ("owner",)
    search_fields = ("model", "owner__username", "owner__email")
    ordering = ("-active_at",)

    # --- The list -----------------------------------------------------------------------------------------------------
    def get_queryset(self, request: HttpRequest) -> QuerySet[Conversation]:
        return queries.for_review(super().get_queryset(request))

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        name = "title" if reviewing.stated(request) else "short_name"
        return (name, "owner", "model", "active_at", "last_error", "is_deleted")

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        return (*self.search_fields, "title") if reviewing.stated(request) else self.search_fields

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Conversation], search_term: str
    ) -> tuple[QuerySet[Conversation], bool]:
        """By person, model and perhaps title; the code of an error finds the conversations in which it happened."""
        found, _may_repeat = super().get_search_results(request, queryset, search_term)
        failed = Message.objects.failed_with(search_term.strip())
        if not failed.exists():
            return found, False
        return queryset.filter(Q(pk__in=found.values("pk")) | Q(pk__in=failed.values("conversation"))), False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return self.listed(request, lambda conversation: conversation, extra_context)

    @admin.display(description=_("conversation"))
    def short_name(self, conversation: Conversation) -> str:
        return str(conversation.uuid)[:8]

    @admin.display(description=_("last error"))
    def last_error(self, conversation: Conversation) -> str:
        return getattr(conversation, "last_error_code", None) or ""

    @admin.display(description=_("deleted"), boolean=True)
    def is_deleted(self, conversation: Conversation) -> bool:
        return conversation.deleted_at is not None

    # --- One conversation ---------------------------------------------------------------------------------------------
    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("<int:pk>/reason/", view(self.reason_view), name="review_reason"),
            path(
                "<int:pk>/pictures/<uuid:attachment_uuid>/<str:size>/", view(self.picture_view), name="review_picture"
            ),
            *super().get_urls(),
        ]

    def reason_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Asks why somebody wants to look into this conversation, without showing anything of it."""
        conversation = self._conversation(request, pk)
        form = ReasonForm(request.POST or None, initial={"reason": reviewing.newest(request)})
        if form.is_valid():
            reviewing.state(request, form.cleaned_data["reason"], conversation)
            return SeeOther(reverse("admin:conversations_conversation_change", args=[pk]))
        context = {"form": form, "conversation": conversation, "title": _now("Why do you look?")}
        response = self.page(request, "conversation/reason", context)
        response.status_code = 422 if form.errors else 200
        return response

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The whole thread instead of a form."""
        conversation = self._conversation(request, object_id)
        reason = reviewing.stated(request, conversation)
        if not reason:
            return HttpResponseRedirect(reverse("admin:review_reason", args=[conversation.pk]))
        page = Paginator(queries.whole_thread(conversation), PAGE_LENGTH).get_page(request.GET.get("page"))
        detail = f"page {page.number}" if page.has_other_pages() else ""
        review.record_look(reviewer_of(request), conversation, "thread", reason, detail)
        context = {
            "title": conversation.title,
            "conversation": conversation,
            "reason": reason,
            "page": page,
            "thread": [(queries.shown(message), calls_of(message)) for message in page],
        }
        return self.page(request, "conversation/thread", context)

    def picture_view(self, request: HttpRequest, pk: int, attachment_uuid: UUID, size: str) -> HttpResponseBase:
        """A picture of the thread; part of the look that opening the thread recorded."""
        conversation = self._conversation(request, pk)
        if not reviewing.stated(request, conversation):
            raise Http404
        found = get_object_or_404(queries.pictures_of(conversation), uuid=attachment_uuid)
        return file_response(found, "original" if size == "original" else "thumbnail")

    def _conversation(self, request: HttpRequest, pk: int | str) -> Conversation:
        conversation: Conversation | None = self.get_object(request, str(pk)) if may_review(request) else None
        if conversation is None:
            raise Http404
        return conversation


def calls_of(message: Message) -> list[tuple[ProviderCall, str]]:
    """The calls made for a message, each with the request as it was sent, indented for reading."""
    return [(call, json.dumps(call.request, indent=2, ensure_ascii=False)) for call in message.calls.all()]
