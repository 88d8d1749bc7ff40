"""How long conversations are kept, legal holds, and notices; for staff with the permissions. No content is shown."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from conversations.admin.choosing import ChoosingAdmin
from conversations.models import Conversation, Hold, Notices, Retention
from conversations.services import holds, notices


class RetentionForm(forms.ModelForm):
    class Meta:
        model = Retention
        fields = ("group", "days", "deleted_days")
        labels = {
            "group": _("Group"),
            "days": _("Days without activity"),
            "deleted_days": _("Days for which reviewers find what was deleted"),
        }
        help_texts = {
            "group": _("Empty: for everybody who is in no group with a rule of its own."),
            "days": _("Then conversations are removed for good. Empty: they are kept for ever."),
            "deleted_days": _("0: deleted conversations are removed after an hour, the time for undo."),
        }

    def clean_group(self) -> Any:
        group = self.cleaned_data["group"]
        if group is None and Retention.objects.filter(group=None).exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError(_("There is a rule for everybody already."))
        return group


@admin.register(Retention)
class RetentionAdmin(admin.ModelAdmin):
    form = RetentionForm
    list_display = ("__str__", "days", "deleted_days")
    list_select_related = ("group",)


class HoldForm(forms.ModelForm):
    identifier = forms.UUIDField(label=_("Identifier of a conversation"), required=False)

    class Meta:
        model = Hold
        fields = ("reason", "person", "group")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if uuid := cleaned.get("identifier"):
            self.instance.conversation = Conversation.objects.filter(uuid=uuid).first()
            if self.instance.conversation is None:
                self.add_error("identifier", _("There is no such conversation."))
        if not (cleaned.get("person") or cleaned.get("group") or cleaned.get("identifier")):
            raise forms.ValidationError(_("Say whom or what the hold is about."))
        return cleaned


@admin.register(Hold)
class HoldAdmin(ChoosingAdmin):
    """Placed and released, never changed or deleted: what was held when stays to be seen."""

    form = HoldForm
    list_display = ("reason", "person", "group", "uuid", "placed_by", "placed_at", "released_at")
    list_select_related = ("person", "group", "conversation")
    list_filter = (("released_at", admin.EmptyFieldListFilter),)
    autocomplete_fields = ("person",)
    actions = ("release",)

    def has_change_permission(self, request: HttpRequest, obj: Hold | None = None) -> bool:
        return obj is None and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Hold | None = None) -> bool:
        return False

    def get_fields(self, request: HttpRequest, obj: Hold | None = None) -> tuple[str, ...]:
        if obj is not None:
            return ("reason", "person", "group", "uuid", "placed_by", "placed_at", "released_at")
        return ("reason", "person", "group", "identifier")

    def get_readonly_fields(self, request: HttpRequest, obj: Hold | None = None) -> tuple[str, ...]:
        return () if obj is None else ("uuid", "placed_by", "placed_at", "released_at")

    def save_model(self, request: HttpRequest, obj: Hold, form: Any, change: bool) -> None:
        obj.placed_by = request.user.get_username()
        super().save_model(request, obj, form, change)

    @admin.display(description=_("conversation"))
    def uuid(self, hold: Hold) -> str:
        return str(hold.conversation.uuid) if hold.conversation else ""

    @admin.action(description=_("Release the chosen holds"), permissions=["change"])
    def release(self, request: HttpRequest, queryset: QuerySet[Hold]) -> None:
        for hold in queryset:
            holds.release(hold)


class NoticesForm(forms.ModelForm):
    asks_again = forms.BooleanField(label=_("Ask everybody to accept these terms anew"), required=False)

    class Meta:
        model = Notices
        fields = ("banner", "terms")
        labels = {"banner": _("Banner"), "terms": _("Terms")}
        help_texts = {
            "banner": _("One or two sentences at the top of every page. Empty: none."),
            "terms": _("Everybody accepts them before anything else. Empty: nothing is to be accepted."),
        }
        widgets = {"banner": forms.Textarea({"rows": 2, "maxlength": 500}), "terms": forms.Textarea({"rows": 12})}


@admin.register(Notices)
class NoticesAdmin(admin.ModelAdmin):
    form = NoticesForm
    list_display = ("__str__", "terms_since")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and notices.current().pk is None

    def save_model(self, request: HttpRequest, obj: Notices, form: Any, change: bool) -> None:
        if obj.terms and (obj.terms_since is None or form.cleaned_data["asks_again"]):
            obj.terms_since = timezone.now()
        super().save_model(request, obj, form, change)
        notices.forget()
