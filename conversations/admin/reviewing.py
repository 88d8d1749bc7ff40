"""Who may review, and why they look: stated for each conversation, and for lists; remembered for a working day.

What all pages of reviewers share: nothing can be added, changed or deleted by Django's forms, and lists are recorded.
"""

import json
import time
from collections.abc import Callable
from typing import Any, cast

from django import forms
from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from conversations.models import Conversation, User
from conversations.services import review
from conversations.views.http import SeeOther

LISTS = "lists"
LASTS = 8 * 60 * 60  # seconds
MOST = 300  # reasons that one session holds
SESSION_KEY = "reasons"


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"),
        min_length=5,
        max_length=500,
        widget=forms.TextInput({"list": "reasons", "autocomplete": "off"}),
        help_text=_("It stays in the record of looks, which nobody can change."),
    )


class Pages(Paginator):
    """What is asked about each row is asked about those of the page alone, not about all that are skipped before it.

    The keys of the first page come first: where they are all, nothing is counted.
    """

    @cached_property
    def _first(self) -> list[int]:
        return list(self._keys[: self.per_page + 1])

    @cached_property
    def count(self) -> int:
        return len(self._first) if len(self._first) <= self.per_page else int(super().count)

    @property
    def _keys(self) -> "QuerySet[Any]":
        return cast("QuerySet[Any]", self.object_list).values_list("pk", flat=True)

    def page(self, number: int | str) -> "Page[Any]":
        found = super().page(number)
        begin = (found.number - 1) * self.per_page
        keys = self._first[: self.per_page] if begin == 0 else list(self._keys[begin : begin + self.per_page])
        found.object_list = cast("QuerySet[Any]", self.object_list).filter(pk__in=keys)
        return found


class List(ChangeList):
    """Its only page is a page, too."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if not self.multi_page:
            self.result_list = self.paginator.page(1).object_list


class ReviewAdmin(admin.ModelAdmin):
    """A list for people with the review permission alone."""

    actions = None
    list_per_page = 50
    paginator = Pages
    show_facets = admin.ShowFacets.NEVER
    show_full_result_count = False
    change_list_template = "admin/conversations/review_list.html"

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return List

    def has_module_permission(self, request: HttpRequest) -> bool:
        return may_review(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_review(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """What the filters ask for. Conditions on columns in the address would tell, without a reason and without a
        record, what a title or a comment begins with."""
        return lookup.partition("__")[0] in self.asked_for

    @property
    def asked_for(self) -> set[str]:
        """What stands in addresses for the filters."""
        filters: Any = self.list_filter
        named = (one[0] if isinstance(one, tuple) else one for one in filters)
        return {"back", *(one if isinstance(one, str) else one.parameter_name for one in named)}

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        raise Http404

    def check_reviewer(self, request: HttpRequest) -> None:
        if not may_review(request):
            raise Http404

    def listed(
        self, request: HttpRequest, conversation_of: Callable[[Any], Conversation], extra: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Without content until a reason is stated; then what is listed is recorded, for each person of whom it is."""
        form = ReasonForm(request.POST if request.method == "POST" else None)
        if may_review(request) and form.is_valid():
            state(request, form.cleaned_data["reason"])
            return SeeOther(request.get_full_path())
        reason = stated(request)
        response = super().changelist_view(request, {"reason": reason, "form": form, **(extra or {})})
        if reason and isinstance(response, TemplateResponse) and response.context_data:
            rows = response.context_data["cl"].result_list
            asked = {name: value for name, value in request.GET.items() if value}
            what = "search" if asked.keys() & {"q", "words"} else "list"
            detail = json.dumps(asked, ensure_ascii=False) if asked else ""
            review.record_listing(reviewer_of(request), map(conversation_of, rows), what, reason, detail)
        return response

    def page(self, request: HttpRequest, template: str, context: dict[str, Any]) -> TemplateResponse:
        whole = {**self.admin_site.each_context(request), "opts": self.opts, **context}
        return TemplateResponse(request, f"admin/conversations/{template}.html", whole)


def may_review(request: HttpRequest) -> bool:
    return isinstance(request.user, User) and request.user.may_review


def reviewer_of(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


def stated(request: HttpRequest, conversation: Conversation | None = None) -> str:
    """The reason this reviewer gave for this conversation, or for lists of them; "" where there is none (any more)."""
    reason, moment = request.session.get(SESSION_KEY, {}).get(_about(conversation), ("", 0.0))
    return str(reason) if time.time() - moment < LASTS else ""


def state(request: HttpRequest, reason: str, conversation: Conversation | None = None) -> None:
    """Remember the reason; the one given longest ago is forgotten where there are too many."""
    reasons = request.session.get(SESSION_KEY, {}) | {_about(conversation): (reason, time.time())}
    newest = sorted(reasons.items(), key=lambda one: float(one[1][1]))[-MOST:]
    request.session[SESSION_KEY] = dict(newest)


def newest(request: HttpRequest) -> str:
    """What this reviewer said last: offered for the next conversation."""
    reasons = request.session.get(SESSION_KEY, {})
    return max(reasons.values(), key=lambda one: float(one[1]), default=("", 0.0))[0]


def _about(conversation: Conversation | None) -> str:
    return str(conversation.uuid) if conversation else LISTS
