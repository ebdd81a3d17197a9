"""Between an event and its row in the log: the state is sealed under the owner's key."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol, cast
from uuid import UUID

import orjson
from eventsourcing.persistence import JSONTranscoder, Mapper, StoredEvent

from services.chassis.faults import ForgedError, ShreddedError
from services.chassis.packing import pack, unpack
from services.chassis.vault import Vault, owner_of

UNKNOWN_TIME = datetime(1, 1, 1, tzinfo=UTC)
"""The timestamp of what cannot be read: it was sealed with the rest."""
NOBODY = UUID(int=0)


class Event(Protocol):
    """What the log asks of an event; both services' `core.event.Event` are of this shape."""

    @property
    def TOPIC(self) -> str:  # noqa: N802 - the name of the class attribute
        """Its name in the store."""
        ...

    @property
    def originator_id(self) -> UUID:
        """The stream."""
        ...

    @property
    def originator_version(self) -> int:
        """The place in the stream, from 1."""
        ...

    @property
    def timestamp(self) -> datetime:
        """When it was recorded, aware."""
        ...

    @property
    def owner(self) -> UUID:
        """Whose key seals it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Redacted:
    """Stands where the owner's key was erased: what happened there is not known any more."""

    originator_id: UUID
    originator_version: int
    owner: UUID
    topic: str
    timestamp: datetime = UNKNOWN_TIME

    @property
    def TOPIC(self) -> str:  # noqa: N802 - as in Event
        """The topic of the event that stood here."""
        return self.topic


@dataclass(frozen=True, slots=True, kw_only=True)
class Damaged:
    """Stands where a row does not authenticate or cannot be understood; distrust its stream."""

    originator_id: UUID
    originator_version: int
    topic: str
    reason: str
    """In words without content, for `verify`."""
    owner: UUID = NOBODY
    timestamp: datetime = UNKNOWN_TIME

    @property
    def TOPIC(self) -> str:  # noqa: N802 - as in Event
        """The topic of the event that stood here."""
        return self.topic


class SealingMapper(Mapper[UUID]):
    """Maps events to rows whose state only the owner's key opens.

    The state is packed JSON of the event's own fields and its time. Stream, version, topic and
    owner are columns or in clear before the ciphertext, and are authenticated with it: a row moved
    elsewhere does not open.
    """

    def __init__(self, vault: Vault, topics: Mapping[str, type[Any]]) -> None:
        """Seal with `vault`; rebuild events of the classes in `topics`."""
        super().__init__(transcoder=JSONTranscoder())
        self._vault = vault
        self._topics = topics

    def to_stored_event(self, domain_event: Any) -> StoredEvent:
        """The row of an event.

        Raises:
            ValueError: it has no topic of the registry, or its time has no zone.
            TypeError: a field is no JSON value.
            ShreddedError: the owner's key was erased.
        """
        topic = domain_event.TOPIC
        if topic not in self._topics:
            raise ValueError(f"{type(domain_event).__name__} has no topic in the registry")
        state = dict(vars(domain_event))
        stream, version = state.pop("originator_id"), state.pop("originator_version")
        owner, moment = state.pop("owner"), state["timestamp"]
        if moment.tzinfo is None:
            raise ValueError(f"the timestamp of {type(domain_event).__name__} has no zone")
        if moment.tzinfo is not UTC:
            state["timestamp"] = moment.astimezone(UTC)
        packed = pack(orjson.dumps(state))
        sealed = self._vault.seal(owner, packed, _context(stream, version, topic))
        return StoredEvent(
            originator_id=stream, originator_version=version, topic=topic, state=sealed
        )

    def to_domain_event(self, stored_event: StoredEvent) -> Any:
        """The event of a row, or `Redacted` or `Damaged` in its stead; never raises for content."""
        try:
            return self._rebuild(stored_event)
        except ShreddedError:
            return Redacted(
                originator_id=cast(UUID, stored_event.originator_id),
                originator_version=stored_event.originator_version,
                owner=owner_of(stored_event.state),
                topic=stored_event.topic,
            )
        except ForgedError as error:
            return _damaged(stored_event, str(error))
        except (ValueError, KeyError, TypeError, AttributeError):
            return _damaged(stored_event, "the state is not what this version of the code writes")

    def _rebuild(self, stored: StoredEvent) -> Any:
        stream = cast(UUID, stored.originator_id)
        context = _context(stream, stored.originator_version, stored.topic)
        plain = unpack(self._vault.unseal(stored.state, context))
        kind = self._topics.get(stored.topic)
        if kind is None:
            return _damaged(stored, "no event class has this topic")
        state = orjson.loads(plain)
        state["originator_id"] = stream
        state["originator_version"] = stored.originator_version
        state["owner"] = owner_of(stored.state)
        state["timestamp"] = datetime.fromisoformat(state["timestamp"])
        event = object.__new__(kind)
        object.__setattr__(event, "__dict__", state)
        return event


def _damaged(stored: StoredEvent, reason: str) -> Damaged:
    return Damaged(
        originator_id=cast(UUID, stored.originator_id),
        originator_version=stored.originator_version,
        topic=stored.topic,
        reason=reason,
    )


def _context(stream: UUID, version: int, topic: str) -> bytes:
    return stream.bytes + version.to_bytes(8, "big") + topic.encode()
