"""Forged orders: models that are closed, budgets that are spent, replies of others, at every address that asks one."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from conversations.generation.answer import Answer
from conversations.models import Budget, Conversation, Message, ProviderCall, User
from conversations.models.message import Status
from conversations.providers.call import Call
from conversations.services import budgets, offers
from tests.conftest import MODEL, IdleEngine
from tests.security import asking
from tests.security.asking import MISSING_UUID, Site

CLOSED = "house/closed"  # for the group that alice is in
SEND = {"text": "hello", "key": "a-fresh-key"}
Order = Callable[[dict[str, Any], str], tuple[str, dict[str, Any]]]

# Everything that lets a model write: with a person's rows and a model it gives an address and what is sent there.
ORDERS: dict[str, Order] = {
    "a new conversation": lambda mine, model: ("/", SEND | {"model": model}),
    "a message": lambda mine, model: (f"/c/{mine['conversation'].uuid}/", SEND | {"model": model}),
    "compared": lambda mine, model: ("/", SEND | {"model": MODEL, "compare": [model]}),
    "a new version": lambda mine, model: (f"/messages/{mine['message'].uuid}/edit/", SEND | {"model": model}),
    "once more": lambda mine, model: (f"/replies/{mine['reply'].uuid}/retry/", {"model": model}),
    "once more beside": lambda mine, model: (f"/replies/{mine['reply beside'].uuid}/retry/", {"model": model}),
    "continued": lambda mine, model: (_by(mine["stopped reply"], model, "continue"), {}),
}
WAITING = {
    "a message that waits": lambda mine, model: (f"/c/{mine['running conversation'].uuid}/", SEND | {"model": model}),
}


def _by(reply: Message, model: str, verb: str) -> str:
    """A reply that this model wrote before it was closed."""
    Message.objects.filter(pk=reply.pk).update(model=model)
    return f"/replies/{reply.uuid}/{verb}/"


@pytest.fixture
def site(db: None, settings: Settings) -> Site:
    site = asking.opened(settings)
    connection = site.alice["connection"]
    type(connection).objects.filter(pk=connection.pk).update(may_be_private=True)
    for one in (site.alice, site.bob):
        one["waiting message"].delete()
    offers.forget()
    return site


def _told(site: Site, name: str, order: Order, model: str) -> tuple[int, int]:
    """The status, and how many replies were asked for by it."""
    mine = site.alice if name == "owner" else site.bob
    with asking.taken_back():
        address, body = order(mine, model)
        before = _asked_for()
        answer = site.send(name, "POST", address, body)
        asked = _asked_for() - before
    site.restore()
    return answer.status_code, asked


def _asked_for() -> int:
    """Messages, and how often a model was let write."""
    return sum(Message.objects.values_list("runs", flat=True))


@pytest.mark.parametrize("what", [*ORDERS, *WAITING])
def test_a_model_of_a_group_is_for_the_group_at_every_address(site: Site, what: str) -> None:
    order = (ORDERS | WAITING)[what]
    assert _told(site, "owner", order, CLOSED)[0] == 303, "it is open to alice"
    status, asked = _told(site, "other", order, CLOSED)
    assert (status // 100, asked) == (4, 0)


@pytest.mark.parametrize("what", ORDERS)
def test_a_spent_budget_is_spent_at_every_address(site: Site, what: str) -> None:
    assert _told(site, "other", ORDERS[what], MODEL)[0] == 303, "there is something left"
    made = Budget.objects.create(scope="each", messages=5, period="month")
    begins = timezone.localdate().replace(day=1)
    made.spendings.create(subject=site.people["other"].pk, begins=begins, messages=5)
    budgets.forget()
    status, asked = _told(site, "other", ORDERS[what], MODEL)
    assert (status // 100, asked) == (4, 0)


def test_a_message_that_waits_is_not_sent_on_a_spent_budget_nor_to_a_closed_model(site: Site) -> None:
    """Sent by a button when the reply before it has ended. A budget keeps it waiting; who asks refuses the model."""
    bob = site.bob["running conversation"]
    running = site.bob["running reply"]
    waiting = Message.objects.create(
        conversation=bob,
        parent=running,
        depth=2,
        role="user",
        sender=site.people["other"],
        status="waiting",
        model=MODEL,
    )
    waiting.parts.create(position=0, kind="text", text="and then?")
    Message.objects.filter(pk=running.pk).update(status=Status.STOPPED, claim="", leased_until=None)
    address = f"/messages/{waiting.uuid}/send/"
    made = Budget.objects.create(scope="each", messages=1, period="month")
    made.spendings.create(subject=waiting.sender_id or 0, begins=timezone.localdate().replace(day=1), messages=1)
    budgets.forget()
    assert site.send("other", "POST", address).status_code // 100 == 4
    waiting.refresh_from_db()
    assert waiting.status == Status.WAITING
    made.delete()
    budgets.forget()
    Message.objects.filter(pk=waiting.pk).update(model=CLOSED)
    calls = ProviderCall.objects.count()
    assert site.send("other", "POST", address).status_code == 303
    reply = waiting.children.get()
    answer = Answer.begin(reply.pk, Call(), fresh=None, parked=lambda: False)
    assert answer is not None
    assert answer.go_on(may_wait=False) is None
    answer.finish()
    reply.refresh_from_db()
    assert (reply.status, reply.error_code) == ("failed", "not_allowed")
    assert ProviderCall.objects.count() == calls


def test_nobody_stops_changes_or_follows_the_running_reply_of_another(
    site: Site, idle_engine: IdleEngine, django_capture_on_commit_callbacks: Any
) -> None:
    running, talk = site.alice["running reply"], site.alice["running conversation"]
    before = asking.digest()
    for method, address in (
        ("POST", f"/c/{talk.uuid}/stop/"), ("POST", f"/c/{talk.uuid}/delete/"), ("POST", f"/c/{talk.uuid}/"),
        ("POST", f"/replies/{running.uuid}/retry/"), ("POST", f"/replies/{running.uuid}/continue/"),
        ("POST", f"/replies/{running.uuid}/pick/"), ("POST", f"/messages/{running.uuid}/fork/"),
        ("POST", f"/messages/{running.uuid}/show/"), ("GET", f"/messages/{running.uuid}/source/"),
    ):  # fmt: skip
        answer = site.send("other", method, address, SEND | {"model": MODEL})
        assert answer.status_code == 404, address
    assert asking.digest() == before
    assert not idle_engine.cancelled
    with django_capture_on_commit_callbacks(execute=True):
        assert site.send("owner", "POST", f"/c/{talk.uuid}/stop/").status_code == 303
    assert idle_engine.cancelled == [running.pk]


@pytest.mark.parametrize("last", ["", "final:{uuid}", "{pk}:0.0.0", "stored", "1:999999.9.9"])
def test_a_replayed_event_id_opens_no_stream_of_another(site: Site, last: str) -> None:
    for row in ("running reply", "reply"):
        reply = site.alice[row]
        replayed = {"Last-Event-ID": last.format(uuid=reply.uuid, pk=reply.pk)}
        theirs = site.ask("other", "GET", f"/replies/{reply.uuid}/events/", **replayed)
        missing = site.ask("other", "GET", f"/replies/{MISSING_UUID}/events/", **replayed)
        assert theirs.status_code == 404
        assert not asking.difference(asking.bare(theirs, str(reply.uuid)), asking.bare(missing, MISSING_UUID))


def test_a_message_of_another_conversation_is_never_put_under_mine(site: Site) -> None:
    """Whatever is sent along as parent, branch or conversation: new messages stand under the end of the own one."""
    mine, theirs = site.alice["conversation"], site.bob["reply"]
    own = site.alice["compared reply"]
    for above in (theirs, own):
        for name in ("parent", "parent_id", "reply", "message", "branch", "after", "continue_from", "conversation"):
            with asking.taken_back():
                body = SEND | {"model": MODEL, name: str(above.uuid), f"{name}_pk": str(above.pk)}
                assert site.send("owner", "POST", f"/c/{mine.uuid}/", body).status_code == 303
                made = Message.objects.filter(role="user").latest("pk")
                assert (made.conversation_id, made.parent_id) == (mine.pk, site.alice["stopped reply"].pk)
                assert Conversation.objects.get(pk=theirs.conversation_id).messages.count() == 4
    assert User.objects.get(pk=site.people["other"].pk).is_active
