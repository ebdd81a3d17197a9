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
from services.outcomes.core.telling import Announcement, Place
from services.outcomes.record.decision import Decisions, ErasedError, Sight, readable
from services.outcomes.record.measures import Measures


@dataclass(frozen=True, slots=True)
class Told:
    """An episode as it stands after a command.

    `new`: what was told was not known in any form; `changed`: something was stored.
    """

    state: episode.State
    new: bool
    changed: bool


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

    def announce(self, sender: str, reference: str, told: Announcement) -> Told:
        """Open an episode, or bring its plan up to date.

        Raises:
            episode.EpisodeError: what is recorded forbids it.
            ErasedError, DamagedError, StoreError: as they say.
        """
        place = self._place(sender, reference, told.client)

        def work(sight: Sight) -> tuple[episode.State | None, Told]:
            past = episode.fold(sight.events(place.episode))
            day = today(self._clock, self._zone)
            known = self._approaches
            since = telling.begins(past, told, day, known) or told.opened_on
            approach = self._approach_id(place.episode, told.approach or "", since)
            at = self._clock.now()
            events = telling.decide_announce(
                past, place, told, approach, approaches=known, today=day, at=at
            )
            return past, _told(sight, place.episode, past, events, new=not _is_announced(past))

        done = self._decisions.take(self._decisions.known([place.episode]), work)
        past, answer = done.answer
        self._measures.announced(place.episode, place.owner)
        if past is not None and (past.doubted or past.owner != place.owner):
            self._measures.settle(place.episode, done.position)
        return answer

    def approach(
        self,
        sender: str,
        reference: str,
        *,
        approach: str,
        since: str,
        reason: str | None = None,
        external_id: str | None = None,
    ) -> Told:
        """Note the approach that the sender reports. Raises as `announce`."""
        stream = self.id_of(sender, reference)
        chosen = self._approach_id(stream, *([external_id] if external_id else [approach, since]))
        return self._tell(
            stream,
            lambda state, at: telling.decide_approach(
                state, chosen, approach, since, reason, self._approaches, at
            ),
            lambda state: chosen.hex not in state.approaches,
        )

    def session(
        self, sender: str, reference: str, *, external_id: str, on: str, attendance: str
    ) -> Told:
        """Note a session, or what became of it. Raises as `announce`."""
        return self._tell(
            self.id_of(sender, reference),
            lambda state, at: telling.decide_session(state, external_id, on, attendance, at),
            lambda state: external_id not in state.sessions,
        )

    def fact(
        self, sender: str, reference: str, *, external_id: str, on: str, kind: str, label: str
    ) -> Told:
        """Note something else that happened. Raises as `announce`."""
        return self._tell(
            self.id_of(sender, reference),
            lambda state, at: telling.decide_fact(state, external_id, on, kind, label, at),
            lambda state: external_id not in state.facts,
        )

    def close(self, sender: str, reference: str, *, on: str, reason: str) -> Told:
        """Close an episode. Raises as `announce`."""
        return self._tell(
            self.id_of(sender, reference),
            lambda state, at: telling.decide_close(state, on, reason, at),
            lambda state: False,
        )

    def approach_chosen(self, stream: UUID, data: dict[str, Any]) -> Told:
        """Note a pivot from a reflection; `data` as of the message `approach.chosen`."""
        return self._tell(
            stream,
            lambda state, at: episode.decide_approach_chosen(state, data, at),
            lambda state: UUID(str(data["approach_id"])).hex not in state.approaches,
        )

    def reflection_noted(self, stream: UUID, data: dict[str, Any]) -> Told:
        """Note a clinician's decision; `data` as of the message `reflection.recorded`."""
        return self._tell(
            stream,
            lambda state, at: episode.decide_reflection_noted(state, data, at),
            lambda state: UUID(str(data["reflection"])).hex not in state.reflections,
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

    def _place(self, sender: str, reference: str, client: str) -> Place:
        owner = self._vault.subject(sender, client)
        if self._vault.is_shredded(owner):
            raise ErasedError("the client was erased")
        return Place(
            episode=self.id_of(sender, reference),
            owner=owner,
            sender=sender,
            reference=reference,
            client=client,
        )

    def _approach_id(self, stream: UUID, *parts: str) -> UUID:
        return self._ids.derive("approach", stream.hex, *parts)

    def _tell(
        self,
        stream: UUID,
        decide: Callable[[episode.State | None, datetime], list[Event]],
        is_new: Callable[[episode.State], bool],
    ) -> Told:
        def work(sight: Sight) -> Told:
            past = episode.fold(sight.events(stream))
            events = decide(past, self._clock.now())
            return _told(sight, stream, past, events, new=past is not None and is_new(past))

        return self._decisions.take(self._decisions.known([stream]), work).answer


def _is_announced(state: episode.State | None) -> bool:
    return state is not None and state.announced


def _told(
    sight: Sight, stream: UUID, past: episode.State | None, events: list[Event], *, new: bool
) -> Told:
    sight.store(events)
    state = episode.fold(sight.events(stream))
    if state is None:
        raise episode.UnknownEpisodeError("there is no such episode")
    return Told(state, new=new and bool(events), changed=bool(events))
