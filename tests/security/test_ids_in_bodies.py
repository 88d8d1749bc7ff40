"""Ids in forms, queries and headers are as strict as those in addresses: bob's answers alice as one that nobody has."""

from collections.abc import Iterator
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from pytest_django import Settings

from conversations.models import Attachment, Conversation, Message
from tests.conftest import MODEL
from tests.security import asking
from tests.security.asking import MISSING_NUMBER, MISSING_UUID, Site

SEND = {"text": "hello", "model": MODEL, "key": "a-fresh-key"}
HTMX = {"HX-Request": "true"}

# Who asks, how, where, with what: THEIRS stands for the id that is bob's, "{conversation}" for the uuid of alice's row.
THEIRS = "THEIRS"
CASES: list[tuple[str, str, str, str, dict[str, Any], dict[str, str]]] = [
    ("picture", "owner", "POST", "/", SEND | {"attachments": [THEIRS]}, {}),
    ("picture", "owner", "POST", "/", SEND | {"attachments": [THEIRS]}, HTMX),
    ("picture alone", "owner", "POST", "/c/{conversation}/", SEND | {"attachments": [THEIRS]}, {}),
    ("picture alone", "owner", "POST", "/c/{conversation}/", SEND | {"attachments": ["", THEIRS]}, HTMX),
    ("picture", "owner", "POST", "/messages/{message}/edit/", SEND | {"attachments": [THEIRS], "keep": [THEIRS]}, {}),
    ("picture", "owner", "GET", "/", {"picture": THEIRS}, {}),
    ("picture", "owner", "GET", "/c/{conversation}/", {"picture": THEIRS}, {}),
    ("picture", "owner", "GET", "/c/{conversation}/", {"picture": THEIRS}, HTMX),
    ("prompt", "owner", "GET", "/", {"prompt": THEIRS}, {}),
    ("preset", "owner", "GET", "/", {"preset": THEIRS}, {}),
    ("conversation", "owner", "GET", "/presets/new/", {"conversation": THEIRS}, {}),
    ("message", "owner", "GET", "/c/{conversation}/", {"message": THEIRS}, {}),
    ("reply", "owner", "POST", "/c/{conversation}/", SEND | {"parent": THEIRS, "branch": THEIRS}, {}),
    ("conversation", "owner", "POST", "/c/{conversation}/", SEND | {"conversation": THEIRS}, {}),
    ("message", "owner", "POST", "/c/{conversation}/", SEND | {"key": THEIRS}, {}),
    ("reply", "owner", "POST", "/replies/{reply}/retry/", {"model": THEIRS}, {}),
    ("conversation", "owner", "GET", "/c/recent/", {}, HTMX | {"HX-Current-URL": f"http://testserver/c/{THEIRS}/"}),
    ("conversation", "owner", "GET", "/c/", {"before": f"1-{THEIRS}"}, HTMX),
    ("#login", "owner", "POST", "/accounts/sessions/", {"session": THEIRS}, {}),
    ("#social account", "owner", "POST", "/accounts/3rdparty/", {"account": THEIRS}, {}),
    ("#prompt", "owner", "POST", "/prompts/new/", {"name": "mine", "text": "t", "id": THEIRS, "pk": THEIRS}, {}),
    ("#case", "reviewer", "POST", "/admin/conversations/conversation/{#conversation}/reason/?case=THEIRS",
     {"reason": "a complaint"}, {}),
    ("#message", "reviewer", "GET", "/admin/conversations/conversation/{#conversation}/branches/THEIRS/", {}, {}),
    ("picture", "reviewer", "GET", "/admin/conversations/conversation/{#conversation}/pictures/THEIRS/original/",
     {}, {}),
    ("#person", "reviewer", "POST", "/admin/conversations/case/{#case}/change/",
     {"status": "open", "assignee": THEIRS, "save": "on"}, {}),
    ("#preset", "administrator", "POST", "/admin/conversations/connection/{#connection}/test/", {"model": THEIRS}, {}),
    ("#person", "clerk", "GET", "/admin/autocomplete/",
     {"app_label": "conversations", "model_name": "hold", "field_name": "person", "term": THEIRS}, {}),
]  # fmt: skip


@pytest.fixture
def site(db: None, settings: Settings) -> Site:
    site = asking.opened(settings)
    site.give_reason("reviewer", site.alice["conversation"])
    key = site.clients["other"].session.session_key  # of a session that lives: others are forgotten
    site.bob["login"] = UserSession.objects.get(user=site.people["other"], session_key=key)
    return site


def test_a_strangers_id_in_a_form_or_a_query_is_one_that_nobody_has(site: Site) -> None:
    before = _of_bob(site)
    for case in CASES:
        thing, name, method, written, fields, headers = case
        kind, row = ("#", thing[1:]) if thing[0] == "#" else ("@", thing)
        theirs = str(site.bob[row].pk if kind == "#" else site.bob[row].uuid)
        missing = str(MISSING_NUMBER) if kind == "#" else MISSING_UUID
        told = [_told(site, name, method, _mine(written, site), fields, headers, given) for given in (theirs, missing)]
        assert not asking.difference(told[0][0], told[1][0]), (case, asking.difference(told[0][0], told[1][0]))
        assert told[0][1] == told[1][1], case
        assert asking.WORD not in told[0][0][2].decode(), case
    assert _of_bob(site) == before


def _told(
    site: Site, name: str, method: str, address: str, fields: dict[str, Any], headers: dict[str, str], given: str
) -> tuple[tuple[int, dict[str, str], bytes], dict[str, int]]:
    """The answer without what is new in each, and how many rows of each kind there are then."""
    fields = {key: _with(value, given) for key, value in fields.items()}
    headers = {key: value.replace(THEIRS, given) for key, value in headers.items()}
    with asking.taken_back():
        answer = site.send(name, method, address.replace(THEIRS, given), fields or None, **headers)
        counts = {table: int(found.split()[0]) for table, found in asking.digest().items()}
        fresh = list(_since(site))
    site.restore()
    return asking.bare(answer, address.replace(THEIRS, given), given, *fresh), counts


def _with(value: Any, given: str) -> Any:
    return [_with(one, given) for one in value] if isinstance(value, list) else str(value).replace(THEIRS, given)


def _mine(written: str, site: Site) -> str:
    for name, row in site.alice.items():
        written = written.replace(f"{{{name}}}", str(getattr(row, "uuid", "")))
        written = written.replace(f"{{#{name}}}", str(getattr(row, "pk", "")))
    return written


def _since(site: Site) -> Iterator[str]:
    """The uuids of what was just made, which differ each time; the keys of forms differ, too."""
    for model in (Conversation, Message, Attachment):
        for made in model._default_manager.filter(pk__gt=site.last[model]):
            yield str(made.uuid)


def _of_bob(site: Site) -> list[str]:
    return [repr(sorted((key, str(value)) for key, value in row.__dict__.items() if key[0] != "_"))
            for row in asking.fresh(site.bob)]  # fmt: skip


def test_a_connection_to_which_bob_brought_a_key_is_missing_for_who_brought_none(site: Site) -> None:
    """It takes no keys any more: only who has one there may take it away."""
    house = site.bob["connection"]
    type(house).objects.filter(pk=house.pk).update(takes_own_keys=False)
    site.alice["own key"].delete()
    for body in ({"key": "sk-mine"}, {"remove": "on"}):
        theirs = site.ask("owner", "POST", f"/settings/keys/{house.uuid}/", body)
        missing = site.ask("owner", "POST", f"/settings/keys/{MISSING_UUID}/", body)
        assert asking.bare(theirs, str(house.uuid)) == asking.bare(missing, MISSING_UUID)
        assert theirs.status_code == 404
    assert site.ask("other", "POST", f"/settings/keys/{house.uuid}/", {"remove": "on"}).status_code == 303


def test_a_second_factor_of_bobs_is_missing_for_alice_right_after_her_password(site: Site) -> None:
    from allauth.mfa.models import Authenticator

    for person in (site.people["owner"], site.people["other"]):
        Authenticator.objects.filter(user=person).delete()
    key = Authenticator.objects.create(user=site.people["other"], type="webauthn", data={"name": asking.WORD})
    again = site.send("owner", "POST", "/accounts/reauthenticate/", {"password": "alice's long password"})
    assert asking.verdict(again) == "away"
    for verb in ("edit", "remove"):
        for method in ("GET", "POST"):
            address = f"/accounts/2fa/webauthn/keys/%s/{verb}/"
            theirs = site.ask("owner", method, address % key.pk, {"name": "mine"})
            missing = site.ask("owner", method, address % MISSING_NUMBER, {"name": "mine"})
            assert asking.bare(theirs, address % key.pk) == asking.bare(missing, address % MISSING_NUMBER)
            assert theirs.status_code == 404
    assert Authenticator.objects.filter(pk=key.pk).exists()


def test_an_address_of_bobs_is_unknown_on_alices_page_of_addresses(site: Site) -> None:
    address = site.bob["address"]
    for act in ("action_primary", "action_send", "action_remove"):
        with asking.taken_back():
            theirs = site.send("owner", "POST", "/accounts/email/", {act: "on", "email": address.email})
            address.refresh_from_db()
            assert (address.user, address.primary, address.verified) == (site.people["other"], False, False)
        missing = site.ask("owner", "POST", "/accounts/email/", {act: "on", "email": "nobody.has@example.com"})
        assert asking.bare(theirs, address.email) == asking.bare(missing, "nobody.has@example.com"), act
