"""Every kind of page with 100,000 conversations and 1,000,000 messages stored: the server's time and its queries.

`measure` runs inside the application, on whatever database that is configured for.
"""

import json
import statistics
import time
from collections.abc import Mapping

from django.contrib.auth.models import AbstractUser
from django.core.management.color import no_style
from django.db import connection, transaction
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from conversations import markup
from conversations.models import Conversation, Message, Part, User
from conversations.models.message import Kind, Role
from conversations.queries import Key
from tests.bench.report import Page
from tests.lengthy import MODEL

CONVERSATIONS, EACH = 100_000, 10  # and messages in each
SHARE = 10  # every so many-th conversation is the first person's
OFFSET = 1000  # of primary keys, above those that are there
RUNS = 7
TEXT = "A sentence of the kind that people and models write, said a few times over. " * 5

# A uuid, and a moment, made of the number i.
SQL = {
    "sqlite": ("printf('%%032x', i)", "strftime('%%Y-%%m-%%d %%H:%%M:%%f', '2026-01-01', '+' || i || ' seconds')"),
    "postgresql": ("lpad(to_hex(i), 32, '0')::uuid", "timestamptz '2026-01-01' + i * interval '1 second'"),
}


def measure() -> list[Page]:
    """Fill the database of an installation that has one person at least, then open every page some times."""
    person = User.objects.order_by("pk").first()
    assert person is not None
    User.objects.filter(pk=person.pk).update(is_staff=True, is_superuser=True)
    fill(person)
    client = Client(SERVER_NAME="localhost")
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    _say_why(client, person)
    return [_measured(client, name, address) for name, address in addresses(person).items()]


def fill(person: AbstractUser) -> None:
    """Written by the database itself: a million rows through the application would take many minutes."""
    other = User.objects.exclude(pk=person.pk).order_by("pk")[0]
    uuid, moment = SQL[connection.vendor]
    now, first = timezone.now(), OFFSET
    owner = f"CASE WHEN i %% {SHARE} = 0 THEN {person.pk} ELSE {other.pk} END"
    is_reply = "i %% 2 = 1"
    with transaction.atomic():
        _insert(
            Conversation(owner_id=0, title="What was said", model=MODEL, active_at=now),
            CONVERSATIONS,
            {"id": f"i + {first}", "uuid": uuid, "owner_id": owner, "active_at": moment, "created_at": moment},
        )
        _insert(
            Message(conversation_id=0, created_at=now),
            CONVERSATIONS * EACH,
            {
                "id": f"i + {first}",
                "uuid": uuid,
                "conversation_id": f"i / {EACH} + {first}",
                "parent_id": f"CASE WHEN i %% {EACH} = 0 THEN NULL ELSE i + {first - 1} END",
                "depth": f"i %% {EACH}",
                "role": f"CASE WHEN {is_reply} THEN '{Role.ASSISTANT}' ELSE '{Role.USER}' END",
                "model": f"CASE WHEN {is_reply} THEN '{MODEL}' ELSE '' END",
            },
        )
        _insert(
            Part(
                message_id=0,
                position=0,
                kind=Kind.TEXT,
                text=TEXT,
                html=f"<p>{TEXT}</p>",
                markup_version=markup.VERSION,
            ),
            CONVERSATIONS * EACH,
            {"id": f"i + {first}", "message_id": f"i + {first}"},
        )
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), [Conversation, Message, Part]):
            cursor.execute(statement)
        if connection.vendor == "postgresql":
            cursor.execute("ANALYZE")  # it would do so by itself within a minute


def _insert(like: Model, count: int, made: Mapping[str, str]) -> None:
    """`count` rows like this one but for the columns that SQL makes of their number i."""
    columns, values, constants = [], [], []
    for field in like._meta.concrete_fields:
        columns.append(connection.ops.quote_name(field.column or ""))
        values.append(made.get(field.attname, "%s"))
        if field.attname not in made:
            constants.append(field.get_db_prep_save(field.pre_save(like, add=True), connection))
    table = connection.ops.quote_name(like._meta.db_table)
    numbers = f"WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {count - 1})"
    statement = f"{numbers} INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)} FROM n"
    with connection.cursor() as cursor:
        cursor.execute(statement, constants)


def addresses(person: AbstractUser) -> dict[str, str]:
    mine = Conversation.objects.filter(owner_id=person.pk).order_by("-active_at", "-id")
    newest, middle = mine[0], mine[mine.count() // 2]
    message = Message.objects.filter(conversation=middle).order_by("depth")[EACH // 2]
    return {
        "new conversation": "/",
        "conversation": f"/c/{newest.uuid}/",
        "conversation, at a message": f"/c/{middle.uuid}/?message={message.uuid}",
        "edit a message": f"/messages/{Message.objects.filter(conversation=middle, depth=0)[0].uuid}/edit/",
        "list, further down": f"/c/?before={_key(middle)}",
        "list, news of it": f"/c/recent/?down_to={_key(mine[49])}",
        "all conversations": "/c/",
        "archive": "/c/?archived=1",
        "prompts": "/prompts/",
        "presets": "/presets/",
        "settings": "/settings/",
        "administration": "/admin/",
        "administration, conversations": "/admin/conversations/conversation/",
        "administration, search by title": "/admin/conversations/conversation/?q=was+said",
        "administration, search by person": f"/admin/conversations/conversation/?q={person.username}",
        "administration, one conversation": f"/admin/conversations/conversation/{middle.pk}/change/",
        "administration, people": "/admin/conversations/user/",
    }


def _say_why(client: Client, person: AbstractUser) -> None:
    address = "/admin/conversations/conversation/"
    one = addresses(person)["administration, one conversation"]
    for stating in (address, one.replace("change", "reason")):
        assert client.post(stating, {"reason": "measuring"}).status_code == 303


def _key(conversation: Conversation) -> str:
    return str(Key.of(conversation))


def _measured(client: Client, name: str, address: str) -> Page:
    client.get(address)
    with CaptureQueriesContext(connection) as captured:
        response = client.get(address)
    queries = len(captured)  # the next request forgets them
    assert response.status_code == 200, f"{address} answered {response.status_code}"
    times = []
    for _ in range(RUNS):
        begun = time.perf_counter()
        client.get(address)
        times.append((time.perf_counter() - begun) * 1000)
    return Page(name=name, milliseconds=round(statistics.median(times), 1), queries=queries)


def dumped() -> str:
    """`measure` as one line, for the process that asked."""
    return json.dumps(measure())
