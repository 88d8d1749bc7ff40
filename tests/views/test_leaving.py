"""Taking everything along, and leaving: what an export holds, what a deletion leaves, and nothing goes to others."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from conversations.models import Attachment, Conversation, Hold, Look, Message, Prompt, User
from conversations.models.message import Status
from conversations.services import branches, conversations, replies, takeout
from conversations.services.replies import NewPiece, Outcome
from tests.conftest import IdleEngine, send
from tests.services.photographs import photograph

DATA, EXPORT, DELETE = "/settings/data/", "/settings/data/export/", "/settings/data/delete/"
PASSWORD = "alice's long password"


@pytest.fixture
def talk(alice: User, bob: User) -> Conversation:
    """Of alice, with a picture and two answers; bob has one, too."""
    upload = SimpleUploadedFile("holiday.jpg", photograph(320, 200), "image/jpeg")
    first = replies.claim(send(alice, "canary-of-alice", images=[upload]).reply.pk)
    assert first is not None
    replies.write([NewPiece(first.pk, first.claim, 0, "text", "first answer")])
    replies.finish(first, Outcome(Status.COMPLETE))
    branches.regenerate(Message.objects.get(pk=first.pk))
    Prompt.objects.create(owner=alice, name="hello", text="canary-of-a-prompt", is_shared=True)
    send(bob, "words-of-bob")
    return first.conversation


def opened(data: bytes) -> dict[str, Any]:
    """What is in the zip, JSON read, by its name."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        found = {name: archive.read(name) for name in archive.namelist()}
    return {name: json.loads(data) if name.endswith(".json") else data for name, data in found.items()}


def confirmed(user: User) -> Client:
    """Somebody who has just given the password again."""
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    return client


# --- What an export holds ---------------------------------------------------------------------------------------------
def test_an_export_holds_all_branches_pictures_and_prompts(alice: User, talk: Conversation) -> None:
    found = opened(b"".join(takeout.stream(alice)))
    account = found["account.json"]
    assert (account["format"], account["user_name"], account["role"]) == ("chatsite-person-1", "alice", "member")
    assert [prompt["text"] for prompt in found["prompts.json"]] == ["canary-of-a-prompt"]
    messages = found[f"conversations/{talk.uuid}.json"]["messages"]
    assert [(one["role"], one["status"]) for one in messages] == [
        ("user", "complete"),
        ("assistant", "complete"),
        ("assistant", "pending"),
    ]
    assert {one["parent"] for one in messages[1:]} == {messages[0]["uuid"]}
    picture, text = sorted(messages[0]["content"], key=lambda part: part["kind"])
    assert text["text"] == "canary-of-alice"
    assert picture["name"] == "holiday.jpg"
    assert found[picture["file"]] == Attachment.objects.get(owner=alice).read()
    assert messages[1]["content"] == [{"kind": "text", "text": "first answer"}]


def test_an_export_holds_nothing_of_others_and_no_secrets(alice: User, talk: Conversation) -> None:
    whole = str(opened(b"".join(takeout.stream(alice))))
    assert "words-of-bob" not in whole
    assert alice.password not in whole


def test_a_lost_picture_is_named_and_the_rest_is_there(alice: User, talk: Conversation) -> None:
    picture = Attachment.objects.get(owner=alice)
    default_storage.delete(picture.path)
    found = opened(b"".join(takeout.stream(alice)))
    assert found["lost.json"] == [f"pictures/{picture.uuid}.jpg"]
    assert f"conversations/{talk.uuid}.json" in found


def test_an_export_is_made_piece_by_piece(alice: User, talk: Conversation) -> None:
    pieces = list(takeout.stream(alice))
    assert len(pieces) == len(opened(b"".join(pieces))) + 1


# --- By oneself -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("policy", "data", "delete"), [("none", 404, 404), ("export", 200, 404), ("delete", 200, 200)])
def test_what_people_may_do_themselves_is_a_policy(
    alice: User, settings: Settings, policy: str, data: int, delete: int
) -> None:
    settings.CHATSITE_SELF_SERVICE = policy
    client = confirmed(alice)
    assert client.get(DATA).status_code == data
    assert client.post(EXPORT).status_code == data
    assert client.get(DELETE).status_code == delete
    assert (client.post(DELETE, {"without_export": "yes"}).status_code == 302) is (delete == 200)
    assert User.objects.filter(pk=alice.pk).exists() is (delete == 404)


def test_deleting_oneself_needs_the_password_and_an_export_or_a_word(
    alice: User, as_alice: Client, settings: Settings, talk: Conversation
) -> None:
    settings.CHATSITE_SELF_SERVICE = "delete"
    assert as_alice.post(DELETE, {"without_export": "yes"}).headers["Location"].startswith("/accounts/reauthenticate/")
    client = confirmed(alice)
    refused = client.post(DELETE)
    assert (refused.status_code, "Download your data first" in refused.content.decode()) == (422, True)
    assert User.objects.filter(pk=alice.pk).exists()
    assert list(takeout.stream(alice))
    response = client.post(DELETE)
    assert response.headers["Location"] == "/accounts/login/"
    assert not User.objects.filter(pk=alice.pk).exists()
    assert "is deleted" in client.get("/accounts/login/").content.decode()


def test_an_export_from_before_the_last_message_is_not_enough(alice: User, talk: Conversation) -> None:
    list(takeout.stream(alice))
    alice.refresh_from_db()
    assert takeout.is_taken(alice)
    send(alice, "one more thing")
    assert not takeout.is_taken(alice)


def test_a_hold_is_kept_and_not_told(alice: User, settings: Settings, talk: Conversation) -> None:
    settings.CHATSITE_SELF_SERVICE = "delete"
    Hold.objects.create(person=alice, reason="a trial")
    refused = confirmed(alice).post(DELETE, {"without_export": "yes"})
    assert refused.status_code == 409
    assert "cannot be deleted at the moment" in refused.content.decode()
    assert "hold" not in refused.content.decode()
    assert Conversation.objects.filter(owner=alice).exists()


# --- By administrators ------------------------------------------------------------------------------------------------
@pytest.fixture
def as_root(db: None) -> Client:
    client = Client()
    root = User.objects.create_superuser("root", "", "root's long password")
    client.force_login(root, backend="django.contrib.auth.backends.ModelBackend")
    return client


def leaving(person: User) -> str:
    return f"/admin/conversations/user/{person.pk}/leaving/"


def test_an_administrator_is_offered_the_export_before_the_deletion(
    as_root: Client, alice: User, talk: Conversation
) -> None:
    assert leaving(alice) in as_root.get(f"/admin/conversations/user/{alice.pk}/change/").content.decode()
    assert "Export first" in as_root.get(leaving(alice)).content.decode()
    assert "There is no export" in as_root.post(leaving(alice), {"act": "delete"}).content.decode()
    assert User.objects.filter(pk=alice.pk).exists()
    list(takeout.stream(alice))
    as_root.post(leaving(alice), {"act": "delete"})
    assert not User.objects.filter(pk=alice.pk).exists()


def test_an_export_by_an_administrator_is_a_look_with_a_reason(
    as_root: Client, alice: User, talk: Conversation
) -> None:
    assert as_root.post(leaving(alice), {"act": "export"}).headers["Content-Type"].startswith("text/html")
    assert not Look.objects.exists()
    response = as_root.post(leaving(alice), {"act": "export", "reason": "she leaves us"})
    assert response.headers["Content-Disposition"] == 'attachment; filename="chatsite-alice.zip"'
    look = Look.objects.get()
    assert (look.what, look.owner, look.reason, str(talk.uuid) in look.detail) == (
        "export",
        alice,
        "she leaves us",
        True,
    )


def test_without_review_no_administrator_takes_out_what_others_wrote(
    as_root: Client, alice: User, talk: Conversation, settings: Settings
) -> None:
    settings.CHATSITE_REVIEW = False
    response = as_root.post(leaving(alice), {"act": "export", "reason": "curious"})
    assert response.headers["Content-Type"].startswith("text/html")
    assert "ask the person to download it" in response.content.decode()


def test_other_staff_have_no_such_page(carol: User, alice: User) -> None:
    client = Client()
    client.force_login(carol, backend="django.contrib.auth.backends.ModelBackend")
    for answer in (client.get(leaving(alice)), client.post(leaving(alice), {"act": "delete", "without_export": "yes"})):
        assert answer.status_code == 404
    assert User.objects.filter(pk=alice.pk).exists()


def test_a_shared_prompt_changes_its_owner_by_nobody(
    as_root: Client, alice: User, bob: User, talk: Conversation
) -> None:
    prompt = Prompt.objects.get()
    fields = {"owner": bob.pk, "name": "hello", "text": "corrected", "is_shared": "on"}
    as_root.post(f"/admin/conversations/prompt/{prompt.pk}/change/", fields)
    prompt.refresh_from_db()
    assert (prompt.owner, prompt.text) == (alice, "corrected")


# --- What a deletion leaves -------------------------------------------------------------------------------------------
def test_a_deletion_leaves_no_row_and_no_file(
    alice: User,
    bob: User,
    talk: Conversation,
    idle_engine: IdleEngine,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    """Of everything in the database, whatever table it stands in, but the records of looks."""
    running = Message.objects.get(conversation=talk, status=Status.PENDING)
    picture = Attachment.objects.get(owner=alice)
    with django_capture_on_commit_callbacks(execute=True):
        call_command("person", "delete", "alice", "--without-export", stdout=io.StringIO())
    assert running.pk in idle_engine.cancelled
    assert not default_storage.exists(picture.path)
    assert not default_storage.exists(picture.thumbnail_path)
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f'SELECT * FROM "{table}"')
            assert not [row for row in cursor.fetchall() if "canary" in str(row) or "alice" in str(row)], table
    assert Conversation.objects.filter(owner=bob).count() == 1


def test_another_account_of_the_same_name_inherits_nothing(alice: User, talk: Conversation) -> None:
    client = Client()
    client.force_login(alice, backend="django.contrib.auth.backends.ModelBackend")
    number = alice.pk
    call_command("person", "delete", "alice", "--without-export", stdout=io.StringIO())
    again = User.objects.create_user("alice", "alice@example.com", PASSWORD)
    assert again.pk != number
    assert client.get("/").status_code == 302
    newcomer = Client()
    newcomer.force_login(again, backend="django.contrib.auth.backends.ModelBackend")
    assert newcomer.get(f"/c/{talk.uuid}/").status_code == 404
    assert "canary" not in newcomer.get("/prompts/").content.decode()


def test_a_deletion_by_command_is_refused_without_an_export_or_a_word(
    alice: User, talk: Conversation, tmp_path: Path
) -> None:
    with pytest.raises(CommandError, match="no export newer"):
        call_command("person", "delete", "alice")
    target = tmp_path / "alice.zip"
    target.write_text("mine")
    with pytest.raises(CommandError, match="File exists"):
        call_command("person", "delete", "alice", "--export", str(target))
    assert User.objects.filter(pk=alice.pk).exists()
    call_command("person", "delete", "alice", "--export", str(tmp_path / "new.zip"), stdout=io.StringIO())
    assert not User.objects.filter(pk=alice.pk).exists()
    assert "account.json" in opened((tmp_path / "new.zip").read_bytes())


def test_a_deletion_that_was_interrupted_is_done_again(alice: User, talk: Conversation) -> None:
    conversations.purge(talk)
    call_command("person", "delete", "alice", "--without-export", stdout=io.StringIO())
    assert not User.objects.filter(pk=alice.pk).exists()
