"""Prompts and presets that people share, for staff with the permissions. What is not shared is its owner's alone."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from conversations.admin.choosing import ChoosingAdmin
from conversations.models import Preset, Prompt


class SharedAdmin(ChoosingAdmin):
    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).filter(is_shared=True)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Nothing goes over to somebody else."""
        given = tuple(super().get_readonly_fields(request, obj))
        return given if obj is None else (*given, "owner")


@admin.register(Prompt)
class PromptAdmin(SharedAdmin):
    list_display = ("name", "owner", "is_shared", "changed_at")
    list_select_related = ("owner",)
    search_fields = ("name", "owner__username")
    autocomplete_fields = ("owner",)
    readonly_fields = ("changed_at",)


@admin.register(Preset)
class PresetAdmin(SharedAdmin):
    """The parameters can be seen; what a model takes is checked in the form of their owner."""

    list_display = ("name", "model", "owner", "is_shared", "changed_at")
    list_filter = ("model",)
    list_select_related = ("owner",)
    search_fields = ("name", "model", "owner__username")
    autocomplete_fields = ("owner",)
    readonly_fields = ("parameters", "changed_at")
