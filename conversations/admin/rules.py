"""Rules that put conversations into the queue by themselves, and labels of cases; for staff with the permissions."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from conversations.models import Label, Rule
from conversations.models.work import RuleKind
from conversations.services import rules

NEEDED = {RuleKind.WORDS: "words", RuleKind.COST: "dollars", RuleKind.SAMPLE: "percent"}


class RuleForm(forms.ModelForm):
    words = forms.CharField(
        label=_("Words"),
        required=False,
        max_length=10_000,
        widget=forms.Textarea({"rows": 5}),
        help_text=_("One thing to find on each line, in any case; * stands for the rest of a word."),
    )
    dollars = forms.DecimalField(label=_("Dollars"), required=False, min_value=0, max_digits=10, decimal_places=4)
    percent = forms.DecimalField(
        label=_("Percent of replies"), required=False, min_value=0, max_value=100, max_digits=6, decimal_places=3
    )

    class Meta:
        model = Rule
        fields = ("name", "kind", "words", "dollars", "percent", "enabled")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        needed = NEEDED.get(RuleKind(cleaned["kind"])) if cleaned.get("kind") else None
        if needed and not self.errors and cleaned.get(needed) in (None, ""):
            self.add_error(needed, _("This kind of rule needs it."))
        return cleaned

    def clean_words(self) -> str:
        words: str = self.cleaned_data["words"]
        try:
            rules.compiled(words)
        except ValueError as exc:
            raise forms.ValidationError(_("A line may have three stars at most.")) from exc
        return words


@admin.register(Rule)
class RuleAdmin(admin.ModelAdmin):
    form = RuleForm
    list_display = ("name", "kind", "enabled")
    list_filter = ("kind", "enabled")

    def save_model(self, request: HttpRequest, obj: Rule, form: Any, change: bool) -> None:
        if not change:
            rules.begin(obj)
        super().save_model(request, obj, form, change)


@admin.register(Label)
class LabelAdmin(admin.ModelAdmin):
    list_display = ("name",)
    search_fields = ("name",)
