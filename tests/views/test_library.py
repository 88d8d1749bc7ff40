"""The pages of prompts and presets: who may do what, forms that say what is wrong, the way into the composer."""

import re
import uuid
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from conversations.models import Preset, Prompt, User
from conversations.services import conversations
from tests.conftest import PAINTER, send

FORMS: dict[str, dict[str, str]] = {
    "prompts": {"name": "letter", "text": "Write to {{reader}}."},
    "presets": {"name": "Cook", "model": PAINTER, "system_prompt": "You <cook>.", "temperature": "1.5"},
}
KINDS: dict[str, Any] = {"prompts": Prompt, "presets": Preset}
both = pytest.mark.parametrize("word", ["prompts", "presets"])


def make(owner: User, word: str, **more: object) -> Any:
    fields: dict[str, Any] = {"name": "letter", "text": "Write to {{reader}}."}
    if word == "presets":
        fields = {"name": "Cook", "model": PAINTER, "system_prompt": "You <cook>.", "parameters": {"temperature": 1.5}}
    return KINDS[word].objects.create(owner=owner, **fields | more)


@both
def test_one_is_made_changed_and_deleted_by_plain_forms(as_alice: Client, word: str) -> None:
    made = as_alice.post(f"/{word}/new/", FORMS[word] | {"is_shared": "on"})
    assert (made.status_code, made.headers["Location"]) == (303, f"/{word}/")
    item = KINDS[word].objects.get()
    assert item.is_shared
    page = as_alice.get(f"/{word}/").content.decode()
    assert item.name in page
    assert "is saved" in page
    assert f'value="{item.name}"' in as_alice.get(f"/{word}/{item.uuid}/").content.decode()
    assert as_alice.post(f"/{word}/{item.uuid}/", FORMS[word] | {"name": "other"}).status_code == 303
    item.refresh_from_db()
    assert (item.name, item.is_shared) == ("other", False)
    assert "Delete “other”?" in as_alice.get(f"/{word}/{item.uuid}/delete/").content.decode()
    assert as_alice.post(f"/{word}/{item.uuid}/delete/").status_code == 303
    assert not KINDS[word].objects.exists()


@both
def test_a_name_that_is_taken_is_a_conflict_beside_the_name_with_everything_kept(as_alice: Client, word: str) -> None:
    as_alice.post(f"/{word}/new/", FORMS[word])
    response = as_alice.post(f"/{word}/new/", FORMS[word])
    page = response.content.decode()
    assert response.status_code == 409
    assert re.search(r'id="id_name_error">You have one named', page)
    assert FORMS[word].get("text", "You &lt;cook&gt;.") in page


@pytest.mark.parametrize(
    ("word", "wrong"),
    [
        ("prompts", {"name": ""}),
        ("prompts", {"name": "/ !"}),
        ("prompts", {"name": "n" * 51}),
        ("prompts", {"text": " \n "}),
        ("prompts", {"text": "x" * 50_001}),
        ("presets", {"name": ""}),
        ("presets", {"model": "nobody/nothing"}),
        ("presets", {"temperature": "9"}),
        ("presets", {"system_prompt": "x" * 50_001}),
    ],
)
def test_what_does_not_fit_is_said_beside_its_field(as_alice: Client, word: str, wrong: dict[str, str]) -> None:
    response = as_alice.post(f"/{word}/new/", FORMS[word] | wrong)
    assert response.status_code == 422
    assert f'id="id_{next(iter(wrong))}_error"' in response.content.decode()
    assert not KINDS[word].objects.exists()


def test_line_ends_count_as_the_browser_counts_them(as_alice: Client) -> None:
    assert as_alice.post("/prompts/new/", {"name": "long", "text": "x\r\n" * 25_000}).status_code == 303


def test_a_name_becomes_what_can_be_typed_after_a_slash(as_alice: Client) -> None:
    as_alice.post("/prompts/new/", FORMS["prompts"] | {"name": "Kürze  das, bitte!"})
    assert Prompt.objects.get().name == "kürze-das-bitte"


ROUTES = [("", "GET"), ("", "POST"), ("copy/", "POST"), ("delete/", "GET"), ("delete/", "POST")]


@both
@pytest.mark.parametrize(("route", "method"), ROUTES)
def test_a_strangers_private_one_is_exactly_missing(
    as_bob: Client, alice: User, word: str, route: str, method: str
) -> None:
    item = make(alice, word)
    there = as_bob.generic(method, f"/{word}/{item.uuid}/{route}")
    missing = as_bob.generic(method, f"/{word}/{uuid.uuid4()}/{route}")
    assert there.status_code == missing.status_code == 404
    assert there.content == missing.content
    assert KINDS[word].objects.get().owner == alice


@both
def test_what_is_shared_can_be_seen_used_and_copied_but_not_changed(
    as_bob: Client, alice: User, bob: User, word: str
) -> None:
    item = make(alice, word, is_shared=True)
    assert "by alice" in as_bob.get(f"/{word}/").content.decode()
    page = as_bob.get(f"/{word}/{item.uuid}/").content.decode()
    assert "Shared by alice" in page
    assert "Save" not in page
    assert as_bob.get(f"/?{word[:-1]}={item.uuid}").status_code == 200
    assert as_bob.post(f"/{word}/{item.uuid}/", FORMS[word] | {"name": "mine"}).status_code == 404
    assert as_bob.get(f"/{word}/{item.uuid}/delete/").status_code == 404
    assert as_bob.post(f"/{word}/{item.uuid}/delete/").status_code == 404
    copied = as_bob.post(f"/{word}/{item.uuid}/copy/")
    mine = KINDS[word].objects.of(bob).get()
    assert copied.headers["Location"] == f"/{word}/{mine.uuid}/"
    assert (mine.name, mine.is_shared) == (item.name, False)


@both
def test_the_owner_and_the_identifier_are_not_for_the_form(as_alice: Client, alice: User, bob: User, word: str) -> None:
    item = make(alice, word)
    more = {"owner": str(bob.pk), "uuid": str(uuid.uuid4()), "id": "999", "pk": "999"}
    as_alice.post(f"/{word}/{item.uuid}/", FORMS[word] | more)
    assert (KINDS[word].objects.get().owner, KINDS[word].objects.get().uuid) == (alice, item.uuid)


@both
def test_only_people_who_are_logged_in_and_only_the_methods_that_make_sense(
    as_alice: Client, alice: User, word: str
) -> None:
    item = make(alice, word, is_shared=True)
    for address in (f"/{word}/", f"/{word}/new/", f"/{word}/{item.uuid}/", f"/{word}/{item.uuid}/delete/"):
        assert Client().get(address).status_code == 302
        assert as_alice.put(address).status_code == 405
    assert as_alice.post(f"/{word}/").status_code == 405
    assert as_alice.get(f"/{word}/{item.uuid}/copy/").status_code == 405
    assert as_alice.post("/prompts/list/").status_code == 405


@both
def test_hostile_texts_are_only_texts(as_bob: Client, alice: User, word: str) -> None:
    hostile = "</textarea><script>alert(1)</script>{% now 'Y' %}"
    field = {"text": hostile} if word == "prompts" else {"system_prompt": hostile, "name": hostile[:80]}
    item = make(alice, word, is_shared=True, **field)
    for address in (f"/{word}/", f"/{word}/{item.uuid}/", f"/?{word[:-1]}={item.uuid}", "/prompts/list/"):
        assert "<script>alert" not in as_bob.get(address).content.decode()


@both
def test_the_list_is_paged_and_takes_the_same_queries_however_long(as_alice: Client, alice: User, word: str) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert as_alice.get(f"/{word}/").status_code == 200
        return len(captured)

    make(alice, word)
    few = queries()
    for number in range(120):
        make(alice, word, name=f"n{number}")
    assert queries() == few == 4
    assert as_alice.get(f"/{word}/?page=2").content.decode().count("<li>") == 21


def filled(page: str) -> str:
    found = re.search(r'<textarea id="text"[^>]*>(.*?)</textarea>', page, re.DOTALL)
    assert found
    return found[1]


def test_a_prompt_without_variables_is_in_the_message_box_at_once(as_alice: Client, alice: User) -> None:
    item = make(alice, "prompts", text="Write <a> letter.\nPlease.")
    assert filled(as_alice.get(f"/?prompt={item.uuid}").content.decode()) == "Write &lt;a&gt; letter.\nPlease."


def test_a_prompt_with_variables_asks_for_them_first(as_alice: Client, alice: User) -> None:
    item = make(alice, "prompts", text="To {{reader}}: {{ topic }}, {{reader}}!")
    page = as_alice.get(f"/?prompt={item.uuid}").content.decode()
    assert re.findall(r'name="(value-\d)"', page) == ["value-0", "value-1"]
    assert ">reader</label>" in page
    answer = as_alice.post(f"/prompts/{item.uuid}/use/", {"value-0": "Ada", "value-1": ""})
    assert filled(answer.content.decode()) == "To Ada: {{ topic }}, Ada!"
    assert as_alice.post(f"/prompts/{item.uuid}/use/", {"value-0": "x" * 50_001}).status_code == 422


def test_the_message_box_gets_a_list_a_dialog_and_a_text(as_alice: Client, alice: User, bob: User) -> None:
    htmx = {"HX-Request": "true"}
    mine, private = make(alice, "prompts"), make(bob, "prompts", name="private")
    plain = make(bob, "prompts", name="a-plain", text="  as it is\n", is_shared=True)
    options = as_alice.get("/prompts/list/", headers=htmx).content.decode()
    assert re.findall(r'role="option".*?data-name="([^"]*)"', options) == ["letter", "a-plain"]
    asked = as_alice.get(f"/prompts/{mine.uuid}/use/", headers=htmx).content.decode()
    assert asked.startswith("<dialog")
    given = as_alice.post(f"/prompts/{mine.uuid}/use/", {"value-0": "Ada"}, headers=htmx).content.decode()
    assert "data-filled>Write to Ada.</span>" in given
    assert (
        "data-filled>  as it is\n</span>" in as_alice.get(f"/prompts/{plain.uuid}/use/", headers=htmx).content.decode()
    )
    assert as_alice.get(f"/prompts/{private.uuid}/use/", headers=htmx).status_code == 404
    assert as_alice.get(f"/?prompt={private.uuid}").status_code == 404


def test_a_preset_fills_in_model_system_prompt_and_parameters(as_alice: Client, alice: User) -> None:
    item = make(alice, "presets")
    page = as_alice.get(f"/?preset={item.uuid}").content.decode()
    assert f'value="{PAINTER}"' in str(re.findall(r"<option[^>]* selected", page))
    assert "You &lt;cook&gt;.</textarea>" in page
    assert re.search(r'name="temperature" value="1.5"', page)
    assert re.search(r'aria-current="true"><bdi>Cook</bdi>', page)


def test_a_preset_whose_model_is_gone_says_so(as_alice: Client, alice: User, settings: Settings) -> None:
    item = make(alice, "presets")
    settings.PROVIDER_ENDPOINTS = {"segmind": ("", ""), "aimlapi": ("", "key")}
    page = as_alice.get(f"/?preset={item.uuid}").content.decode()
    assert "not on offer now" in page
    assert "You &lt;cook&gt;.</textarea>" in page
    assert as_alice.get(f"/presets/{item.uuid}/").status_code == 200


@pytest.mark.parametrize("query", ["prompt=x", "preset=1", "preset=", "prompt=%00"])
def test_an_address_that_names_nothing_is_not_found(as_alice: Client, query: str) -> None:
    assert as_alice.get(f"/?{query}").status_code == 404
    assert as_alice.get("/presets/new/?conversation=x").status_code == 404


def test_a_preset_is_made_of_the_settings_of_a_conversation(as_alice: Client, as_bob: Client, alice: User) -> None:
    talk = send(alice, "hello", model=PAINTER).message.conversation
    conversations.configure(talk, system_prompt="Be brief.", parameters={"max_tokens": 77})
    assert f"/presets/new/?conversation={talk.uuid}" in as_alice.get(f"/c/{talk.uuid}/settings/").content.decode()
    page = as_alice.get(f"/presets/new/?conversation={talk.uuid}").content.decode()
    assert "Be brief.</textarea>" in page
    assert 'name="max_tokens" value="77"' in page
    assert f'value="{PAINTER}" selected' in page
    assert as_bob.get(f"/presets/new/?conversation={talk.uuid}").status_code == 404


@both
def test_staff_manage_all_of_them_by_permissions(bob: User, alice: User, word: str) -> None:
    item, own = make(alice, word, is_shared=True), make(alice, word, name="of nobody else")
    bob.is_staff = True
    bob.save()
    client = Client()
    client.force_login(bob, backend="django.contrib.auth.backends.ModelBackend")
    address = f"/admin/conversations/{word[:-1]}/"
    assert client.get(address).status_code == 403
    bob.user_permissions.set(Permission.objects.filter(codename__endswith=f"_{word[:-1]}"))
    assert item.name in client.get(address).content.decode()
    assert client.get(f"{address}{item.pk}/change/").status_code == 200
    assert own.name not in client.get(address).content.decode()
    assert client.get(f"{address}{own.pk}/change/").status_code == 302
    assert client.post(f"{address}{item.pk}/delete/", {"post": "yes"}).status_code == 302
    assert list(KINDS[word].objects.all()) == [own]
