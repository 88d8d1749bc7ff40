"""Reviewing: the whole record for those with the permission, nothing for anybody else, every look recorded."""

import json
import re
from datetime import timedelta

import pytest
import time_machine
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from conversations.models import Attachment, Conversation, Look, Message, Prompt, ProviderCall, User
from conversations.models.message import Status
from conversations.services import branches, finding, replies
from conversations.services.replies import NewPiece, Outcome
from tests.conftest import send
from tests.services.photographs import photograph

LIST = "/admin/conversations/conversation/"
WHY = "a complaint about this talk"


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


def state(client: Client, conversation: Conversation | None = None, reason: str = WHY) -> None:
    """Say why; without a conversation for lists."""
    address = f"{LIST}{conversation.pk}/reason/" if conversation else LIST
    assert client.post(address, {"reason": reason}).status_code == 303


def test_a_reviewer_reads_the_whole_thread_and_leaves_a_record(
    as_carol: Client, thread: Conversation, alice: User, carol: User
) -> None:
    state(as_carol, thread)
    page = as_carol.get(f"{LIST}{thread.pk}/change/").content.decode()
    for wanted in ("secret &lt;plans&gt;", "<strong>fine</strong>", "other branch", "top up", "HTTP 402", "sha256:abc"):
        assert wanted in page
    look = Look.objects.get()
    assert (look.reviewer, look.owner, look.conversation, look.what) == (carol, alice, thread.uuid, "thread")
    assert look.reason == WHY


def test_a_search_looks_into_titles_for_a_reason_only(as_carol: Client, thread: Conversation) -> None:
    def finds(words: str) -> bool:
        return f"{LIST}{thread.pk}/change/" in as_carol.get(LIST, {"q": words}).content.decode()

    titles, others = ("secret", '"secret <plans>"', "alice plans"), ("alice", "ALICE gemini", "credits")
    assert [finds(words) for words in titles] == [False, False, False]
    assert [finds(words) for words in others] == [True, True, True]
    state(as_carol)
    assert [finds(words) for words in (*titles, *others)] == [True] * 6
    assert [finds(words) for words in ("secret bob", "nobody", "timeout")] == [False, False, False]


def test_nothing_is_shown_before_a_reason_is_stated_for_that_very_conversation(
    as_carol: Client, thread: Conversation, bob: User
) -> None:
    state(as_carol, send(bob, "another").message.conversation)
    state(as_carol)
    picture = Attachment.objects.get()
    assert as_carol.get(f"{LIST}{thread.pk}/pictures/{picture.uuid}/original/").status_code == 404
    asked = as_carol.get(f"{LIST}{thread.pk}/change/", follow=True)
    assert asked.redirect_chain == [(f"{LIST}{thread.pk}/reason/", 302)]
    assert "plans" not in asked.content.decode()
    assert WHY in asked.content.decode()  # offered, as it was said last
    assert as_carol.post(f"{LIST}{thread.pk}/reason/", {"reason": "  x  "}).status_code == 422
    assert not Look.objects.filter(what="thread").exists()


def test_a_reason_holds_for_a_working_day(as_carol: Client, thread: Conversation) -> None:
    with time_machine.travel("2026-03-01 08:00+00:00", tick=False) as clock:
        state(as_carol, thread)
        clock.shift(7 * 3600)
        assert as_carol.get(f"{LIST}{thread.pk}/change/").status_code == 200
        clock.shift(3600)
        assert as_carol.get(f"{LIST}{thread.pk}/change/").status_code == 302


def test_titles_are_listed_once_a_reason_is_stated_and_each_list_is_recorded(
    as_carol: Client, thread: Conversation, alice: User, bob: User
) -> None:
    send(bob, "unrelated")
    page = as_carol.get(LIST).content.decode()
    assert str(thread.uuid)[:8] in page
    assert "plans" not in page
    assert not Look.objects.exists()
    state(as_carol)
    assert "secret &lt;plans&gt;" in as_carol.get(LIST).content.decode()
    looks = {look.owner_name: look for look in Look.objects.all()}
    assert set(looks) == {"alice", "bob"}
    assert (looks["alice"].what, looks["alice"].reason, looks["alice"].detail) == ("list", WHY, str(thread.uuid))
    assert as_carol.get(LIST, {"q": "nothing like it"}).status_code == 200
    last = Look.objects.first()
    assert last is not None
    assert (last.what, last.owner, last.detail) == ("search", None, '{"q": "nothing like it"}')


def test_the_second_page_of_the_list_shows_and_records_the_rest_alone(as_carol: Client, alice: User) -> None:
    moment = timezone.now()
    Conversation.objects.bulk_create(
        Conversation(owner=alice, title=f"talk <{number}>", active_at=moment - timedelta(minutes=number))
        for number in range(53)
    )
    state(as_carol)
    page = as_carol.get(LIST, {"p": "2"}).content.decode()
    assert re.findall(r"talk &lt;(\d+)&gt;", page) == ["50", "51", "52"]
    rest = Conversation.objects.filter(title__in=("talk <50>", "talk <51>", "talk <52>"))
    look = Look.objects.get()
    assert all(str(one.uuid) in look.detail for one in rest)
    assert "talk" not in look.detail


@pytest.mark.parametrize("name", ["title__startswith", "title", "owner__password__startswith", "messages__parts__text"])
def test_no_condition_in_an_address_tells_what_is_not_shown(as_carol: Client, thread: Conversation, name: str) -> None:
    state(as_carol)
    refused = as_carol.get(LIST, {name: "secret"})
    assert (refused.status_code, "plans" in refused.content.decode()) == (400, False)
    assert not Look.objects.exists()


def test_words_in_messages_are_found_and_the_search_is_recorded(
    as_carol: Client, thread: Conversation, bob: User
) -> None:
    send(bob, "unrelated")
    assert "unrelated" not in as_carol.get(LIST, {"words": "relate"}).content.decode()
    state(as_carol)
    page = as_carol.get(LIST, {"words": "FINE"}).content.decode()
    assert "secret &lt;plans&gt;" in page
    assert "unrelated" not in page
    look = Look.objects.get()
    assert (look.what, look.owner_name) == ("search", "alice")
    assert '"words": "FINE"' in look.detail


def test_a_search_goes_back_stretch_by_stretch(alice: User, bob: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "STRETCH", 2)
    old = send(alice, "the needle").message.conversation
    for number in range(3):
        send(bob, f"hay {number}")
    back, stretches = None, 0
    while True:
        found = finding.saying("NEEDLE", back)
        stretches += 1
        if found.back is None:
            break
        assert not found.conversations
        back = found.back
    assert (found.conversations, stretches) == ({old.pk}, 2)


def test_long_threads_come_page_by_page(
    as_carol: Client, alice: User, conversation: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(alice, "first words", conversation)
    monkeypatch.setattr("conversations.admin.threads.PAGE_LENGTH", 1)
    state(as_carol, conversation)
    address = f"{LIST}{conversation.pk}/change/"
    assert "first words" in as_carol.get(address).content.decode()
    second = as_carol.get(address, {"page": "2"}).content.decode()
    assert 'data-role="assistant"' in second
    assert 'data-role="user"' not in second
    assert list(Look.objects.values_list("detail", flat=True)) == ["page 2", "page 1"]


def test_where_nobody_reviews_not_even_the_permission_opens_anything(
    as_carol: Client, thread: Conversation, settings: Settings
) -> None:
    settings.CHATSITE_REVIEW = False
    for address in (LIST, f"{LIST}{thread.pk}/change/", f"{LIST}{thread.pk}/reason/"):
        assert as_carol.get(address).status_code in (403, 404)


def test_a_reviewer_sees_the_pictures_of_the_thread_alone(as_carol: Client, thread: Conversation, bob: User) -> None:
    upload = SimpleUploadedFile("other.jpg", photograph(300, 200), "image/jpeg")
    other = send(bob, "look", images=[upload]).message.conversation
    state(as_carol, thread)
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
    state(as_carol)
    page = as_carol.get(LIST, {"q": words}).content.decode()
    assert "secret &lt;plans&gt;" in page
    assert "unrelated" not in page


def test_nothing_can_be_added_changed_or_deleted(as_carol: Client, thread: Conversation) -> None:
    assert as_carol.get(f"{LIST}add/").status_code == 403
    assert as_carol.get(f"{LIST}{thread.pk}/delete/").status_code == 403
    state(as_carol, thread)
    page = as_carol.get(f"{LIST}{thread.pk}/change/").content.decode()
    assert 'name="_save"' not in page
    as_carol.post(LIST, {"action": "delete_selected", "_selected_action": [thread.pk]})
    as_carol.post(f"{LIST}{thread.pk}/change/", {"title": "changed"})
    thread.refresh_from_db()
    assert thread.title == "secret <plans>"


def addresses_of_the_admin() -> list[str]:
    """Every address of the administration, with the primary keys of everything that is stored in the place of one."""
    found = []
    for pattern in admin.site.urls[0]:
        for one in getattr(pattern, "url_patterns", [pattern]):
            route = str(pattern.pattern) + (str(one.pattern) if one is not pattern else "")
            found.append("/admin/" + re.sub(r"\\(.)", r"\1", route.strip("^$")))
    return found


def test_staff_without_the_permission_see_no_content_anywhere(thread: Conversation, carol: User) -> None:
    """With every other permission there is, at every address of the administration."""
    Prompt.objects.create(owner=thread.owner, name="plans-a", text="plans")
    carol.user_permissions.set(Permission.objects.exclude(codename="review_conversations"))
    client = Client()
    client.force_login(User.objects.get(pk=carol.pk), backend="django.contrib.auth.backends.ModelBackend")
    attachment, seen = Attachment.objects.get(), 0
    visited: set[str] = set()
    for route in addresses_of_the_admin():
        for pk in (thread.pk, thread.owner.pk, 1):
            values = {"uuid": str(attachment.uuid), "int": str(pk), "path": str(pk), "str": "original"}
            address = re.sub(r"<(\w+):\w+>", lambda found, values=values: values[found[1]], route)  # type: ignore[misc]
            address = re.sub(r"\(.*\)", "conversations", address.replace("<id>", str(pk)))
            for asked in {address, f"{address}?q=secret", f"{address}?words=secret"} - visited:
                visited.add(asked)
                response = client.get(asked)
                seen += response.status_code == 200
                assert b"plans" not in getattr(response, "content", b""), asked
                assert not response.streaming or response["Content-Type"] != "image/jpeg", asked
    assert seen > 20
    assert not Look.objects.exists()


def test_staff_without_the_permission_cannot_even_say_why(thread: Conversation, carol: User) -> None:
    carol.user_permissions.set(Permission.objects.exclude(codename="review_conversations"))
    client = Client()
    client.force_login(User.objects.get(pk=carol.pk), backend="django.contrib.auth.backends.ModelBackend")
    for address in (LIST, f"{LIST}{thread.pk}/reason/"):
        assert client.post(address, {"reason": WHY}).status_code in (403, 404)
    assert "reasons" not in client.session
    for address in (LIST, f"{LIST}{thread.pk}/change/", f"{LIST}{thread.pk}/history/"):
        assert client.get(address).status_code in (302, 403, 404)
    assert not Look.objects.exists()


def test_records_of_looks_are_for_superusers_and_cannot_be_changed(
    as_carol: Client, thread: Conversation, admin_client: Client
) -> None:
    state(as_carol, thread)
    as_carol.get(f"{LIST}{thread.pk}/change/")
    look = Look.objects.get()
    assert as_carol.get("/admin/conversations/look/").status_code == 403
    assert "carol" in admin_client.get("/admin/conversations/look/").content.decode()
    assert admin_client.get(f"/admin/conversations/look/{look.pk}/delete/").status_code == 403
    admin_client.post(f"/admin/conversations/look/{look.pk}/change/", {"reviewer_name": "nobody"})
    look.refresh_from_db()
    assert look.reviewer_name == "carol"


@pytest.mark.parametrize(
    "model",
    ["mfa/authenticator", "socialaccount/socialaccount", "socialaccount/socialapp", "socialaccount/socialtoken"],
)
def test_not_even_administrators_have_pages_of_secrets(admin_client: Client, model: str) -> None:
    assert admin_client.get(f"/admin/{model}/").status_code == 404


@pytest.mark.parametrize("model", ["account/emailaddress", "auth/group"])
def test_addresses_and_rights_are_for_administrators(admin_client: Client, carol: User, model: str) -> None:
    assert admin_client.get(f"/admin/{model}/add/").status_code == 200
    carol.user_permissions.set(Permission.objects.all())
    client = Client()
    client.force_login(User.objects.get(pk=carol.pk), backend="django.contrib.auth.backends.ModelBackend")
    page = client.get(f"/admin/{model}/add/")
    assert page.status_code == 403 or 'name="permissions"' not in page.content.decode()


def test_what_lists_of_rows_call_a_row_tells_nothing_of_what_is_in_it(thread: Conversation) -> None:
    picture = Attachment.objects.get()
    assert (str(thread), str(picture)) == (f"conversation {thread.uuid}", f"image/jpeg {picture.uuid}")


def test_requests_are_stored_compressed_and_read_back_whole(alice: User) -> None:
    request = {"messages": [{"role": "user", "content": "ü" * 10_000}]}
    call = ProviderCall(message=send(alice, "x").reply, request_deflated=ProviderCall.deflate(request))
    assert call.request == request
    assert len(call.request_deflated) < len(json.dumps(request)) / 10
