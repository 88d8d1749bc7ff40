"""Prompts and presets of everybody, for staff with the permissions."""

from django.contrib import admin

from conversations.models import Preset, Prompt


@admin.register(Prompt)
class PromptAdmin(admin.ModelAdmin):
    list_display = ("name", "owner", "is_shared", "changed_at")
    list_filter = ("is_shared",)
    list_select_related = ("owner",)
    search_fields = ("name", "owner__username")
    autocomplete_fields = ("owner",)
    readonly_fields = ("changed_at",)


@admin.register(Preset)
class PresetAdmin(admin.ModelAdmin):
    """The parameters can be seen; what a model takes is checked in the form of their owner."""

    list_display = ("name", "model", "owner", "is_shared", "changed_at")
    list_filter = ("is_shared", "model")
    list_select_related = ("owner",)
    search_fields = ("name", "model", "owner__username")
    autocomplete_fields = ("owner",)
    readonly_fields = ("parameters", "changed_at")
