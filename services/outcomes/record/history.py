"""Takes a history in: measures and what is told of episodes, in its order, many in a commit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from services.chassis.vault import Vault
from services.outcomes.core.episode import EpisodeError, FactNoted, SessionRecorded
from services.outcomes.core.event import Event
from services.outcomes.core.measure import Content, Draft, Reading
from services.outcomes.core.scoring import ScoringError
from services.outcomes.core.telling import Announcement, Telling
from services.outcomes.record.decision import DamagedError, Decisions, ErasedError, Sight
from services.outcomes.record.episodes import Episodes, Step, Told
from services.outcomes.record.measures import TOGETHER, Answer, Measures

MANY = (SessionRecorded, FactNoted)
"""What a trial does not remember of an episode: nothing is refused for it, and it is the most."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What a history tells of an episode, by the sender's reference."""

    episode: str
    told: Telling

    @property
    def external_id(self) -> str:
        """The sender's own id of what is told, empty where it needs none."""
        return getattr(self.told, "external_id", None) or ""


Row = Content | Heard
_Ready = Draft | Step | Exception


class History:
    """The door's commands, many in one commit; what was overtaken since is a repeat, no fault."""

    def __init__(
        self, decisions: Decisions, vault: Vault, measures: Measures, episodes: Episodes
    ) -> None:
        """Carry out what `measures` and `episodes` decide."""
        self._decisions, self._vault = decisions, vault
        self._measures, self._episodes = measures, episodes
        self._tried: dict[UUID, list[Event]] = {}

    def take(self, sender: str, rows: Sequence[Row]) -> list[Answer | Told]:
        """Record rows in order; what was refused stands in its own place.

        Raises:
            StoreError: of some nothing is known to be stored; it is safe to send all again.
        """
        ready = self._ready(sender, rows)
        answers: list[Answer | Told] = []
        for start in range(0, len(ready), TOGETHER):
            answers += self._together(ready[start : start + TOGETHER])
        self._measures.settle_doubts(answers)
        return answers

    def try_(self, sender: str, rows: Sequence[Row]) -> list[Reading | Told | Exception]:
        """What rows would come to, after those that were tried before; nothing is stored."""
        steps = [self._trial(sender, row) for row in rows]
        streams = {step.stream for step in steps if isinstance(step, Step)}
        tried = {stream: self._tried[stream] for stream in streams & self._tried.keys()}
        sight = Sight(self._decisions.known(streams) | tried, None)
        found = [self._stepped(sight, step) if isinstance(step, Step) else step for step in steps]
        for stream in {event.originator_id for event in sight.stored}:
            every = sight.events(stream)
            self._tried[stream] = [one for one in every if not isinstance(one, MANY)]
        return found

    # Inside

    def _ready(self, sender: str, rows: Sequence[Row]) -> list[_Ready]:
        """Every row with its ids; clients' ids and keys are made for all of them at once."""
        contents = [row for row in rows if isinstance(row, Content)]
        drafts = iter(self._measures.drafts(sender, contents))
        clients = {
            (sender, row.told.client)
            for row in rows
            if isinstance(row, Heard) and isinstance(row.told, Announcement)
        }
        owners = self._vault.subjects(clients) if clients else {}
        return [
            next(drafts) if isinstance(row, Content) else self._step(sender, row, owners)
            for row in rows
        ]

    def _step(
        self, sender: str, row: Heard, owners: Mapping[tuple[str, str], UUID]
    ) -> Step | Exception:
        client = row.told.client if isinstance(row.told, Announcement) else ""
        try:
            return self._episodes.step(sender, row.episode, row.told, owners.get((sender, client)))
        except ErasedError as error:
            return error

    def _trial(self, sender: str, row: Row) -> Step | Reading | Exception:
        """As `_ready`, with an id for a client whom nobody knows that is kept nowhere."""
        if isinstance(row, Heard):
            client = row.told.client if isinstance(row.told, Announcement) else ""
            pair = (sender, client)
            owner = self._vault.find(*pair) or self._vault.ids.derive("nobody", *pair)
            return self._step(sender, row, {pair: owner})
        try:
            return self._measures.read(row)
        except ScoringError as error:
            return error

    def _together(self, ready: Sequence[_Ready]) -> list[Answer | Told]:
        streams = {one.stream for one in ready if isinstance(one, Step)}
        known = self._decisions.known(streams | self._measures.unsure(ready))

        def work(sight: Sight) -> list[Answer | Told]:
            return [self._carried(sight, one) for one in ready]

        done = self._decisions.take(known, work)
        for one, answer in zip(ready, done.answer, strict=True):
            if isinstance(one, Step) and isinstance(answer, Told):
                self._episodes.settle(one, answer, done.position)
        return done.answer

    def _carried(self, sight: Sight, one: _Ready) -> Answer | Told:
        if isinstance(one, Draft):
            return self._measures.post_one(sight, one)
        return self._stepped(sight, one) if isinstance(one, Step) else one

    def _stepped(self, sight: Sight, step: Step) -> Told | Exception:
        try:
            return self._episodes.take(sight, step, again=True)
        except (EpisodeError, ErasedError, DamagedError) as error:
            return error
