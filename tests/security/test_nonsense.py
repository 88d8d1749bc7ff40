"""Whatever is sent in whatever place: an answer of ours, never a fault; and no form is taken without the token."""

import json
import os
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from conversations.models import Conversation, User
from tests.conftest import send
from tests.security import addresses

HUGE = "9" * 40
SOME = [HUGE, "\x00", "[1]"]
VALUES = [
    *SOME,
    "-" + HUGE,
    "0",
    "-1",
    "1e999",
    "NaN",
    "",
    " ",
    "null",
    "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"),
    "\u202e\ufffe",
    "'\"><script>alert(1)</script>",
    "%00%ff",
    "../../etc/passwd",
    "__class__",
    "id__gt",
    "[" * 5000,
    json.dumps({"a": [[[]]]}),
    "2026-02-30",
    "00000000-0000-0000-0000-000000000000",
]
ASKED = """
    page before after at by case conversation days down_to model next picture preset prompt seen download q o p all e
    person group connection kind state label cause rating filter archived _facets _popup _to_field is_staff__exact
    owner__password__startswith id__in created_at__gte title__regex
"""
TOLD = """
    text model key action title system_prompt temperature max_tokens attached images kept texts language theme density
    default_model name body parent alt value comment reason username email password password1 password2 login code
    order pinned archived conversation message attachment slug base_url secret days money id owner person next
"""
trying = pytest.mark.parametrize("value", VALUES if os.environ.get("CHATSITE_FUZZ") else SOME, ids=ascii)


@pytest.fixture
def root(db: None) -> Client:
    person = User.objects.create_superuser("root", "root@example.com", "root's long password")
    client = Client(raise_request_exception=False)
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def member(as_alice: Client) -> Client:
    as_alice.raise_request_exception = False
    return as_alice


@pytest.fixture
def places(alice: User, conversation: Conversation) -> dict[str, str]:
    """Things that are there, so that views come as far as they can."""
    sent = send(alice, "hello", conversation)
    return {
        "conversation_uuid": str(conversation.uuid),
        "message_uuid": str(sent.message.uuid),
        "reply_uuid": str(sent.reply.uuid),
        "uuid": "00000000-0000-4000-8000-000000000000",
        "str": "x",
        "path": "1",
        "int": "1",
    }


def lasting(places: dict[str, str]) -> list[str]:
    """Addresses that leave the person and the conversation there for the next one."""
    return [one for one in addresses.every(places) if "logout" not in one and "delete" not in one]


def faults(ask: Callable[[str], Any], found: list[str]) -> list[str]:
    return [address for address in found if ask(address).status_code >= 500]


@trying
def test_no_question_is_a_fault(root: Client, places: dict[str, str], value: str) -> None:
    assert faults(lambda one: root.get(one, dict.fromkeys(ASKED.split(), value)), addresses.every(places)) == []


@trying
def test_no_form_is_a_fault(member: Client, root: Client, places: dict[str, str], value: str) -> None:
    form = dict.fromkeys(TOLD.split(), value)
    found = lasting(places)
    assert faults(lambda one: member.post(one, form), [one for one in found if "admin" not in one]) == []
    assert faults(lambda one: root.post(one, form), [one for one in found if "admin" in one]) == []


def test_no_number_in_an_address_is_a_fault(root: Client, places: dict[str, str]) -> None:
    for number in (HUGE, "9223372036854775808"):
        found = [one for one in addresses.every(dict.fromkeys(["int", "path", "str"], number)) if number in one]
        assert len(found) > 30
        assert faults(root.get, found) == []


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b"[" * 100_000),
        ("application/json", b'{"text": {"a": [1]}}'),
        ("multipart/form-data; boundary=x", b"--x\r\n\r\n--x--"),
        ("multipart/form-data", b"\xff\xfe"),
        ("application/x-www-form-urlencoded; charset=utf-7", b"text=a&text=b&text[]=c&%ff=%00"),
    ],
)
def test_no_body_is_a_fault(member: Client, places: dict[str, str], kind: str, body: bytes) -> None:
    found = [one for one in lasting(places) if "admin" not in one]
    assert faults(lambda one: member.post(one, body, content_type=kind), found) == []


def test_files_where_texts_belong_are_no_fault(member: Client, places: dict[str, str]) -> None:
    def ask(address: str) -> Any:
        names = TOLD.split()[:16]
        return member.post(address, {name: SimpleUploadedFile("\x00../a\\b\u202e.png", b"\x89PNG") for name in names})

    assert faults(ask, [one for one in lasting(places) if "admin" not in one]) == []


def test_no_form_is_taken_without_the_token(alice: User, places: dict[str, str]) -> None:
    strict, found = Client(enforce_csrf_checks=True), addresses.every(places)
    answers = {one: strict.post(one, {}).status_code for one in found}
    strict.force_login(alice, backend="django.contrib.auth.backends.ModelBackend")
    answers |= {f"alice {one}": strict.post(one, {}).status_code for one in found}
    assert [one for one, status in answers.items() if status not in (403, 404)] == []
    assert sum(status == 403 for status in answers.values()) > 200
