"""Who may make an account, by the four modes of sign-up: closed, invite, approval, open."""

import datetime as dt
import re

import pytest
import time_machine
from django.contrib.auth.models import Group
from django.contrib.sessions.models import Session
from django.core import mail
from django.db import transaction
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from conversations.models import Invitation, User
from conversations.models.user import Role
from conversations.services import invitations, people
from conversations.services.errors import NotNow
from conversations.services.invitations import Link

PASSWORD = "correct horse battery staple"
ADMIN = "/admin/conversations/invitation/"


def form(name: str = "dave", **more: str) -> dict[str, str]:
    return {"username": name, "email": "", "password1": PASSWORD, "password2": PASSWORD} | more


def path(link: Link) -> str:
    return f"/invitations/{link.token}/"


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def root(db: None) -> User:
    return User.objects.create_superuser("root", "root@example.com", PASSWORD)


@pytest.fixture
def with_mail(settings: Settings) -> None:
    settings.HAS_MAIL = True
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    settings.ACCOUNT_SIGNUP_FIELDS = ["username*", "email*", "password1*", "password2*"]


# --- Modes ------------------------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_people_come_by_invitation_unless_somebody_decides_otherwise() -> None:
    response = Client().post("/accounts/signup/", form())
    assert "Sign-up is by invitation" in response.content.decode()
    assert "Sign up" not in Client().get("/accounts/login/").content.decode()
    assert not User.objects.exists()


@pytest.mark.django_db
def test_closed_takes_not_even_invitations(settings: Settings) -> None:
    link = invitations.invite(None)
    settings.CHATSITE_SIGNUP = "closed"
    assert "Sign-up is closed" in Client().get("/accounts/signup/").content.decode()
    assert Client().get(path(link)).status_code == 404
    assert Client().post(path(link), form()).status_code == 404
    assert not User.objects.exists()


# --- Invitations ------------------------------------------------------------------------------------------------------
def test_an_invitation_makes_one_account_with_its_role_and_groups(root: User) -> None:
    writers = Group.objects.create(name="writers")
    link = invitations.invite(root, role=Role.REVIEWER, groups=[writers])
    client = Client()
    page = client.get(path(link)).content.decode()
    assert "root invites you" in page
    assert "reviewer" in page
    assert client.post(path(link), form(is_superuser="on", role="administrator")).headers["Location"] == "/"
    dave = User.objects.get(username="dave")
    assert (dave.role, dave.is_superuser, dave.may_review) == (Role.REVIEWER, False, True)
    assert writers in dave.groups.all()
    assert client.get("/").status_code == 200
    assert Invitation.objects.get().person == dave
    assert Client().get(path(link)).status_code == 404
    assert Client().post(path(link), form("erin")).status_code == 404
    assert not User.objects.filter(username="erin").exists()


def test_an_invitation_expires(root: User) -> None:
    link = invitations.invite(root, valid_for=dt.timedelta(days=2))
    with time_machine.travel(timezone.now() + dt.timedelta(days=2, seconds=-5)):
        assert Client().get(path(link)).status_code == 200
    with time_machine.travel(timezone.now() + dt.timedelta(days=2, seconds=5)):
        assert Client().post(path(link), form()).status_code == 404
    assert not User.objects.filter(username="dave").exists()


def test_a_revoked_invitation_is_not_found(root: User) -> None:
    link = invitations.invite(root)
    client_of(root).post(ADMIN, {"action": "revoke", "_selected_action": link.invitation.pk})
    assert Client().get(path(link)).status_code == 404
    assert not invitations.revoke(link.invitation)


@pytest.mark.parametrize("field", ["is_active", "is_superuser"])
def test_an_invitation_is_worth_what_its_inviter_still_may(root: User, field: str) -> None:
    link = invitations.invite(root, role=Role.ADMINISTRATOR)
    User.objects.filter(pk=root.pk).update(**{field: False})
    assert Client().get(path(link)).status_code == 404


def test_the_invitations_of_somebody_deleted_are_gone(root: User) -> None:
    link = invitations.invite(root)
    root.delete()
    assert Client().get(path(link)).status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize("token", ["None", "null", "0" * 43, "%5B%5D"])
def test_other_links_are_not_found(token: str) -> None:
    invitations.invite(None)
    assert Client().get(f"/invitations/{token}/").status_code == 404


@pytest.mark.django_db
def test_the_database_does_not_hold_the_secret() -> None:
    link = invitations.invite(None)
    row = Invitation.objects.filter(pk=link.invitation.pk).values().get()
    assert len(link.token) >= 43
    assert link.token not in str(row)


@pytest.mark.django_db
def test_an_invitation_to_an_address_makes_an_account_with_that_address() -> None:
    link = invitations.invite(None, email="dave@example.com")
    Client().post(path(link), form(email="mallory@example.com"))
    assert User.objects.get().email == "dave@example.com"


@pytest.mark.django_db
def test_whoever_comes_second_with_one_link_gets_no_account() -> None:
    """Both have the form open, and pass its checks."""
    link = invitations.invite(None)
    User.objects.create_user("erin")
    people.admit(User.objects.get(username="erin"), link.invitation)
    with pytest.raises(NotNow), transaction.atomic():
        people.admit(User.objects.create_user("frank"), link.invitation)
    assert not User.objects.filter(username="frank").exists()


def test_a_wrong_form_leaves_the_invitation_open(root: User) -> None:
    link = invitations.invite(root)
    response = Client().post(path(link), form(password2="something else entirely"))
    assert "same password" in response.content.decode()
    assert Client().post(path(link), form()).status_code == 302


def test_administrators_make_and_list_invitations_in_the_administration(root: User) -> None:
    client = client_of(root)
    group = Group.objects.create(name="writers")
    shown = client.post(f"{ADMIN}add/", {"role": "reviewer", "groups": group.pk, "email": "", "days": "3"})
    page = shown.content.decode()
    (address,) = re.findall(r'value="http://127\.0\.0\.1:8000(/invitations/[^"]+)"', page)
    assert Client().get(address).status_code == 200
    invitation = Invitation.objects.get()
    assert (invitation.inviter, invitation.role, list(invitation.groups.all())) == (root, "reviewer", [group])
    for page in (client.get(ADMIN).content.decode(), client.get(f"{ADMIN}{invitation.pk}/change/").content.decode()):
        assert "open" in page
        assert address not in page
    assert not any(address in str(session.get_decoded()) for session in Session.objects.all())


def test_staff_with_the_permission_invite_members_and_nobody_else(carol: User) -> None:
    from django.contrib.auth.models import Permission

    carol.user_permissions.add(Permission.objects.get(codename="add_invitation"))
    client = client_of(carol)
    refused = client.post(f"{ADMIN}add/", {"role": "administrator", "email": "", "days": "3"})
    assert "Only administrators may invite" in refused.content.decode()
    assert not Invitation.objects.exists()
    client.post(f"{ADMIN}add/", {"role": "member", "email": "", "days": "3"})
    assert Invitation.objects.get().role == "member"


def test_members_make_no_invitations(as_alice: Client) -> None:
    as_alice.post(f"{ADMIN}add/", {"role": "member", "email": "", "days": "3"})
    assert not Invitation.objects.exists()


@pytest.mark.usefixtures("with_mail")
def test_the_invited_get_a_letter_where_letters_can_be_sent(
    root: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        link = invitations.invite(root, email="dave@example.com")
    (letter,) = mail.outbox
    assert (letter.to, letter.subject) == (["dave@example.com"], "You are invited to Chatsite")
    assert link.address in str(letter.body)


# --- Approval ---------------------------------------------------------------------------------------------------------
@pytest.fixture
def waiting(settings: Settings, root: User) -> User:
    settings.CHATSITE_SIGNUP = "approval"
    response = Client().post("/accounts/signup/", form())
    assert response.headers["Location"] == "/accounts/waiting/"
    return User.objects.get(username="dave")


def test_who_waits_gets_a_clear_page_and_no_session(waiting: User) -> None:
    client = Client()
    response = client.post("/accounts/login/", {"login": "dave", "password": PASSWORD}, follow=True)
    assert "an administrator has to approve it" in response.content.decode()
    assert client.get("/").status_code == 302
    assert not any("_auth_user_id" in session.get_decoded() for session in Session.objects.all())


def test_an_administrator_finds_and_approves_who_waits(waiting: User, root: User, alice: User) -> None:
    client = client_of(root)
    queue = client.get("/admin/conversations/user/?state=waiting").content.decode()
    assert "dave" in queue
    assert "alice@example.com" not in queue
    client.post("/admin/conversations/user/", {"action": "approve", "_selected_action": waiting.pk})
    newcomer = Client()
    newcomer.post("/accounts/login/", {"login": "dave", "password": PASSWORD})
    assert newcomer.get("/").status_code == 200


def test_those_who_approve_get_one_letter_an_hour_about_who_waits(
    settings: Settings,
    root: User,
    with_mail: None,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    settings.CHATSITE_SIGNUP = "approval"
    User.objects.filter(pk=root.pk).update(language="de")
    User.objects.create_user("staff", "staff@example.com", PASSWORD, is_staff=True)
    newcomers = [User.objects.create_user(name, f"{name}@example.com") for name in ("dave", "erin")]
    with django_capture_on_commit_callbacks(execute=True):
        for newcomer in newcomers:
            people.admit(newcomer, None)
    (letter,) = mail.outbox
    assert (letter.to, letter.subject) == (["root@example.com"], "Jemand wartet bei Chatsite auf Freigabe")
    assert "dave" in letter.body
    assert f"{settings.CHATSITE_URL}/admin/conversations/user/?state=waiting" in letter.body


def test_whoever_is_refused_is_forgotten_and_nobody_else_can_be(waiting: User, root: User, alice: User) -> None:
    client = client_of(root)
    people_chosen = {"action": "refuse", "_selected_action": [waiting.pk, alice.pk]}
    client.post("/admin/conversations/user/", people_chosen)
    assert set(User.objects.values_list("username", flat=True)) == {"root", "alice"}


def test_an_invitation_needs_no_approval(waiting: User) -> None:
    link = invitations.invite(None)
    client = Client()
    client.post(path(link), form("erin"))
    assert client.get("/").status_code == 200


def test_the_approved_get_a_letter_in_their_language(
    waiting: User, settings: Settings, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    settings.HAS_MAIL = True
    User.objects.filter(pk=waiting.pk).update(email="dave@example.com", language="de")
    waiting.refresh_from_db()
    with django_capture_on_commit_callbacks(execute=True):
        people.approve(waiting)
    assert mail.outbox[-1].subject == "Ihr Konto bei Chatsite ist bereit"


# --- Addresses --------------------------------------------------------------------------------------------------------
@pytest.mark.usefixtures("with_mail")
@pytest.mark.parametrize("mode", ["invite", "open", "approval"])
def test_an_address_is_verified_before_the_first_login(settings: Settings, root: User, mode: str) -> None:
    settings.CHATSITE_SIGNUP = mode
    client = Client()
    address = path(invitations.invite(None)) if mode == "invite" else "/accounts/signup/"
    response = client.post(address, form(email=f"{mode}@example.com"))
    assert response.headers["Location"] == "/accounts/confirm-email/"
    again = Client().post("/accounts/login/", {"login": "dave", "password": PASSWORD})
    assert again.headers["Location"] == ("/accounts/waiting/" if mode == "approval" else "/accounts/confirm-email/")
    confirm = re.search(r"http://testserver(/accounts/confirm-email/\S+)", str(mail.outbox[0].body))
    assert confirm
    client.post(confirm[1])
    if mode == "approval":
        people.approve(User.objects.get(username="dave"))
    newcomer = Client()
    newcomer.post("/accounts/login/", {"login": "dave", "password": PASSWORD})
    assert newcomer.get("/").status_code == 200


@pytest.mark.usefixtures("with_mail")
def test_an_address_that_is_taken_gets_the_same_answer(settings: Settings, alice: User) -> None:
    for mode in ("open", "approval"):
        settings.CHATSITE_SIGNUP = mode
        answers = [
            Client().post("/accounts/signup/", form(f"dave-{mode}{n}", email=email)).headers["Location"]
            for n, email in enumerate(("alice@example.com", f"new-{mode}@example.com"))
        ]
        assert answers == ["/accounts/confirm-email/"] * 2


@pytest.mark.usefixtures("with_mail")
def test_turning_mail_on_locks_nobody_out(alice: User) -> None:
    client = Client()
    client.post("/accounts/login/", {"login": "alice", "password": "alice's long password"})
    assert client.get("/").status_code == 200


@pytest.mark.django_db
def test_without_mail_nobody_has_to_verify_anything(settings: Settings) -> None:
    settings.CHATSITE_SIGNUP = "open"
    client = Client()
    client.post("/accounts/signup/", form(email="dave@example.com"))
    assert client.get("/").status_code == 200
