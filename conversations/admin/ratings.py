"""Ratings by people: for reviewers, with filters; comments and export for who has said why."""

import json
from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from conversations.admin import reviewing
from conversations.admin.reviewing import ReviewAdmin, reviewer_of
from conversations.models import Conversation, Message, Rating, User
from conversations.services import catalog, exporting, review


class RatedModelFilter(admin.SimpleListFilter):
    title = _("model")
    parameter_name = "model"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return catalog.all_known()

    def queryset(self, request: HttpRequest, queryset: QuerySet[Rating]) -> QuerySet[Rating]:
        """Rating by rating: by a join, databases would go through all messages of the model."""
        if not self.value():
            return queryset
        message = Message.objects.filter(pk=OuterRef("message"))
        return queryset.annotate(by=Subquery(message.values("model")[:1])).filter(by=self.value())


class CommentFilter(admin.SimpleListFilter):
    title = _("comment")
    parameter_name = "commented"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("with a comment")), ("no", _("without"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Rating]) -> QuerySet[Rating]:
        match self.value():
            case "yes":
                return queryset.exclude(comment="")
            case "no":
                return queryset.filter(comment="")
        return queryset


@admin.register(Rating)
class RatingAdmin(ReviewAdmin):
    list_filter = ("value", CommentFilter, RatedModelFilter, "changed_at")
    list_select_related = ("message__conversation__owner",)
    search_fields = ("message__conversation__owner__username",)
    search_help_text = _("Person")
    ordering = ("-changed_at",)
    list_display_links = None
    change_list_template = "admin/conversations/rating/change_list.html"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Rating], search_term: str
    ) -> tuple[QuerySet[Rating], bool]:
        """By person; rating by rating, for the same reason as above."""
        if not search_term.strip():
            return queryset, False
        people = User.objects.filter(username__icontains=search_term.strip())
        message = Message.objects.filter(pk=OuterRef("message"))
        owned = queryset.annotate(of=Subquery(message.values("conversation__owner")[:1]))
        return owned.filter(of__in=people.values("pk")), False

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        comment = ("comment",) if reviewing.stated(request) else ()
        return ("value", *comment, "written_by", "owner", "changed_at", "conversation")

    def get_urls(self) -> list[URLPattern]:
        export = self.admin_site.admin_view(self.export_view)
        return [path("export/", export, name="review_ratings_export"), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """A rating is read where it stands, in the thread: there the look states its reason and is recorded."""
        self.check_reviewer(request)
        rating = self.get_object(request, object_id)
        if rating is None:
            raise Http404
        address = reverse("admin:conversations_conversation_change", args=[rating.message.conversation_id])
        return HttpResponseRedirect(f"{address}#message-{rating.message.uuid}")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return self.listed(request, lambda rating: rating.message.conversation, extra_context)

    def export_view(self, request: HttpRequest) -> HttpResponse:
        """The listed ratings as JSON lines; names are masked unless `whole` asks for them."""
        self.check_reviewer(request)
        reason, query = reviewing.stated(request), request.GET.copy()
        is_masked = not query.pop("whole", None)
        request.GET = query  # type: ignore[assignment]
        if not reason:
            return HttpResponseRedirect(reverse("admin:conversations_rating_changelist"))
        found = self.get_changelist_instance(request).get_queryset(request)
        of = Conversation.objects.filter(messages__rating__in=found.values("pk")).select_related("owner").distinct()
        detail = json.dumps({"masked": is_masked, **dict(query.items())})
        review.record_listing(reviewer_of(request), of, "ratings", reason, detail)
        lines = "".join(exporting.rated(found, is_masked=is_masked))
        response = HttpResponse(lines, content_type="application/jsonl")
        response.headers["Content-Disposition"] = 'attachment; filename="ratings.jsonl"'
        return response

    @admin.display(description=_("model"))
    def written_by(self, rating: Rating) -> str:
        return catalog.label(rating.message.model)

    @admin.display(description=_("owner"))
    def owner(self, rating: Rating) -> str:
        return rating.message.conversation.owner.get_username()

    @admin.display(description=_("conversation"))
    def conversation(self, rating: Rating) -> str:
        conversation = rating.message.conversation
        address = reverse("admin:conversations_conversation_change", args=[conversation.pk])
        return format_html('<a href="{}#message-{}">{}</a>', address, rating.message.uuid, str(conversation.uuid)[:8])
