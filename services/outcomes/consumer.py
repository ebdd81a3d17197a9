"""Pivots and reflections arriving from the alerts service: message -> episode events, with offset.

The offset is stored with the effect, so what comes again is passed over; an answer that cannot take
effect is set aside in a stream of its own, with the later ones of its episode, and never stops the
line.
"""

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from schemas import messages
from services.chassis.clock import Clock
from services.chassis.eventlog import ConflictError, EventLog, ShreddedError, StoreError
from services.chassis.ids import Ids
from services.chassis.message import Message, decode
from services.chassis.parking import Parking
from services.chassis.transport import Delivery
from services.outcomes.core import episode
from services.outcomes.core.answers import AnswerSetAside, AnswerTaken
from services.outcomes.core.event import Event

READER = "answers consumer"
TRIES = 20

logger = logging.getLogger(__name__)


class AnswersConsumer:
    """Receives the topic of answers."""

    def __init__(
        self, log: EventLog, parking: Parking, ids: Ids, clock: Clock, service_owner: UUID
    ) -> None:
        """Write to `log`; what cannot be understood is sealed under the service's own key."""
        self._log, self._parking, self._ids = log, parking, ids
        self._clock, self._service_owner = clock, service_owner

    def receive(self, deliveries: Sequence[Delivery]) -> None:
        """Store the effects of deliveries with their offset, one by one; see `Receiver`."""
        for delivery in deliveries:
            if delivery.offset > self._log.position(delivery.source):
                self._take(delivery, (delivery.source, delivery.offset))

    def _take(self, delivery: Delivery, offset: tuple[str, int]) -> None:
        for _ in range(TRIES):
            events = self._decide(delivery)
            try:
                self._log.append(events, offset)
            except ConflictError:
                if self._log.position(offset[0]) >= offset[1]:
                    return
            except ShreddedError:  # the client was erased: there is nothing to be told any more
                self._log.append([], offset)
                return
            else:
                return
        raise ConflictError("an answer met a newer event of its episode again and again")

    def _decide(self, delivery: Delivery) -> list[Event]:
        key = self._key(delivery)
        if key in self._parking.parked(READER):
            return [self._set_aside(delivery, key, "behind an earlier one")]
        try:
            return self._effect(decode(delivery.raw))
        except StoreError:
            raise
        except Exception as error:  # whatever it is, it must not stop the line
            kind = type(error).__name__
            logger.warning("an answer was set aside", extra={"error": kind})
            self._parking.park(READER, key, delivery.offset, kind)
            return [self._set_aside(delivery, key, kind)]

    def _key(self, delivery: Delivery) -> UUID:
        """The episode, or what stands for a key that is none of ours."""
        try:
            return UUID(delivery.key)
        except ValueError:
            return self._ids.derive("unreadable", delivery.topic, delivery.key)

    def _effect(self, message: Message) -> list[Event]:
        messages.check(message.type, message.version, message.data)
        data = message.data
        state = episode.fold(self._log.read(UUID(data["episode"])))
        return decide(state, message.type, data, message.time)

    def _set_aside(self, delivery: Delivery, key: UUID, error: str) -> AnswerSetAside:
        stream = self._ids.derive("answers", key.hex)
        return AnswerSetAside(
            originator_id=stream,
            originator_version=len(self._log.read(stream)) + 1,
            timestamp=self._clock.now(),
            owner=self._service_owner,
            episode=key.hex,
            raw=delivery.raw.decode(errors="replace"),
            error=error,
        )

    def idle(self) -> None:
        """Try again what was asked for (`parked replay`); called now and then by the timers."""
        for key in self._parking.requested(READER):
            try:
                self.replay(key)
            except StoreError:
                raise
            except Exception as error:
                self._parking.refuse(READER, key, type(error).__name__)

    def replay(self, episode_id: UUID) -> int:
        """Try the answers set aside for an episode again, in order; returns how many took effect.

        Raises the error of the first that still cannot; it and the later ones stay.
        """
        stream = self._ids.derive("answers", episode_id.hex)
        events = self._log.read(stream)
        taken = {one.version for one in events if isinstance(one, AnswerTaken)}
        waiting = [
            one
            for one in events
            if isinstance(one, AnswerSetAside) and one.originator_version not in taken
        ]
        for count, one in enumerate(waiting):
            done = AnswerTaken(
                originator_id=stream,
                originator_version=len(events) + 1 + count,
                timestamp=self._clock.now(),
                owner=self._service_owner,
                episode=one.episode,
                version=one.originator_version,
            )
            self._log.append([*self._effect(decode(one.raw.encode())), done])
        self._parking.unpark(READER, episode_id)
        return len(waiting)


def decide(
    state: episode.State | None, kind: str, data: dict[str, Any], at: datetime
) -> list[Event]:
    """The events that an answer makes of an episode; none when they are there already."""
    if kind == "approach.chosen":
        return episode.decide_approach_chosen(state, data, at)
    if kind == "reflection.recorded":
        return episode.decide_reflection_noted(state, data, at)
    raise messages.UnknownMessageError(f"{kind} is not an answer")
