"""Invitations: made, listed and revoked. The link is shown once; nobody can look it up again."""

import datetime as dt
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from conversations.models import Invitation, User
from conversations.models.user import Role
from conversations.services import invitations


class InvitationForm(forms.ModelForm):
    days = forms.IntegerField(
        label=_("Days"), initial=invitations.VALID_FOR.days, min_value=1, max_value=invitations.LONGEST.days
    )
    inviter: User

    class Meta:
        model = Invitation
        fields = ("role", "groups", "email")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        groups: list[Group] = list(cleaned.get("groups", ()))
        if not invitations.may_give(self.inviter, Role(cleaned.get("role", Role.MEMBER)), groups):
            raise ValidationError(_("Only administrators may invite reviewers or administrators, or into groups."))
        return cleaned


@admin.register(Invitation)
class InvitationAdmin(admin.ModelAdmin):
    """An invitation does not change; it is revoked."""

    form = InvitationForm
    fields = ("role", "groups", "email", "days")
    list_display = ("created_at", "state", "role", "email", "inviter", "expires_at", "person")
    list_filter = ("role",)
    list_select_related = ("inviter", "person")
    ordering = ("-created_at",)
    actions = ("revoke",)

    def has_change_permission(self, request: HttpRequest, obj: Invitation | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Invitation | None = None) -> bool:
        return False

    def get_fields(self, request: HttpRequest, obj: Invitation | None = None) -> Any:
        return self.fields if obj is None else ("state", "role", "groups", "email", "inviter", "expires_at", "person")

    def get_form(
        self, request: HttpRequest, obj: Invitation | None = None, change: bool = False, **kwargs: Any
    ) -> type[InvitationForm]:
        form = cast(type[InvitationForm], super().get_form(request, obj, change, **kwargs))
        form.inviter = cast(User, request.user)
        return form

    def save_model(self, request: HttpRequest, obj: Invitation, form: InvitationForm, change: bool) -> None:
        chosen = form.cleaned_data
        link = invitations.invite(
            form.inviter,
            role=Role(chosen["role"]),
            groups=chosen["groups"],
            email=chosen["email"],
            valid_for=dt.timedelta(days=chosen["days"]),
        )
        obj.__dict__.update(link.invitation.__dict__)
        request.link = link  # type: ignore[attr-defined]

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """The groups are stored already."""

    def response_add(self, request: HttpRequest, obj: Invitation, post_url_continue: str | None = None) -> HttpResponse:
        """The link itself, in no message that would be kept: this answer alone holds it."""
        context = {**self.admin_site.each_context(request), "title": _("The invitation"), "opts": self.opts}
        context["link"] = request.link  # type: ignore[attr-defined]
        return TemplateResponse(request, "admin/conversations/invitation/link.html", context)

    @admin.display(description=_("state"))
    def state(self, invitation: Invitation) -> str | Promise:
        return invitation.state

    @admin.action(description=_("Revoke the chosen invitations"), permissions=["add"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[Invitation]) -> None:
        count = sum(map(invitations.revoke, queryset))
        said = ngettext("%(count)d invitation is revoked.", "%(count)d invitations are revoked.", count)
        self.message_user(request, said % {"count": count}, messages.SUCCESS)
