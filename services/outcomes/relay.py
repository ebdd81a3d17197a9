"""Which events of the outcomes log leave it, as which message, and the followers that send them.

Two followers send: one to the topic of episodes, and one for risk answers alone that knows no
parking, so that nothing an episode does can hold a risk answer back.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from schemas import topics
from services.chassis.clock import Clock
from services.chassis.eventlog import Entry
from services.chassis.message import Message
from services.chassis.outbox import Outbox
from services.chassis.transport import Transport
from services.outcomes.core import caseload, episode, findings, measure, restored
from services.outcomes.core.event import Event

HEADER = (
    episode.EpisodeNamed,
    episode.EpisodeOpened,
    episode.PlanChanged,
    episode.ClinicianAssigned,
    episode.EpisodeClosed,
    episode.EpisodeReopened,
)
"""Events after which the header of an episode is told anew, whole."""

SAME_FIELDS: dict[type[Event], str] = {
    episode.SessionRecorded: "session.recorded",
    episode.FactNoted: "fact.noted",
    findings.FindingOpened: "finding.opened",
    findings.FindingAmended: "finding.amended",
    findings.FindingCleared: "finding.cleared",
    findings.ForecastMade: "forecast.made",
    findings.EffectMeasured: "effect.measured",
    findings.Refolded: "trajectory.refolded",
    findings.Assessed: "measure.assessed",
    restored.FindingsStated: "findings.stated",
    restored.LogRestored: "log.restored",
}
"""Events that leave under their own fields: a reader ignores what the message does not name."""

INWARD_ONLY = frozenset({"input", "inputs", "memory"})
"""What the detector keeps for itself."""

STAYS_HERE = frozenset({"client_age", "client_gender"})
"""What only a threshold needs to know of a client: no other service is told."""

RISK_CHANGES: dict[type[Event], str] = {
    measure.MeasureRecorded: "recorded",
    measure.MeasureHeld: "recorded",
    measure.MeasureCorrected: "corrected",
    measure.MeasureReinstated: "reinstated",
    measure.MeasureWithdrawn: "withdrawn",
}


def _data(event: Event) -> dict[str, Any]:
    """The event's own fields, without those that every event has."""
    inherited = Event.__dataclass_fields__
    return {
        name: value
        for name, value in vars(event).items()
        if name not in inherited and name not in INWARD_ONLY
    }


class Relay(Outbox):
    """Follows the log and sends what happened in episodes to the alerts service."""

    name = "relay"
    topic = topics.EPISODES
    topics = frozenset([*(one.TOPIC for one in HEADER), *(one.TOPIC for one in SAME_FIELDS)]) | {
        episode.ApproachChosen.TOPIC
    }

    def key(self, entry: Entry) -> UUID | None:
        """The episode, whose later entries wait when one of them cannot be sent."""
        value = getattr(entry.event, "episode", None)
        return UUID(value) if value else entry.event.originator_id

    def _messages(self, entries: Sequence[Entry]) -> list[Message]:
        headers = self._headers(entries)
        return [
            self._envelope(entry, *told)
            for entry in entries
            if (told := self._told(entry, headers)) is not None
        ]

    def _headers(self, entries: Sequence[Entry]) -> dict[UUID, list[Event]]:
        """The streams of the episodes whose header changes on this page, in one query."""
        return self._log.read_many(
            {entry.event.originator_id for entry in entries if isinstance(entry.event, HEADER)}
        )

    def _told(
        self, entry: Entry, streams: dict[UUID, list[Event]]
    ) -> tuple[str, dict[str, Any]] | None:
        event = entry.event
        if isinstance(event, HEADER):
            return "episode.changed", header(streams[event.originator_id], event)
        if isinstance(event, episode.ApproachChosen):
            return "approach.chosen", approach(event)
        kind = SAME_FIELDS.get(type(event))
        if kind is None:
            return None
        data = _data(event)
        if not isinstance(event, restored.LogRestored):
            data.setdefault("episode", event.originator_id.hex)
        return kind, data


def header(stream: Sequence[Event], upto: Event) -> dict[str, Any]:
    """The header of an episode as it stood at `upto`: the data of `episode.changed`."""
    state = episode.fold(
        [event for event in stream if event.originator_version <= upto.originator_version]
    )
    if state is None:
        raise ValueError("an episode that nobody named has no header")
    return {
        "episode": upto.originator_id.hex,
        "subject": upto.owner.hex,
        "announced": state.announced,
        **{name: value for name, value in episode.header(state).items() if name not in STAYS_HERE},
    }


def approach(event: episode.ApproachChosen) -> dict[str, Any]:
    """The data of `approach.chosen`."""
    data = _data(event)
    data["episode"] = event.originator_id.hex
    data["confirmed"] = data.pop("confirms")
    return data


class RiskRelay(Outbox):
    """Follows the log and sends risk answers, straight from intake; nothing of it is parked."""

    name = "risk relay"
    topic = topics.RISK
    topics = frozenset(kind.TOPIC for kind in RISK_CHANGES)

    def key(self, entry: Entry) -> UUID | None:
        """None: a risk answer waits behind nothing."""
        return None

    def unsent(self) -> list[Entry]:
        """The risk answers that were not handed over yet, the oldest first (a page at most)."""
        page = self._log.page(self.position(), topics=self.topics)
        return [entry for entry in page.entries if getattr(entry.event, "risk", None)]

    def _messages(self, entries: Sequence[Entry]) -> list[Message]:
        gone = {
            entry.event.originator_id
            for entry in entries
            if isinstance(entry.event, measure.MeasureWithdrawn)
        }
        streams = self._log.read_many(gone)
        return [
            self._envelope(entry, "risk.answered", data)
            for entry in entries
            if (data := risk(entry.event, streams)) is not None
        ]


class StatisticsRelay(Outbox):
    """Follows the log and sends what the caseload's endings say."""

    name = "statistics relay"
    topic = topics.STATISTICS
    topics = frozenset({caseload.StatisticsPublished.TOPIC})

    def key(self, entry: Entry) -> UUID | None:
        """The stream of the instrument."""
        stream: UUID = entry.event.originator_id
        return stream

    def _messages(self, entries: Sequence[Entry]) -> list[Message]:
        type_ = "statistics.published"
        return [
            self._envelope(entry, type_, published(entry.event), self.key(entry))
            for entry in entries
        ]


def published(event: caseload.StatisticsPublished) -> dict[str, Any]:
    """The data of `statistics.published`."""
    return {"instrument": event.instrument, "on": event.on, **event.statistics}


def risk(event: Event, streams: dict[UUID, list[Event]]) -> dict[str, Any] | None:
    """The data of `risk.answered`, or None where the instrument asks nothing of the kind."""
    change = RISK_CHANGES.get(type(event))
    if change is None:
        return None
    told: Any = event
    if isinstance(event, measure.MeasureWithdrawn):
        earlier = [
            one
            for one in streams.get(event.originator_id, [])
            if one.originator_version < event.originator_version and hasattr(one, "risk")
        ]
        if not earlier:
            return None
        told = earlier[-1]
    if not told.risk:
        return None
    return {
        "episode": told.episode,
        "subject": event.owner.hex,
        "sender": told.sender,
        "reference": told.episode_reference,
        "client": told.client,
        "clinician": told.clinician,
        "measure": event.originator_id.hex,
        "version": event.originator_version,
        "instrument": told.instrument,
        "on": told.on,
        "received_at": event.timestamp.isoformat(),
        "change": change,
        "items": told.risk,
    }


class Heartbeat(threading.Thread):
    """Says every 30 s that the risk path is alive, with the count and age of what is unsent."""

    def __init__(
        self,
        relay: RiskRelay,
        transport: Transport,
        log_id: str,
        clock: Clock,
        every: float = 30.0,
        told: Callable[[int, float], None] = lambda count, age: None,
    ) -> None:
        """`told` is given each count and age (seconds), for the metrics."""
        super().__init__(name="risk heartbeat", daemon=True)
        self._relay, self._transport, self._log_id = relay, transport, log_id
        self._clock, self._every, self._told = clock, every, told
        self._stopping = threading.Event()

    def run(self) -> None:
        """Beat until stopped; a beat that fails is a beat that is missed, which alerts shows."""
        while not self._stopping.is_set():
            try:
                self.beat()
            except Exception as error:  # a thread that ended would look like a path that is dead
                logging.getLogger(__name__).warning(
                    "a risk heartbeat was not sent", extra={"error": type(error).__name__}
                )
            self._stopping.wait(self._every)

    def beat(self) -> None:
        """Send one heartbeat."""
        now = self._clock.now()
        unsent = self._relay.unsent()
        oldest = (now - unsent[0].event.timestamp).total_seconds() if unsent else 0.0
        self._told(len(unsent), oldest)
        data = {"sent_at": now.isoformat(), "unsent": len(unsent), "oldest_s": oldest}
        self._transport.send(
            topics.RISK,
            [
                Message(
                    type="heartbeat",
                    version=1,
                    id=f"heartbeat.{now.timestamp()}",
                    key=None,
                    time=now,
                    log_id=self._log_id,
                    position=0,
                    data=data,
                )
            ],
        )

    def stop(self) -> None:
        """Beat no more."""
        self._stopping.set()
        self.join(5)
