"""Connections in the administration: set up, tested, models picked; keys go in and never come out."""

import base64
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from conversations.models import Connection, OfferedModel, OwnKey, Preset, ProviderCall, User
from conversations.services import catalog, connections, offers, probing
from tests.connected import KEY, connect, offer
from tests.simulator import Simulator

LIST = "/admin/conversations/connection/"
MODELS = "/admin/conversations/offeredmodel/"
NEW = {"label": "House", "slug": "house", "kind": "openai", "base_url": "https://models.example/v1", "auth": ""}


@pytest.fixture
def root(db: None) -> Client:
    User.objects.create_superuser("root", "root@example.com", "root's long password")
    client = Client()
    client.force_login(User.objects.get(username="root"), backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(key=KEY) as running:
        yield running


def page(client: Client, address: str) -> str:
    return client.get(address).content.decode()


def change(client: Client, connection: Connection, **fields: Any) -> Any:
    values = {"label": connection.label, "base_url": connection.base_url, "auth": connection.auth, "is_enabled": "on"}
    return client.post(f"{LIST}{connection.pk}/change/", values | fields)


def mistakes(response: Any) -> str:
    return " ".join(re.findall(r'class="errorlist.*?</ul>', response.content.decode(), re.DOTALL))


# Set up


def test_a_connection_is_set_up_and_its_model_on_offer_at_once(root: Client, alice: User) -> None:
    assert root.post(f"{LIST}add/", NEW | {"key": KEY, "headers": "X-Gate: gate-secret-12345"}).status_code == 302
    connection = Connection.objects.get()
    values = {"connection": connection.pk, "name": "chat", "label": "House chat", "is_enabled": "on", "position": 5}
    more = {"system_mode": "native", "limit_field": "max_tokens", "extra": '{"top_p": 0.5}', "currency": "eur"}
    assert root.post(f"{MODELS}add/", values | more | {"price_input": "0.075"}).status_code == 302
    found = catalog.find("house/chat", alice.pk)
    assert (found.model.label, found.model.extra) == ("House chat", (("top_p", 0.5),))
    assert found.prices
    assert (found.prices.input, found.prices.currency) == (Decimal("0.075"), "EUR")
    endpoint = catalog.endpoint(found)
    assert (endpoint.key, endpoint.headers) == (KEY, (("X-Gate", "gate-secret-12345"),))


def test_keys_and_headers_are_written_and_never_shown(root: Client) -> None:
    connection = connect(headers="X-Gate: gate-secret-12345")
    change(root, connection, label="Renamed")
    shown = (
        page(root, f"{LIST}{connection.pk}/change/") + page(root, LIST) + page(root, f"{LIST}{connection.pk}/history/")
    )
    typed = {"key": "typed-key-0123456789", "headers": "X-Other: typed-header-0123456789"}
    refused = change(root, connection, **typed, base_url="nonsense").content.decode()
    for secret in (KEY, "gate-secret-12345", connection.sealed_key, "typed-key-0123456789", "typed-header-0123456789"):
        assert secret not in shown + refused
        assert base64.b64encode(secret.encode()).decode() not in shown + refused
    assert "…abcd" in shown
    assert "X-Gate" in shown
    assert KEY not in "".join(entry.change_message for entry in LogEntry.objects.all())
    connection.refresh_from_db()
    assert offers.link_of(connection).key == KEY


def test_a_key_is_replaced_and_removed(root: Client) -> None:
    connection = connect()
    change(root, connection, key="another-key-0987654321zyxw")
    connection.refresh_from_db()
    assert offers.link_of(connection).key == "another-key-0987654321zyxw"
    assert "…zyxw" in page(root, LIST)
    change(root, connection, removes_key="on")
    connection.refresh_from_db()
    assert (connection.sealed_key, connection.key_hint) == ("", "")


def test_the_end_of_a_short_key_is_not_shown(root: Client) -> None:
    connect(key="short-key9")
    assert "key9" not in page(root, LIST)


@pytest.mark.parametrize(
    "address",
    [
        "ftp://models.example/",
        "file:///etc/passwd",
        "models.example/v1",
        "https://",
        "https://user:password@models.example/v1",
        "https://models.example/v1?key=1",
        "https://models.example/#x",
        "https://models.example:99999/",
        "https://two words.example/",
        "https://models.example\\@127.0.0.1/",
        "javascript:alert(1)",
        "",
    ],
)
def test_only_plain_addresses_of_http_are_taken(root: Client, address: str) -> None:
    response = root.post(f"{LIST}add/", NEW | {"base_url": address, "key": KEY})
    assert response.status_code == 200
    assert mistakes(response)
    assert not Connection.objects.exists()


@pytest.mark.parametrize("slug", ["segmind", "aimlapi", "local", "Local"])
def test_the_short_names_of_vendors_are_taken(root: Client, slug: str) -> None:
    assert "belongs to a connection" in mistakes(root.post(f"{LIST}add/", NEW | {"slug": slug}))


@pytest.mark.parametrize(
    "headers", ["no colon", "Host: elsewhere", "X-A: two\nContent-Length: 3", "X A: b", "X-A:", "X-A: ü", ": value"]
)
def test_headers_that_cannot_be_sent_along_are_refused(root: Client, headers: str) -> None:
    assert "no header that can be sent" in mistakes(root.post(f"{LIST}add/", NEW | {"headers": headers}))


def test_a_stored_key_is_not_sent_to_another_server(root: Client) -> None:
    connection = connect(headers="X-Gate: gate-secret-12345")
    other = {"base_url": "https://elsewhere.example/v1"}
    response = change(root, connection, **other)
    assert mistakes(response).count("stored for another server") == 2
    assert change(root, connection, **other, key="new-key-0123456789", removes_headers="on").status_code == 302
    connection.refresh_from_db()
    link = offers.link_of(connection)
    assert (link.base_url, link.key, link.headers) == ("https://elsewhere.example/v1", "new-key-0123456789", ())


def test_a_path_on_the_same_server_may_change(root: Client) -> None:
    assert change(root, connect(), base_url="https://models.example/v2").status_code == 302


def test_a_key_of_the_environment_is_shown_as_such_and_not_changed(root: Client, settings: Settings) -> None:
    connections.register_vendors()
    settings.PROVIDER_ENDPOINTS = {
        "segmind": ("https://proxy.example/v1", "environment-key-0123wxyz"),
        "aimlapi": ("", ""),
    }
    assert "from the environment …wxyz" in page(root, LIST)
    vendor = Connection.objects.get(slug="segmind")
    shown = page(root, f"{LIST}{vendor.pk}/change/")
    assert "environment-key-0123wxyz" not in shown
    assert "https://proxy.example/v1" in shown
    for name in ("key", "base_url", "headers", "may_be_private", "slug"):
        assert f'name="{name}"' not in shown
    root.post(
        f"{LIST}{vendor.pk}/change/",
        {"label": "Segmind", "key": KEY, "base_url": "https://a.example", "is_enabled": "on"},
    )
    vendor.refresh_from_db()
    assert (vendor.sealed_key, vendor.base_url) == ("", "")


def test_a_vendor_without_a_key_of_the_environment_gets_one_here(root: Client, alice: User, settings: Settings) -> None:
    connections.register_vendors()
    settings.PROVIDER_ENDPOINTS = {"segmind": ("", ""), "aimlapi": ("", "")}
    assert "segmind/gemini-1.5-pro" not in [one.model.id for one in catalog.offers(alice.pk)]
    change(root, Connection.objects.get(slug="segmind"), key=KEY)
    found = catalog.find("segmind/gemini-1.5-pro", alice.pk)
    assert catalog.endpoint(found).key == KEY


def test_the_vendors_of_this_version_are_not_deleted(root: Client) -> None:
    connections.register_vendors()
    vendor, own = Connection.objects.get(slug="segmind"), connect()
    assert root.post(f"{LIST}{vendor.pk}/delete/", {"post": "yes"}).status_code == 403
    root.post(LIST, {"action": "delete_selected", "_selected_action": [vendor.pk], "post": "yes"})
    assert Connection.objects.filter(pk=vendor.pk).exists()
    root.post(f"{LIST}{own.pk}/delete/", {"post": "yes"})
    assert not Connection.objects.filter(pk=own.pk).exists()


def test_deleting_a_connection_takes_its_models_off_the_offer_at_once(root: Client, alice: User) -> None:
    connection = connect()
    offer(connection)
    catalog.find("house/chat", alice.pk)
    root.post(f"{LIST}{connection.pk}/delete/", {"post": "yes"})
    assert not catalog.is_offered("house/chat", alice.pk)


# Models


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("price_input", "-0.1"),
        ("default_temperature", "3"),
        ("extra", '{"messages": []}'),
        ("extra", "[1]"),
        ("currency", "Euro"),
        ("request_form", "gemini"),
        ("context_window", "0"),
        ("name", "../admin"),
        ("name", "chat?key=1"),
    ],
)
def test_what_a_model_cannot_have_is_refused(root: Client, field: str, value: str) -> None:
    values = {"connection": connect().pk, "name": "chat", "position": 5, "system_mode": "native", "currency": "USD"}
    response = root.post(f"{MODELS}add/", values | {"limit_field": "max_tokens", "extra": "{}"} | {field: value})
    assert mistakes(response)
    assert not OfferedModel.objects.exists()


def test_groups_are_given_in_the_form_of_a_model(root: Client, alice: User, bob: User) -> None:
    artists = Group.objects.create(name="artists")
    alice.groups.add(artists)
    row = offer(connect())
    values = {"label": "Chat", "position": 5, "system_mode": "native", "currency": "USD", "limit_field": "max_tokens"}
    root.post(f"{MODELS}{row.pk}/change/", values | {"is_enabled": "on", "extra": "{}", "groups": [artists.pk]})
    assert catalog.is_offered("house/chat", alice.pk)
    assert not catalog.is_offered("house/chat", bob.pk)


def test_a_preset_with_a_model_of_others_begins_with_another_one(as_alice: Client, alice: User) -> None:
    row = offer(connect(), groups=(Group.objects.create(name="artists"),))
    preset = Preset.objects.create(owner=alice, name="Drawing", model=str(row))
    shown = page(as_alice, f"/?preset={preset.uuid}")
    assert "The model of this preset is not on offer now" in shown
    assert 'value="house/chat"' not in shown
    assert "Chat (not on offer now)" in page(as_alice, f"/presets/{preset.uuid}/")


def test_the_lists_cost_the_same_queries_however_many_there_are(root: Client) -> None:
    def statements(address: str) -> int:
        with CaptureQueriesContext(database) as captured:
            page(root, address)
        return len(captured)

    counts = []
    for number in (1, 12):
        for one in range(number):
            offer(connect(f"house-{number}-{one}"), "chat")
        page(root, LIST)
        counts.append((statements(LIST), statements(MODELS)))
    assert counts[0] == counts[1]
    assert max(counts[0]) <= 10


# Asking the endpoint


def test_a_test_sends_one_small_prompt_and_shows_how_it_went(root: Client, simulator: Simulator) -> None:
    connection = connect(base_url=simulator.base_url, may_be_private=True)
    row = offer(connection, "google/gemini-2.5-flash", default_max_tokens=100)
    simulator.script(say="ready")
    shown = root.post(f"{LIST}{connection.pk}/test/", {"model": row.pk}).content.decode()
    for wanted in ("The model answers.", "<dd>200</dd>", "openai-stream", "<dd>ready</dd>"):
        assert wanted in shown
    assert re.search(r"<dt>Tokens in, out</dt><dd>\d+, 1</dd>", shown)
    assert re.search(r"<dt>Time to the end</dt><dd>\d+\.\d\d s</dd>", shown)
    assert simulator.requests[-1].headers["authorization"] == f"Bearer {KEY}"
    assert not ProviderCall.objects.exists()


def test_a_test_shows_remaining_credit(root: Client, simulator: Simulator) -> None:
    connection = connect(kind="segmind", base_url=simulator.base_url, may_be_private=True)
    row = offer(connection, "gemini-2.5-flash", streams=False)
    shown = root.post(f"{LIST}{connection.pk}/test/", {"model": row.pk}).content.decode()
    assert "<dt>Remaining credit</dt><dd>99.983</dd>" in shown


def test_a_test_that_fails_says_why_without_the_key(root: Client, simulator: Simulator) -> None:
    wrong = "wrong-key-0123456789"
    connection = connect(key=wrong, base_url=simulator.base_url, may_be_private=True)
    row = offer(connection, "google/gemini-2.5-flash")
    shown = root.post(f"{LIST}{connection.pk}/test/", {"model": row.pk}).content.decode()
    assert "The model did not answer." in shown
    assert "<dd>401</dd>" in shown
    assert "auth: " in shown
    assert wrong not in shown


def test_a_private_address_is_refused_until_it_is_allowed(root: Client, simulator: Simulator) -> None:
    connection = connect(base_url=simulator.base_url)
    row = offer(connection, "google/gemini-2.5-flash", default_max_tokens=100)
    shown = root.post(f"{LIST}{connection.pk}/test/", {"model": row.pk}).content.decode()
    assert "private_address" in shown
    assert not simulator.requests
    change(root, connection, may_be_private="on")
    shown = root.post(f"{LIST}{connection.pk}/test/", {"model": row.pk}).content.decode()
    assert "The model answers." in shown


def test_models_are_picked_from_the_list_of_the_endpoint(root: Client, alice: User, simulator: Simulator) -> None:
    connection = connect(kind="gemini", base_url=f"{simulator.url}/v1beta", may_be_private=True)
    offer(connection, "gemini-2.5-flash")
    shown = root.post(f"{LIST}{connection.pk}/models/").content.decode()
    assert re.search(r'value="gemini-2.5-flash" checked disabled', shown)
    assert 'value="gemini-2.5-flash-image">' in shown
    assert "text-embedding" not in shown
    root.post(f"{LIST}{connection.pk}/pick/", {"names": ["gemini-2.5-flash-image", "never-listed", "gemini-2.5-flash"]})
    assert sorted(connection.models.values_list("name", flat=True)) == ["gemini-2.5-flash", "gemini-2.5-flash-image"]
    picked = catalog.find("house/gemini-2.5-flash-image", alice.pk)
    assert (picked.model.context_window, picked.model.output_limit) == (1_048_576, 65_536)
    assert picked.model.label == "Gemini 2.5 Flash Image (House)"


def test_a_list_that_cannot_be_had_is_told_in_a_sentence(root: Client, simulator: Simulator) -> None:
    connection = connect(
        kind="gemini", key="wrong-key-0123456789", base_url=f"{simulator.url}/v1beta", may_be_private=True
    )
    shown = root.post(f"{LIST}{connection.pk}/models/", follow=True).content.decode()
    assert "The provider refused our key." in shown
    assert "wrong-key-0123456789" not in shown


def test_one_page_at_a_time_waits_for_an_endpoint(root: Client, simulator: Simulator) -> None:
    connection = connect(base_url=simulator.base_url, may_be_private=True)
    row = offer(connection, "google/gemini-2.5-flash")
    with probing.for_a_page():
        shown = root.post(f"{LIST}{connection.pk}/test/", {"model": row.pk}, follow=True).content.decode()
    assert "Another connection is being tested right now." in shown
    assert not simulator.requests


@pytest.mark.parametrize("what", ["test", "models", "pick"])
def test_asking_takes_the_permission_and_a_post(alice: User, root: Client, what: str) -> None:
    connection = connect()
    row = offer(connection)
    address = f"{LIST}{connection.pk}/{what}/"
    assert root.get(address).status_code == 405
    assert root.post(f"{LIST}999/{what}/", {"model": row.pk}).status_code == 404
    User.objects.filter(pk=alice.pk).update(is_staff=True)
    alice.user_permissions.add(Permission.objects.get(codename="view_connection"))
    client = Client()
    client.force_login(User.objects.get(pk=alice.pk), backend="django.contrib.auth.backends.ModelBackend")
    assert client.post(address, {"model": row.pk}).status_code == 404
    assert Client().post(address, {"model": row.pk}).status_code == 302


# Keys that people bring


@pytest.fixture
def taking(db: None) -> Connection:
    connection = connect(key="", takes_own_keys=True)
    offer(connection)
    return connection


def test_somebody_brings_a_key_and_takes_it_away(as_alice: Client, alice: User, taking: Connection) -> None:
    assert 'href="/settings/keys/"' in page(as_alice, "/settings/")
    assert "You have brought no key." in page(as_alice, "/settings/keys/")
    address = f"/settings/keys/{taking.uuid}/"
    assert as_alice.post(address, {"key": "alices-own-key-98765wxyz"}).status_code == 303
    shown = page(as_alice, "/settings/keys/")
    assert "Your key ends in wxyz." in shown
    assert "alices-own-key" not in shown
    assert catalog.is_offered("house/chat", alice.pk)
    assert as_alice.post(address, {"remove": "1"}).status_code == 303
    assert not OwnKey.objects.exists()
    assert not catalog.is_offered("house/chat", alice.pk)


def test_a_key_that_is_none_is_refused_beside_its_field(as_alice: Client, taking: Connection) -> None:
    response = as_alice.post(f"/settings/keys/{taking.uuid}/", {"key": "two secret words"})
    assert response.status_code == 422
    assert "This is not a key" in response.content.decode()
    assert "two secret words" not in response.content.decode()


def test_keys_are_brought_only_where_that_is_allowed(as_alice: Client, as_bob: Client, taking: Connection) -> None:
    closed = connect("closed")
    assert as_alice.post(f"/settings/keys/{closed.uuid}/", {"key": "alices-own-key-98765"}).status_code == 404
    as_alice.post(f"/settings/keys/{taking.uuid}/", {"key": "alices-own-key-98765wxyz"})
    assert "wxyz" not in page(as_bob, "/settings/keys/")
    assert as_bob.post(f"/settings/keys/{taking.uuid}/", {"remove": "1"}).status_code == 303
    assert OwnKey.objects.count() == 1


def test_nobody_is_led_to_a_page_without_use(as_alice: Client) -> None:
    assert 'href="/settings/keys/"' not in page(as_alice, "/settings/")
    assert "No connection here takes a key" in page(as_alice, "/settings/keys/")
