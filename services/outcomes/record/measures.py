"""Takes measures in: risk answers read first, one stream each, stored once however often sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from services.chassis.clock import Clock
from services.chassis.vault import Vault
from services.outcomes.core import episode, measure, telling
from services.outcomes.core.event import Event
from services.outcomes.core.instrument import Instrument
from services.outcomes.core.measure import Content, Draft, MeasureVersion, Reading
from services.outcomes.core.scoring import ScoringError, read_risk, score
from services.outcomes.core.telling import OtherClientError, Place
from services.outcomes.record.decision import (
    DamagedError,
    Decisions,
    ErasedError,
    Sight,
    readable,
)
from services.outcomes.record.recent import Recent

KNOWN_EPISODES = 50_000
"""Announced episodes whose client is remembered; about 300 bytes each."""
TOGETHER = 250
"""Lines of a batch in one commit; more would keep single posts waiting behind it."""


class StillUnknownError(Exception):
    """A held measure cannot be released: its instrument is still unknown."""


class MeasureIndex(Protocol):
    """Knows which measures an episode has; the view of episodes does."""

    def of_episode(self, episode: UUID, position: int) -> Sequence[UUID]:
        """The ids of an episode's measures among the events up to `position`."""
        ...


class NoIndex:
    """Knows of no measures, where no view is at hand."""

    def of_episode(self, episode: UUID, position: int) -> Sequence[UUID]:
        """None."""
        return ()


@dataclass(frozen=True, slots=True)
class Accepted:
    """A measure as the log holds it; `new` when this command stored it. `id` is its stream."""

    id: UUID
    version: MeasureVersion
    new: bool


Answer = Accepted | Exception
"""What became of one measure of many: a refusal stands in its own place."""


class Measures:
    """The commands of the design's table, and the holding and releasing of measures."""

    def __init__(
        self,
        decisions: Decisions,
        vault: Vault,
        instruments: Mapping[str, Instrument],
        clock: Clock,
        index: MeasureIndex,
    ) -> None:
        """Take measures of these instruments; those of others are held."""
        self._decisions, self._vault, self._ids = decisions, vault, vault.ids
        self._instruments, self._clock, self._index = instruments, clock, index
        self._announced: Recent[UUID, UUID] = Recent(KNOWN_EPISODES)

    # Commands

    def post(self, sender: str, content: Content) -> Accepted:
        """Record a measure once.

        Raises:
            ScoringError: the answers are impossible for the instrument.
            measure.MeasureError, OtherClientError: what is recorded forbids it.
            ErasedError, DamagedError, StoreError: as they say.
        """
        (answer,) = self.post_all(sender, [content])
        if isinstance(answer, Exception):
            raise answer
        return answer

    def post_all(self, sender: str, contents: Sequence[Content]) -> list[Answer]:
        """Record measures once each, in order.

        Raises:
            StoreError: of some nothing is known to be stored; it is safe to send all again.
        """
        drafts = self.drafts(sender, contents)
        answers: list[Answer] = []
        for start in range(0, len(drafts), TOGETHER):
            answers += self._post_together(drafts[start : start + TOGETHER])
        self.settle_doubts(answers)
        return answers

    def put(self, sender: str, content: Content, *, reinstate: bool = False) -> Accepted:
        """Make this the content of the measure, whatever it was. Raises as `post`."""
        (draft,) = self.drafts(sender, [content])
        if isinstance(draft, Exception):
            raise draft

        def work(sight: Sight) -> Accepted:
            past = measure.fold(sight.events(draft.stream))
            placed = draft if _stays(past, draft) else self._placed(sight, draft)
            events = measure.decide_put(past, placed, self._clock.now(), reinstate=reinstate)
            return _accepted(sight, draft.stream, events)

        known = self._decisions.known([draft.stream, *self.unsure([draft])])
        answer = self._decisions.take(known, work).answer
        self.settle_doubts([answer])
        return answer

    def withdraw(self, sender: str, external_id: str, reason: str) -> tuple[UUID, measure.State]:
        """Take a measure back; its id and state afterwards. Raises as `post`."""
        stream = self.id_of(sender, external_id)

        def work(sight: Sight) -> measure.State:
            past = measure.fold(sight.events(stream))
            sight.store(measure.decide_withdraw(past, reason, self._clock.now()))
            return _present(sight.events(stream))

        return stream, self._decisions.take(self._decisions.known([stream]), work).answer

    def release(self, stream: UUID) -> Accepted:
        """Record a held measure as late data, now that somebody has looked at it.

        Raises:
            StillUnknownError: its instrument is still unknown.
            ScoringError: its answers are impossible for the instrument.
            measure.NotHeldError, OtherClientError: what is recorded forbids it.
        """

        def work(sight: Sight) -> Accepted:
            past = measure.fold(sight.events(stream))
            if past is None or not past.held:
                raise measure.NotHeldError("this measure is not held")
            course = sight.episode(UUID(past.latest.episode))
            if course is not None and course.announced and course.owner != past.latest.owner:
                raise OtherClientError("this episode is another client's")
            reading = self.read(measure.content_of(past.latest))
            if reading.why is not None:
                raise StillUnknownError("the instrument of this measure is still unknown")
            events = measure.decide_release(past, reading, self._clock.now())
            return _accepted(sight, stream, events)

        past = measure.fold(readable(self._decisions.log.read(stream)))
        streams = [stream, UUID(past.latest.episode)] if past else [stream]
        return self._decisions.take(self._decisions.known(streams), work).answer

    # Queries

    def id_of(self, sender: str, external_id: str) -> UUID:
        """The stream of a sender's measure."""
        return self._ids.derive("measure", sender, external_id)

    def history(self, sender: str, external_id: str) -> tuple[UUID, list[Event]]:
        """A measure's id and all that happened to it.

        Raises:
            measure.NotRecordedError, ErasedError, DamagedError: as they say.
        """
        stream = self.id_of(sender, external_id)
        events = readable(self._decisions.log.read(stream))
        _present(events)
        return stream, events

    # Whose an episode is

    def announced(self, stream: UUID, owner: UUID) -> None:
        """Remember whose an announced episode is: that never changes."""
        self._announced.put(stream, owner)

    def settle(self, stream: UUID, position: int) -> None:
        """Hold what names another client than its episode, release what no longer does.

        Called after the commit that brought the doubt or ended it, and at each later measure of
        an episode in doubt, so that it also catches up with what a crash cut short.
        """
        course = episode.fold(readable(self._decisions.log.read(stream)))
        if course is None:
            return
        for one in self._index.of_episode(stream, position):
            self._settle_one(one, course)

    def _settle_one(self, stream: UUID, course: episode.State) -> None:
        def work(sight: Sight) -> None:
            past = measure.fold(sight.events(stream))
            if past is None or past.latest.episode != course.episode.hex:
                return
            at = self._clock.now()
            if course.doubted or past.latest.owner != course.owner:
                sight.store(measure.decide_hold(past, measure.CLIENT_MISMATCH, at))
            elif past.why == measure.CLIENT_MISMATCH:
                sight.store(self._released(past, at))

        self._decisions.take(self._decisions.known([stream]), work)

    def _released(self, past: measure.State, at: datetime) -> list[Event]:
        """Recorded at last; what cannot be read any more stays for somebody to look at."""
        try:
            reading = self.read(measure.content_of(past.latest))
        except ScoringError:
            return []
        return [] if reading.why else measure.decide_release(past, reading, at)

    # Parts of a command, for a history that is taken in many at once

    def drafts(self, sender: str, contents: Sequence[Content]) -> list[Draft | Exception]:
        """Content with its reading and its ids; the client's id is durable before the measure."""
        readings = [self._reading(sender, content) for content in contents]
        fit = [
            (sender, content.client)
            for content, reading in zip(contents, readings, strict=True)
            if isinstance(reading, Reading)
        ]
        subjects = self._vault.subjects(fit) if fit else {}
        # Their keys by one query, which sealing finds remembered.
        living = self._vault.living(subjects.values()) if subjects else set()
        owners = {pair: owner for pair, owner in subjects.items() if owner in living}
        return [
            reading
            if isinstance(reading, Exception)
            else self._draft(sender, content, reading, owners.get((sender, content.client)))
            for content, reading in zip(contents, readings, strict=True)
        ]

    def unsure(self, drafts: Sequence[Any]) -> set[UUID]:
        """The episodes of which it is not remembered whose they are."""
        episodes = {draft.episode for draft in drafts if isinstance(draft, Draft)}
        return {one for one in episodes if self._announced.get(one) is None}

    def post_one(self, sight: Sight, draft: Draft) -> Answer:
        """Record one measure upon `sight`; a refusal is its answer."""
        try:
            past = measure.fold(sight.events(draft.stream))
            placed = draft if past else self._placed(sight, draft)
            events = measure.decide_post(past, placed, self._clock.now())
        except OtherClientError as error:
            return self._repeated(draft) or error
        except (measure.MeasureError, ErasedError, DamagedError) as error:
            return error
        return _accepted(sight, draft.stream, events, first=True)

    def settle_doubts(self, answers: Sequence[Any]) -> None:
        """Hold the other measures of episodes that were put in doubt, after the commit."""
        doubted = {
            answer.version.episode
            for answer in answers
            if isinstance(answer, Accepted)
            and isinstance(answer.version, measure.MeasureHeld)
            and answer.version.why == measure.CLIENT_MISMATCH
        }
        for one in doubted:
            self.settle(UUID(one), self._decisions.log.head())

    # Inside

    def _draft(
        self, sender: str, content: Content, reading: Reading, owner: UUID | None
    ) -> Draft | Exception:
        if owner is None:
            return ErasedError("the client was erased")
        return Draft(
            stream=self.id_of(sender, content.external_id),
            owner=owner,
            sender=sender,
            episode=self._ids.derive("episode", sender, content.episode),
            content=content,
            reading=reading,
        )

    def _reading(self, sender: str, content: Content) -> Reading | Exception:
        """What the answers come to; a repeat is never refused for what was not known then."""
        try:
            return self.read(content)
        except ScoringError as error:
            stream = self.id_of(sender, content.external_id)
            past = measure.fold(readable(self._decisions.log.read(stream)))
            if past is None or past.first.digest != measure.digest(content):
                return error
            return Reading(why=measure.UNKNOWN_INSTRUMENT)

    def read(self, content: Content) -> Reading:
        """What the answers come to, nothing stored.

        Risk answers come before anything else, so that nothing after them can lose them.

        Raises:
            ScoringError: they are impossible for the instrument.
        """
        instrument = self._instruments.get(content.instrument)
        if instrument is None:
            return Reading(why=measure.UNKNOWN_INSTRUMENT)
        risk = read_risk(instrument, content.items)
        scored = score(instrument, content.items, content.total)
        return Reading(
            score=scored.score,
            subscales=scored.subscales,
            band=scored.band,
            flags=scored.flags,
            risk=risk,
            instrument_version=instrument.version,
        )

    def _post_together(self, drafts: Sequence[Draft | Exception]) -> list[Answer]:
        known = self._decisions.known(self.unsure(drafts))

        def work(sight: Sight) -> list[Answer]:
            return [
                draft if isinstance(draft, Exception) else self.post_one(sight, draft)
                for draft in drafts
            ]

        return self._decisions.take(known, work).answer

    def _repeated(self, draft: Draft) -> Answer | None:
        """What was recorded before its episode was found to be another's is still a repeat."""
        past = measure.fold(readable(self._decisions.log.read(draft.stream)))
        if past is None:
            return None
        try:
            measure.decide_post(past, draft, self._clock.now())
        except measure.MeasureError as error:
            return error
        return Accepted(draft.stream, past.first, new=False)

    def _placed(self, sight: Sight, draft: Draft) -> Draft:
        """The draft where it belongs: held when its client is not the episode's.

        Raises:
            OtherClientError: the episode was announced for another client.
        """
        if self._announced.get(draft.episode) == draft.owner:
            return draft
        course = sight.episode(draft.episode)
        if course is None:
            self._name(sight, None, draft)
            return draft
        if course.announced:
            self.announced(draft.episode, course.owner)
            if course.owner != draft.owner:
                raise OtherClientError("this episode is another client's")
            return draft
        if course.owner == draft.owner and not course.doubted:
            self._name(sight, course, draft)
            return draft
        sight.store(telling.decide_doubt(course, draft.stream, self._clock.now()))
        reading = replace(draft.reading, why=draft.reading.why or measure.CLIENT_MISMATCH)
        return replace(draft, reading=reading)

    def _name(self, sight: Sight, course: episode.State | None, draft: Draft) -> None:
        clinician, now = draft.content.clinician, self._clock.now()
        sight.store(telling.decide_name(course, _place(draft), clinician, now))


def _stays(past: measure.State | None, draft: Draft) -> bool:
    """Whether it is known already that the measure belongs where the draft puts it."""
    if past is None:
        return False
    latest = past.latest
    unchanged = not past.withdrawn and latest.digest == measure.digest(draft.content)
    here = (latest.owner, latest.episode) == (draft.owner, draft.episode.hex)
    return unchanged or (here and not past.held)


def _accepted(
    sight: Sight, stream: UUID, events: Sequence[Event], *, first: bool = False
) -> Accepted:
    """The answer of the version that holds the command's content, as the log has it."""
    sight.store(events)
    state = _present(sight.events(stream))
    return Accepted(stream, state.first if first else state.latest, new=bool(events))


def _present(events: Sequence[Event]) -> measure.State:
    state = measure.fold(events)
    if state is None:
        raise measure.NotRecordedError("there is no such measure")
    return state


def _place(draft: Draft) -> Place:
    return Place(
        episode=draft.episode,
        owner=draft.owner,
        sender=draft.sender,
        reference=draft.content.episode,
        client=draft.content.client,
    )
