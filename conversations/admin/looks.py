"""The record of looks: to be read, by superusers; nobody can change it here."""

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from conversations.models import Look


@admin.register(Look)
class LookAdmin(admin.ModelAdmin):
    list_display = ("number", "created_at", "reviewer_name", "what", "owner_name", "reason", "conversation")
    list_filter = ("created_at",)
    search_fields = ("reviewer_name", "owner_name", "conversation")
    search_help_text = _("Names, or the identifier of a conversation")
    list_per_page = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER

    def has_view_permission(self, request: HttpRequest, obj: Look | None = None) -> bool:
        return request.user.is_superuser

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Look | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Look | None = None) -> bool:
        return False
