"""What follows from each message: it is noted in its course, and alerts speak, change or settle.

A page of messages is decided together on states read once, and its events are stored in one
commit with the consumer's position.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from services.alerts.core import alert, card, course, risk, risk_card, source, speaking
from services.alerts.core.alert import Alert, AlertEvent
from services.alerts.core.caseload import Statistics
from services.alerts.core.course import Course, Header, MessageNoted
from services.alerts.core.event import Event
from services.alerts.core.ground import Ground
from services.alerts.core.policy import RISK
from services.alerts.core.risk import Answered, Risk
from services.alerts.core.speaking import Finding
from services.alerts.people import Directory, People
from services.alerts.rules import Rules
from services.alerts.settings import Settings
from services.alerts.states import State, StateCache
from services.chassis.clock import Clock
from services.chassis.eventlog import EventLog
from services.chassis.ids import Ids
from services.chassis.message import Message

FINDINGS = frozenset({"finding.opened", "finding.amended"})
SPEAKING = frozenset({alert.AlertRaised.TOPIC, alert.AlertHeld.TOPIC})


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message to be noted: `message` is None where it could not be read."""

    episode: UUID
    note: dict[str, Any]
    message: Message | None


class Page:
    """The states that one page of messages reads, and the events that it makes of them."""

    def __init__(self, book: "Book") -> None:
        """Start with nothing read and nothing decided."""
        self._book = book
        self._streams: dict[UUID, list[Any]] = {}
        self._people: People | None = None
        self._retired: frozenset[str] | None = None
        self._statistics: dict[str, Statistics | None] = {}
        self.states: dict[UUID, State] = {}
        self.events: list[Event] = []

    @property
    def retired(self) -> frozenset[str]:
        """The channels that speak no more, as of this page."""
        if self._retired is None:
            self._retired = self._book.rules.retired()
        return self._retired

    @property
    def people(self) -> People:
        """Everybody, as of this page."""
        if self._people is None:
            self._people = self._book.directory.people()
        return self._people

    def statistics(self, instrument: str) -> Statistics | None:
        """What the caseload's endings say of an instrument, as of this page."""
        if instrument not in self._statistics:
            self._statistics[instrument] = self._book.statistics(instrument)
        return self._statistics[instrument]

    def prefetch(self, incoming: Iterable[Incoming]) -> None:
        """Read every stream that the page will need and that is not remembered, by one query."""
        wanted: set[UUID] = set()
        for one in incoming:
            wanted |= self._book.streams_of(one)
        for id_ in list(wanted):
            known = self._book.cache.get(id_)
            if known is not None:
                self.states[id_] = known
                wanted.remove(id_)
        self.read(wanted)

    def read(self, streams: set[UUID]) -> None:
        """Read streams by one query, but for those that the page has."""
        wanted = streams - self._streams.keys()
        found = self._book.log.read_many(wanted) if wanted else {}
        self._streams |= {stream: found.get(stream, []) for stream in wanted}

    def course(self, episode: UUID) -> Course:
        """The course of an episode as the page has it so far."""
        id_ = self._book.course_id(episode)
        state = self.states.get(id_)
        if state is None:
            state = self.states[id_] = course.fold(Course(id_, episode.hex), self._stream(id_))
        return cast(Course, state)

    def alert(self, id_: UUID) -> Alert | None:
        """An alert as the page has it so far."""
        if id_ not in self.states:
            self._keep(id_, alert.fold(None, self._stream(id_)))
        return cast(Alert | None, self.states.get(id_))

    def risk(self, id_: UUID) -> Risk | None:
        """A risk item as the page has it so far."""
        if id_ not in self.states:
            self._keep(id_, risk.fold(None, self._stream(id_)))
        return cast(Risk | None, self.states.get(id_))

    def add(self, events: Iterable[Event]) -> None:
        """Take up what one message came to."""
        for event in events:
            id_ = event.originator_id
            state: Any = self.states.get(id_)
            if isinstance(event, MessageNoted):
                self.states[id_] = course.evolve(state, event)
            elif isinstance(event, AlertEvent):
                evolve = risk.evolve if event.channel == RISK else alert.evolve
                self.states[id_] = evolve(state, event)
            self.events.append(event)

    def _stream(self, id_: UUID) -> list[Any]:
        if id_ not in self._streams:
            self._streams[id_] = self._book.log.read(id_)
        return self._streams[id_]

    def _keep(self, id_: UUID, state: State | None) -> None:
        if state is not None:
            self.states[id_] = state


class Book:
    """Decides what messages come to; consumers store what it decides."""

    def __init__(
        self,
        log: EventLog,
        ids: Ids,
        clock: Clock,
        directory: Directory,
        settings: Settings,
        rules: Rules,
        statistics: Callable[[str | None], Statistics | None] = lambda instrument: None,
    ) -> None:
        """Read states from `log`; `directory` says who is reached, `rules` what may speak.

        `statistics` tells what the caseload's endings say of an instrument, for the card.
        """
        self.log, self._ids, self._clock = log, ids, clock
        self.statistics = statistics
        self.directory, self.rules, self._settings = directory, rules, settings
        self.cache = StateCache()

    # Ids

    def course_id(self, episode: UUID) -> UUID:
        """The stream in which an episode's messages are noted."""
        return self._ids.derive("course", episode.hex)

    def alert_id(self, episode: UUID, channel: str) -> UUID:
        """The stream of a channel's alert."""
        return self._ids.derive("alert", episode.hex, channel)

    def risk_id(self, episode: UUID, instrument: str, item: int | str) -> UUID:
        """The stream of a risk item's alert."""
        return self._ids.derive("alert", episode.hex, "risk", instrument, str(item))

    def provisional_owner(self, episode: UUID) -> UUID:
        """Whose key seals what arrives before the episode's client is known: its own alone."""
        return self._ids.derive("owner", episode.hex)

    def streams_of(self, incoming: Incoming) -> set[UUID]:
        """The streams that noting a message and its effect read."""
        message, episode = incoming.message, incoming.episode
        streams = {self.course_id(episode)}
        if message is None:
            return streams
        data = message.data
        if message.type in FINDINGS or message.type == "finding.cleared":
            streams.add(self.alert_id(episode, str(data.get("channel"))))
        if message.type == "risk.answered":
            instrument = str(data.get("instrument"))
            items = data.get("items")
            if isinstance(items, list):
                streams |= {
                    self.risk_id(episode, instrument, one["item"])
                    for one in items
                    if isinstance(one, Mapping) and "item" in one
                }
        return streams

    # Deciding

    def note(self, page: Page, incoming: Incoming, *, effect: bool) -> list[Event]:
        """The event that a message arrived; nothing when it was noted before."""
        state = page.course(incoming.episode)
        key = incoming.note["id"]
        if key in state.done or (not effect and key in state.waiting):
            return []
        return [
            MessageNoted(
                originator_id=state.id,
                originator_version=state.version + 1,
                timestamp=self._clock.now(),
                owner=self._owner(state, incoming),
                episode=incoming.episode.hex,
                message=incoming.note,
                effect=effect,
            )
        ]

    def take(self, page: Page, incoming: Incoming) -> list[Event]:
        """Note a message and decide its effect; nothing when it took effect before.

        Raises:
            Exception: whatever a message brings about that was checked and yet cannot be used.
        """
        noted = self.note(page, incoming, effect=True)
        message = incoming.message
        if message is None:
            return noted
        if not noted:
            return self._heard_again(page, incoming.episode, message)
        effects = _EFFECTS.get(message.type)
        if effects is None:
            return noted
        state = course.evolve(page.course(incoming.episode), noted[0])
        return [*noted, *effects(self, page, state, message.data)]

    def unreadable(self, page: Page, episode: UUID, owner: UUID) -> list[Event]:
        """A risk message that could not be read: the backup is told at once."""
        id_ = self.risk_id(episode, risk.UNREADABLE, "")
        # Never from the cache, for no prefetch names it: an alert that somebody has answered
        # meanwhile would seem open, and this one would not be told.
        state = page.risk(id_)
        now = self._clock.now()
        pen = risk.pen_for(state, id_, episode.hex, owner, now)
        made = risk_card.unreadable(self._settings.policy_link)
        day = self._settings.policy.day(now).isoformat()
        return list(risk.decide_unreadable(state, made, day, pen))

    def owner_of(self, page: Page, episode: UUID) -> UUID:
        """Whose key seals what is recorded of an episode."""
        return page.course(episode).subject or self.provisional_owner(episode)

    def _owner(self, state: Course, incoming: Incoming) -> UUID:
        message = incoming.message
        if state.subject is None and message is not None and "subject" in message.data:
            return UUID(str(message.data["subject"]))
        return state.subject or self.provisional_owner(incoming.episode)

    def found(self, page: Page, state: Course, data: dict[str, Any]) -> list[Event]:
        """A finding opened or was amended; risk answers have a path of their own."""
        if data["channel"] == RISK:
            return []
        now, policy = self._clock.now(), self._settings.policy
        current, pen = self._alert(page, state, data["channel"], now)
        return list(
            speaking.decide_found(current, self._finding(page, state, data), pen, policy, now)
        )

    def stated(self, page: Page, state: Course, data: dict[str, Any]) -> list[Event]:
        """The source was restored, and says which spells of the episode it holds as open."""
        now, policy = self._clock.now(), self._settings.policy
        restored = source.Restored(data["log"], data["made_at"])
        told = {one["channel"]: one for one in data["spells"] if one["channel"] != RISK}
        events: list[Event] = []
        for channel in sorted(state.channels | told.keys()):
            current, pen = self._alert(page, state, channel, now)
            finding = self._finding(page, state, told[channel]) if channel in told else None
            events += source.decide_stated(current, finding, restored, pen, policy, now)
        return events

    def restored(self, page: Page, data: dict[str, Any]) -> list[Event]:
        """The source was restored: nothing that is told now is confirmed until it says so."""
        restored = source.Restored(data["log"], data["made_at"])
        now = self._clock.now()
        events: list[Event] = []
        told = self._told()
        page.read(told)
        for id_ in sorted(told):
            state = page.alert(id_)
            if state is not None:
                events += source.decide_restored(state, restored, alert.of(state, now))
        return events

    def _told(self) -> set[UUID]:
        """Every alert about a finding that ever spoke or waited, from the log."""
        found: set[UUID] = set()
        after = 0
        while (page := self.log.page(after, topics=SPEAKING)).entries:
            after = page.scanned_to
            found |= {
                entry.event.originator_id
                for entry in page.entries
                if getattr(entry.event, "channel", RISK) != RISK
            }
        return found

    def _heard_again(self, page: Page, episode: UUID, message: Message) -> list[Event]:
        """A message that took effect before: after a restore it confirms what it said."""
        data = message.data
        if message.type not in FINDINGS or data["channel"] == RISK:
            return []
        current, pen = self._alert(page, page.course(episode), data["channel"], self._clock.now())
        return list(source.decide_again(current, _hex(data["spell"]), data["revision"], pen))

    def _finding(self, page: Page, state: Course, data: Mapping[str, Any]) -> Finding:
        old_news = bool(data["old_news"])
        told = not old_news and data["channel"] not in page.retired
        return Finding(
            spell=_hex(data["spell"]),
            ordinal=data["ordinal"],
            revision=data["revision"],
            tier=data["tier"] if told else "info",
            on=data["on"],
            old_news=old_news,
            card=card.make(self._ground(page, state, data)),
        )

    def _ground(self, page: Page, state: Course, data: Mapping[str, Any]) -> Ground:
        instrument = data["evidence"].get("instrument")
        known = page.statistics(instrument) if instrument else None
        quiet = bool(data.get("quiet"))
        return replace(_ground(state, data), statistics=known, quiet=quiet)

    def cleared(self, page: Page, state: Course, data: dict[str, Any]) -> list[Event]:
        """A finding cleared: it settles, or is withdrawn when a correction took its grounds."""
        if data["channel"] == RISK:
            return []
        current, pen = self._alert(page, state, data["channel"], self._clock.now())
        spell = _hex(data["spell"])
        return list(
            speaking.decide_cleared(
                current, spell, data["revision"], data["reason"], data["on"], pen
            )
        )

    def answered(self, page: Page, state: Course, data: dict[str, Any]) -> list[Event]:
        """Risk answers of one version of one measure."""
        now = self._clock.now()
        events: list[Event] = []
        for item in data["items"]:
            answered = _answered(data, item)
            episode = UUID(state.episode)
            id_ = self.risk_id(episode, answered.instrument, answered.item)
            current = page.risk(id_)
            owner = state.subject or self.provisional_owner(episode)
            pen = risk.pen_for(current, id_, state.episode, owner, now)
            away = self.unreachable(page.people, state.header, data, now)
            events += risk.decide_answered(
                current, answered, away, self._risk_card, pen, self._settings.policy
            )
        return events

    def unreachable(
        self, people: People, header: Header | None, data: Mapping[str, Any], now: datetime
    ) -> str | None:
        """Why the backup is to be told at once; None when the clinician can be reached."""
        if header is not None and header.closed:
            return "the course is closed"
        clinician = (header.clinician if header else None) or data.get("clinician")
        sender = header.sender if header else data.get("sender")
        return people.unreachable(self.directory.hash(str(sender), clinician), now)

    def _risk_card(self, record: dict[str, Any], earlier: list[dict[str, Any]]) -> dict[str, Any]:
        settings = self._settings
        return risk_card.make(record, earlier, settings.policy, settings.policy_link)

    def _alert(
        self, page: Page, state: Course, channel: str, now: datetime
    ) -> tuple[Alert | None, alert.Next]:
        episode = UUID(state.episode)
        id_ = self.alert_id(episode, channel)
        current = page.alert(id_)
        owner = state.subject or self.provisional_owner(episode)
        return current, alert.Next(current, id_, state.episode, channel, owner, now)


Effect = Callable[[Book, Page, Course, dict[str, Any]], list[Event]]
_EFFECTS: dict[str, Effect] = {
    "finding.opened": Book.found,
    "finding.amended": Book.found,
    "finding.cleared": Book.cleared,
    "findings.stated": Book.stated,
    "risk.answered": Book.answered,
}
"""The messages that move alerts; all others are noted for the pages."""


def _ground(state: Course, data: Mapping[str, Any]) -> Ground:
    evidence = data["evidence"]
    named = [state.scales[key] for key in evidence.get("trajectories", ()) if key in state.scales]
    like = [
        scale
        for scale in state.scales.values()
        if scale["instrument"] == evidence.get("instrument")
    ]
    scale = (named or like or [{}])[0]
    return Ground(data["channel"], evidence, scale, bool(data["old_news"]))


def _answered(data: Mapping[str, Any], item: Mapping[str, Any]) -> Answered:
    return Answered(
        instrument=data["instrument"],
        item=item["item"],
        kind=item["kind"],
        measure=_hex(data["measure"]),
        version=data["version"],
        on=data["on"],
        received_at=data["received_at"],
        answer=item.get("answer"),
        state=item["state"],
        urgent=item["urgent"],
        change=data["change"],
        clinician=data.get("clinician"),
    )


def _hex(value: Any) -> str:
    return UUID(str(value)).hex


def note_of(message: Message) -> dict[str, Any]:
    """A message as it is noted: unchanged, without what only the transport needs."""
    return {
        "id": message.id,
        "type": message.type,
        "version": message.version,
        "time": message.time.isoformat(),
        "data": message.data,
    }
