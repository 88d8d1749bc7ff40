"""A person out of a list that is searched: Django's own breaks where a form brings back something that is no number."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from django.db.models import ForeignKey
from django.forms import ModelChoiceField
from django.http import HttpRequest

LONGEST = 18  # digits of a number that every database holds


class Searched(AutocompleteSelect):
    def optgroups(self, name: str, value: Sequence[str], attr: dict[str, Any] | None = None) -> Any:
        numbers = [one for one in map(str, value) if one.isascii() and one.isdecimal() and len(one) <= LONGEST]
        return super().optgroups(name, numbers, attr)


class ChoosingAdmin(admin.ModelAdmin):
    def formfield_for_foreignkey(
        self, db_field: "ForeignKey[Any, Any]", request: HttpRequest, **options: Any
    ) -> ModelChoiceField | None:
        if db_field.name in self.autocomplete_fields:
            options["widget"] = Searched(db_field, self.admin_site)
        return super().formfield_for_foreignkey(db_field, request, **options)
