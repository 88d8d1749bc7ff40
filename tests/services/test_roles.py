"""Roles: what a change of one takes away, gives, and leaves; who is asked to let people in; who is the last to stay."""

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client

from conversations.models import User
from conversations.models.user import Role
from conversations.services import roles
from conversations.services.errors import NotNow


def groups_of(person: User) -> set[str]:
    return set(person.groups.values_list("name", flat=True))


def test_a_reviewer_is_one_by_the_group_and_other_groups_stay(alice: User) -> None:
    alice.groups.add(Group.objects.create(name="Writers"))
    roles.give(alice, Role.REVIEWER)
    assert groups_of(alice) == {"Writers", roles.REVIEWERS}
    roles.give(alice, Role.MEMBER)
    assert groups_of(alice) == {"Writers"}


def test_whoever_takes_the_permission_from_the_group_has_decided_so(alice: User) -> None:
    assert roles.reviewers().permissions.get().codename == "review_conversations"
    roles.reviewers().permissions.clear()
    roles.give(alice, Role.REVIEWER)
    assert not User.objects.get(pk=alice.pk).may_review


def test_the_same_role_once_more_logs_nobody_out(as_alice: Client, alice: User) -> None:
    roles.give(alice, Role.MEMBER)
    assert as_alice.get("/").status_code == 200
    User.objects.create_superuser("root")
    roles.give(alice, Role.ADMINISTRATOR)
    assert as_alice.get("/").status_code == 302


def test_those_who_may_let_people_in_are_asked_once_and_nobody_else(alice: User, bob: User, carol: User) -> None:
    User.objects.create_superuser("root", "root@example.com", "root's long password")
    User.objects.create_superuser("silent")
    User.objects.create_superuser("gone", "gone@example.com", is_active=False)
    change = Permission.objects.get(codename="change_user", content_type__app_label="conversations")
    helpers = Group.objects.create(name="Helpers")
    helpers.permissions.add(change)
    alice.user_permissions.add(change)  # but she is not staff
    bob.is_staff = True
    bob.save()
    bob.groups.add(helpers)
    bob.user_permissions.add(change)
    assert list(roles.approvers().order_by("username").values_list("username", flat=True)) == ["bob", "root"]
    carol.user_permissions.add(change)
    assert roles.approvers().count() == 3


def test_who_cannot_log_in_anyway_is_not_the_last_administrator(db: None) -> None:
    gone = User.objects.create_superuser("gone", is_active=False)
    roles.give(gone, Role.MEMBER)
    root = User.objects.create_superuser("root")
    roles.give(root, Role.ADMINISTRATOR)
    with pytest.raises(NotNow):
        roles.give(root, Role.REVIEWER)
    assert User.objects.get(pk=root.pk).role == Role.ADMINISTRATOR
