"""The work of reviewers: a queue of flagged conversations, decided on one by one; branches side by side; exports."""

import json

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from conversations.models import Case, Flag, Label, Look, Message, Note, Rule, User
from conversations.models.work import Cause, Progress
from conversations.services import branches, cases
from tests.conftest import send
from tests.views.test_ratings import answered

QUEUE = "/admin/conversations/case/"
TALKS = "/admin/conversations/conversation/"
WHY = "a complaint"


@pytest.fixture
def as_carol(carol: User) -> Client:
    client = Client()
    client.force_login(carol, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def reply(alice: User) -> Message:
    alice.first_name, alice.last_name = "Alice", "Jones"
    alice.save()
    return answered(alice, "Write to Jones, alice@example.com", "Dear Jones, done.")


@pytest.fixture
def case(reply: Message) -> Case:
    return cases.report(reply, "It was rude.").case


def page_of(case: Case) -> str:
    return f"{QUEUE}{case.pk}/change/"


def state(client: Client, case: Case) -> None:
    asked = client.get(page_of(case))
    assert asked.status_code == 302
    stated = client.post(asked.headers["Location"], {"reason": WHY})
    assert (stated.status_code, stated.headers["Location"]) == (303, page_of(case))


def test_the_queue_lists_why_and_whose_and_no_content(as_carol: Client, case: Case) -> None:
    page = as_carol.get(QUEUE).content.decode()
    for wanted in ("reported by its owner", "alice", page_of(case)):
        assert wanted in page
    assert "rude" not in page
    assert "Write to" not in page


def test_a_case_shows_the_conversation_for_a_reason_and_the_look_is_recorded(as_carol: Client, case: Case) -> None:
    assert "rude" not in as_carol.get(page_of(case), follow=True).content.decode()
    state(as_carol, case)
    page = as_carol.get(page_of(case)).content.decode()
    for wanted in ("It was rude.", "Dear Jones, done.", "Unfinished cases: 1"):
        assert wanted in page
    assert list(Look.objects.values_list("owner_name", "what", "reason")) == [("alice", "thread", WHY)]


def test_a_case_is_assigned_labelled_noted_and_finished_and_the_next_one_comes(
    as_carol: Client, case: Case, bob: User, carol: User
) -> None:
    following = cases.flag(send(bob, "next").message.conversation, Cause.REVIEWER).case
    state(as_carol, case)
    kept: dict[str, str | int] = {
        "status": "working",
        "assignee": carol.pk,
        "label": "rude",
        "note": "Asked the vendor.",
        "save": "",
    }
    assert as_carol.post(page_of(case), kept).headers["Location"] == page_of(case)
    case.refresh_from_db()
    assert (case.status, case.assignee, case.closed_at) == (Progress.WORKING, carol, None)
    note = Note.objects.get()
    assert (note.text, note.author_name) == ("Asked the vendor.", "carol")
    page = as_carol.get(page_of(case)).content.decode()
    assert "Asked the vendor." in page
    rude = Label.objects.get(name="rude")
    done = as_carol.post(page_of(case), {"status": "working", "labels": rude.pk, "done": ""}, follow=True)
    assert done.redirect_chain[-2][0] == page_of(following)
    case.refresh_from_db()
    assert (case.status, case.closed_at is not None, list(case.labels.all())) == (Progress.DONE, True, [rude])
    assert page_of(case) not in as_carol.get(QUEUE).content.decode()
    assert page_of(case) in as_carol.get(QUEUE, {"status": "done"}).content.decode()
    assert page_of(case) in as_carol.get(QUEUE, {"status": "all", "labels__id__exact": str(rude.pk)}).content.decode()


def test_a_whole_queue_is_worked_through_by_two_answers_for_each(as_carol: Client, alice: User) -> None:
    count = 12
    for number in range(count):
        cases.flag(send(alice, f"talk {number}", key=f"k{number}").message.conversation, Cause.SAMPLE)
    address, seen = f"{QUEUE}next/", 0
    while True:
        asked = as_carol.get(address, follow=True)
        if "Nothing is left" in asked.content.decode():
            break
        seen += 1
        where = asked.redirect_chain[-1][0]
        opened = as_carol.post(where, {"reason": asked.context["form"].initial["reason"] or WHY}, follow=True)
        assert f"talk {seen - 1}" in opened.content.decode()
        address = as_carol.post(opened.redirect_chain[-1][0], {"status": "open", "done": ""}).headers["Location"]
    assert seen == count
    assert set(Look.objects.filter(what="thread").values_list("reason", flat=True)) == {WHY}
    assert Look.objects.filter(what="thread").count() == count


def test_cases_of_others_are_not_my_turn_and_what_is_skipped_comes_again(
    carol: User, admin_user: User, alice: User
) -> None:
    made = [cases.flag(send(alice, "x", key=f"k{n}").message.conversation, Cause.SAMPLE).case for n in range(3)]
    Case.objects.filter(pk=made[1].pk).update(assignee=admin_user)
    assert cases.next_for(carol) == made[0]
    assert cases.next_for(carol, made[0]) == made[2]
    assert cases.next_for(carol, made[2]) == made[0]
    assert cases.next_for(admin_user, made[0]) == made[1]


def test_a_finished_case_is_flagged_anew_as_another_one(case: Case, carol: User) -> None:
    cases.work_on(case, carol, status=Progress.DISMISSED, assignee=None, labels=[])
    again = cases.flag(case.conversation, Cause.COST).case
    assert again != case
    assert cases.flag(case.conversation, Cause.SAMPLE).case == again


@pytest.mark.parametrize(
    ("asked", "is_listed"),
    [
        ({"cause": "reported"}, True),
        ({"cause": "cost"}, False),
        ({"assigned": "nobody"}, True),
        ({"assigned": "me"}, False),
        ({"status": "open"}, True),
        ({"status": "dismissed"}, False),
        ({"q": "alice"}, True),
        ({"q": "bob"}, False),
    ],
)
def test_the_queue_is_filtered(as_carol: Client, case: Case, asked: dict[str, str], is_listed: bool) -> None:
    assert (page_of(case) in as_carol.get(QUEUE, asked).content.decode()) == is_listed


@pytest.mark.parametrize(
    ("asked", "is_listed"),
    [({"flag": "any"}, True), ({"flag": "reported"}, True), ({"flag": "cost"}, False), ({"rating": "1"}, False)],
)
def test_conversations_are_found_by_flag_and_rating(
    as_carol: Client, case: Case, asked: dict[str, str], is_listed: bool
) -> None:
    assert (str(case.conversation.uuid)[:8] in as_carol.get(TALKS, asked).content.decode()) == is_listed


def test_a_reviewer_puts_a_conversation_into_the_queue(as_carol: Client, reply: Message) -> None:
    assert as_carol.get(f"{TALKS}{reply.conversation_id}/flag/").status_code == 405
    sent = as_carol.post(f"{TALKS}{reply.conversation_id}/flag/")
    assert sent.headers["Location"] == page_of(Case.objects.get())
    assert Flag.objects.get().cause == Cause.REVIEWER


def test_branches_stand_side_by_side(as_carol: Client, reply: Message) -> None:
    asked = reply.parent
    assert asked is not None
    branches.regenerate(reply)
    address = f"{TALKS}{reply.conversation_id}/branches/{asked.pk}/"
    assert as_carol.get(address).status_code == 302
    as_carol.post(f"{TALKS}{reply.conversation_id}/reason/", {"reason": WHY})
    assert address in as_carol.get(f"{TALKS}{reply.conversation_id}/change/").content.decode()
    page = as_carol.get(address).content.decode()
    assert (page.count('aria-label="Branch '), page.count('data-role="assistant"')) == (2, 2)
    assert Look.objects.filter(what="branches").exists()
    assert as_carol.get(f"{TALKS}{reply.conversation_id}/branches/999999/").status_code == 404


def test_the_record_is_exported_whole_or_with_names_masked_and_each_export_recorded(
    as_carol: Client, reply: Message
) -> None:
    address = f"{TALKS}{reply.conversation_id}/export/"
    assert as_carol.get(address).status_code == 302
    as_carol.post(f"{TALKS}{reply.conversation_id}/reason/", {"reason": WHY})
    whole = json.loads(as_carol.get(address, {"whole": ""}).content)
    assert whole["owner"] == "alice"
    assert [one["parts"][0]["text"] for one in whole["messages"]] == [
        "Write to Jones, alice@example.com",
        "Dear Jones, done.",
    ]
    assert whole["messages"][1]["parent"] == whole["messages"][0]["uuid"]
    text = as_carol.get(address).content.decode()
    assert "Dear [person 1], done." in text
    for name in ("jones", "alice", "example.com"):
        assert name not in text.lower()
    assert list(Look.objects.values_list("what", flat=True)) == ["export-redacted", "export"]


def test_nothing_of_the_queue_is_for_others(as_alice: Client, case: Case) -> None:
    for address in (QUEUE, f"{QUEUE}next/", page_of(case), f"{TALKS}{case.conversation_id}/export/"):
        assert as_alice.get(address).status_code == 302  # to the login of the administration


def test_rules_say_what_they_need(admin_client: Client) -> None:
    add = "/admin/conversations/rule/add/"
    wrong = admin_client.post(add, {"name": "x", "kind": "cost", "enabled": "on"})
    assert "This kind of rule needs it." in wrong.content.decode()
    wrong = admin_client.post(add, {"name": "x", "kind": "words", "words": "a*b*c*d*"})
    assert "three stars" in wrong.content.decode()
    assert admin_client.post(add, {"name": "x", "kind": "words", "words": "bomb"}).status_code == 302
    assert Rule.objects.get().words == "bomb"


@pytest.mark.parametrize("address", [QUEUE, TALKS, "/admin/conversations/rating/", "/admin/conversations/look/"])
def test_lists_take_ten_queries_at_most_however_much_they_show(
    as_carol: Client,
    admin_client: Client,
    alice: User,
    bob: User,
    address: str,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for number in range(12):
        reply = answered((alice, bob)[number % 2], "x", "y", key=f"k{number}")
        cases.report(reply, "z").case.labels.add(Label.objects.get_or_create(name="l")[0])
    client = admin_client if "look" in address else as_carol
    with django_assert_max_num_queries(10):
        assert client.get(address).status_code == 200
    if address != QUEUE:
        client.post(address, {"reason": WHY})
        with django_assert_max_num_queries(12):  # two of them are savepoints: a transaction of its own otherwise
            assert client.get(address).status_code == 200
