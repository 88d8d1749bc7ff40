"""Groups and verified addresses: what gives rights, or lets somebody become another, is for administrators."""

from typing import Any

from allauth.account.admin import EmailAddressAdmin
from django.contrib.auth.admin import GroupAdmin
from django.contrib.auth.models import Group
from django.http import HttpRequest


class RightsAdmin(GroupAdmin):
    """Staff with the permissions names groups; whoever is not an administrator gives nobody rights."""

    def get_readonly_fields(self, request: HttpRequest, obj: Group | None = None) -> tuple[str, ...]:
        return () if request.user.is_superuser else ("permissions",)


class AddressAdmin(EmailAddressAdmin):  # type: ignore[misc]
    """A letter to a verified address sets a new password: whoever can set the address can become that person."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    has_change_permission = has_delete_permission = has_view_permission

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)
