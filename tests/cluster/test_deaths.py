"""What happens to people while parts of a cluster die and come back."""

import re

import redis

from tests.cluster.conftest import At
from tests.cluster.processes import Cluster
from tests.cluster.test_cluster import following
from tests.live.pages import letters
from tests.live.test_streaming import MODEL, words
from tests.serving import until
from tests.simulator import Simulator


def test_a_killed_worker_leaves_an_honest_end_that_can_be_continued(
    alice: At, cluster: Cluster, simulator: Simulator
) -> None:
    sent = alice(1).send("[[tokens:60]] [[hold:30]]", model=MODEL)
    thread, shown = following(alice(2), sent.reply_uuid)
    until(lambda: letters(shown.text) == letters(words(30)), "the first half")
    for worker in cluster.workers:
        worker.kill()
    cluster.workers[0].start()
    thread.join(60)
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
    thread.join(60)
    assert shown.text == words(60)
    beside = alice(1).send("[[tokens:10]]", model=MODEL)
    assert alice(2).follow(beside.reply_uuid, reconnect=True).text == words(10)
    cluster.redis.start()
    after = alice(1).send("[[tokens:20]]", model=MODEL)
    assert alice(2).follow(after.reply_uuid, reconnect=True).text == words(20)


def test_a_worker_looks_for_redis_every_other_second(cluster: Cluster) -> None:
    cluster.redis.kill()
    announced = re.compile(r"Trying again in (\d+\.\d+) seconds")
    worker = cluster.workers[0]
    before = len(announced.findall(worker.log))
    until(lambda: len(announced.findall(worker.log)) >= before + 4, "the fourth look")
    assert max(map(float, announced.findall(worker.log))) <= 2.0
    cluster.redis.start()
    until(
        lambda: worker.log.rfind("Connected to chatsite.broker") > worker.log.rfind("Trying again in"), "the way back"
    )


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
    thread.join(60)
    article = alice(1).page(sent.conversation_uuid).replies[-1]
    assert article.status in ("complete", "interrupted")
    assert letters(shown.text) == letters(article.text)


def test_without_workers_replies_wait_in_line_and_say_so(alice: At, cluster: Cluster) -> None:
    for worker in cluster.workers:
        worker.kill()
    sent = alice(1).send("[[tokens:20]]", model=MODEL)
    thread, shown = following(alice(2), sent.reply_uuid)
    until(lambda: any("in line, number 1" in seen.event.data for seen in shown.events), "the place in line")
    for worker in cluster.workers:
        worker.start()
    thread.join(60)
    assert shown.text == words(20)


def test_a_worker_that_is_asked_to_end_lets_replies_go_on_and_parks_the_rest(
    alice: At, cluster: Cluster, simulator: Simulator
) -> None:
    cluster.workers[1].kill()
    quick = alice(1).send("[[tokens:400]] [[delay:4]]", model=MODEL)
    held = alice(1).send("[[tokens:60]] [[hold:30]]", model=MODEL)
    thread, shown = following(alice(2), quick.reply_uuid)
    until(lambda: bool(shown.text), "the beginning")
    simulator.wait_held()
    assert cluster.workers[0].terminate() == 0
    thread.join(60)
    assert shown.text == words(400)
    article = alice(1).page(held.conversation_uuid).replies[-1]
    assert (article.status, letters(article.text)) == ("interrupted", letters(words(30)))
    for worker in cluster.workers:
        worker.start()


def test_a_task_that_was_lost_with_a_worker_is_handed_on_again(alice: At, cluster: Cluster) -> None:
    for worker in cluster.workers:
        worker.kill()
    sent = alice(1).send("[[tokens:20]]", model=MODEL)
    assert redis.Redis.from_url(cluster.redis.url).delete("chatsite:replies")
    for worker in cluster.workers:
        worker.start()
    assert alice(2).follow(sent.reply_uuid, reconnect=True).text == words(20)
