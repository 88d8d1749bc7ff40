"""The queue of reviewers: cases to work through one by one, by keys alone where one likes."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from conversations.admin import reviewing, threads
from conversations.admin.reviewing import ReviewAdmin, reviewer_of
from conversations.models import Case, Label, User
from conversations.models.work import Cause, Progress
from conversations.services import cases
from conversations.views.http import SeeOther


class CaseForm(forms.Form):
    """What a reviewer decides. Without a status of its own a button that says one decides."""

    note = forms.CharField(
        label=_("Note"), required=False, max_length=2000, widget=forms.TextInput({"autofocus": True, "accesskey": "w"})
    )
    status = forms.ChoiceField(label=_("Status"), choices=Progress.choices)
    assignee = forms.ModelChoiceField(User.objects.none(), label=_("Assigned to"), required=False)
    labels = forms.ModelMultipleChoiceField(
        Label.objects.all(), label=_("Labels"), required=False, widget=forms.CheckboxSelectMultiple
    )
    label = forms.CharField(label=_("New label"), required=False, max_length=50)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        field = self.fields["assignee"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = cases.reviewers()

    def chosen_labels(self) -> list[Label]:
        found = list(self.cleaned_data["labels"])
        if name := self.cleaned_data["label"].strip():
            found.append(Label.objects.get_or_create(name=name)[0])
        return found


class StatusFilter(admin.SimpleListFilter):
    """Without a choice what is unfinished."""

    title = _("status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[Any, Any]]:
        return [("all", _("all")), *Progress.choices]

    def choices(self, changelist: Any) -> Any:
        unfinished, *others = super().choices(changelist)
        yield {**unfinished, "display": _("unfinished")}
        yield from others

    def queryset(self, request: HttpRequest, queryset: QuerySet[Case]) -> QuerySet[Case]:
        match self.value():
            case None:
                return queryset.filter(closed_at=None)
            case "all":
                return queryset
            case status:
                return queryset.filter(status=status)


class CauseFilter(admin.SimpleListFilter):
    title = _("flag")
    parameter_name = "cause"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[Any, Any]]:
        return list(Cause.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Case]) -> QuerySet[Case]:
        return queryset.filter(flags__cause=self.value()).distinct() if self.value() else queryset


class AssigneeFilter(admin.SimpleListFilter):
    title = _("assigned to")
    parameter_name = "assigned"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[Any, Any]]:
        return [("me", _("me")), ("nobody", _("nobody"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Case]) -> QuerySet[Case]:
        match self.value():
            case "me":
                return queryset.filter(assignee=reviewer_of(request))
            case "nobody":
                return queryset.filter(assignee=None)
        return queryset


@admin.register(Case)
class CaseAdmin(ReviewAdmin):
    """The list shows no content: why, whose, how far. A case shows the conversation, for who has said why."""

    list_display = ("number", "causes", "status", "assignee", "marks", "person", "opened_at")
    list_filter = (StatusFilter, CauseFilter, AssigneeFilter, ("labels", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("assignee", "conversation__owner")
    search_fields = ("conversation__owner__username", "assignee__username")
    search_help_text = _("Person")
    ordering = ("opened_at", "id")
    change_list_template = "admin/conversations/case/change_list.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Case]:
        return super().get_queryset(request).prefetch_related("flags", "labels")

    def get_urls(self) -> list[URLPattern]:
        following = self.admin_site.admin_view(self.next_view)
        return [path("next/", following, name="review_next"), *super().get_urls()]

    def next_view(self, request: HttpRequest) -> HttpResponse:
        """To the case whose turn it is; behind `after` where that is given."""
        self.check_reviewer(request)
        after = request.GET.get("after", "")
        before = Case.objects.filter(pk=after).first() if after.isdecimal() and len(after) < 19 else None
        following = cases.next_for(reviewer_of(request), before)
        if following is None:
            messages.info(request, _now("Nothing is left to look at."))
            return HttpResponseRedirect(reverse("admin:conversations_case_changelist"))
        return HttpResponseRedirect(reverse("admin:conversations_case_change", args=[following.pk]))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The conversation with what was flagged, and the form for what is decided."""
        self.check_reviewer(request)
        case = self.get_object(request, object_id)
        if case is None:
            raise Http404
        reason = reviewing.stated(request, case.conversation)
        if not reason:
            address = reverse("admin:review_reason", args=[case.conversation_id])
            return HttpResponseRedirect(f"{address}?case={case.pk}")
        form = CaseForm(_decided(request) if request.method == "POST" else None, initial=_known(case))
        if form.is_valid():
            return self._decide(request, case, form)
        context = {
            "title": _now("Case %(number)d") % {"number": case.pk},
            "case": case,
            "form": form,
            "left": Case.objects.unfinished().count(),
            **threads.thread(request, case.conversation, reason),
        }
        return self.page(request, "case/case", context)

    def _decide(self, request: HttpRequest, case: Case, form: CaseForm) -> HttpResponse:
        decided = form.cleaned_data
        cases.work_on(
            case,
            reviewer_of(request),
            status=Progress(decided["status"]),
            assignee=decided["assignee"],
            labels=form.chosen_labels(),
            note=decided["note"],
        )
        if "save" in request.POST:
            return SeeOther(reverse("admin:conversations_case_change", args=[case.pk]))
        return SeeOther(f"{reverse('admin:review_next')}?after={case.pk}")

    @admin.display(description=_("case"), ordering="id")
    def number(self, case: Case) -> str:
        return str(case.pk)

    @admin.display(description=_("flagged"))
    def causes(self, case: Case) -> str:
        return ", ".join(dict.fromkeys(flag.get_cause_display() for flag in case.flags.all()))

    @admin.display(description=_("labels"))
    def marks(self, case: Case) -> str:
        return ", ".join(label.name for label in case.labels.all())

    @admin.display(description=_("owner"))
    def person(self, case: Case) -> str:
        return case.conversation.owner.get_username()


def _known(case: Case) -> dict[str, Any]:
    return {"status": case.status, "assignee": case.assignee_id, "labels": [label.pk for label in case.labels.all()]}


def _decided(request: HttpRequest) -> Any:
    """The form as it was sent; a button that finishes the case says its status."""
    data = request.POST.copy()
    for status in (Progress.DONE, Progress.DISMISSED):
        if status in data:
            data["status"] = status
    return data
