"""People: who they are, what they may do, who waits to be let in."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import UserChangeForm
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from conversations.admin import leaving
from conversations.models import User
from conversations.services import people, roles
from conversations.services.errors import NotNow

RIGHTS = ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")


class StateFilter(admin.SimpleListFilter):
    """The queue of those who wait is one of the states."""

    title = _("state")
    parameter_name = "state"
    STATES = {
        "active": Q(is_active=True),
        "waiting": Q(waiting_since__isnull=False),
        "deactivated": Q(is_active=False, waiting_since=None),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        waiting = User.objects.filter(self.STATES["waiting"]).count()
        return [
            ("active", _("active")),
            ("waiting", _("waiting for approval (%(count)d)") % {"count": waiting}),
            ("deactivated", _("deactivated")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
        return queryset.filter(self.STATES.get(self.value() or "", Q()))


class PersonForm(UserChangeForm):
    def clean(self) -> dict[str, Any]:
        """Somebody always stays who can undo what was done here."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not (cleaned.get("is_superuser", True) and cleaned.get("is_active", True)):
            try:
                with transaction.atomic():
                    roles.keep_an_administrator(without=User.objects.get(pk=self.instance.pk))
            except NotNow as refusal:
                raise ValidationError(str(refusal.sentence)) from refusal
        return cleaned


@admin.register(User)
class PersonAdmin(UserAdmin):
    form = PersonForm
    list_display = ("username", "email", "state", "is_staff", "is_superuser", "last_login", "date_joined")
    list_filter = (StateFilter, "is_staff", "is_superuser", "groups")
    ordering = ("username",)
    actions = ("approve", "refuse", "deactivate")

    def get_urls(self) -> list[URLPattern]:
        own = path("<int:pk>/leaving/", self.admin_site.admin_view(leaving.view), name="person_leaving")
        return [own, *super().get_urls()]

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        """Whoever is not an administrator gives nobody rights."""
        return () if request.user.is_superuser else RIGHTS

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_change_permission(request, obj) and may_touch(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Losing or getting a right ends the sessions in which it was not so."""
        super().save_model(request, obj, form, change)
        if change and set(RIGHTS) & set(form.changed_data):
            people.rights_changed(obj)

    @admin.display(description=_("state"))
    def state(self, person: User) -> str | Promise:
        if person.waiting_since:
            return _("waiting for approval")
        return _("active") if person.is_active else _("deactivated")

    @admin.action(description=_("Approve: let the chosen people in"), permissions=["change"])
    def approve(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        count = self._each(request, queryset, people.approve)
        said = ngettext("%(count)d account is approved.", "%(count)d accounts are approved.", count)
        self.message_user(request, said % {"count": count}, messages.SUCCESS)

    @admin.action(description=_("Refuse: forget the chosen people who wait"), permissions=["change"])
    def refuse(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        count = self._each(request, queryset, people.refuse)
        said = ngettext("%(count)d account is refused.", "%(count)d accounts are refused.", count)
        self.message_user(request, said % {"count": count}, messages.SUCCESS)

    @admin.action(description=_("Deactivate the chosen people"), permissions=["change"])
    def deactivate(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        count = self._each(request, queryset, people.deactivate)
        said = ngettext("%(count)d account is deactivated.", "%(count)d accounts are deactivated.", count)
        self.message_user(request, said % {"count": count}, messages.SUCCESS)

    def _each(self, request: HttpRequest, queryset: QuerySet[User], act: Callable[[User], None]) -> int:
        """Whoever cannot be acted on is named with the reason; the others are."""
        count = 0
        for person in queryset:
            try:
                if self.has_change_permission(request, person):
                    act(person)
                    count += 1
            except NotNow as refusal:
                self.message_user(request, f"{person.get_username()}: {refusal.sentence}", messages.ERROR)
        return count


def may_touch(request: HttpRequest, person: User | None) -> bool:
    """Whoever is of the staff is changed by administrators: with their password one would have their rights."""
    return person is None or request.user.is_superuser or not (person.is_superuser or person.is_staff)
