"""What administrators do with people, by command: invitations, approval, roles, deactivation."""

import io
import re

import pytest
from django.contrib.auth.models import Group
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from conversations.models import Invitation, User
from conversations.models.user import Role
from conversations.services import roles
from tests.conftest import send

PASSWORD = "correct horse battery staple"


def manage(*arguments: str) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def accept(address: str, name: str) -> User:
    path = re.sub(r"^http://127\.0\.0\.1:8000", "", address.strip())
    Client().post(path, {"username": name, "email": "", "password1": PASSWORD, "password2": PASSWORD})
    return User.objects.get(username=name)


def test_invite_prints_a_link_that_gives_role_and_groups(db: None) -> None:
    writers = Group.objects.create(name="writers")
    dave = accept(manage("invite", "--role", "administrator", "--group", "writers"), "dave")
    assert (dave.role, list(dave.groups.all())) == (Role.ADMINISTRATOR, [writers])


def test_invitations_are_listed_and_revoked_by_their_number(db: None) -> None:
    manage("invite")
    number = str(Invitation.objects.get().pk)
    assert re.match(rf"{number}  open  member  -  until \S+ \S+  by command\n", manage("invite", "--list"))
    manage("invite", "--revoke", number)
    assert f"{number}  revoked" in manage("invite", "--list")
    with pytest.raises(CommandError, match="no open invitation"):
        manage("invite", "--revoke", number)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (["--group", "nobody"], "no group named nobody"),
        (["--days", "91"], "between 1 and 90"),
        (["--days", "0"], "between 1 and 90"),
        (["--email", "nowhere"], "not an address"),
    ],
)
def test_invite_refuses_what_makes_no_sense(db: None, wrong: list[str], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        manage("invite", *wrong)
    assert not Invitation.objects.exists()


def test_who_waits_is_listed_approved_and_refused_by_command(settings: Settings, db: None) -> None:
    settings.CHATSITE_SIGNUP = "approval"
    for name in ("dave", "erin"):
        accept("/accounts/signup/", name)
    assert manage("person", "list", "--waiting").splitlines() == [
        "dave  member  waiting  -",
        "erin  member  waiting  -",
    ]
    manage("person", "approve", "dave")
    manage("person", "refuse", "erin")
    assert manage("person", "list") == "dave  member  active  -\n"
    with pytest.raises(CommandError, match="does not wait"):
        manage("person", "refuse", "dave")
    with pytest.raises(CommandError, match="nobody named erin"):
        manage("person", "approve", "erin")


def test_a_role_is_the_whole_of_what_somebody_may_do(alice: User) -> None:
    User.objects.create_superuser("root")
    for role, marks in {
        Role.REVIEWER: (True, False, True),
        Role.ADMINISTRATOR: (True, True, True),
        Role.MEMBER: (False, False, False),
    }.items():
        manage("person", "role", "alice", role)
        person = User.objects.get(pk=alice.pk)
        assert (person.is_staff, person.is_superuser, person.may_review) == marks
        assert person.role == role


def test_a_member_keeps_no_permission_to_review(carol: User) -> None:
    """Which carol has by herself, not by the group of reviewers."""
    roles.give(carol, Role.MEMBER)
    again = User.objects.get(pk=carol.pk)
    assert not again.has_perm("conversations.review_conversations")
    assert roles.REVIEWERS not in again.groups.values_list("name", flat=True)


@pytest.mark.parametrize("act", [["role", "alice", "reviewer"], ["deactivate", "alice"]])
def test_other_rights_need_a_new_login(as_alice: Client, as_bob: Client, act: list[str]) -> None:
    assert as_alice.get("/").status_code == 200
    manage("person", *act)
    assert as_alice.get("/").status_code == 302
    assert as_bob.get("/").status_code == 200
    assert Session.objects.count() == 1


def test_a_deactivated_person_comes_back_to_everything(as_alice: Client, alice: User) -> None:
    sent = send(alice, "hello")
    manage("person", "deactivate", "alice")
    login = {"login": "alice", "password": "alice's long password"}
    assert "deactivated" in Client().post("/accounts/login/", login, follow=True).content.decode()
    manage("person", "activate", "alice")
    client = Client()
    client.post("/accounts/login/", login)
    assert client.get(f"/c/{sent.message.conversation.uuid}/").status_code == 200


@pytest.mark.parametrize("act", [["role", "root", "member"], ["deactivate", "root"]])
def test_the_only_administrator_stays(db: None, act: list[str]) -> None:
    root = User.objects.create_superuser("root")
    with pytest.raises(CommandError, match="only administrator"):
        manage("person", *act)
    User.objects.create_superuser("second", is_active=False)
    with pytest.raises(CommandError, match="only administrator"):
        manage("person", *act)
    User.objects.create_superuser("third")
    manage("person", *act)
    root.refresh_from_db()
    assert not (root.is_superuser and root.is_active)
