"""Budgets, and what was used and spent, for staff with the permissions: tables, charts, CSV, and a provider's figures
beside ours. No content is shown."""

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _

from conversations.admin.choosing import ChoosingAdmin
from conversations.models import Budget, LedgerEntry
from conversations.models.budget import Scope
from conversations.services import budgets, catalog, spent
from conversations.services.errors import Refusal
from conversations.views.usage import SPANS, as_file, days_asked

BY = {
    "day": _("By day"),
    "person": _("By person"),
    "group": _("By group"),
    "model": _("By model"),
    "connection": _("By connection"),
}
LARGEST_FILE = 5 * 1024 * 1024


class BudgetForm(forms.ModelForm):
    model = forms.ChoiceField(label=_("Model"), required=False)

    class Meta:
        model = Budget
        fields = (
            *("scope", "person", "group", "model", "period", "messages", "money", "currency", "set_aside"),
            "is_enabled",
        )
        labels = {
            "scope": _("For"),
            "person": _("Person"),
            "group": _("Group"),
            "period": _("Every"),
            "messages": _("Messages"),
            "money": _("Money"),
            "currency": _("Currency"),
            "set_aside": _("Set aside for each message"),
            "is_enabled": _("Enabled"),
        }
        help_texts = {
            "messages": _("Replies that may be asked for. Empty: as many as one likes."),
            "money": _("Empty: as much as one likes."),
            "set_aside": _(
                "What a message is taken to cost where the model's prices are not known; where they are, at least this"
                " is set aside. The rest comes back when it is answered. Empty: models of unknown price are refused."
            ),
        }

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        kept = self.instance.model
        known = [("", _("all models")), *catalog.all_known()]
        known += [(kept, kept)] if kept and kept not in dict(known) else []
        self.fields["model"].choices = known  # type: ignore[attr-defined]

    def clean_currency(self) -> str:
        currency: str = self.cleaned_data["currency"].strip().upper()
        if len(currency) != 3 or not (currency.isascii() and currency.isalpha()):
            raise forms.ValidationError(_("Three letters, such as USD."))
        return currency

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        wants = {Scope.PERSON: "person", Scope.GROUP: "group", Scope.MEMBERS: "group"}.get(cleaned.get("scope", ""))
        for name in ("person", "group"):
            if name == wants and not cleaned.get(name):
                self.add_error(name, _("Say whom the budget is for."))
            elif name != wants:
                cleaned[name] = None
        if cleaned.get("messages") is None and cleaned.get("money") is None and not self.errors:
            raise forms.ValidationError(_("Limit messages, money, or both."))
        return cleaned


@admin.register(Budget)
class BudgetAdmin(ChoosingAdmin):
    form = BudgetForm
    list_display = ("whom", "model", "period", "messages", "most", "is_enabled")
    list_select_related = ("person", "group")
    list_filter = ("scope", "period", "is_enabled")
    list_per_page = 50
    autocomplete_fields = ("person",)
    show_facets = admin.ShowFacets.NEVER

    @admin.display(description=_("For"))
    def whom(self, budget: Budget) -> str:
        one = budget.person or budget.group
        return f"{budget.get_scope_display()}: {one}" if one else budget.get_scope_display()

    @admin.display(description=_("Money"))
    def most(self, budget: Budget) -> str:
        return "" if budget.money is None else spent.in_words(budget.money, budget.currency)

    def save_model(self, request: HttpRequest, obj: Budget, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        budgets.forget()

    def delete_model(self, request: HttpRequest, obj: Budget) -> None:
        super().delete_model(request, obj)
        budgets.forget()

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        super().delete_queryset(request, queryset)
        budgets.forget()


class FiguresForm(forms.Form):
    connection = forms.ChoiceField(label=_("Connection"))
    currency = forms.RegexField("[A-Z]{3}", label=_("Currency"), initial="USD", max_length=3)
    figures = forms.FileField(
        label=_("The provider's figures"), help_text=_("CSV: a day and an amount on each line, 2026-01-31,12.50.")
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["connection"].choices = [(slug, slug) for slug in spent.connections()]  # type: ignore[attr-defined]

    def clean_figures(self) -> str:
        file = self.cleaned_data["figures"]
        if file.size > LARGEST_FILE:
            raise forms.ValidationError(_("This file is too large."))
        try:
            text: str = file.read().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise forms.ValidationError(_("This file is not text in UTF-8.")) from error
        return text


@admin.register(LedgerEntry)
class LedgerAdmin(admin.ModelAdmin):
    """Its list is the page of sums; single rows are to be found in the CSV of a day."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: LedgerEntry | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: LedgerEntry | None = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        reconcile = self.admin_site.admin_view(self.reconcile_view)
        return [path("reconcile/", reconcile, name="conversations_ledgerentry_reconcile"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        self._check(request)
        days, by = days_asked(request), request.GET.get("by", "")  # type: ignore[arg-type]
        by = by if by in BY else "day"
        by_day, table = spent.of_everybody(spent.since(days), by)
        if "csv" in request.GET:
            return as_file(spent.as_csv(table), f"usage-by-{by}.csv")
        context = {"days": days, "spans": SPANS, "by": by, "kinds": BY.items(), "caption": BY[by], "lines": table}
        context |= {"total": spent.together(by_day), "bars": spent.chart(by_day, spent.since(days))}
        return self._page(request, "usage", context | {"title": _("Usage"), "remaining": spent.remaining()})

    def reconcile_view(self, request: HttpRequest) -> HttpResponse:
        self._check(request)
        form = FiguresForm(request.POST or None, request.FILES or None)
        differences: list[spent.Difference] = []
        if form.is_valid():
            asked = form.cleaned_data
            try:
                differences = spent.reconcile(asked["connection"], asked["figures"], asked["currency"])
            except Refusal as refusal:
                form.add_error("figures", str(refusal.sentence))
        context = {"title": _("A provider's figures beside ours"), "form": form, "differences": differences}
        context["together"] = sum((one.by for one in differences), Decimal(0))
        return self._page(request, "reconcile", context, 422 if form.errors else 200)

    def _check(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied

    def _page(self, request: HttpRequest, name: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
        shared = {**self.admin_site.each_context(request), "opts": self.opts}
        return TemplateResponse(
            request, f"admin/conversations/ledgerentry/{name}.html", shared | context, status=status
        )
