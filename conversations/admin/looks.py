"""The record of looks: to be read, by superusers; nobody can change it here."""

from django.contrib import admin
from django.http import HttpRequest

from conversations.models import Look


@admin.register(Look)
class LookAdmin(admin.ModelAdmin):
    list_display = ("created_at", "reviewer_name", "what", "owner_name", "conversation")
    list_filter = ("created_at", "what")
    search_fields = ("reviewer_name", "owner_name", "conversation")
    date_hierarchy = "created_at"

    def has_view_permission(self, request: HttpRequest, obj: Look | None = None) -> bool:
        return request.user.is_superuser

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Look | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Look | None = None) -> bool:
        return False
