"""Reviewing: the whole record for those with the permission, nothing for anybody else, every look recorded."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from conversations.models import Attachment, Conversation, Look, Message, ProviderCall, User
from conversations.models.message import Status
from conversations.services import branches, replies
from conversations.services.replies import NewPiece, Outcome
from tests.conftest import send
from tests.services.photographs import photograph

LIST = "/admin/conversations/conversation/"


@pytest.fixture
def thread(alice: User) -> Conversation:
    """A talk with a picture, a failed reply, and its retry."""
    upload = SimpleUploadedFile("holiday.jpg", photograph(320, 200), "image/jpeg")
    failed = replies.claim(send(alice, "secret <plans>", images=[upload]).reply.pk)
    assert failed is not None
    request = {"messages": [{"role": "user", "content": "secret <plans>"}], "image": "sha256:abc"}
    ProviderCall.objects.create(
        message=failed, attempt=1, model="m", request_deflated=ProviderCall.deflate(request), status_code=402
    )
    replies.finish(failed, Outcome(Status.FAILED, error_code="credits", error_detail="top up"))
    again = replies.claim(branches.regenerate(Message.objects.get(pk=failed.pk)).pk)
    assert again is not None
    replies.write([NewPiece(again.pk, again.claim, 0, "text", "**fine** now")])
    replies.finish(again, Outcome(Status.COMPLETE))
    return again.conversation


@pytest.fixture
def as_carol(carol: User) -> Client:
    client = Client()
    client.force_login(carol, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_a_reviewer_reads_the_whole_thread_and_leaves_a_record(
    as_carol: Client, thread: Conversation, alice: User, carol: User
) -> None:
    page = as_carol.get(f"{LIST}{thread.pk}/change/").content.decode()
    for wanted in ("secret &lt;plans&gt;", "<strong>fine</strong>", "other branch", "top up", "HTTP 402", "sha256:abc"):
        assert wanted in page
    look = Look.objects.get()
    assert (look.reviewer, look.owner, look.conversation, look.what) == (carol, alice, thread.uuid, "thread")


def test_a_reviewer_sees_the_pictures_of_the_thread_alone(as_carol: Client, thread: Conversation, bob: User) -> None:
    upload = SimpleUploadedFile("other.jpg", photograph(300, 200), "image/jpeg")
    other = send(bob, "look", images=[upload]).message.conversation
    mine, others = (Attachment.objects.get(parts__message__conversation=one) for one in (thread, other))
    shown = as_carol.get(f"{LIST}{thread.pk}/pictures/{mine.uuid}/thumbnail/")
    assert shown.status_code == 200
    assert b"".join(shown.streaming_content)  # type: ignore[attr-defined]
    assert as_carol.get(f"{LIST}{thread.pk}/pictures/{others.uuid}/thumbnail/").status_code == 404


@pytest.mark.parametrize("words", ["alice", "alice@example.com", "secret", "gemini-2.5", "credits"])
def test_conversations_are_found_by_person_title_model_and_error(
    as_carol: Client, thread: Conversation, bob: User, words: str
) -> None:
    send(bob, "unrelated", model="segmind/gemini-1.5-pro")
    page = as_carol.get(LIST, {"q": words}).content.decode()
    assert "secret &lt;plans&gt;" in page
    assert "unrelated" not in page


def test_nothing_can_be_added_changed_or_deleted(as_carol: Client, thread: Conversation) -> None:
    assert as_carol.get(f"{LIST}add/").status_code == 403
    assert as_carol.get(f"{LIST}{thread.pk}/delete/").status_code == 403
    page = as_carol.get(f"{LIST}{thread.pk}/change/").content.decode()
    assert 'name="_save"' not in page
    as_carol.post(LIST, {"action": "delete_selected", "_selected_action": [thread.pk]})
    as_carol.post(f"{LIST}{thread.pk}/change/", {"title": "changed"})
    thread.refresh_from_db()
    assert thread.title == "secret <plans>"


def test_staff_without_the_permission_see_no_content_anywhere(thread: Conversation, carol: User) -> None:
    carol.user_permissions.clear()
    from django.contrib.auth.models import Permission

    for codename in ("view_user", "delete_user", "change_user", "view_conversation", "view_message"):
        carol.user_permissions.add(Permission.objects.get(codename=codename))
    client = Client()
    client.force_login(User.objects.get(pk=carol.pk), backend="django.contrib.auth.backends.ModelBackend")
    attachment = Attachment.objects.get()
    for address in (
        LIST,
        f"{LIST}?q=secret",
        f"{LIST}{thread.pk}/change/",
        f"{LIST}{thread.pk}/history/",
        f"{LIST}{thread.pk}/pictures/{attachment.uuid}/original/",
        f"/admin/conversations/user/{thread.owner.pk}/delete/",
        f"/admin/conversations/user/{thread.owner.pk}/change/",
        "/admin/",
    ):
        response = client.get(address)
        assert b"plans" not in getattr(response, "content", b""), address
        assert not response.streaming, address
    assert not Look.objects.exists()


def test_records_of_looks_are_for_superusers_and_cannot_be_changed(
    as_carol: Client, thread: Conversation, admin_client: Client
) -> None:
    as_carol.get(f"{LIST}{thread.pk}/change/")
    look = Look.objects.get()
    assert as_carol.get("/admin/conversations/look/").status_code == 403
    assert "carol" in admin_client.get("/admin/conversations/look/").content.decode()
    assert admin_client.get(f"/admin/conversations/look/{look.pk}/delete/").status_code == 403
    admin_client.post(f"/admin/conversations/look/{look.pk}/change/", {"reviewer_name": "nobody"})
    look.refresh_from_db()
    assert look.reviewer_name == "carol"


def test_requests_are_stored_compressed_and_read_back_whole(alice: User) -> None:
    request = {"messages": [{"role": "user", "content": "ü" * 10_000}]}
    call = ProviderCall(message=send(alice, "x").reply, request_deflated=ProviderCall.deflate(request))
    assert call.request == request
    assert len(call.request_deflated) < len(json.dumps(request)) / 10
