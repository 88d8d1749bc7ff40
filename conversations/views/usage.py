"""What a person used and spent, and what is left of their budgets: a page, and the same as CSV."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from conversations.services import budgets, spent
from conversations.views.http import HtmxHttpRequest, member_required

SPANS = (7, 30, 90, 365)


def days_asked(request: HtmxHttpRequest) -> int:
    asked = request.GET.get("days", "")
    return int(asked) if asked in {str(days) for days in SPANS} else 30


@member_required
@require_safe
def page(request: HtmxHttpRequest) -> HttpResponse:
    """The last days: a chart, and tables by day and model."""
    days = days_asked(request)
    by_day, by_model = spent.of_person(request.user, spent.since(days))
    context = {
        "days": days,
        "spans": SPANS,
        "left": budgets.left_for(request.user.pk),
        "total": spent.together(by_day),
        "bars": spent.chart(by_day, spent.since(days)),
        "tables": [("model", by_model), ("day", by_day[::-1])],
    }
    return render(request, "people/usage.html", context)


@member_required
@require_safe
def export(request: HtmxHttpRequest) -> HttpResponse:
    """One of its tables, by day or model."""
    by_day, by_model = spent.of_person(request.user, spent.since(days_asked(request)))
    by, table = ("model", by_model) if request.GET.get("by") == "model" else ("day", by_day)
    return as_file(spent.as_csv(table), f"usage-by-{by}.csv")


def as_file(table: str, name: str) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(table, content_type="text/csv; charset=utf-8", headers=headers)
