"""Roles: three names for bundles of what Django itself knows, its marks for staff and its permissions.

member         neither staff nor superuser
reviewer       staff, and in the group that carries the permission to review
administrator  staff and superuser
"""

from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from conversations.models import User
from conversations.models.user import Role
from conversations.services import sessions
from conversations.services.errors import NotNow

REVIEWERS = "Reviewers"


@transaction.atomic
def give(user: User, role: Role) -> None:
    """Make this the whole of what somebody may do here; other groups stay. A change ends the person's sessions.

    Raises NotNow where nobody would be left who can undo it.
    """
    before = user.role
    if role != Role.ADMINISTRATOR:
        keep_an_administrator(without=user)
    user.is_superuser = role == Role.ADMINISTRATOR
    user.is_staff = role != Role.MEMBER
    user.save(update_fields=["is_superuser", "is_staff"])
    if role == Role.REVIEWER:
        user.groups.add(reviewers())
    else:
        user.groups.remove(reviewers())
        user.user_permissions.remove(_permission())
    if role != before:
        sessions.end_all(user)


def reviewers() -> Group:
    """The group, made where it is missing; whoever takes the permission away from it has decided so."""
    group, is_new = Group.objects.get_or_create(name=REVIEWERS)
    if is_new:
        group.permissions.add(_permission())
    return group


def approvers() -> QuerySet[User]:
    """Staff with an e-mail address who may let people in."""
    permission = {"codename": "change_user", "content_type__app_label": "conversations"}
    direct = Q(**{f"user_permissions__{name}": value for name, value in permission.items()})
    by_group = Q(**{f"groups__permissions__{name}": value for name, value in permission.items()})
    staff = User.objects.filter(is_active=True, is_staff=True).exclude(email="")
    return staff.filter(Q(is_superuser=True) | direct | by_group).distinct()


def keep_an_administrator(*, without: User) -> None:
    """Raises NotNow where `without` is the only administrator who can log in."""
    if not without.is_superuser or not without.is_active:
        return
    others = User.objects.select_for_update().filter(is_superuser=True, is_active=True).exclude(pk=without.pk)
    if not others.exists():
        raise NotNow(_("This is the only administrator. Make somebody else one first."))


def _permission() -> Permission:
    return Permission.objects.get(codename="review_conversations", content_type__app_label="conversations")
