"""The follower that folds each episode's timeline and writes what it finds to the log it reads."""

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from time import monotonic
from typing import Any, Protocol
from uuid import UUID
from zoneinfo import ZoneInfo

from services.chassis.clock import Clock
from services.chassis.eventlog import Damaged, Entry, EventLog, Redacted
from services.chassis.ids import Ids
from services.outcomes.core.case import NOTHING, Case, Truth, Yardsticks, truth
from services.outcomes.core.channels.not_assessable import UNKNOWN_INSTRUMENT
from services.outcomes.core.event import Event
from services.outcomes.core.findings import RulesAdopted, SilenceNoticed
from services.outcomes.core.happening import TOPICS, Cause, take
from services.outcomes.core.news import Rows, Writer, all_rows, damaged_before, is_other, tell
from services.outcomes.core.said import Said, evolve, fold
from services.outcomes.core.timeline import TOTAL, iso, ordinal

NAME = "detector"
RULE_CHANGED = "rule changed"
"""Why a trajectory is told anew after other rules or another version of its instrument."""
LOOKS_EVERY_S = 0.25
"""Seconds between looks for what time alone has changed: each is a query, and time goes by days."""
LOOKS_SHARE = 50
"""A look that finds nothing is not repeated within so many times what it took.

Thousands of courses that were announced late today are found anew by every look until tomorrow.
"""
CACHED = 2_000
"""Episodes whose state is kept; one with twenty measures takes about 25 kB."""


class Log(Protocol):
    """What the detector asks of the event log."""

    def append(self, events: Sequence[Any], tracking: tuple[str, int] | None = None) -> list[int]:
        """Store events and the position in one transaction."""
        ...

    def read(self, stream: UUID) -> list[Any]:
        """A stream in order."""
        ...

    def read_many(self, streams: Iterable[UUID]) -> dict[UUID, list[Any]]:
        """Several streams by one query."""
        ...

    def position(self, reader: str) -> int:
        """How far a reader has come."""
        ...


Due = Callable[[str], Sequence[UUID]]
"""Episodes that time alone has changed by this date; they may be named once too often."""


@dataclass(slots=True)
class Known:
    """An episode as the detector holds it in memory; everything in it can be had from the log.

    `rows` are those of `truth`; `told` are the same once what is true has been told.
    """

    episode: UUID
    stream: UUID
    owner: UUID | None = None
    episode_version: int = 0
    case: Case = field(default_factory=Case)
    said: Said = field(default_factory=Said)
    truth: Truth = NOTHING
    rows: Rows = field(default_factory=dict)
    told: Rows = field(default_factory=dict)
    other_rules: bool = False
    """Whether what was said was said by other rules than those in force."""


class Detector:
    """Follows measures and episodes; what it appends is a function of the log alone.

    Entries are taken one by one in log order, so pages of any size give the same events. What is
    in memory only saves reading: after a conflict it is dropped and read again.
    """

    name = NAME
    topics: Collection[str] | None = TOPICS

    def __init__(
        self,
        log: EventLog | Log,
        ids: Ids,
        yardsticks: Yardsticks,
        *,
        clock: Clock,
        zone: ZoneInfo,
        due: Due | None = None,
        may_tick: Callable[[], bool] | None = None,
        cached: int = CACHED,
    ) -> None:
        """Detect in `log`.

        Args:
            log: a handle of the detector's own.
            ids: derives the ids of findings streams and spells.
            yardsticks: the instruments and the rules.
            clock: tells `tick` the time; nothing else asks it.
            zone: the installation's, which makes moments days.
            due: which episodes to look at because of the time; None: none are.
            may_tick: False while the clock is not trusted.
            cached: how many episodes are kept in memory.
        """
        self._log, self._ids, self._yardsticks = log, ids, yardsticks
        self._clock, self._zone = clock, zone
        self._due, self._may_tick = due, may_tick
        self._cached = cached
        self._known: OrderedDict[UUID, Known] = OrderedDict()
        self._not_before: dict[UUID, int] = {}
        self._looks_at = 0.0

    # What a follower asks of its reader

    def position(self) -> int:
        """How far its findings reach."""
        return self._log.position(NAME)

    def apply(self, entries: Sequence[Entry], to: int) -> None:
        """Append what the entries change and move to `to`, in one commit."""
        self._apply(entries, (NAME, to))

    def replay(self, entries: Sequence[Entry]) -> None:
        """Append what entries change that were parked; the position stays."""
        self._apply(entries, None)

    def key(self, entry: Entry) -> UUID | None:
        """The episode; None where a damaged measure does not tell it."""
        return self._episode_of(entry.event)

    def reload(self) -> None:
        """Forget everything in memory."""
        self._known.clear()

    def idle(self) -> None:
        """Notice silence, when time has come."""
        if monotonic() < self._looks_at or not (self._may_tick is None or self._may_tick()):
            return
        began = monotonic()
        if not self.tick(self._clock.now()):
            took = monotonic() - began
            self._looks_at = began + max(LOOKS_EVERY_S, LOOKS_SHARE * took)

    # Findings

    def _apply(self, entries: Sequence[Entry], tracking: tuple[str, int] | None) -> None:
        mine = [(self._episode_of(entry.event), entry.event) for entry in entries]
        events: list[Event] = []
        touched = self._load(_firsts(mine))
        try:
            for episode, event in mine:
                if episode is not None:
                    events += self._look(touched[episode], event)
            if events or tracking is not None:
                self._log.append(events, tracking)
        except BaseException:
            # What memory holds now was never stored.
            self._forget(touched)
            raise
        self._evict()

    def _look(self, known: Known, event: Any) -> list[Event]:
        """What one entry of the log changes."""
        if isinstance(event, Redacted):
            return []
        if isinstance(event, Damaged):
            return self._damage(known)
        return [*self._adopt(known, event.timestamp), *self._hear(known, event)]

    def _hear(self, known: Known, event: Event) -> list[Event]:
        if event.TOPIC.startswith("episode."):
            if event.originator_version <= known.episode_version:
                return self._take(known, Case(), event)
            known.episode_version = event.originator_version
        known.owner = event.owner
        return self._take(known, known.case, event)

    def _take(self, known: Known, case: Case, event: Any) -> list[Event]:
        """Take an event into `case` and tell what is true now.

        An event that was in the case before its turn, as when time had the episode looked at in
        between, is taken into an empty one: what it changed is perhaps still to be said.
        """
        cause = take(case, event, self._yardsticks, self._day_of)
        return [] if cause is None else self._tell(known, cause, event.timestamp)

    def _damage(self, known: Known) -> list[Event]:
        """Part of the record cannot be read: say so, and leave what was said as it is."""
        if known.case.damaged or known.owner is None:
            return []
        now = self._clock.now()
        adopted = self._adopt(known, now)
        known.case.damaged = True
        return [*adopted, *self._tell(known, Cause("record damaged"), now)]

    def _tell(self, known: Known, cause: Cause, at: datetime) -> list[Event]:
        now_true = truth(known.case, self._yardsticks, known.truth, cause.new)
        return self._say(known, now_true, cause, self._writer(known, at))

    def _say(
        self, known: Known, now_true: Truth, cause: Cause, writer: Writer, *, quiet: bool = False
    ) -> list[Event]:
        rows = all_rows(now_true, known.rows, known.truth)
        name = self._spell_id(known)
        told = known.told
        tell(writer, known.said, known.case, now_true, rows, cause, name, told, quiet=quiet)
        for event in writer.events:
            evolve(known.said, event, known.case.measures)
        known.truth, known.rows, known.told = now_true, rows, rows
        self._wait(known, ordinal(self._day_of(writer.at)))
        return writer.events

    def _wait(self, known: Known, today: int) -> None:
        """Leave what time had changed before it was heard of for tomorrow.

        A course that is announced weeks after it began is followed by its measures: to call it
        silent until they are read, a moment later, would be noise.
        """
        if known.truth.due is not None and known.truth.due <= today:
            self._not_before[known.episode] = today + 1
        else:
            self._not_before.pop(known.episode, None)

    # Other rules

    def _adopt(self, known: Known, at: datetime) -> list[Event]:
        """Judge an episode by the rules in force, if it was judged by others; prompts nobody."""
        if not known.other_rules or known.owner is None:
            return []
        known.other_rules = False
        writer = self._writer(known, at)
        writer.write(RulesAdopted, rule=self._yardsticks.rule)
        return self._say(known, known.truth, Cause(RULE_CHANGED), writer, quiet=True)

    def adopt(self, episodes: Collection[UUID]) -> int:
        """Judge these episodes by the rules in force; how many were judged by others.

        Raises:
            services.chassis.eventlog.ConflictError: another detector was quicker; ask again.
        """
        touched = self._load(dict.fromkeys(episodes, None))
        try:
            told = [self._adopt(known, self._clock.now()) for known in touched.values()]
            events = [event for events in told for event in events]
            if events:
                self._log.append(events)
        except BaseException:
            self._forget(touched)
            raise
        self._evict()
        return sum(bool(events) for events in told)

    def differences(self, episodes: Collection[UUID]) -> dict[UUID, tuple[list[Event], Said]]:
        """What `adopt` would write of those that were judged by other rules; nothing is stored.

        Returns:
            By episode the events, and what had been said before them.
        """
        touched = self._load(dict.fromkeys(episodes, None))
        told = {}
        for episode, known in touched.items():
            if known.other_rules:
                before = replace(known.said, spells=dict(known.said.spells))
                told[episode] = self._adopt(known, self._clock.now()), before
        self._forget(touched)
        return told

    # Time

    def tick(self, now: datetime) -> int:
        """Notice what time alone has changed; how many episodes that was.

        It appends the moment as an event, so that detection stays a function of the log.
        """
        if self._due is None:
            return 0
        today = self._day_of(now)
        day = ordinal(today)
        waiting = [one for one in self._due(today) if self._not_before.get(one, 0) <= day]
        touched = self._load(dict.fromkeys(waiting, None))
        events: list[Event] = []
        try:
            for known in touched.values():
                events += self._notice(known, now, day)
            if events:
                self._log.append(events)
        except BaseException:
            self._forget(touched)
            raise
        for known in touched.values():
            self._not_before[known.episode] = known.truth.due or day + 1
        self._evict()
        return len({event.originator_id for event in events})

    def _notice(self, known: Known, now: datetime, day: int) -> list[Event]:
        due = known.truth.due
        if due is None or due > day or known.owner is None:
            return []
        adopted = self._adopt(known, now)
        since = _since(known.case, day)
        known.case.silences.add(iso(day))
        now_true = truth(known.case, self._yardsticks, known.truth)
        writer = self._writer(known, now)
        writer.write(
            SilenceNoticed,
            on=iso(day),
            days=day - since,
            since=iso(since),
            due=None if now_true.due is None else iso(now_true.due),
        )
        cause = Cause("silence noticed", iso(day), fresh=True)
        return [*adopted, *self._say(known, now_true, cause, writer)]

    # Memory

    def _load(self, wanted: dict[UUID, int | None]) -> dict[UUID, Known]:
        """The states of these episodes, read from the log where memory has none.

        `wanted` gives the first version of the episode's own stream that is still to be taken:
        what lies behind it is left for its turn.
        """
        cold = [episode for episode in wanted if episode not in self._known]
        streams = {episode: self._ids.derive("findings", episode.hex) for episode in cold}
        stored = self._log.read_many([*cold, *streams.values()]) if cold else {}
        for episode, stream in streams.items():
            self._known[episode] = self._remembered(
                Known(episode, stream),
                stored.get(episode, ()),
                stored.get(stream, ()),
                wanted[episode],
            )
        for episode in wanted:
            self._known.move_to_end(episode)
        return {episode: self._known[episode] for episode in wanted}

    def _remembered(
        self, known: Known, own: Sequence[Any], findings: Sequence[Any], first: int | None
    ) -> Known:
        case = known.case
        for event in own:
            if first is not None and event.originator_version >= first:
                break
            known.episode_version = event.originator_version
            if isinstance(event, Damaged):
                case.damaged = True
            elif not isinstance(event, Redacted):
                known.owner = event.owner
                take(case, event, self._yardsticks, self._day_of)
        readable = [one for one in findings if not isinstance(one, Damaged | Redacted)]
        known.said = fold(readable)
        known.said.version = findings[-1].originator_version if findings else 0
        known.owner = readable[-1].owner if readable else known.owner
        self._take_said(case, known.said)
        case.silences = set(known.said.silences)
        lost = any(isinstance(one, Damaged) for one in findings)
        case.damaged = case.damaged or lost or damaged_before(known.said)
        known.truth = truth(case, self._yardsticks)
        known.rows = all_rows(known.truth, {})
        known.other_rules = case.measures.keys() != known.said.measures.keys() or is_other(
            known.said, known.truth, self._yardsticks.rule
        )
        return known

    def _take_said(self, case: Case, said: Said) -> None:
        """Enter the measures that were told of, as the instruments of now have them.

        What is of an instrument that was removed goes aside; what was aside for want of one that
        is there now is read again.
        """
        knows = self._yardsticks.knows
        case.measures = {key: one for key, one in said.measures.items() if knows(one)}
        gone = [one for key, one in said.measures.items() if key not in case.measures]
        unknown = {one.measure: UNKNOWN_INSTRUMENT for one in gone if one.scale == TOTAL}
        case.aside = {**said.aside, **unknown}
        waiting = [UUID(name) for name, why in said.aside.items() if why == UNKNOWN_INSTRUMENT]
        for events in self._log.read_many(waiting).values() if waiting else ():
            for event in events:
                if not isinstance(event, Damaged | Redacted):
                    take(case, event, self._yardsticks, self._day_of)

    def _forget(self, episodes: Iterable[UUID]) -> None:
        for episode in episodes:
            self._known.pop(episode, None)

    def _evict(self) -> None:
        while len(self._known) > self._cached:
            self._known.popitem(last=False)
        if len(self._not_before) > 50 * self._cached:
            self._not_before.clear()

    # Names

    def _writer(self, known: Known, at: datetime) -> Writer:
        if known.owner is None:
            raise LookupError("an episode whose owner is not known")
        episode, version = known.episode.hex, known.said.version
        return Writer(episode, known.stream, known.owner, at, version)

    def _spell_id(self, known: Known) -> Callable[[str, int], str]:
        def name(channel: str, number: int) -> str:
            return self._ids.derive("spell", known.episode.hex, channel, str(number)).hex

        return name

    def _episode_of(self, event: Any) -> UUID | None:
        if event.TOPIC.startswith("episode."):
            return UUID(bytes=event.originator_id.bytes)
        if not isinstance(event, Damaged | Redacted):
            return UUID(event.episode)
        if isinstance(event, Redacted):
            return None
        # Another version of the same measure may still tell where it belongs.
        told = (getattr(one, "episode", None) for one in self._log.read(event.originator_id))
        return next((UUID(one) for one in told if one), None)

    def _day_of(self, moment: datetime) -> str:
        return moment.astimezone(self._zone).date().isoformat()


def _firsts(mine: Iterable[tuple[UUID | None, Any]]) -> dict[UUID, int | None]:
    """Each episode with the first version of its own stream among these events, if any."""
    firsts: dict[UUID, int | None] = {}
    for episode, event in mine:
        if episode is None:
            continue
        own = event.originator_version if event.TOPIC.startswith("episode.") else None
        if firsts.get(episode) is None:
            firsts[episode] = own
    return firsts


def _since(case: Case, day: int) -> int:
    known = [ordinal(one.on) for one in case.measures.values()]
    if not known and case.opened_on is not None:
        known = [ordinal(case.opened_on)]
    return max(known, default=day)
