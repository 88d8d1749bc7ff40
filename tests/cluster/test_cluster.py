"""Two web processes, two workers: whatever one of them does, people at the other see it."""

import threading

from tests.cluster.conftest import At
from tests.cluster.processes import Cluster
from tests.live.browserless import Person
from tests.live.pages import letters
from tests.live.test_streaming import MODEL, words
from tests.live.transcript import Transcript
from tests.serving import until
from tests.simulator import Simulator


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
    thread.join(20)
    assert shown.text == words(60)
    assert "reset" not in shown.names[before:]


def test_a_stop_at_one_web_closes_the_silent_call_of_a_worker_and_ends_the_stream_at_the_other(
    alice: At, simulator: Simulator
) -> None:
    sent = alice(1).send("[[tokens:60]] [[hold:30]]", model=MODEL)
    thread, shown = following(alice(1), sent.reply_uuid)
    until(lambda: letters(shown.text) == letters(words(30)), "the first half")
    alice(2).stop(sent.conversation_uuid)
    thread.join(10)
    assert letters(shown.text) == letters(words(30))
    assert alice(1).page(sent.conversation_uuid).replies[-1].status == "stopped"
    simulator.wait_closed(5)


def test_the_same_form_sent_to_both_webs_is_one_message(alice: At, simulator: Simulator) -> None:
    conversation = alice(1).send("first", model=MODEL).conversation_uuid
    until(lambda: not alice(1).page(conversation).replies[-1].is_running, "the end of the first reply")
    key = {"key": "the-same-key-at-both-webs"}
    sends = [threading.Thread(target=alice(number).send, args=("twice", conversation), kwargs=key) for number in (1, 2)]
    for one in sends:
        one.start()
    for one in sends:
        one.join(20)
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
    thread.join(8)
    assert not thread.is_alive()
    assert "/accounts/login" in alice(2).get("/").url


def test_a_killed_worker_leaves_an_honest_end_that_can_be_continued(
    alice: At, cluster: Cluster, simulator: Simulator
) -> None:
    sent = alice(1).send("[[tokens:60]] [[hold:30]]", model=MODEL)
    thread, shown = following(alice(2), sent.reply_uuid)
    until(lambda: letters(shown.text) == letters(words(30)), "the first half")
    for worker in cluster.workers:
        worker.kill()
    cluster.workers[0].start()
    thread.join(40)
    article = alice(1).page(sent.conversation_uuid).replies[-1]
    assert (article.status, letters(article.text)) == ("interrupted", letters(words(30)))
    simulator.release()
    page = alice(1).page(sent.conversation_uuid)
    alice(1).press(page, "Continue", within=page.replies[-1].element)
    cluster.workers[1].start()
    until(lambda: alice(1).page(sent.conversation_uuid).replies[-1].status == "complete", "the continued end", 40)
    assert alice(1).page(sent.conversation_uuid).replies[-1].text.startswith("w1")


def test_a_killed_web_does_not_end_the_reply(alice: At, cluster: Cluster, simulator: Simulator) -> None:
    sent = alice(1).send("[[tokens:60]] [[hold:30]]", model=MODEL)
    half = letters(words(30))
    shown = alice(1).follow(sent.reply_uuid, leave=lambda _event, shown: letters(shown.text) == half)
    cluster.webs[0].kill()
    simulator.wait_held()
    simulator.release()
    alice_there = alice(2)
    alice_there.follow(sent.reply_uuid, shown.last_event_id, into=shown)
    assert shown.text == words(60)
    cluster.webs[0].start()


def test_without_redis_everything_goes_on_more_slowly(alice: At, cluster: Cluster, simulator: Simulator) -> None:
    sent = alice(1).send("[[tokens:60]] [[hold:30]]", model=MODEL)
    thread, shown = following(alice(2), sent.reply_uuid)
    until(lambda: letters(shown.text) == letters(words(30)), "the first half")
    cluster.redis.kill()
    assert alice(1).page(sent.conversation_uuid).status_code == 200  # nobody is logged out
    simulator.wait_held()
    simulator.release()
    thread.join(30)
    assert shown.text == words(60)
    beside = alice(1).send("[[tokens:10]]", model=MODEL)
    assert alice(2).follow(beside.reply_uuid, reconnect=True).text == words(10)
    cluster.redis.start()
    after = alice(1).send("[[tokens:20]]", model=MODEL)
    assert alice(2).follow(after.reply_uuid, reconnect=True).text == words(20)


def test_a_restart_of_postgresql_is_outlived(alice: At, cluster: Cluster, simulator: Simulator) -> None:
    sent = alice(1).send("[[tokens:60]] [[hold:30]]", model=MODEL)
    thread, shown = following(alice(2), sent.reply_uuid)
    until(lambda: letters(shown.text) == letters(words(30)), "the first half")
    cluster.postgres.stop()
    assert alice(1).page().status_code == 503
    simulator.wait_held()
    simulator.release()
    cluster.postgres.start()
    until(lambda: alice(1).page(sent.conversation_uuid).status_code == 200, "the site's return")
    thread.join(40)
    article = alice(1).page(sent.conversation_uuid).replies[-1]
    assert article.status in ("complete", "interrupted")
    assert letters(shown.text) == letters(article.text)
