"""Takes in what is told of episodes: plan, approaches, sessions, facts, endings, decisions."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from schemas.approaches import Approaches
from services.chassis.clock import Clock, today
from services.chassis.vault import Vault
from services.outcomes.core import episode, telling
from services.outcomes.core.event import Event
from services.outcomes.core.telling import (
    Announcement,
    Begun,
    Closing,
    Fact,
    Place,
    Session,
    Telling,
)
from services.outcomes.record.decision import Decisions, ErasedError, Sight, readable
from services.outcomes.record.measures import Measures


@dataclass(frozen=True, slots=True)
class Told:
    """An episode as it stands after a command, and `before` it.

    `new`: what was told was not known in any form; `changed`: something was stored.
    """

    state: episode.State
    new: bool
    changed: bool
    before: episode.State | None


@dataclass(frozen=True, slots=True)
class Step:
    """A command on an episode, to be decided once its stream is seen."""

    stream: UUID
    decide: Callable[[episode.State | None, datetime], list[Event]]
    is_new: Callable[[episode.State], bool]
    owner: UUID | None = None
    """Whose an announcement says that the episode is."""


class Episodes:
    """The commands on an episode."""

    def __init__(
        self,
        decisions: Decisions,
        vault: Vault,
        approaches: Approaches,
        clock: Clock,
        zone: ZoneInfo,
        measures: Measures,
    ) -> None:
        """`measures` is told whose an episode is."""
        self._decisions, self._vault, self._ids = decisions, vault, vault.ids
        self._approaches, self._clock, self._zone = approaches, clock, zone
        self._measures = measures

    def id_of(self, sender: str, reference: str) -> UUID:
        """The stream of a sender's episode."""
        return self._ids.derive("episode", sender, reference)

    def tell(self, sender: str, reference: str, told: Telling) -> Told:
        """Take what a sender tells of an episode; an announcement opens it, or changes its plan.

        Raises:
            episode.EpisodeError: what is recorded forbids it.
            ErasedError, DamagedError, StoreError: as they say.
        """
        owner = self._vault.subject(sender, told.client) if isinstance(told, Announcement) else None
        step = self.step(sender, reference, told, owner)
        return self._carried(step)

    def step(self, sender: str, reference: str, told: Telling, owner: UUID | None) -> Step:
        """The command that this is; `owner` is the announced client's id.

        Raises:
            ErasedError: the client was erased.
        """
        stream = self.id_of(sender, reference)
        match told:
            case Announcement():
                return self._announcing(sender, reference, told, owner)
            case Begun():
                return self._beginning(stream, told)
            case Session():
                return Step(
                    stream,
                    lambda state, at: telling.decide_session(
                        state, told.external_id, told.on, told.attendance, at
                    ),
                    lambda state: told.external_id not in state.sessions,
                )
            case Fact():
                return Step(
                    stream,
                    lambda state, at: telling.decide_fact(state, told, at),
                    lambda state: told.external_id not in state.facts,
                )
            case Closing():
                return Step(
                    stream,
                    lambda state, at: telling.decide_close(state, told.on, told.reason, at),
                    lambda state: False,
                )

    def take(self, sight: Sight, step: Step, *, again: bool = False) -> Told:
        """Carry a command out upon `sight`. Raises as `tell`.

        `again`: what was told before in the same words, and overtaken since, is no fault: it
        changes nothing.
        """
        stream, at = step.stream, self._clock.now()
        past = sight.episode(stream)
        try:
            events = step.decide(past, at)
        except episode.EpisodeError:
            said = sight.events(stream)
            if not (again and telling.was_told(said, lambda state: step.decide(state, at))):
                raise
            events = []
        sight.store(events)
        state = sight.episode(stream)
        if state is None:
            raise episode.UnknownEpisodeError("there is no such episode")
        new = bool(events) and (past is None or step.is_new(past))
        return Told(state, new=new, changed=bool(events), before=past)

    def settle(self, step: Step, told: Told, position: int) -> None:
        """Let measures know whose an episode is, now that its announcement is durable."""
        if step.owner is None:
            return
        self._measures.announced(step.stream, step.owner)
        past = told.before
        if past is not None and (past.doubted or past.owner != step.owner):
            self._measures.settle(step.stream, position)

    def approach_chosen(self, stream: UUID, data: dict[str, Any]) -> Told:
        """Note a pivot from a reflection; `data` as of the message `approach.chosen`."""
        return self._carried(
            Step(
                stream,
                lambda state, at: episode.decide_approach_chosen(state, data, at),
                lambda state: UUID(str(data["approach_id"])).hex not in state.approaches,
            )
        )

    def reflection_noted(self, stream: UUID, data: dict[str, Any]) -> Told:
        """Note a clinician's decision; `data` as of the message `reflection.recorded`."""
        return self._carried(
            Step(
                stream,
                lambda state, at: episode.decide_reflection_noted(state, data, at),
                lambda state: UUID(str(data["reflection"])).hex not in state.reflections,
            )
        )

    def require(self, stream: UUID) -> episode.State:
        """An episode as the log holds it.

        Raises:
            episode.UnknownEpisodeError, ErasedError, DamagedError: as they say.
        """
        state = episode.fold(readable(self._decisions.log.read(stream)))
        if state is None:
            raise episode.UnknownEpisodeError("there is no such episode")
        return state

    # Inside

    def _carried(self, step: Step) -> Told:
        known = self._decisions.known([step.stream])
        done = self._decisions.take(known, lambda sight: self.take(sight, step))
        self.settle(step, done.answer, done.position)
        return done.answer

    def _announcing(
        self, sender: str, reference: str, told: Announcement, owner: UUID | None
    ) -> Step:
        if owner is None or self._vault.is_shredded(owner):
            raise ErasedError("the client was erased")
        place = Place(
            episode=self.id_of(sender, reference),
            owner=owner,
            sender=sender,
            reference=reference,
            client=told.client,
        )

        def decide(past: episode.State | None, at: datetime) -> list[Event]:
            day, known = today(self._clock, self._zone), self._approaches
            since = telling.begins(past, told, day, known) or told.opened_on
            approach = self._approach_id(place.episode, told.approach or "", since)
            return telling.decide_announce(
                past, place, told, approach, approaches=known, today=day, at=at
            )

        return Step(place.episode, decide, lambda state: not state.announced, owner)

    def _beginning(self, stream: UUID, told: Begun) -> Step:
        named = [told.external_id] if told.external_id else [told.approach, told.since]
        chosen = self._approach_id(stream, *named)
        return Step(
            stream,
            lambda state, at: telling.decide_approach(
                state, chosen, told.approach, told.since, told.reason, self._approaches, at
            ),
            lambda state: chosen.hex not in state.approaches,
        )

    def _approach_id(self, stream: UUID, *parts: str) -> UUID:
        return self._ids.derive("approach", stream.hex, *parts)
