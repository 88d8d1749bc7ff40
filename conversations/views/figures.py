"""The figures of `/metrics`, put together when they are asked for. Needs the optional package prometheus-client."""

from collections.abc import Iterable, Iterator

from django.db import Error
from prometheus_client import CONTENT_TYPE_LATEST, GC_COLLECTOR, PLATFORM_COLLECTOR, PROCESS_COLLECTOR, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
    SummaryMetricFamily,
)
from prometheus_client.registry import Collector, CollectorRegistry

from conversations.generation.tally import FIRST_TOKEN, Labels, tally
from conversations.models import Message
from conversations.views.viewers import patrol

__all__ = ["CONTENT_TYPE_LATEST", "text"]

GAUGES = {
    "running": ("chatsite_replies_running", "Replies that this process is writing."),
    "queued": ("chatsite_replies_queued", "Replies that wait in this process for their turn."),
    "flusher_lag": ("chatsite_flusher_lag_seconds", "For how long the oldest text has been waiting to be written."),
}


def text() -> bytes:
    return generate_latest(registry)


class Figures(Collector):
    def collect(self) -> Iterator[Metric]:
        yield from _gauges()
        yield from _counters()
        yield _first_token()
        yield from _of_the_database()


def _gauges() -> Iterator[Metric]:
    values = tally.gauges()
    for key, (name, meaning) in GAUGES.items():
        if key in values:
            yield GaugeMetricFamily(name, meaning, value=values[key])
    yield GaugeMetricFamily("chatsite_followers", "Open event streams of this process.", value=patrol.viewers)
    yield SummaryMetricFamily(
        "chatsite_flusher_wait_seconds",
        "From the arrival of text to its being written and shown.",
        count_value=tally.flushes,
        sum_value=tally.flush_seconds,
    )


def _counters() -> Iterator[Metric]:
    yield _counter("chatsite_replies_ended", "Replies that ended in this process.", "state", tally.ended.items())
    yield _counter(
        "chatsite_provider_calls",
        "Requests to providers by how they ended: a finish reason, or the code of an error.",
        "outcome",
        tally.attempts.items(),
    )
    yield _counter("chatsite_tokens", "Tokens as providers report them.", "kind", tally.tokens.items())


def _counter(name: str, meaning: str, label: str, values: Iterable[tuple[Labels, int]]) -> CounterMetricFamily:
    family = CounterMetricFamily(name, meaning, labels=["model", label])
    for labels, value in list(values):
        family.add_metric(labels, value)
    return family


def _first_token() -> HistogramMetricFamily:
    family = HistogramMetricFamily(
        "chatsite_first_token_seconds", "From the beginning of a reply to its first text.", labels=["model"]
    )
    for model, counts in list(tally.first_token.items()):
        bounds = [*map(str, FIRST_TOKEN), "+Inf"]
        reached = [sum(counts[: place + 1]) for place in range(len(counts))]
        family.add_metric([model], list(zip(bounds, reached, strict=True)), sum_value=tally.first_token_seconds[model])
    return family


def _of_the_database() -> Iterator[Metric]:
    """Of all processes together. Both counts read an index that holds nothing else."""
    try:
        counts = Message.objects.unfinished()
    except Error:
        counts = None
    yield GaugeMetricFamily("chatsite_database_up", "Whether the database answers.", value=counts is not None)
    family = GaugeMetricFamily(
        "chatsite_database_replies", "Messages that are not finished, of all processes.", labels=["state"]
    )
    for status, count in (counts or {}).items():
        family.add_metric([status], count)
    yield family


registry = CollectorRegistry(auto_describe=False)
registry.register(Figures())
for collector in (PROCESS_COLLECTOR, PLATFORM_COLLECTOR, GC_COLLECTOR):
    registry.register(collector)
