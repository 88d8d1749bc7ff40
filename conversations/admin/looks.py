"""The record of looks: to be read, by superusers; nobody can change it here."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from conversations.models import Look

WHAT = ("thread", "list", "search", "branches", "export", "export-redacted", "ratings")


class WhatFilter(admin.SimpleListFilter):
    """Of the kinds of looks there are; the words in the records are for all languages the same."""

    title = _("what was seen")
    parameter_name = "what"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[Any, str]]:
        return [(what, what) for what in WHAT]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Look]) -> QuerySet[Look]:
        return queryset.filter(what=self.value()) if self.value() else queryset


@admin.register(Look)
class LookAdmin(admin.ModelAdmin):
    list_display = ("number", "created_at", "reviewer_name", "what", "owner_name", "reason", "conversation")
    list_filter = ("created_at", WhatFilter)
    search_fields = ("reviewer_name", "owner_name", "conversation")
    search_help_text = _("Names, or the identifier of a conversation")
    list_per_page = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER

    class Media:
        css = {"all": ("css/review.css",)}

    def has_view_permission(self, request: HttpRequest, obj: Look | None = None) -> bool:
        return request.user.is_superuser

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Look | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Look | None = None) -> bool:
        return False
