"""The lists of the administration ask few questions, however much is stored: with every filter, order, and search."""

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from conversations.management.crowd import Crowd
from conversations.models import Budget, Conversation, Hold, Invitation, Prompt, Retention, User
from conversations.services import sums
from tests.bench import crowded
from tests.conftest import MODEL

MOST = 10


def fill(root: User) -> None:
    owners = [User.objects.create_user(f"person-{number}") for number in range(4)]
    Crowd([person.pk for person in owners], 60, 4, MODEL).fill()
    for person in owners:
        Invitation.objects.create(digest=person.username, inviter=root, person=person, expires_at=person.date_joined)
        Prompt.objects.create(owner=person, name=person.username, text="x", is_shared=True)
        Budget.objects.create(scope="person", person=person, messages=5)
        Hold.objects.create(reason="kept", person=person, conversation=Conversation.objects.all()[person.pk % 60])
    Retention.objects.create(days=300)


def test_no_list_asks_more_than_ten_questions(admin_client: Client, admin_user: User) -> None:
    fill(admin_user)
    address = f"{crowded.ADMIN}conversation/"
    assert admin_client.post(address, {"reason": "measuring"}).status_code == 303
    words = {f"conversations ?{query}": f"{address}?{query}" for query in crowded.SEARCHES}
    usage = {f"by {by}": f"{crowded.ADMIN}ledgerentry/?by={by}&days=365" for by in ("day", "person", "group", "model")}
    for _is_added_up in (False, True):
        found = dict(crowded.lists(admin_client)) | words | usage
        asked = {name: crowded.questions(admin_client, address)[1] for name, address in found.items()}
        assert len(asked) > 60
        assert {name: count for name, count in asked.items() if count > MOST} == {}
        sums.add_up()


def test_a_person_s_usage_asks_as_much_for_many_calls_as_for_none(admin_client: Client, admin_user: User) -> None:
    def count() -> int:
        admin_client.get("/settings/usage/")
        with CaptureQueriesContext(connection) as captured:
            assert admin_client.get("/settings/usage/?days=365").status_code == 200
        return len(captured)

    before = count()
    Crowd([admin_user.pk], 60, 4, MODEL).fill()
    assert count() == before
    sums.add_up()
    assert count() == before <= MOST
