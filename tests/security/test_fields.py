"""Forms take the fields they declare: whatever else is sent with them, as columns are called, changes nothing."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from django import forms
from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.db.models import BooleanField, DateField, Field, ForeignKey, ManyToManyField, UUIDField
from django.utils import timezone
from pytest_django import Settings

from conversations import forms as ours
from conversations.models import Invitation, Prompt, User
from conversations.models.user import Role
from conversations.services import invitations
from tests.security import asking, policy, routes
from tests.security.asking import Site

# What a view reads beside, or in place of, the fields of a form.
DECLARED: dict[str, tuple[type[forms.BaseForm] | None, set[str]]] = {
    "": (ours.SendForm, {"compare", "attachments", "images", "texts", "text_names", "apart"}),
    "c/<uuid:conversation_uuid>/": (
        ours.SendForm,
        {"compare", "attachments", "images", "texts", "text_names", "apart"},
    ),
    "c/<uuid:conversation_uuid>/settings/": (ours.SettingsForm, set()),
    "c/<uuid:conversation_uuid>/arrange/": (ours.ArrangeForm, set()),
    "messages/<uuid:message_uuid>/edit/": (ours.EditForm, {"keep"}),
    "replies/<uuid:reply_uuid>/retry/": (None, {"model"}),
    "replies/<uuid:reply_uuid>/rate/": (ours.RatingForm, set()),
    "attachments/<uuid:attachment_uuid>/describe/": (ours.DescribeForm, set()),
    "prompts/new/": (ours.PromptForm, set()),
    "prompts/<uuid:item_uuid>/": (ours.PromptForm, set()),
    "presets/new/": (ours.PresetForm, set()),
    "presets/<uuid:item_uuid>/": (ours.PresetForm, set()),
    "settings/": (ours.PreferencesForm, set()),
    "settings/keys/<uuid:connection_uuid>/": (ours.OwnKeyForm, {"remove"}),
    "accounts/sessions/": (None, {"session"}),
    "accounts/email/": (None, {"email"}),
    "accounts/password/reset/": (None, {"email"}),
    "language/": (None, {"language", "next"}),
}
MARK, MARK_DATE, MARK_UUID = "424242", "1999-01-01", "0badc0de-0000-4000-8000-000000000000"
AT_ONCE = 70  # Django refuses forms with many more fields
ROLES = {"role": "administrator", "is_administrator": "on", "price": MARK, "cost": MARK, "pk": MARK}


@pytest.fixture
def site(db: None, settings: Settings) -> Site:
    return asking.opened(settings)


def hostile(bob: User) -> dict[str, str]:
    """A value for the name of every column of every table of ours and of the accounts."""
    found = dict(ROLES)
    for model in apps.get_models():
        for field in (*model._meta.fields, *model._meta.many_to_many):
            found[field.name] = _value(field, bob)
            found[getattr(field, "attname", field.name)] = _value(field, bob)
    return found


def _value(field: "Field[Any, Any] | ManyToManyField[Any, Any]", bob: User) -> str:
    if isinstance(field, ForeignKey | ManyToManyField):
        return str(bob.pk) if field.related_model is User else "1"
    if isinstance(field, BooleanField):
        return "on"
    if isinstance(field, DateField):
        return MARK_DATE
    return MARK_UUID if isinstance(field, UUIDField) else MARK


Change = tuple[str, int | str, str]  # table, which row, column
Rows = dict[str, dict[Any, dict[str, Any]]]


def _rows() -> Rows:
    found: Rows = {}
    with connection.cursor() as cursor:
        for table in sorted(set(connection.introspection.table_names(cursor)) - asking.IN_PASSING):
            cursor.execute(f'SELECT * FROM "{table}" ORDER BY 1')
            columns = [column[0] for column in cursor.description]
            found[table] = {row[0]: dict(zip(columns, row, strict=True)) for row in cursor.fetchall()}
    return found


def _changes(before: Rows, after: Rows) -> Iterator[tuple[Change, str]]:
    """What is new, different and gone. New rows are counted, since their ids may differ from time to time."""
    for table, rows in after.items():
        for place, key in enumerate(key for key in rows if key not in before[table]):
            yield from (((table, f"new {place}", column), repr(value)) for column, value in rows[key].items())
        for key, row in before[table].items():
            for column, value in row.items():
                now = rows.get(key, {}).get(column, "gone")
                if now != value:
                    yield (table, key, column), repr(now)


def _effect(site: Site, before: Rows, name: str, address: str, body: Mapping[str, Any]) -> dict[Change, str]:
    with asking.taken_back():
        site.send(name, "POST", address, dict(body))
        changed = dict(_changes(before, _rows()))
    site.restore()
    return changed


def test_no_form_takes_more_than_it_declares(site: Site) -> None:
    before, names, asked = _rows(), hostile(site.people["other"]), 0
    for entry in policy.entries():
        if entry.route.startswith("admin/") or entry.answers["POST"]["owner"] not in ("away", "ok", "conflict"):
            continue
        form, beside = DECLARED.get(entry.route, (None, set()))
        declared = {*(form.base_fields if form else ()), *beside, *entry.body}  # type: ignore[attr-defined]
        address = routes.address(entry.route, asking.named(entry.objects, site.alice))
        body = asking.named(entry.body, site.alice)
        plain = [_effect(site, before, "owner", address, body) for _twice in range(2)]
        same = {change for change, value in plain[0].items() if plain[1].get(change) == value}
        extra = [name for name in names if name not in declared]
        for start in range(0, len(extra), AT_ONCE):
            sent = body | {name: names[name] for name in extra[start : start + AT_ONCE]}
            effect = _effect(site, before, "owner", address, sent)
            assert effect.keys() == plain[0].keys(), (address, effect.keys() ^ plain[0].keys())
            assert {change: effect[change] for change in same} == {change: plain[0][change] for change in same}, address
            for change, value in effect.items():
                assert not any(mark in value for mark in (MARK, MARK_DATE, MARK_UUID)), (address, change, value)
            asked += 1
    assert asked > 60


@pytest.mark.parametrize("way", ["open", "invitation"])
def test_nobody_makes_an_account_with_rights(site: Site, settings: Settings, way: str) -> None:
    settings.CHATSITE_SIGNUP = "open" if way == "open" else "invite"
    address = "/accounts/signup/"
    if way == "invitation":
        link = invitations.invite(site.people["administrator"], role=Role.MEMBER)
        address = f"/invitations/{link.token}/"
    form = {
        "username": "mallory",
        "email": "m@example.com",
        "password1": "a very long one 7",
        "password2": "a very long one 7",
    }
    names = {name: value for name, value in hostile(site.people["other"]).items() if name not in {*form, "password"}}
    wanted = ("is_staff", "is_superuser", "is_active", "groups", "user_permissions", "role", "id", "pk", "date_joined")
    chosen = {name: names[name] for name in (*wanted, *names) if name in names}
    answer = site.send("anonymous", "POST", address, form | dict(list(chosen.items())[:AT_ONCE]))
    assert asking.verdict(answer) == "away"
    made = User.objects.get(username="mallory")
    assert (made.role, made.is_staff, made.is_superuser, str(made.pk) != MARK) == (Role.MEMBER, False, False, True)
    assert not made.groups.exists()
    assert not made.user_permissions.exists()
    assert made.date_joined.year == timezone.now().year


def test_staff_gives_nobody_rights_by_the_form_of_a_person(site: Site) -> None:
    alice = site.people["owner"]
    form = {
        "username": "alice",
        "first_name": "Alice",
        "date_joined_0": "2026-01-01",
        "date_joined_1": "0:0",
    }
    rights = {"is_staff": "on", "is_superuser": "on", "groups": [str(one.pk) for one in Group.objects.all()]}
    rights["user_permissions"] = [str(_to_review().pk)]
    answer = site.send("staff", "POST", f"/admin/conversations/user/{alice.pk}/change/", form | rights)
    assert asking.verdict(answer) == "away"
    alice = User.objects.get(pk=alice.pk)
    assert (alice.first_name, alice.is_active, alice.is_staff, alice.is_superuser) == ("Alice", True, False, False)
    assert not alice.user_permissions.exists()
    assert [group.name for group in alice.groups.all()] == ["readers"]


def test_staff_gives_itself_no_rights_by_its_group(site: Site) -> None:
    office = Group.objects.get(name="office")
    address, form = (
        f"/admin/auth/group/{office.pk}/change/",
        {"name": "the office", "permissions": [str(_to_review().pk)]},
    )
    assert asking.verdict(site.send("staff", "POST", address, form)) == "away"
    office.refresh_from_db()
    assert (office.name, office.permissions.count()) == ("the office", 0)
    assert not User.objects.get(username="frank").may_review
    assert asking.verdict(site.send("administrator", "POST", address, form)) == "away"
    assert User.objects.get(username="frank").may_review


def test_staff_invites_members_alone_and_gives_nothing_to_another_owner(site: Site) -> None:
    before = Invitation.objects.count()
    for more in (
        {"role": "administrator"},
        {"role": "reviewer"},
        {"role": "member", "groups": [str(site.alice["group"].pk)]},
    ):
        assert (
            asking.verdict(site.send("staff", "POST", "/admin/conversations/invitation/add/", {"days": "3"} | more))
            == "ok"
        )
    assert Invitation.objects.count() == before
    shared = site.alice["shared prompt"]
    form = {"name": "changed", "text": "changed", "is_shared": "on", "owner": str(site.people["staff"].pk)}
    assert (
        asking.verdict(site.send("staff", "POST", f"/admin/conversations/prompt/{shared.pk}/change/", form)) == "away"
    )
    assert Prompt.objects.get(pk=shared.pk).owner == site.people["owner"]


def _to_review() -> Permission:
    return Permission.objects.get(codename="review_conversations")
