"""The catalogue of a service's metrics: each is declared once, with its type, labels and meaning.

A service makes one `Catalogue` in its wiring and hands it on; there is no global registry.
"""

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_PLACES = ("route", "method", "loop", "reader", "topic", "partition", "view")
_WHATS = ("channel", "instrument", "kind", "rule", "tier", "state", "status", "version")
_HOWS = ("code", "error", "outcome", "reason", "result")
LABELS = frozenset((*_PLACES, *_WHATS, *_HOWS))
"""Every label there may be. None can hold a person, an episode or a reference."""

SECONDS = (0.005, 0.01, 0.03, 0.06, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Buckets that lie on the promises made for pages (30 ms), intake (100 ms) and alerts (60 ms)."""
MINUTES = (0.1, 0.5, 1.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3600.0)
"""Buckets in seconds around the promise that a session is assessed and visible within 60 s."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric: a name in base units, what kind it is, what its labels are and what it means."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    meaning: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = SECONDS


REQUESTS = Metric(
    "http_requests_total",
    "counter",
    "Requests answered, by route template and status.",
    ("route", "method", "status"),
)
REQUEST_SECONDS = Metric(
    "http_request_seconds",
    "histogram",
    "Time from a request's arrival in the service to its answer.",
    ("route", "method"),
)
HEARTBEAT_AGE = Metric(
    "loop_heartbeat_age_seconds",
    "gauge",
    "Time since a loop last came round; a dead loop looks caught up, this tells them apart.",
    ("loop",),
)
READER_LAG = Metric(
    "reader_lag_events", "gauge", "Events that a reader has not yet taken.", ("reader",)
)
READER_LAG_SECONDS = Metric(
    "reader_lag_seconds",
    "gauge",
    "Age of the oldest event not yet taken by a reader.",
    ("reader",),
)
PARKED = Metric("parked_entries", "gauge", "Entries parked, by reader.", ("reader",))
READER_ENTRIES = Metric(
    "reader_entries_total", "counter", "Entries that a reader has taken.", ("reader",)
)
READER_SECONDS = Metric(
    "reader_page_seconds", "histogram", "Time that a reader took for a page.", ("reader",)
)
READER_FAILURES = Metric(
    "reader_failures_total",
    "counter",
    "What raised an error in a reader, by its class.",
    ("reader", "error"),
)
FRESHNESS = Metric(
    "freshness_seconds",
    "histogram",
    "Time from the recording of a measure to its effect in a reader.",
    ("reader",),
    MINUTES,
)
BUILD = Metric("pivotpoint_build_info", "gauge", "1, with the version that runs.", ("version",))
CERTIFICATE = Metric(
    "certificate_expires_timestamp_seconds",
    "gauge",
    "When the first certificate of a file expires that others are checked against, since 1970.",
    ("kind",),
)
DISK_FREE = Metric(
    "disk_free_bytes",
    "gauge",
    "Room left on a disk of this machine, by what is kept on it.",
    ("kind",),
)
DISK_SIZE = Metric("disk_size_bytes", "gauge", "Size of that disk.", ("kind",))

RECEIVED = Metric(
    "receiver_messages_total",
    "counter",
    "Messages of the broker whose effects are stored.",
    ("topic", "partition"),
)
RECEIVER_LAG = Metric(
    "receiver_lag_messages",
    "gauge",
    "Messages that waited in a partition when the last page of it was stored.",
    ("topic", "partition"),
)
RECEIVER_FAILURES = Metric(
    "receiver_failures_total",
    "counter",
    "What raised an error in a receiver and is tried again, by its class.",
    ("topic", "error"),
)
RECEIVER_STILL = Metric(
    "receiver_standing_still",
    "gauge",
    "1 where a partition waits because messages after its stored offset are gone.",
    ("topic", "partition"),
)

HTTP = (REQUESTS, REQUEST_SECONDS)
LOOPS = (
    HEARTBEAT_AGE, READER_LAG, READER_LAG_SECONDS, PARKED, READER_ENTRIES, READER_SECONDS,
    READER_FAILURES, FRESHNESS,
)  # fmt: skip
GROUND = (BUILD, CERTIFICATE, DISK_FREE, DISK_SIZE)
RECEIVERS = (RECEIVED, RECEIVER_LAG, RECEIVER_FAILURES, RECEIVER_STILL)

_Collector = Counter | Gauge | Histogram
_MAKERS: dict[str, Callable[[Metric, CollectorRegistry], _Collector]] = {
    "counter": lambda m, into: Counter(m.name, m.meaning, m.labels, registry=into),
    "gauge": lambda m, into: Gauge(m.name, m.meaning, m.labels, registry=into),
    "histogram": lambda m, into: Histogram(
        m.name, m.meaning, m.labels, registry=into, buckets=m.buckets
    ),
}


class Catalogue:
    """All metrics of one service, in a registry of its own. Safe to use from any thread."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        """Register `metrics`.

        Raises:
            ValueError: a name is not one Prometheus would accept, is there twice, or a label is
                none of `LABELS`.
        """
        self.metrics = tuple(metrics)
        self._registry = CollectorRegistry(auto_describe=True)
        ProcessCollector(registry=self._registry)
        self._collectors: dict[str, _Collector] = {}
        self._labelled: dict[tuple[str, tuple[tuple[str, str], ...]], Any] = {}
        for metric in self.metrics:
            _check(metric, self._collectors)
            self._collectors[metric.name] = _MAKERS[metric.kind](metric, self._registry)

    def count(self, metric: Metric, amount: float = 1, **labels: str) -> None:
        """Add to a counter."""
        self._counter(metric, labels).inc(amount)

    def observe(self, metric: Metric, value: float, **labels: str) -> None:
        """Put a value into a histogram, in the unit that its name says."""
        self._histogram(metric, labels).observe(value)

    def set(self, metric: Metric, value: float, **labels: str) -> None:
        """Set a gauge."""
        self._gauge(metric, labels).set(value)

    def read_from(self, metric: Metric, read: Callable[[], float], **labels: str) -> None:
        """Let a gauge be asked for its value whenever the metrics are collected.

        What cannot be told then, as while a store is away, is not a number.
        """
        self._gauge(metric, labels).set_function(lambda: _asked(read))

    def value(self, metric: Metric, **labels: str) -> float:
        """What a counter or gauge stands at now; 0 when it was never touched."""
        name = metric.name
        return self._registry.get_sample_value(name, labels) or 0.0

    def render(self) -> bytes:
        """Everything in the text format of Prometheus, of type `CONTENT_TYPE`."""
        return generate_latest(self._registry)

    def table(self) -> str:
        """The catalogue as a Markdown table."""
        lines = ["| metric | type | labels | meaning |", "|---|---|---|---|"]
        for metric in self.metrics:
            labels = ", ".join(f"`{label}`" for label in metric.labels)
            lines.append(f"| `{metric.name}` | {metric.kind} | {labels} | {metric.meaning} |")
        return "\n".join(lines) + "\n"

    def _counter(self, metric: Metric, labels: dict[str, str]) -> Counter:
        collector = self._of(metric, labels)
        if not isinstance(collector, Counter):
            raise TypeError(f"{metric.name} is no counter")
        return collector

    def _gauge(self, metric: Metric, labels: dict[str, str]) -> Gauge:
        collector = self._of(metric, labels)
        if not isinstance(collector, Gauge):
            raise TypeError(f"{metric.name} is no gauge")
        return collector

    def _histogram(self, metric: Metric, labels: dict[str, str]) -> Histogram:
        collector = self._of(metric, labels)
        if not isinstance(collector, Histogram):
            raise TypeError(f"{metric.name} is no histogram")
        return collector

    def _of(self, metric: Metric, labels: dict[str, str]) -> Any:
        """The collector of these labels; the library's own look-up costs ten times as much."""
        key = (metric.name, tuple(labels.items()))
        found = self._labelled.get(key)
        if found is None:
            collector = self._collectors[metric.name]
            found = collector.labels(**labels) if labels else collector
            self._labelled[key] = found
        return found


def _asked(read: Callable[[], float]) -> float:
    try:
        return float(read())
    except Exception:  # the other metrics are to be told all the same
        return math.nan


def _check(metric: Metric, known: dict[str, _Collector]) -> None:
    if not _NAME.fullmatch(metric.name):
        raise ValueError(f"{metric.name}: a metric is named in small letters and underscores")
    if metric.name in known:
        raise ValueError(f"the metric {metric.name} is declared twice")
    unknown = set(metric.labels) - LABELS
    if unknown:
        raise ValueError(f"{metric.name}: no label may be called {', '.join(sorted(unknown))}")
    if (metric.kind == "counter") != metric.name.endswith("_total"):
        raise ValueError(f"{metric.name}: counters, and they alone, end in _total")
