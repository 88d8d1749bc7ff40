"""The measuring itself: a benchmark that counts wrong is worse than none."""

import asyncio
import math
import os

import pytest

from tests.bench import load, processes, report
from tests.bench.figures import Figures, delays_of, figures, last_word, not_equal, not_well, percentile
from tests.bench.firstpage import referenced, resources
from tests.bench.load import Exchange
from tests.live import hypertext
from tests.live.eventstream import ServerEvent
from tests.live.rawhttp import Recording
from tests.live.transcript import Transcript

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"


def article(text: str, status: str = "complete") -> str:
    return (
        f'<article data-message="1" data-role="assistant" data-status="{status}"><div data-body>{text}</div></article>'
    )


def transcript(*events: tuple[str, str]) -> Transcript:
    result = Transcript(status_code=200)
    for name, data in events:
        result.apply(ServerEvent(name, data, ""), 0.0)
    return result


def event(name: str, data: str) -> bytes:
    return f"event: {name}\ndata: {data}\n\n".encode()


def recording(*pieces: tuple[float, bytes]) -> Recording:
    return Recording(started=0.0, pieces=[(0.0, HEAD), *pieces])


def test_percentiles_are_by_nearest_rank() -> None:
    values = [float(number) for number in range(100, 0, -1)]
    assert [percentile(values, rank) for rank in (0, 50, 99, 100)] == [1, 50, 99, 100]
    assert percentile([7.0], 99) == 7
    assert math.isnan(percentile([], 50))


def test_each_token_is_as_late_as_the_first_arrival_that_shows_it() -> None:
    arrivals = [(1.0, 1), (1.5, 0), (2.0, 3), (3.0, 9)]
    assert list(delays_of(arrivals, [0.5, 0.75, 1.0, 1.5, 2.5])) == [0.5, 0.25, 1.0, 0.5, 0.5]


def test_the_last_word_of_a_fragment() -> None:
    assert last_word("<p>w8 w9 w10</p>") == 10
    assert last_word("<p>wonder</p>") == -1


def test_a_good_reply_is_timed_and_neither_failed_nor_lost() -> None:
    stream = recording(
        (10.06, event("reset", "") + event("tail", "<p>w0</p>")),
        (10.10, event("more", " w1 w2")),
        (10.20, event("final", article("<p>w0 w1 w2</p>"))),
    )
    exchange = Exchange("r.0", 3, "site", pressed=10.0, answered=10.02, recording=stream)
    found = figures([exchange], {"r.0": [[10.05, 10.07, 10.09]]})
    assert found.first == pytest.approx([0.06])
    assert found.delays == pytest.approx([0.01, 0.03, 0.01])
    assert found.answers == pytest.approx([0.02])
    assert (found.tokens, found.failures.total(), found.lost.total()) == (3, 0, 0)


def test_a_reply_that_was_asked_for_twice_is_lost() -> None:
    stream = recording((1.0, event("final", article("w0"))))
    found = figures([Exchange("r.0", 1, "site", 0.0, recording=stream)], {"r.0": [[0.5], [0.6]]})
    assert found.lost == {"the upstream was called 2 times": 1}


@pytest.mark.parametrize(
    ("events", "reason"),
    [
        ([("final", article("w0 w1"))], ""),
        ([("tail", "w0"), ("final", article("w0 w1"))], ""),
        ([("final", article("w0"))], "text differs"),
        ([("final", article("w0 w1 w1"))], "text differs"),
        ([("tail", "w0"), ("more", "w0"), ("final", article("w0 w1"))], "text was wrong on the way"),
        ([("surprise", ""), ("final", article("w0 w1"))], "unknown events"),
    ],
)
def test_lost_and_doubled_text_is_found(events: list[tuple[str, str]], reason: str) -> None:
    assert not_equal(transcript(*events), 2) == reason


def test_a_reply_that_did_not_end_well_is_a_failure() -> None:
    assert not_well(transcript(("final", article("w0")))) == ""
    assert not_well(transcript(("final", article("w0", "failed")))) == "failed"
    assert not_well(transcript(("tail", "w0"), ("end", ""))) == "stream ended by end"
    assert not_well(Transcript(status_code=503)) == "stream answered 503"


def test_a_send_without_an_answer_is_a_failure() -> None:
    found = figures([Exchange("r.0", 1, "site", 0.0, failure="TimeoutError: ")], {})
    assert (found.replies, found.failures) == (1, {"TimeoutError: ": 1})


def test_loads_are_joined() -> None:
    one = Figures(replies=1, tokens=2, first=[0.1])
    one.join(Figures(replies=2, tokens=3, first=[0.2]))
    assert (one.replies, one.tokens, one.first) == (3, 5, [0.1, 0.2])


def test_the_table_says_what_was_met_and_what_was_missed() -> None:
    measured = {"1 first p50": 60.0, "1 first p50 direct": 50.0, "1 failed": 1.0, "start": 1.5, "idle memory": 101.0}
    rows = report.table(measured, [1]).splitlines()
    assert rows[1].split()[-9:] == ["50.0", "ms", "60.0", "ms", "1.2", "≤", "70.0", "ms", "met"]
    assert [row.split()[-1] for row in rows if "failed" in row or "idle" in row] == ["MISSED", "MISSED"]
    assert [row.split()[-1] for row in rows if row.startswith("start to first answer  ")] == ["met"]
    assert len(rows) == 1 + 4, "what was not measured is left out"


def test_the_median_run_counts_but_the_worst_one_for_failures() -> None:
    assert report.medians(
        [{"start": 1.0, "1 lost": 0.0}, {"start": 3.0, "1 lost": 2.0}, {"start": 2.0, "1 lost": 0.0}]
    ) == {
        "start": 2.0,
        "1 lost": 2.0,
    }


def test_what_a_page_loads_is_found() -> None:
    html = (
        '<link rel="icon" href="/i.ico"><link rel="icon" href="/i.svg"><link rel="stylesheet" href="/s.css">'
        '<link rel="alternate" href="/feed"><script src="/a.js"></script><img src="x.png"><div hx-get="/more" '
        'hx-trigger="load"></div><div hx-get="/later" hx-trigger="click"></div>'
    )
    paths = [address.removeprefix("http://h") for address in resources(hypertext.parse(html), "http://h/c/")]
    assert paths == ["/i.svg", "/s.css", "/a.js", "/c/x.png", "/more"]
    assert referenced("/s.css", '@import "a.css"; b { background: url(data:x) } c { background: url("b.png") }') == [
        "a.css",
        "b.png",
    ]
    assert referenced(
        "/a.js", 'import { x } from "./b.js";\nimport "/c.js";\n  import("./later.js");\nconst text = "import";'
    ) == [
        "./b.js",
        "/c.js",
    ]


def test_processes_are_measured_with_their_children() -> None:
    before = processes.spent(os.getpid())
    assert processes.reference() > 0
    after = processes.spent(os.getpid())
    assert after.cpu >= before.cpu
    assert after.peak >= after.resident > 1_000_000


def test_the_upstream_sends_at_its_pace_and_remembers_when() -> None:
    with processes.upstream() as (url, pid):
        assert pid in processes.descendants(os.getpid())
        exchanges = asyncio.run(load.straight(url, 3, "run", tokens=5, spread=0.0))
        sent = asyncio.run(load.sent_by(url, "run"))
    found = figures(exchanges, sent)
    assert (found.replies, found.tokens, found.failures, found.lost) == (3, 15, {}, {})
    assert sorted(sent) == ["run.0", "run.1", "run.2"]
    for exchange in exchanges:
        [times] = sent[exchange.tag]
        assert all(at - exchange.pressed >= 0.05 + 0.02 * number for number, at in enumerate(times))
    assert min(found.delays) >= 0


def test_of_a_rate_more_is_better() -> None:
    rate = report.Line("saturated", "one stream", "tokens/s", 8000.0, is_rate=True)
    assert [report.verdict(value, rate) for value in (7999.0, 8000.0)] == ["MISSED", "met"]
    time = report.Line("start", "start", "s", 1.5)
    assert [report.verdict(value, time) for value in (1.5, 1.6)] == ["met", "MISSED"]


def test_a_rate_counts_from_the_first_sent_to_the_last_arrived() -> None:
    stream = recording(
        (1.0, event("reset", "")), (3.0, event("tail", "<p>w0 w1</p>") + event("final", article("w0 w1")))
    )
    found = figures([Exchange("t", 2, "site", 0.5, 0.6, stream)], {"t": [[1.0, 1.1]]})
    assert found.rates == [1.0]
