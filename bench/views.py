"""How fast the alerts service's views are built anew, and how quick its pages are when full."""

import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

from bench.courses import SENDER, many, one_course
from bench.figures import Figure, percentile
from bench.intake import request
from bench.process import load, server
from bench.real import Real
from bench.size import Size
from services.alerts import settings
from services.alerts.wiring import Alerts
from services.chassis.clock import SystemClock
from services.chassis.message import Message
from services.chassis.transport.embedded import EmbeddedTransport

PAGE = 500
MILLION = 1_000_000


def figures(size: Size, folder: Path, today: date, real: Real | None) -> list[Figure]:
    """`views.…`, `rebuild.million_s`, `page.inbox.p99_ms` and `page.episode.p99_ms`."""
    told = one_course(folder / "template", today)
    full = folder / "alerts-full"
    views = _row("views.sqlite", size, full, told, size.clients)
    rows = [views]
    if real is not None:
        stores = real.database("views"), real.database("views_few")
        where = folder / "alerts-postgresql"
        rows.append(_row("views.postgresql", size, where, told, size.real_clients, stores))
    rows.append(_million(views) if size.million == 0 else _whole_million(size, folder, told, views))
    return [*rows, *_pages(size, full)]


def _row(
    name: str,
    size: Size,
    folder: Path,
    told: Sequence[tuple[str, Message]],
    clients: int,
    stores: tuple[str, str] = ("", ""),
) -> Figure:
    heard, taken = fill(folder, many(told, clients), stores[0])
    rate, events = rebuilt(folder, stores[0])
    few = folder.with_name(f"{folder.name}-few")
    one_by_one = _one_by_one(few, many(told, size.one_by_one), stores[1])
    facts = {
        "events": events,
        "clients": clients,
        "messages_taken_a_second": round(heard / taken),
        "baseline_is": "the same folds, one commit an event",
        "goal": "10,000 to 14,000 events/s",
    }
    return Figure(name, rate, "events/s", one_by_one, facts)


def _million(views: Figure) -> Figure:
    """The rebuild of a million events, reckoned from the fewer that were rebuilt."""
    facts = {
        "events": views.settings["events"],
        "note": f"scaled from {views.settings['events']:,} events",
        "baseline_is": views.settings["baseline_is"],
        "goal": "100 s",
    }
    baseline = MILLION / views.baseline if views.baseline else None
    return Figure("rebuild.million_s", MILLION / views.value, "s", baseline, facts)


def _whole_million(
    size: Size, folder: Path, told: Sequence[tuple[str, Message]], views: Figure
) -> Figure:
    """The same with so many events in the log."""
    fill(folder / "alerts-million", many(told, size.million))
    rate, events = rebuilt(folder / "alerts-million")
    scaled = _million(views)
    facts = scaled.settings | {"events": events, "note": f"of {events:,} events, each of them read"}
    return Figure("rebuild.million_s", MILLION / rate, "s", scaled.baseline, facts)


def _opened(folder: Path, store: str = "") -> Alerts:
    place = {"STORE": store} if store else {}
    return Alerts.open(settings.of_folder(folder, PORT="0", **place), SystemClock())


def fill(
    folder: Path, messages: Iterable[tuple[str, Message]], store: str = ""
) -> tuple[int, float]:
    """Let the consumers take messages, nothing following; how many, in how many seconds."""
    service = _opened(folder, store)
    try:
        service.register.add("clinician", "clinician")
        service.register.link("clinician", SENDER, "T-0")
        transport = EmbeddedTransport()
        for topic, receiver in service.receivers().items():
            transport.subscribe(topic, receiver)
        pages: dict[str, list[Message]] = defaultdict(list)
        count, seconds = 0, 0.0
        for topic, message in messages:
            pages[topic].append(message)
            if len(pages[topic]) == PAGE:
                seconds += _sent(transport, topic, pages.pop(topic))
            count += 1
        for topic, page in pages.items():
            seconds += _sent(transport, topic, page)
        return count, seconds
    finally:
        service.stop()


def _sent(transport: EmbeddedTransport, topic: str, page: list[Message]) -> float:
    started = time.monotonic()
    transport.send(topic, page)
    return time.monotonic() - started


def rebuilt(folder: Path, store: str = "") -> tuple[float, int]:
    """Events a second of a rebuild of all views, and how many events the log holds."""
    service = _opened(folder, store)
    try:
        log = service.store.log()
        events = log.head()
        started = time.monotonic()
        service.store.views.rebuild(service.views, log)
        return events / (time.monotonic() - started), events
    finally:
        service.stop()


def _one_by_one(folder: Path, messages: Iterable[tuple[str, Message]], store: str) -> float:
    """Events a second of the same views when each event is a commit of its own."""
    fill(folder, messages, store)
    service = _opened(folder, store)
    try:
        entries = service.store.log().page(0, 100_000).entries
        started = time.monotonic()
        for view in service.views:
            reader = service.store.views.reader(view)
            for entry in entries:
                if entry.event.TOPIC in view.topics:
                    reader.apply([entry], entry.position)
        return len(entries) / (time.monotonic() - started)
    finally:
        service.stop()


def _pages(size: Size, folder: Path) -> list[Figure]:
    with server("pages", folder) as child:
        port, headers = child.told["port"], {"Cookie": child.told["cookie"], "Accept": "text/html"}
        episodes = child.told["episodes"]
        paths = {
            "page.inbox.p99_ms": ["/"],
            "page.episode.p99_ms": [f"/episodes/{episode}" for episode in episodes],
            "alive": ["/livez"],
        }
        times = {name: _times(port, headers, paths[name], size.page_requests) for name in paths}
    baseline = percentile(times.pop("alive"), 0.99)
    return [
        Figure(
            name,
            percentile(taken, 0.99),
            "ms",
            baseline,
            {
                "clients": size.clients,
                "rows": child.told["caseload"],
                "open_alerts": child.told["open"],
                "note": f"{size.clients:,} clients, {child.told['open']:,} open alerts",
                "requests": size.page_requests,
                "p50_ms": round(percentile(taken, 0.50), 1),
                "baseline_is": "/livez of the same server",
                "goal": "30 ms",
            },
        )
        for name, taken in times.items()
    ]


def _times(port: int, headers: dict[str, str], paths: list[str], count: int) -> list[float]:
    def some(number: int) -> list[dict[str, object]]:
        return [request("GET", paths[n % len(paths)], headers) for n in range(number)]

    load(port, some(len(paths) + 5), connections=1)
    return load(port, some(count), connections=1).milliseconds
