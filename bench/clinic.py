"""The way from a measure to the inbox through four real processes, and what memory they take."""

import threading
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from bench.courses import SENDER
from bench.figures import Figure, percentile
from bench.intake import request
from bench.latency import CHANNEL, CONNECTIONS, SEVERE, body, mild
from bench.process import LONGEST, ServerFailedError, load
from bench.real import Real
from bench.server import visible
from bench.size import Size
from services.alerts import settings as alerts_settings
from services.alerts.wiring import Alerts
from services.chassis.clock import SystemClock
from services.outcomes import settings as outcomes_settings
from services.outcomes.wiring import Outcomes
from tests.journey.real_parts import HALVES, Clinic

LOOK = 0.01
"""Seconds between looks at where the inbox's view stands: what a time may be too long by."""
KB = 1024


class Looking(threading.Thread):
    """Notes when the inbox's view, which another process keeps, reached which position."""

    def __init__(self, alerts: Alerts) -> None:
        super().__init__(name="looking", daemon=True)
        self.seen: list[tuple[float, int]] = [(0.0, 0)]
        self._alerts, self._stopping = alerts, threading.Event()

    def run(self) -> None:
        """Look until stopped."""
        while not self._stopping.wait(LOOK):
            position = self._alerts.store.views.position(self._alerts.inbox.view)
            if position > self.seen[-1][1]:
                self.seen.append((time.monotonic(), position))

    def stop(self) -> None:
        """End; joins."""
        self._stopping.set()
        self.join()


def figures(
    size: Size, folder: Path, today: date, real: Real, measured: Sequence[Figure]
) -> list[Figure]:
    """`latency.real.…` and `memory.…_mb`; the times in one process are `measured` before."""
    folder.mkdir()
    clinic = Clinic(real.cluster, real.broker, folder)
    try:
        for service in ("outcomes", "alerts"):
            clinic.told(service, "migrate")
        token = clinic.told("outcomes", "sender", "add", SENDER)
        clinic.start_all()
        fresh = _memory(clinic)
        delays = _delays(size, clinic, today, {"Authorization": f"Bearer {token}"})
        loaded = _memory(clinic)
    finally:
        clinic.close()
    embedded = {one.name: one.value for one in measured}
    return [*_latency(size, delays, embedded), *_memories(size, fresh, loaded)]


def _latency(size: Size, delays: list[float], embedded: dict[str, float]) -> list[Figure]:
    facts = {
        "posts_a_second": size.latency_rate,
        "posts": size.latency_posts,
        "connections": CONNECTIONS,
        "baseline_is": "both services in one process, on SQLite",
    }
    return [
        Figure(
            f"latency.real.p{share}_ms",
            percentile(delays, share / 100),
            "ms",
            embedded[f"latency.embedded.p{share}_ms"],
            facts | ({"goal": "100 ms"} if share == 99 else {}),
        )
        for share in (50, 99)
    ]


def _memories(size: Size, fresh: dict[str, float], loaded: dict[str, float]) -> list[Figure]:
    measures = 3 * size.latency_posts
    facts = {
        "measures": measures,
        "note": f"resident, after {measures:,} measures",
        "baseline_is": "the same process when it had just started",
        "goal": "150 MB after a million events",
    }
    return [Figure(f"memory.{name}_mb", loaded[name], "MB", fresh[name], facts) for name in loaded]


def _memory(clinic: Clinic) -> dict[str, float]:
    """Resident megabytes of each process."""
    found = {}
    for service, half in HALVES:
        status = Path(f"/proc/{clinic.pid(service, half)}/status").read_text()
        line = next(one for one in status.splitlines() if one.startswith("VmRSS:"))
        found[f"{service}_{half}"] = int(line.split()[1]) / KB
    return found


def _delays(size: Size, clinic: Clinic, today: date, headers: dict[str, str]) -> list[float]:
    """Milliseconds of every post from its answer to its alert."""
    clock, port = SystemClock(), clinic.ports["outcomes", "serve"]
    outcomes = Outcomes.open(outcomes_settings.load(clinic.environment), clock, migrate=False)
    alerts = Alerts.open(alerts_settings.load(clinic.environment), clock, migrate=False)
    episodes = list(range(size.latency_posts))
    names = {outcomes.store.ids.derive("episode", SENDER, f"E-{n}").hex: f"E-{n}" for n in episodes}
    looking = Looking(alerts)
    try:
        for weeks in (3, 2):
            load(port, mild(headers, episodes, today, weeks), connections=4)
        _still(alerts)
        looking.start()
        posts = [
            request("POST", "/v1/measures", headers, body(n, today, 0, SEVERE)) for n in episodes
        ]
        done = load(port, posts, connections=CONNECTIONS, rate=size.latency_rate).done
        _still(alerts)
        found = visible(alerts.store.log(), looking.seen, names, CHANNEL)
    finally:
        if looking.is_alive():
            looking.stop()
        outcomes.stop()
        alerts.stop()
    missing = [name for name in names.values() if not found.get(name)]
    if missing:
        raise ServerFailedError(f"{len(missing)} of {len(names)} alerts never came")
    return [max(0.0, found[f"E-{n}"] - done[n]) * 1000 for n in episodes]


def _still(alerts: Alerts, quiet: float = 2.0) -> None:
    """Wait until the log of the alerts service has stood still and its inbox is up to it."""
    deadline, since, last = time.monotonic() + LONGEST, time.monotonic(), -1
    while time.monotonic() < deadline:
        head = alerts.log.head()
        if head != last or alerts.store.views.position(alerts.inbox.view) < head:
            since, last = time.monotonic(), head
        elif head and time.monotonic() - since > quiet:
            return
        time.sleep(0.05)
    raise ServerFailedError("the clinic did not come to rest")
