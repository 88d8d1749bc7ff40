"""Two web processes, two workers: whatever one of them does, people at the other see it."""

import threading

import psycopg

from tests.cluster.conftest import At
from tests.cluster.processes import Cluster
from tests.live.browserless import Person
from tests.live.pages import letters
from tests.live.test_streaming import MODEL, words
from tests.live.transcript import Transcript
from tests.serving import until
from tests.simulator import Simulator

SET_UP = """
from conversations.models import Connection, OfferedModel
from conversations.services import connections
house = Connection(slug="house", label="House", base_url={url!r}, may_be_private=True)
connections.store(house, key={key!r})
OfferedModel.objects.create(connection=house, name="google/gemini-2.5-flash", default_max_tokens=500)
"""


def following(person: Person, reply: str) -> tuple[threading.Thread, Transcript]:
    shown = Transcript()
    thread = threading.Thread(target=person.follow, args=(reply,), kwargs={"into": shown, "reconnect": True})
    thread.start()
    return thread, shown


def test_a_reply_sent_at_one_web_is_followed_at_the_other(alice: At) -> None:
    sent = alice(1).send("[[tokens:200]]", model=MODEL)
    shown = alice(2).follow(sent.reply_uuid)
    assert shown.text == words(200)
    article = alice(2).page(sent.conversation_uuid).replies[-1]
    assert (article.status, article.text) == ("complete", words(200))


def test_a_stream_is_resumed_at_the_other_web_in_the_middle(alice: At, simulator: Simulator) -> None:
    sent = alice(1).send("[[tokens:60]] [[hold:30]]", model=MODEL)
    half = letters(words(30))
    shown = alice(1).follow(sent.reply_uuid, leave=lambda _event, shown: letters(shown.text) == half)
    before = len(shown.events)
    thread = threading.Thread(
        target=alice(2).follow, args=(sent.reply_uuid, shown.last_event_id), kwargs={"into": shown}
    )
    thread.start()
    simulator.wait_held()
    simulator.release()
    thread.join(60)
    assert shown.text == words(60)
    assert "reset" not in shown.names[before:]


def test_a_stop_at_one_web_closes_the_silent_call_of_a_worker_and_ends_the_stream_at_the_other(
    alice: At, simulator: Simulator
) -> None:
    sent = alice(1).send("[[tokens:60]] [[hold:30]]", model=MODEL)
    thread, shown = following(alice(1), sent.reply_uuid)
    until(lambda: letters(shown.text) == letters(words(30)), "the first half")
    alice(2).stop(sent.conversation_uuid)
    thread.join(60)
    assert letters(shown.text) == letters(words(30))
    assert alice(1).page(sent.conversation_uuid).replies[-1].status == "stopped"
    simulator.wait_closed()


def test_the_same_form_sent_to_both_webs_is_one_message(alice: At, simulator: Simulator) -> None:
    conversation = alice(1).send("first", model=MODEL).conversation_uuid
    until(lambda: not alice(1).page(conversation).replies[-1].is_running, "the end of the first reply")
    key = {"key": "the-same-key-at-both-webs"}
    sends = [threading.Thread(target=alice(number).send, args=("twice", conversation), kwargs=key) for number in (1, 2)]
    for one in sends:
        one.start()
    for one in sends:
        one.join(60)
    page = alice(2).page(conversation)
    assert [article.text for article in page.articles if article.role == "user"] == ["first", "twice"]
    assert len(page.replies) == 2


def test_logging_out_at_one_web_ends_the_stream_at_the_other(alice: At, simulator: Simulator) -> None:
    sent = alice(1).send("[[tokens:60]] [[hold:30]]", model=MODEL)
    shown = Transcript()
    thread = threading.Thread(target=alice(2).follow, args=(sent.reply_uuid,), kwargs={"into": shown})
    thread.start()
    until(lambda: letters(shown.text) == letters(words(30)), "the first half")
    out = alice(1)
    out.press(out.get("/accounts/logout/"), "Log out")
    thread.join(60)
    assert not thread.is_alive()
    assert "/accounts/login" in alice(2).get("/").url


LOOKS = """
SELECT pid, query_start FROM pg_stat_activity WHERE query LIKE 'SELECT "conversations_message"."id" AS "pk"%status%IN%'
"""


def test_whoever_looks_every_second_does_not_connect_anew_each_time(
    alice: At, simulator: Simulator, cluster: Cluster
) -> None:
    sent = alice(1).send("[[tokens:60]] [[hold:30]]", model=MODEL)
    thread, _ = following(alice(1), sent.reply_uuid)
    looks: dict[int, set[object]] = {}

    with psycopg.connect(cluster.postgres.url, autocommit=True) as database:

        def looked_again() -> int:
            for pid, at in database.execute(LOOKS):
                looks.setdefault(pid, set()).add(at)
            return sum(len(times) > 1 for times in looks.values())

        until(lambda: looked_again() >= 2, "a second look of a worker and of a web by connections that were there")
    assert simulator.wait_held()
    simulator.release()
    thread.join(60)


def test_a_worker_asks_a_connection_with_its_stored_key(alice: At, cluster: Cluster, simulator: Simulator) -> None:
    cluster.webs[0].manage("shell", "-v0", "-c", SET_UP.format(url=simulator.base_url, key=simulator.key))
    until(lambda: "house/google/gemini-2.5-flash" in alice(2).get("/").html, "the offer of the new model")
    sent = alice(1).send("[[say:From the house.]]", model="house/google/gemini-2.5-flash")
    assert alice(2).follow(sent.reply_uuid).text == "From the house."
    assert alice(1).page(sent.conversation_uuid).replies[-1].status == "complete"
    logs = [web.log for web in cluster.webs] + [worker.log for worker in cluster.workers]
    assert not [log for log in logs if simulator.key in log]
