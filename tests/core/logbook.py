"""A log in memory, and the events of made-up episodes, for tests of the detector."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from services.chassis.clock import SteppedClock
from services.chassis.eventlog import ConflictError, Entry
from services.chassis.ids import Ids
from services.outcomes.core import episode, measure
from services.outcomes.core.case import Yardsticks
from services.outcomes.core.definition import read_all
from services.outcomes.core.event import Event
from services.outcomes.core.said import Said, fold
from services.outcomes.detector import Detector, Log

FOLDER = Path(__file__).parents[2] / "services" / "outcomes" / "instruments"
YARDSTICKS = Yardsticks(
    read_all((one.name, one.read_text()) for one in sorted(FOLDER.glob("*.toml")))
)
IDS = Ids(b"a secret of the tests, 32 bytes.")
START = datetime(2024, 1, 1, 12, tzinfo=UTC)
OWNER = UUID(int=7)
FLAT_AND_HIGH = [(0, 14), (7, 21), (14, 22)]
"""Days and scores of a course that is off track."""


class MemoryLog:
    """What the detector asks of a log, with versions and positions kept as the real one does."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.streams: dict[UUID, list[Any]] = {}
        self.positions: dict[str, int] = {}

    def append(self, events: Sequence[Any], tracking: tuple[str, int] | None = None) -> list[int]:
        versions = {stream: len(stored) for stream, stored in self.streams.items()}
        for event in events:
            versions[event.originator_id] = versions.get(event.originator_id, 0) + 1
            if event.originator_version != versions[event.originator_id]:
                raise ConflictError("the version is taken")
        if tracking and tracking[1] <= self.positions.get(tracking[0], 0):
            raise ConflictError("the position has not grown")
        for event in events:
            self.streams.setdefault(event.originator_id, []).append(event)
            self.entries.append(Entry(len(self.entries) + 1, event))
        if tracking:
            self.positions[tracking[0]] = tracking[1]
        return [entry.position for entry in self.entries[len(self.entries) - len(events) :]]

    def read(self, stream: UUID) -> list[Any]:
        return list(self.streams.get(stream, []))

    def read_many(self, streams: Iterable[UUID]) -> dict[UUID, list[Any]]:
        return {one: list(self.streams[one]) for one in set(streams) if one in self.streams}

    def position(self, reader: str) -> int:
        return self.positions.get(reader, 0)

    def of(self, kind: type[Event]) -> list[Any]:
        """The events of a kind, in order."""
        return [entry.event for entry in self.entries if isinstance(entry.event, kind)]


def detector(
    log: MemoryLog, due: Any = None, yardsticks: Yardsticks = YARDSTICKS, **more: Any
) -> Detector:
    return Detector(
        log,
        IDS,
        yardsticks,
        clock=SteppedClock(START),
        zone=ZoneInfo("UTC"),
        due=due,
        **more,
    )


def detect(log: MemoryLog, reader: Detector, page: int = 500) -> None:
    """Let the detector read what it has not read, so many entries at a time."""
    while True:
        after = reader.position()
        new = [entry for entry in log.entries if entry.position > after][:page]
        wanted = [entry for entry in new if entry.event.TOPIC in (reader.topics or ())]
        if not wanted:
            return
        reader.apply(wanted, new[-1].position)


def said(log: MemoryLog, name: str = "e") -> Said:
    return fold(log.read(IDS.derive("findings", episode_id(name).hex)))


def episode_id(name: str = "e") -> UUID:
    return IDS.derive("episode", "clinic", name)


class Sender:
    """Writes the events of an episode as the door would, on days counted from the start."""

    def __init__(self, log: Log, name: str = "e", owner: UUID = OWNER) -> None:
        self.log, self.name, self.owner = log, name, owner
        self.arrived = START

    def measure(
        self, external: str, day: int, score: float | None, kind: str = "recorded", **more: Any
    ) -> None:
        """Record, correct or reinstate a measure; `kind` also "held"."""
        on = (START + timedelta(days=day)).date().isoformat()
        stream = IDS.derive("measure", "clinic", external)
        told: dict[str, Any] = {
            "originator_id": stream,
            "originator_version": len(self.log.read(stream)) + 1,
            "timestamp": max(self.arrived, START + timedelta(days=day)),
            "owner": self.owner,
            "episode": episode_id(self.name).hex,
            "sender": "clinic",
            "episode_reference": self.name,
            "client": "c",
            "clinician": None,
            "external_id": external,
            "instrument": "phq-9",
            "instrument_version": "1",
            "respondent": "client",
            "administered_at": on,
            "on": on,
            "at": None,
            "session_number": None,
            "items": None,
            "total": score,
            "score": score,
            "subscales": {},
            "band": None,
            "flags": [],
            "risk": [],
            "digest": "",
        }
        told |= more
        classes: dict[str, Any] = {
            "recorded": measure.MeasureRecorded,
            "corrected": measure.MeasureCorrected,
            "reinstated": measure.MeasureReinstated,
            "held": measure.MeasureHeld,
        }
        if kind == "held":
            told.setdefault("why", measure.UNKNOWN_INSTRUMENT)
        self.log.append([classes[kind](**told)])

    def withdraw(self, external: str) -> None:
        stream = IDS.derive("measure", "clinic", external)
        version = len(self.log.read(stream)) + 1
        event = measure.MeasureWithdrawn(
            originator_id=stream,
            originator_version=version,
            timestamp=self.arrived,
            owner=self.owner,
            episode=episode_id(self.name).hex,
            reason="entered-in-error",
        )
        self.log.append([event])

    def tell(self, kind: Any, day: int, /, **fields: Any) -> None:
        """Write an event of the episode's own stream."""
        stream = episode_id(self.name)
        event = kind(
            originator_id=stream,
            originator_version=len(self.log.read(stream)) + 1,
            timestamp=max(self.arrived, START + timedelta(days=day)),
            owner=self.owner,
            **fields,
        )
        self.log.append([event])

    def open(self, day: int = 0, primary: str | None = None, **more: Any) -> None:
        first = not any(
            isinstance(one, episode.Announced) for one in self.log.read(episode_id(self.name))
        )
        self.tell(
            episode.EpisodeOpened if first else episode.PlanChanged,
            day,
            sender="clinic",
            reference=self.name,
            client="c",
            clinician=None,
            opened_on=self.on(day),
            approach=None,
            problem=None,
            planned_sessions=None,
            planned_end=None,
            next_session=None,
            primary_instrument=primary,
            **more,
        )

    def session(self, external: str, day: int, attendance: str = "attended") -> None:
        self.tell(
            episode.SessionRecorded, day, session=external, on=self.on(day), attendance=attendance
        )

    def fact(self, external: str, day: int, kind: str, label: str, **more: Any) -> None:
        told = {"fact": external, "on": self.on(day), "kind": kind, "label": label}
        self.tell(episode.FactNoted, day, **(told | more))

    def approach(self, name: str, day: int, origin: str = "ehr", **more: Any) -> None:
        told = {
            "approach_id": IDS.derive("approach", self.name, name, str(day)).hex,
            "approach": name,
            "since": self.on(day),
            "origin": origin,
            "reason": None,
            "reflection": None,
            "review_on": None,
            "confirms": False,
        }
        self.tell(episode.ApproachChosen, day, **(told | more))

    def reflect(self, name: str, day: int, review: int) -> None:
        self.tell(
            episode.ReflectionNoted,
            day,
            reflection=name,
            decision="stay",
            on=self.on(day),
            review_on=self.on(review),
        )

    def close(self, day: int) -> None:
        self.tell(episode.EpisodeClosed, day, on=self.on(day), reason="ended")

    def reopen(self, day: int) -> None:
        self.tell(episode.EpisodeReopened, day, on=self.on(day))

    def on(self, day: int) -> str:
        return (START + timedelta(days=day)).date().isoformat()


def played(tell: Callable[[Sender], None], page: int = 500, cold: bool = False) -> MemoryLog:
    """The log after everything was told and read; `cold`: memory is dropped before each page."""
    log = MemoryLog()
    tell(Sender(log))
    reader = detector(log)
    if cold:
        while any(entry.position > reader.position() for entry in log.entries):
            before = reader.position()
            step(log, reader, page)
            reader = detector(log)
            if reader.position() == before:
                break
    detect(log, reader, page)
    return log


def step(log: MemoryLog, reader: Any, page: int) -> None:
    after = reader.position()
    new = [entry for entry in log.entries if entry.position > after][:page]
    wanted = [entry for entry in new if entry.event.TOPIC in reader.topics]
    if wanted:
        reader.apply(wanted, new[-1].position)


def now_open(log: MemoryLog) -> dict[str, Any]:
    """The current findings: channel to tier and grounds."""
    spells = said(log).open_findings
    return {channel: (one.tier, one.on, one.evidence) for channel, one in spells.items()}


def charted(log: MemoryLog) -> dict[str, Any]:
    """What was last said of every measure, by trajectory, less the version of the measure."""
    return {
        key: {measure: mark[1:] for measure, mark in prints.items()}
        for key, prints in said(log).prints.items()
    }
