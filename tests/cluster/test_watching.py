"""What an administrator sees of several processes: one id from the request to the worker, figures of each process."""

import requests

from tests.cluster.conftest import At
from tests.cluster.processes import METRICS_TOKEN, Cluster
from tests.live.test_streaming import MODEL
from tests.serving import until


def figures(port: int | str) -> str:
    authorization = {"Authorization": f"Bearer {METRICS_TOKEN}"}
    return requests.get(f"http://127.0.0.1:{port}/metrics", headers=authorization, timeout=60).text


def test_the_log_of_a_worker_names_the_request_at_the_web(cluster: Cluster, alice: At) -> None:
    sent = alice(1).send("[[fault:401]]", model=MODEL)
    identifier = sent.response.headers["X-Request-ID"]
    alice(2).follow(sent.reply_uuid, reconnect=True)

    def is_named() -> bool:
        return any(f"request={identifier} reply=" in worker.log for worker in cluster.workers)

    until(is_named, "a line of a worker that names the request")


def test_workers_and_webs_tell_their_figures(cluster: Cluster, alice: At) -> None:
    sent = alice(1).send("[[tokens:3]]", model=MODEL)
    alice(2).follow(sent.reply_uuid, reconnect=True)
    ended = f'chatsite_replies_ended_total{{model="{MODEL}",state="complete"}}'
    ports = [worker.environment["CHATSITE_METRICS_PORT"] for worker in cluster.workers]
    until(lambda: any(ended in figures(port) for port in ports), "the end of a reply in the figures of a worker")
    for web in cluster.webs:
        told = figures(web.port)
        assert "chatsite_database_up 1.0" in told
        assert ended not in told  # it was not written there


def test_the_figures_say_that_the_database_is_away_and_that_it_is_back(cluster: Cluster) -> None:
    ports = [str(cluster.webs[0].port), cluster.workers[0].environment["CHATSITE_METRICS_PORT"]]
    cluster.postgres.stop("immediate")
    try:
        for port in ports:
            assert "chatsite_database_up 0.0" in figures(port)
    finally:
        cluster.postgres.start()
    for port in ports:
        until(lambda port=port: "chatsite_database_up 1.0" in figures(port), "the database in the figures")  # type: ignore[misc]
