"""How fast the detector catches up when it is far behind, beside the library's own follower."""

import time
from pathlib import Path

from bench.figures import Figure
from bench.intake import phq9
from bench.library import follower_rate
from bench.real import Real
from bench.size import Size
from services.chassis.clock import SystemClock
from services.chassis.follower import Follower
from services.outcomes import settings
from services.outcomes.core.case import Yardsticks
from services.outcomes.core.measure import Content
from services.outcomes.detector import Detector
from services.outcomes.formats.flat import measure
from services.outcomes.wiring import Outcomes

MEASURES_EACH = 10
TOGETHER = 1_000
CACHED = 2_000
SENDER = "bench"


def figures(size: Size, folder: Path, real: Real | None) -> list[Figure]:
    """`detector.sqlite` and `detector.postgresql`."""
    rows = [_row("detector.sqlite", size, folder / "detector")]
    if real is not None:
        library = real.database("library_detector")
        there = folder / "detector-postgresql", real.database("detector"), library
        rows.append(_row("detector.postgresql", size, *there))
    return rows


def _row(name: str, size: Size, folder: Path, store: str = "", library_store: str = "") -> Figure:
    rate, events = catch_up(size, folder, store)
    library = follower_rate(folder / "library", size.library_events, library_store)
    facts = {
        "measures": size.episodes * MEASURES_EACH,
        "episodes": size.episodes,
        "events_written": events,
        "page": 500,
        "cached_at_start": False,
        "baseline_events": size.library_events,
        "baseline_is": "the library's follower, one commit an event, detecting nothing",
        "goal": "8,000/s on PostgreSQL",
    }
    return Figure(name, rate, "measures/s", library, facts)


def opened(folder: Path, store: str) -> Outcomes:
    """The service over a folder, or over the database at `store`."""
    place = {"STORE": store} if store else {}
    return Outcomes.open(settings.of_folder(folder, **place), SystemClock())


def catch_up(size: Size, folder: Path, store: str) -> tuple[float, int]:
    """Measures a second, and how many events were written."""
    service = opened(folder, store)
    try:
        _fill(service, size.episodes)
        kept, head = service.store, service.log.head()
        detector = Detector(
            kept.log(),
            kept.ids,
            Yardsticks(service.instruments, service.settings.rules, service.settings.model),
            clock=service.clock,
            zone=service.settings.zone,
            cached=CACHED,
        )
        follower = Follower(kept.log(), [detector], kept.parking, service.clock)
        started = time.monotonic()
        while detector.position() < head:
            follower.turn()
        seconds = time.monotonic() - started
        return size.episodes * MEASURES_EACH / seconds, service.log.head() - head
    finally:
        service.stop()


def _fill(service: Outcomes, episodes: int) -> None:
    """Measures of all episodes week by week, as a clinic's arrive."""
    contents = [
        content(episode, week) for week in range(MEASURES_EACH) for episode in range(episodes)
    ]
    for start in range(0, len(contents), TOGETHER):
        answers = service.record.measures.post_all(SENDER, contents[start : start + TOGETHER])
        for answer in answers:
            if isinstance(answer, Exception):
                raise answer


def content(episode: int, week: int) -> Content:
    """One PHQ-9 of a course that moves a little."""
    rise = (episode % 3 - 1) * week // 2
    items = [max(0, min(3, 2 + (episode + week + place) % 3 - 1 + rise // 4)) for place in range(9)]
    return measure(phq9(f"d-{episode}-{week}", episode, week * 7, items))
