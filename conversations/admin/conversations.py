"""Conversations for reviewers: read-only, the whole record. Each look states its reason and is recorded."""

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from conversations import queries
from conversations.admin import reviewing, threads
from conversations.admin.filters import ErrorFilter, FlagFilter, ModelFilter, RatingFilter, WordsFilter
from conversations.admin.reviewing import ReasonForm, ReviewAdmin, may_review, reviewer_of
from conversations.models import Conversation
from conversations.models.work import Cause
from conversations.services import cases, exporting, finding, review
from conversations.views.attachments import file_response
from conversations.views.http import SeeOther


@admin.register(Conversation)
class ConversationAdmin(ReviewAdmin):
    """Nothing in here can be added, changed or deleted, and only people with the review permission get in.

    Titles are content, too: the list shows them, and searches in them and in texts, once a reason is stated for lists.
    """

    list_filter = (WordsFilter, ModelFilter, FlagFilter, RatingFilter, ErrorFilter, "active_at")
    list_select_related = ("owner",)
    search_fields = ("model", "owner__username", "owner__email")  # shows the field; finding.named does the search
    ordering = ("-active_at",)

    # --- The list -----------------------------------------------------------------------------------------------------
    def get_queryset(self, request: HttpRequest) -> QuerySet[Conversation]:
        return finding.for_review(super().get_queryset(request))

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        name = "title" if reviewing.stated(request) else "short_name"
        return (name, "owner", "model", "active_at", "last_error", "is_deleted")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Conversation], search_term: str
    ) -> tuple[QuerySet[Conversation], bool]:
        """By person, model and perhaps title; the code of an error finds the conversations in which it happened."""
        return queryset.filter(finding.named(search_term, with_titles=bool(reviewing.stated(request)))), False

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
        views: dict[str, tuple[str, Callable[..., HttpResponseBase]]] = {
            "reason": ("<int:pk>/reason/", self.reason_view),
            "picture": ("<int:pk>/pictures/<uuid:attachment_uuid>/<str:size>/", self.picture_view),
            "branches": ("<int:pk>/branches/<int:parent>/", self.branches_view),
            "export": ("<int:pk>/export/", self.export_view),
            "flag": ("<int:pk>/flag/", self.flag_view),
        }
        wrapped = self.admin_site.admin_view
        ours = [path(route, wrapped(view), name=f"review_{name}") for name, (route, view) in views.items()]
        return [*ours, *super().get_urls()]

    def reason_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Asks why somebody wants to look into this conversation, without showing anything of it."""
        conversation = self._conversation(request, pk)
        form = ReasonForm(request.POST or None, initial={"reason": reviewing.newest(request)})
        if form.is_valid():
            reviewing.state(request, form.cleaned_data["reason"], conversation)
            return SeeOther(self._wanted(request, conversation))
        context = {"form": form, "conversation": conversation, "title": _now("Why do you look?")}
        response = self.page(request, "conversation/reason", context)
        response.status_code = 422 if form.errors else 200
        return response

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The whole thread instead of a form."""
        conversation = self._conversation(request, object_id)
        if not (reason := reviewing.stated(request, conversation)):
            return self._ask_why(conversation)
        context = threads.thread(request, conversation, reason)
        return self.page(request, "conversation/thread", {"title": conversation.title, **context})

    def branches_view(self, request: HttpRequest, pk: int, parent: int) -> HttpResponse:
        """What follows one message, side by side."""
        conversation = self._conversation(request, pk)
        if not (reason := reviewing.stated(request, conversation)):
            return self._ask_why(conversation)
        found = threads.branches(conversation, parent)
        if not found:
            raise Http404
        review.record_look(reviewer_of(request), conversation, "branches", reason)
        context = {"title": _now("Branches side by side"), "conversation": conversation, "branches": found}
        return self.page(request, "conversation/branches", context)

    def export_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The whole record as JSON; names and e-mail addresses are masked unless `whole` is asked for."""
        conversation = self._conversation(request, pk)
        if not (reason := reviewing.stated(request, conversation)):
            return self._ask_why(conversation)
        is_masked = "whole" not in request.GET
        record = exporting.record(conversation, finding.whole_thread(conversation), is_masked=is_masked)
        review.record_look(reviewer_of(request), conversation, "export-redacted" if is_masked else "export", reason)
        text = json.dumps(record, ensure_ascii=False, indent=2)
        response = HttpResponse(text, content_type="application/json")
        response.headers["Content-Disposition"] = f'attachment; filename="conversation-{conversation.uuid}.json"'
        return response

    def flag_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Puts the conversation into the queue."""
        conversation = self._conversation(request, pk)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        case = cases.flag(conversation, Cause.REVIEWER).case
        return SeeOther(reverse("admin:conversations_case_change", args=[case.pk]))

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

    def _ask_why(self, conversation: Conversation) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:review_reason", args=[conversation.pk]))

    def _wanted(self, request: HttpRequest, conversation: Conversation) -> str:
        """Where somebody goes who has said why: to the case they work on, else to the thread."""
        asked = request.GET.get("case", "")
        case = conversation.cases.filter(pk=asked).first() if asked.isdecimal() and len(asked) < 19 else None
        if case:
            return reverse("admin:conversations_case_change", args=[case.pk])
        return reverse("admin:conversations_conversation_change", args=[conversation.pk])
