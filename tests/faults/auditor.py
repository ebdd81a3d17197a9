"""One auditor for every fault: what is stored, after a process died, against what was promised.

It reads through the services' public classes alone, and says what is wrong in words that hold
nothing of a client; no word is good news. What each part looks for is in `README.md`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from services.alerts import settings as alerts_settings
from services.alerts.wiring import Alerts
from services.chassis.clock import Clock, SystemClock
from services.chassis.eventlog import Damaged, EventLog, Redacted
from services.chassis.message import message_id
from services.outcomes import settings as outcomes_settings
from services.outcomes.wiring import Outcomes
from tests.faults import acknowledged, detection, inbox
from tests.faults.ehr import Told

LEAVES = {
    "episode.named": "episode.changed",
    "episode.opened": "episode.changed",
    "episode.plan_changed": "episode.changed",
    "episode.clinician_assigned": "episode.changed",
    "episode.closed": "episode.changed",
    "episode.reopened": "episode.changed",
    "episode.session_recorded": "session.recorded",
    "episode.approach_chosen": "approach.chosen",
    "episode.fact_noted": "fact.noted",
    "findings.assessed": "measure.assessed",
    "findings.refolded": "trajectory.refolded",
    "findings.opened": "finding.opened",
    "findings.amended": "finding.amended",
    "findings.cleared": "finding.cleared",
    "findings.forecast_made": "forecast.made",
    "findings.effect_measured": "effect.measured",
    "findings.stated": "findings.stated",
}
"""Which events of the outcomes log leave for the topic of episodes, as which message."""
RISK = "risk.answered"


@dataclass
class Evidence:
    """Both logs, whole."""

    outcomes: list[Any] = field(default_factory=list)
    alerts: list[Any] = field(default_factory=list)


Place = Path | Mapping[str, str]
"""Where both services keep everything: a data folder, or the environment that names servers."""


@contextmanager
def opened(place: Place, clock: Clock) -> Iterator[tuple[Outcomes, Alerts]]:
    """Both services over a place; nothing of them runs."""
    if isinstance(place, Path):
        first, second = outcomes_settings.of_folder(place), alerts_settings.of_folder(place)
    else:
        first, second = outcomes_settings.load(place), alerts_settings.load(place)
    outcomes = Outcomes.open(first, clock, migrate=False)
    try:
        alerts = Alerts.open(second, clock, migrate=False)
        try:
            yield outcomes, alerts
        finally:
            alerts.stop()
    finally:
        outcomes.stop()


def audit(
    place: Place,
    told: Sequence[Told],
    *,
    sender: str = "ehr",
    clinician: str | None = None,
    answered: Iterable[tuple[str, str]] = (),
    clock: Clock | None = None,
) -> list[str]:
    """What is wrong with what is stored; nothing when every promise was kept.

    Args:
        place: where it is; nothing may be under way there.
        told: every call that the sender was answered, in order for each measure and episode.
        sender: whose calls they are; no other sender's measures are judged.
        clinician: a person whose inbox is held against a fold of the log.
        answered: (kind, id) of what people at pages were told was recorded: ("acknowledged" or
            "dismissed", alert) or ("reflected", reflection).
        clock: what the services went by.
    """
    clock = clock or SystemClock()
    with opened(place, clock) as (outcomes, alerts):
        faults = _of_stores(outcomes, alerts)
        seen = Evidence(list(events(outcomes.log)), list(events(alerts.log)))
        faults += acknowledged.of_measures(told, sender, seen.outcomes)
        faults += acknowledged.of_episodes(told, sender, seen.outcomes)
        faults += acknowledged.of_endings(told, sender, seen.outcomes)
        faults += [f"an answer of {one.status}" for one in told if one.status >= 400]
        faults += _of_hand_over(seen)
        faults += _of_answers(seen)
        faults += _of_people(seen, answered)
        faults += detection.differences(outcomes, seen.outcomes)
        faults += inbox.open_twice(seen.alerts)
        if clinician is not None:
            faults += inbox.differences(alerts, clinician, seen.alerts, clock.now())
    return faults


def events(log: EventLog) -> Iterator[Any]:
    """Every event of a log that can be read, in order."""
    after = 0
    while (page := log.page(after)).entries:
        after = page.entries[-1].position
        for entry in page.entries:
            if not isinstance(entry.event, Damaged | Redacted):
                yield entry.event


def _of_stores(outcomes: Outcomes, alerts: Alerts) -> list[str]:
    """Gaps, damage, views that are behind or differ from a fresh fold, and what is parked."""
    faults: list[str] = []
    for name, service in (("outcomes", outcomes), ("alerts", alerts)):
        store = service.store
        found = service.log.verify() + store.vault.verify()
        for view in service.views:
            found += store.views.verify(view, service.log)
            if service.log.waiting(store.views.reader(view).position(), view.topics):
                found.append(f"view {view.name}: is behind")
        found += [f"{one.reader} parked something: {one.error}" for one in store.parking.list()]
        faults += [f"{name}: {one}" for one in found]
    return faults


# From the outcomes log to the courses


def _of_hand_over(seen: Evidence) -> list[str]:
    """Every event that is to leave arrived once, in order for each episode, unchanged."""
    noted = [one for one in seen.alerts if one.TOPIC == "course.noted"]
    faults = [f"a message of {one.episode} waits" for one in noted if not one.effect]
    faults += _of_topic("message", _leaving(seen.outcomes), _arrived(noted, risk=False))
    faults += _of_topic("risk answer", _risk(seen.outcomes), _arrived(noted, risk=True))
    faults += _changed_on_the_way(seen.outcomes, noted)
    return faults


def _leaving(outcomes: Iterable[Any]) -> dict[str, list[str]]:
    """Episode to the names of its events that are to leave, in the order of the log."""
    found: dict[str, list[str]] = {}
    for event in outcomes:
        if event.TOPIC in LEAVES:
            episode = getattr(event, "episode", event.originator_id.hex)
            found.setdefault(episode, []).append(f"{_place(event)} {LEAVES[event.TOPIC]}")
    return found


def _risk(outcomes: Iterable[Any]) -> dict[str, list[str]]:
    """Episode to the versions of its measures that tell of risk items."""
    found: dict[str, list[str]] = {}
    asks: dict[UUID, bool] = {}
    for event in outcomes:
        if event.TOPIC.startswith("measure."):
            asks[event.originator_id] = bool(
                getattr(event, "risk", asks.get(event.originator_id, False))
            )
            if asks[event.originator_id]:
                found.setdefault(event.episode, []).append(f"{_place(event)} {RISK}")
    return found


def _arrived(noted: Iterable[Any], *, risk: bool) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for event in noted:
        message = event.message
        if event.effect and (message["type"] == RISK) == risk:
            place = message["id"].rpartition(".")[0]
            found.setdefault(event.episode, []).append(f"{place} {message['type']}")
    return found


def _of_topic(what: str, sent: dict[str, list[str]], got: dict[str, list[str]]) -> list[str]:
    faults = []
    for episode in sorted(sent.keys() | got.keys()):
        left, arrived = sent.get(episode, []), got.get(episode, [])
        if left == arrived:
            continue
        lost, more = set(left) - set(arrived), set(arrived) - set(left)
        twice = len(arrived) - len(set(arrived))
        order = "" if lost or more or twice else ", in another order"
        faults.append(
            f"episode {episode}: {what}s lost: {len(lost)}, twice: {twice}, "
            f"from nowhere: {len(more)}{order}"
        )
    return faults


def _changed_on_the_way(outcomes: Iterable[Any], noted: Iterable[Any]) -> list[str]:
    """The data that was noted is the event's own: its hash is in the id, its fields the event's."""
    by_place = {_place(event): event for event in outcomes}
    faults = []
    for one in noted:
        message = one.message
        event = by_place.get(message["id"].rpartition(".")[0])
        if event is None:
            continue
        data = message["data"]
        if message_id(event.originator_id, event.originator_version, data) != message["id"]:
            faults.append(f"a {message['type']} was changed after it was made")
        ours = vars(event)
        if message["type"] == RISK:
            ours = ours | {"items": getattr(event, "risk", data["items"])}
        faults += [
            f"a {message['type']} says another {name} than its event"
            for name, value in data.items()
            if name in ours and name != "episode" and ours[name] != value
        ]
    return faults


def _place(event: Any) -> str:
    return f"{event.originator_id.hex}.{event.originator_version}"


# From the pages back


def _of_answers(seen: Evidence) -> list[str]:
    """Every decision came back to the outcomes log once, every pivot as an approach."""
    decided = [e.originator_id.hex for e in seen.alerts if e.TOPIC == "reflection.recorded"]
    pivots = [e.originator_id.hex for e in seen.alerts if e.TOPIC == "reflection.pivot_decided"]
    heard = [e.reflection for e in seen.outcomes if e.TOPIC == "episode.reflection_noted"]
    chosen = [
        event.approach_id
        for event in seen.outcomes
        if event.TOPIC == "episode.approach_chosen"
        and event.origin == "reflection"
        and not event.confirms
    ]
    faults = [] if sorted(decided) == sorted(heard) else ["a decision was lost or came twice"]
    return faults + ([] if sorted(pivots) == sorted(chosen) else ["a pivot was lost or came twice"])


def _of_people(seen: Evidence, answered: Iterable[tuple[str, str]]) -> list[str]:
    """What a page said was recorded is recorded."""
    topics = {
        "acknowledged": "alert.acknowledged",
        "dismissed": "alert.dismissed",
        "reflected": "reflection.recorded",
    }
    stored = {(event.TOPIC, event.originator_id.hex) for event in seen.alerts}
    return [
        f"what a page called {kind} is not stored"
        for kind, id_ in answered
        if (topics[kind], id_) not in stored
    ]
