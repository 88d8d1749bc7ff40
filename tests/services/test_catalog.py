"""Which models are on offer, and to whom; what the tables say goes before what this version says."""

import io
import zipfile
from decimal import Decimal

import pytest
from django.contrib.auth.models import Group
from django.db import IntegrityError
from pytest_django import DjangoAssertNumQueries, Settings

from conversations.generation.answer import Answer
from conversations.models import Connection, Conversation, Message, OfferedModel, OwnKey, ProviderCall, User
from conversations.models.message import Status
from conversations.providers.call import Call
from conversations.providers.errors import NotAllowed, NotConfigured
from conversations.services import branches, catalog, connections, messages, offers, replies, takeout
from conversations.services.errors import Refusal
from conversations.services.offers import Prices
from conversations.services.replies import NewPiece, Outcome
from tests.conftest import MODEL, send
from tests.connected import KEY, connect, offer
from tests.serving import until


def ids(person: User | None = None) -> list[str]:
    return [offer.model.id for offer in catalog.offers(person.pk if person else None)]


@pytest.fixture
def group(db: None) -> Group:
    return Group.objects.create(name="artists")


# What is set up


def test_a_connection_offers_its_models_with_its_address_and_key(alice: User) -> None:
    connection = connect(auth="x-api-key", headers="X-Gate: secret-of-a-gate", may_be_private=True)
    offer(connection, "chat", label="House chat", description="Ours.", sees_pictures=True, context_window=1000)
    assert ids(alice)[-1] == "house/chat"
    found = catalog.find("house/chat", alice.pk)
    assert (found.model.name, found.model.label, found.description) == ("chat", "House chat", "Ours.")
    assert (found.model.sees_images, found.model.context_window) == (True, 1000)
    endpoint = catalog.endpoint(found, alice.pk)
    assert (endpoint.base_url, endpoint.key, endpoint.auth) == ("https://models.example/v1", KEY, "x-api-key")
    assert (endpoint.headers, endpoint.public_only) == ((("X-Gate", "secret-of-a-gate"),), False)


def test_an_endpoint_is_held_to_the_public_internet_unless_that_is_allowed(alice: User) -> None:
    offer(connect())
    assert catalog.endpoint(catalog.find("house/chat")).public_only


def test_everything_said_of_a_model_reaches_the_request(db: None) -> None:
    row = offer(
        connect(),
        streams=False,
        draws_pictures=True,
        output_limit=50,
        default_temperature=0.2,
        default_max_tokens=40,
        extra={"top_p": 0.5},
        request_form="gemini_wrapped",
        system_mode="prepend",
        auth="x-goog-api-key",
        image_only_text="Look.",
        limit_field="max_completion_tokens",
        stream_usage=False,
    )
    model = catalog.find(str(row)).model
    assert (model.streams, model.draws_images, model.output_limit, model.temperature) == (False, True, 50, 0.2)
    assert (model.extra, model.dialect, model.auth) == ((("top_p", 0.5),), "gemini_wrapped", "x-goog-api-key")
    quirks = model.quirks
    assert (quirks.system_mode, quirks.default_max_tokens, quirks.image_only_text) == ("prepend", 40, "Look.")
    assert (quirks.limit_field, quirks.stream_usage, quirks.send_model_field) == ("max_completion_tokens", False, True)


@pytest.mark.parametrize(
    ("kind", "form", "path", "names_model"),
    [
        ("openai", "openai_chat", "/chat/completions", True),
        ("gemini", "gemini", "/models/{name}:generateContent", False),
        ("segmind", "openai_chat", "/{name}", False),
        ("aimlapi", "openai_chat", "/chat/completions", True),
    ],
)
def test_each_kind_is_asked_in_its_own_way(db: None, kind: str, form: str, path: str, names_model: bool) -> None:
    found = catalog.find(str(offer(connect(kind=kind))))
    assert (found.model.dialect, found.vendor.path) == (form, path)
    assert found.model.quirks.send_model_field is names_model


@pytest.mark.parametrize("what", ["model", "connection", "key"])
def test_what_is_switched_off_or_without_a_key_is_not_on_offer(alice: User, what: str) -> None:
    connection = connect(key="" if what == "key" else KEY, is_enabled=what != "connection")
    offer(connection, is_enabled=what != "model")
    assert "house/chat" not in ids(alice) + ids()
    with pytest.raises(NotConfigured):
        catalog.find("house/chat")
    assert catalog.label("house/chat") == "Chat"


def test_an_endpoint_that_needs_no_key_is_on_offer_without_one(alice: User) -> None:
    offer(connect(key="", auth="none"))
    assert "house/chat" in ids(alice)


def test_prices_are_exact_and_unknown_where_nobody_named_them(db: None) -> None:
    connection = connect()
    offer(connection, "free")
    offer(connection, "dear", price_input=Decimal("0.075"), price_picture=Decimal("0.00000001"), currency="EUR")
    assert catalog.find("house/free").prices is None
    assert catalog.find("house/dear").prices == Prices("EUR", input=Decimal("0.075"), picture=Decimal("0.00000001"))


def test_a_negative_price_is_not_stored(db: None) -> None:
    with pytest.raises(IntegrityError):
        offer(connect(), price_output=Decimal("-1"))


# The vendors of this version


def test_a_key_of_the_environment_goes_before_a_stored_one(db: None, settings: Settings) -> None:
    connect("segmind", kind="segmind", base_url="https://elsewhere.example")
    assert catalog.endpoint(catalog.find("segmind/gemini-1.5-pro")).key == "segmind-key-for-tests"
    settings.PROVIDER_ENDPOINTS = {"segmind": ("", ""), "aimlapi": ("", "")}
    endpoint = catalog.endpoint(catalog.find("segmind/gemini-1.5-pro"))
    assert (endpoint.base_url, endpoint.key) == ("https://elsewhere.example", KEY)


def test_registered_vendors_are_asked_exactly_as_before(db: None) -> None:
    before = catalog.offers()
    connections.register_vendors()
    connections.register_vendors()
    offers.forget()
    after = catalog.offers()
    assert [found.model for found in after] == [found.model for found in before]
    assert [found.description for found in after] == [found.description for found in before]
    assert [catalog.endpoint(one) for one in after] == [catalog.endpoint(one) for one in before]
    assert Connection.objects.count() == 3


def test_what_an_administrator_says_of_a_model_of_this_version_holds(alice: User) -> None:
    connections.register_vendors()
    OfferedModel.objects.filter(name="gemini-1.5-pro").update(label="Old one", description="Ours.", price_input=1)
    OfferedModel.objects.filter(name="gemini-2.5-flash").update(is_enabled=False)
    offers.forget()
    found = catalog.find("segmind/gemini-1.5-pro")
    assert (found.model.label, found.description, found.prices) == ("Old one", "Ours.", Prices("USD", Decimal(1)))
    assert "segmind/gemini-2.5-flash" not in ids(alice)


# Groups


@pytest.fixture
def restricted(group: Group) -> str:
    return str(offer(connect(), groups=(group,)))


def test_a_model_of_a_group_is_on_offer_to_its_people_alone(
    alice: User, bob: User, group: Group, restricted: str
) -> None:
    alice.groups.add(group)
    assert restricted in ids(alice)
    assert restricted not in ids(bob)
    assert restricted not in [model for model, _label in catalog.choices(person=bob.pk)]
    with pytest.raises(NotAllowed):
        catalog.find(restricted, bob.pk)


def refused() -> "pytest.RaisesExc[Refusal]":
    return pytest.raises(Refusal, match="open to certain groups only")


def test_sending_and_comparing_with_a_model_of_others_is_refused(alice: User, restricted: str) -> None:
    with refused():
        send(alice, "Hi", model=restricted)
    with refused():
        send(alice, "Hi", compare=[restricted])
    assert not Message.objects.exists()


@pytest.fixture
def ended(alice: User, group: Group, restricted: str) -> Message:
    """A reply, stopped, of a model that its owner may not use any more."""
    alice.groups.add(group)
    reply = replies.claim(send(alice, "Hi", model=restricted).reply.pk)
    assert reply
    replies.write([NewPiece(reply.pk, reply.claim, 0, "text", "Well")])
    replies.finish(reply, Outcome(Status.STOPPED))
    alice.groups.remove(group)
    return Message.objects.get(pk=reply.pk)


def test_a_conversation_that_used_the_model_does_not_go_on_with_it(alice: User, ended: Message, group: Group) -> None:
    conversation = ended.conversation
    with refused():
        send(alice, "And?", conversation, model=conversation.model)
    with refused():
        branches.regenerate(ended)
    with refused():
        branches.regenerate(ended, conversation.model)
    with refused():
        messages.go_on(ended)
    assert branches.regenerate(ended, MODEL).model == MODEL
    assert Conversation.objects.get() == conversation


def test_a_reply_is_not_asked_for_where_the_model_was_closed_since_it_was_sent(
    alice: User, group: Group, restricted: str
) -> None:
    alice.groups.add(group)
    reply = send(alice, "Hi", model=restricted).reply
    alice.groups.remove(group)
    answer = Answer.begin(reply.pk, Call(), fresh=None, parked=lambda: False)
    assert answer
    assert answer.go_on(may_wait=False) is None
    answer.finish()
    reply.refresh_from_db()
    assert (reply.status, reply.error_code) == ("failed", "not_allowed")
    assert not ProviderCall.objects.exists()


def test_a_send_costs_no_statement_more_for_connections_and_groups(
    alice: User, group: Group, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    connection = connect()
    offer(connection, groups=(group,))
    offer(connection, "open")
    catalog.offers()
    with django_assert_num_queries(0):
        catalog.check(MODEL, alice.pk, has_pictures=True)
        catalog.check("house/open", alice.pk, has_pictures=False)
        catalog.endpoint(catalog.find("house/open", alice.pk), alice.pk)


def test_what_is_remembered_ends_by_itself_and_by_change(
    db: None, settings: Settings, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    settings.OFFERS_LIFE = 0.0
    offers.forget()
    connection = connect()
    offer(connection)
    assert "house/chat" in ids()
    OfferedModel.objects.update(is_enabled=False)
    assert "house/chat" not in ids()
    settings.OFFERS_LIFE = 3600.0
    ids()
    with django_assert_num_queries(0):
        ids()
    offers.forget()
    with django_assert_num_queries(3):  # connections, models, groups
        ids()


def test_a_model_that_another_process_has_just_stored_is_found_at_once(alice: User, settings: Settings) -> None:
    settings.OFFERS_LIFE = 3600.0
    connection = connect()
    ids()
    OfferedModel.objects.create(connection=connection, name="new")  # and nobody tells this process
    assert "house/new" not in ids()
    until(lambda: is_found("house/new"), "a second look", 5)
    catalog.check("house/new", alice.pk, has_pictures=False)
    assert "house/new" in ids()


def is_found(model_id: str) -> bool:
    try:
        return bool(catalog.find(model_id))
    except NotConfigured:
        return False


# Keys that people bring


@pytest.fixture
def brought(db: None) -> Connection:
    """A connection without a key that everybody shares."""
    connection = connect(key="", takes_own_keys=True)
    offer(connection)
    return connection


def test_who_brings_a_key_gets_the_models_and_sends_with_it(alice: User, bob: User, brought: Connection) -> None:
    connections.bring_key(alice, brought, " alices-own-key-987654321\n")
    assert "house/chat" in ids(alice)
    assert "house/chat" not in ids(bob)
    with pytest.raises(Refusal, match="needs a key of your own"):
        send(bob, "Hi", model="house/chat")
    found = catalog.find("house/chat", alice.pk)
    assert catalog.endpoint(found, alice.pk).key == "alices-own-key-987654321"
    assert catalog.endpoint(found, bob.pk).key == ""


def test_ones_own_key_goes_before_the_shared_one_for_ones_own_sends(alice: User, bob: User) -> None:
    connection = connect(takes_own_keys=True)
    offer(connection)
    connections.bring_key(alice, connection, "alices-own-key-987654321")
    found = catalog.find("house/chat")
    assert catalog.endpoint(found, alice.pk).key == "alices-own-key-987654321"
    assert catalog.endpoint(found, bob.pk).key == KEY


def test_own_keys_are_refused_where_nobody_allowed_them(alice: User, brought: Connection) -> None:
    connections.bring_key(alice, brought, "alices-own-key-987654321")
    brought.takes_own_keys = False
    connections.store(brought)
    offers.forget()
    assert "house/chat" not in ids(alice)
    with pytest.raises(Refusal, match="takes no keys"):
        connections.bring_key(alice, brought, "alices-own-key-987654321")


@pytest.mark.parametrize("key", ["", "  ", "two words", "ключ", "a\nb", "x" * 501])
def test_what_is_no_key_is_refused(alice: User, brought: Connection, key: str) -> None:
    with pytest.raises(Refusal, match="not a key"):
        connections.bring_key(alice, brought, key)


def test_own_keys_go_with_their_owner(alice: User, brought: Connection) -> None:
    connections.bring_key(alice, brought, "alices-own-key-987654321")
    alice.delete()
    assert not OwnKey.objects.exists()


def test_what_somebody_takes_along_holds_no_key(alice: User, brought: Connection) -> None:
    connections.bring_key(alice, brought, "alices-own-key-987654321")
    send(alice, "Hi", model="house/chat")
    taken = io.BytesIO(b"".join(takeout.stream(alice)))
    with zipfile.ZipFile(taken) as opened:
        content = b"".join(opened.read(name) for name in opened.namelist())
    assert b"house/chat" in content
    for secret in ("alices-own-key", OwnKey.objects.get().sealed_key):
        assert secret.encode() not in content


def test_own_keys_are_not_given_to_another_server(alice: User, brought: Connection) -> None:
    connections.bring_key(alice, brought, "alices-own-key-987654321")
    brought.base_url = "https://models.example/v2"
    connections.store(brought)
    assert OwnKey.objects.exists()
    brought.base_url = "https://other.example/v1"
    connections.store(brought)
    assert not OwnKey.objects.exists()
