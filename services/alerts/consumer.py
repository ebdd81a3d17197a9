"""Takes messages from the topics of episodes and of risk, and stores effects and offset together.

What one message of an episode brings to a stop is parked with the later ones of that episode; a
risk answer knows no parking: what cannot be read is told to the backup.
"""

import logging
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from schemas import messages
from services.alerts import metrics
from services.alerts.book import Book, Incoming, Page, note_of
from services.alerts.caseload import stream_of
from services.alerts.core.caseload import StatisticsNoted
from services.alerts.core.language import _, ngettext
from services.alerts.views.inbox_rows import RiskPath
from services.chassis.clock import Clock
from services.chassis.eventlog import ConflictError, EventLog, ShreddedError, StoreError
from services.chassis.ids import Ids
from services.chassis.message import BadMessageError, Message, decode
from services.chassis.metrics import Catalogue
from services.chassis.parking import Parking
from services.chassis.transport import Delivery

LOGGER = logging.getLogger(__name__)
EPISODES_READER = "episodes consumer"
TRIES = 12
"""How often a page is decided anew after somebody else wrote one of its streams."""
HEARTBEAT = messages.Heartbeat.TYPE.encode()
RESTORED = messages.LogRestored.TYPE.encode()
UNREADABLE = (BadMessageError, messages.DataError, messages.UnknownMessageError)


def source_of(delivery: Delivery) -> str:
    """Under which name the offset of a delivery's partition is kept."""
    return f"{delivery.log_id}/{delivery.topic}/{delivery.partition}"


class _Consumer(ABC):
    """What both consumers share: skip what is stored, decide a page, store it with its offset."""

    def __init__(
        self, log: EventLog, book: Book, ids: Ids, catalogue: Catalogue | None = None
    ) -> None:
        self._log, self._book, self._ids, self._catalogue = log, book, ids, catalogue
        self._lock = threading.Lock()

    def receive(self, deliveries: Sequence[Delivery]) -> None:
        """Store the effects of deliveries of one partition with their offset; see `Receiver`.

        Raises:
            StoreError: nothing more is known to be stored; the same deliveries are to come again.
        """
        with self._lock:
            self._receive(deliveries)

    def _receive(self, deliveries: Sequence[Delivery]) -> None:
        if not deliveries:
            return
        source = source_of(deliveries[0])
        position = self._log.position(source)
        fresh = [one for one in deliveries if one.offset > position]
        if fresh:
            self._take(source, fresh)

    def _take(self, source: str, deliveries: Sequence[Delivery]) -> None:
        """Store deliveries of one source, all at once where nobody else writes their streams.

        What meets newer events is tried in halves: a shorter page is sooner decided, and so comes
        between those who write the same streams all the time.
        """
        tries, size = TRIES, len(deliveries)
        while deliveries:
            some = deliveries[:size]
            page = Page(self._book)
            results = self._decide(page, some)
            try:
                self._log.append(page.events, (source, some[-1].offset))
            except ConflictError:
                self._book.cache.forget(page.states)
                tries, size = tries - 1, max(1, size // 2)
                if not tries:
                    raise StoreError("messages met newer events again and again") from None
                position = self._log.position(source)
                deliveries = [one for one in deliveries if one.offset > position]
                continue
            except ShreddedError:
                self._without_erased(source, some)
            else:
                self._book.cache.keep(page.states)
                self._count(some[0].topic, page.events, results)
            tries, deliveries = TRIES, deliveries[len(some) :]

    def _without_erased(self, source: str, deliveries: Sequence[Delivery]) -> None:
        """A client on the page was erased: messages one by one, passing over the client's."""
        if len(deliveries) == 1:
            self._log.append([], (source, deliveries[0].offset))
            return
        for one in deliveries:
            self._take(source, [one])

    @abstractmethod
    def _decide(self, page: Page, deliveries: Sequence[Delivery]) -> list[tuple[str, str]]:
        """Fill the page; gives (type, result) of each delivery for the metrics."""

    def _count(self, topic: str, events: Sequence[Any], results: list[tuple[str, str]]) -> None:
        if self._catalogue is None:
            return
        for kind, result in results:
            self._catalogue.count(metrics.MESSAGES, topic=topic, kind=kind, result=result)
        metrics.report(self._catalogue, events)

    def _read(self, delivery: Delivery) -> tuple[Incoming, str | None]:
        """A delivery as it is to be noted, and the class of error that keeps it from effect."""
        try:
            message = decode(delivery.raw)
        except BadMessageError as error:
            return self._undecodable(delivery), type(error).__name__
        episode = message.key or self._key(delivery)
        incoming = Incoming(episode, note_of(message), message)
        try:
            messages.check(message.type, message.version, message.data)
            if UUID(str(message.data["episode"])) != episode:
                raise BadMessageError("the key is not the episode's")
        except UNREADABLE as error:
            return replace(incoming, message=None), type(error).__name__
        return incoming, None

    def _undecodable(self, delivery: Delivery) -> Incoming:
        digest = sha256(delivery.raw).hexdigest()
        text = delivery.raw.decode(errors="replace")
        note = {"id": f"unreadable.{digest[:32]}", "type": "", "raw": text}
        return Incoming(self._key(delivery), note, None)

    def _key(self, delivery: Delivery) -> UUID:
        try:
            return UUID(delivery.key)
        except ValueError:
            return self._ids.derive("unreadable", delivery.topic, delivery.key)


class EpisodesConsumer(_Consumer):
    """Receives the topic of episodes."""

    def __init__(
        self,
        log: EventLog,
        book: Book,
        ids: Ids,
        parking: Parking,
        catalogue: Catalogue | None = None,
    ) -> None:
        """Store to `log` what `book` decides; park in `parking` what it cannot."""
        super().__init__(log, book, ids, catalogue)
        self._parking = parking

    def _decide(self, page: Page, deliveries: Sequence[Delivery]) -> list[tuple[str, str]]:
        held = set(self._parking.parked(EPISODES_READER))
        read = {one.offset: self._read(one) for one in deliveries if not _restored(one)}
        page.prefetch([incoming for incoming, _ in read.values()])
        results = []
        for delivery in deliveries:
            restored = _restored(delivery)
            if restored is not None:
                page.add(self._book.restored(page, restored.data))
                results.append((restored.type, "taken"))
                continue
            incoming, error = read[delivery.offset]
            if incoming.episode not in held:
                error = error or self._effect(page, incoming)
                if error is not None:
                    # The pointer is durable before the position moves past what it points to.
                    key = incoming.episode
                    self._parking.park(EPISODES_READER, key, delivery.offset, error)
                    held.add(key)
                    LOGGER.error("parked", extra={"reader": EPISODES_READER, "error": error})
            if incoming.episode in held:
                page.add(self._book.note(page, incoming, effect=False))
            kind = incoming.message.type if incoming.message else "unreadable"
            results.append((kind, "parked" if incoming.episode in held else "taken"))
        return results

    def _effect(self, page: Page, incoming: Incoming) -> str | None:
        """Take a message up; the class of the error that it raised, None when it did not."""
        try:
            page.add(self._book.take(page, incoming))
        except StoreError:
            raise
        except Exception as error:
            return type(error).__name__
        return None

    def idle(self) -> None:
        """Replay what was asked for; called now and then, and safe beside `receive`."""
        for key in self._parking.requested(EPISODES_READER):
            with self._lock:
                try:
                    self._replay(key)
                except StoreError:
                    raise
                except Exception as error:
                    self._parking.refuse(EPISODES_READER, key, type(error).__name__)

    def _replay(self, episode: UUID) -> None:
        """Act upon what was noted and waits, in order, each in a commit of its own."""
        course_id = self._book.course_id(episode)
        self._book.cache.forget([course_id])
        stream = self._log.read(course_id)
        done = {one.message["id"] for one in stream if getattr(one, "effect", False)}
        for noted in stream:
            if getattr(noted, "effect", True) or noted.message["id"] in done:
                continue
            self._again(episode, noted.message)
            done.add(noted.message["id"])
        self._parking.unpark(EPISODES_READER, episode)

    def _again(self, episode: UUID, note: dict[str, Any]) -> None:
        incoming = _reread(episode, note)
        for _attempt in range(TRIES):
            page = Page(self._book)
            page.prefetch([incoming])
            page.add(self._book.take(page, incoming))
            try:
                self._log.append(page.events)
            except ConflictError:
                self._book.cache.forget(page.states)
                continue
            self._book.cache.keep(page.states)
            return
        raise ConflictError("a replay met newer events again and again")


def _restored(delivery: Delivery) -> Message | None:
    """The message that the source's log was restored, when it is one."""
    return _of_nobody(delivery, RESTORED)


def _of_nobody(delivery: Delivery, kind: bytes) -> Message | None:
    """The message, when it is of this type, which is about no episode, and can be read."""
    if kind not in delivery.raw:  # what is about an episode is not to be decoded twice
        return None
    try:
        message = decode(delivery.raw)
        if message.type != kind.decode():
            return None
        messages.check(message.type, message.version, message.data)
    except UNREADABLE:
        return None
    return message


def _reread(episode: UUID, note: dict[str, Any]) -> Incoming:
    """A noted message, checked once more by this release.

    Raises:
        BadMessageError, UnknownMessageError, DataError: it still cannot be read.
    """
    if not note["type"]:
        message = decode(str(note["raw"]).encode())
    else:
        message = Message(
            type=note["type"],
            version=note["version"],
            id=note["id"],
            key=episode,
            time=datetime.fromisoformat(note["time"]),
            log_id="",
            position=0,
            data=note["data"],
        )
    messages.check(message.type, message.version, message.data)
    return Incoming(episode, note_of(message) | {"id": note["id"]}, message)


class StatisticsConsumer:
    """Receives the topic of statistics: the latest of an instrument, of no episode at all."""

    def __init__(self, log: EventLog, ids: Ids, clock: Clock, owner: UUID) -> None:
        """Note in `log`, sealed under the service's own key, of which `owner` is the id."""
        self._log, self._ids, self._clock, self._owner = log, ids, clock, owner

    def receive(self, deliveries: Sequence[Delivery]) -> None:
        """Note deliveries with their offset, one by one; see `Receiver`."""
        for delivery in deliveries:
            if delivery.offset > self._log.position(delivery.source):
                self._log.append(self._noted(delivery), (delivery.source, delivery.offset))

    def _noted(self, delivery: Delivery) -> list[StatisticsNoted]:
        """What cannot be read is passed over: it comes again with the next change, or a resend."""
        try:
            message = decode(delivery.raw)
            messages.check(message.type, message.version, message.data)
            instrument = str(message.data["instrument"])
        except (*UNREADABLE, KeyError) as error:
            LOGGER.error("statistics cannot be read", extra={"error": type(error).__name__})
            return []
        stream = stream_of(self._ids, instrument)
        before, note = self._log.read(stream), note_of(message)
        if any(one.message["id"] == note["id"] for one in before):
            return []
        return [
            StatisticsNoted(
                originator_id=stream,
                originator_version=before[-1].originator_version + 1 if before else 1,
                timestamp=self._clock.now(),
                owner=self._owner,
                instrument=instrument,
                message=note,
            )
        ]


@dataclass(slots=True)
class RiskWatch:
    """What is known of the risk path: kept in memory, since silence after a start is told too."""

    clock: Clock
    late_s: int
    remember: Callable[[datetime, int, float], None] = lambda sent_at, unsent, oldest_s: None
    """Is told each newest heartbeat, for processes that hear none."""
    started: datetime = field(init=False)
    newest: datetime | None = None
    unsent: int = 0
    oldest_s: float = 0.0

    def __post_init__(self) -> None:
        """Count silence from now on."""
        self.started = self.clock.now()

    def heard(self, sent_at: datetime, unsent: int, oldest_s: float) -> None:
        """Take a heartbeat; the newest counts, in whatever order they come."""
        if self.newest is None or sent_at >= self.newest:
            self.newest, self.unsent, self.oldest_s = sent_at, unsent, oldest_s
            with suppress(StoreError):  # what is not remembered is silence, and shown as that
                self.remember(sent_at, unsent, oldest_s)

    def age_s(self) -> float:
        """Seconds since the newest heartbeat, or since the start when there was none."""
        return max(0.0, (self.clock.now() - (self.newest or self.started)).total_seconds())

    def path(self) -> RiskPath:
        """How the risk path stands, with the words for every page."""
        age = self.age_s()
        banner = None
        if age > self.late_s:
            banner = _(
                "Risk answers may not be arriving: nothing was heard of their path for {lasting}. "
                "Look at answers in the EHR."
            ).format(lasting=_lasting(age))
        elif self.unsent and self.oldest_s > self.late_s:
            banner = _(
                "Risk answers are late: {unsent} could not be delivered, the oldest for {lasting}. "
                "Look at answers in the EHR."
            ).format(unsent=self.unsent, lasting=_lasting(self.oldest_s))
        return RiskPath(
            alive=banner is None,
            heartbeat_at=self.newest.isoformat() if self.newest else None,
            unsent=self.unsent,
            oldest_s=self.oldest_s,
            banner=banner,
        )


def _lasting(seconds: float) -> str:
    """How long, in the largest unit of which there are two or more."""
    days, hours, minutes = (round(seconds / size) for size in (86_400, 3_600, 60))
    if seconds >= 2 * 86_400:
        return ngettext("{count} day", "{count} days", days).format(count=days)
    if seconds >= 2 * 3_600:
        return ngettext("{count} hour", "{count} hours", hours).format(count=hours)
    return ngettext("{count} minute", "{count} minutes", minutes).format(count=minutes)


class RiskConsumer(_Consumer):
    """Receives the topic of risk: knows no parking and drops nothing."""

    def __init__(
        self,
        log: EventLog,
        book: Book,
        ids: Ids,
        watch: RiskWatch,
        catalogue: Catalogue | None = None,
    ) -> None:
        """Store to `log` what `book` decides; heartbeats go to `watch`."""
        super().__init__(log, book, ids, catalogue)
        self._watch = watch

    def _receive(self, deliveries: Sequence[Delivery]) -> None:
        # A heartbeat tells of this moment: the stored offset says nothing about it.
        rest = [one for one in deliveries if not self._heartbeat(one)]
        super()._receive(rest)
        # On a broker heartbeats have offsets too: left behind, they would outlive retention.
        if deliveries and deliveries[-1].offset > self._log.position(deliveries[-1].source):
            self._log.append([], (deliveries[-1].source, deliveries[-1].offset))

    def _heartbeat(self, delivery: Delivery) -> bool:
        message = _of_nobody(delivery, HEARTBEAT)
        if message is None:
            return False
        sent = datetime.fromisoformat(message.data["sent_at"])
        self._watch.heard(sent, message.data["unsent"], message.data["oldest_s"])
        return True

    def _decide(self, page: Page, deliveries: Sequence[Delivery]) -> list[tuple[str, str]]:
        read = [self._read(one) for one in deliveries]
        page.prefetch([incoming for incoming, _ in read])
        results = []
        for incoming, error in read:
            error = error or self._effect(page, incoming)
            if error is not None:
                LOGGER.error("a risk message could not be read", extra={"error": error})
                owner = self._book.owner_of(page, incoming.episode)
                noted = self._book.note(page, incoming, effect=False)
                page.add(noted)
                if noted:
                    page.add(self._book.unreadable(page, incoming.episode, owner))
            kind = incoming.message.type if incoming.message else "unreadable"
            results.append((kind, "unreadable" if error else "taken"))
        return results

    def _effect(self, page: Page, incoming: Incoming) -> str | None:
        try:
            page.add(self._book.take(page, incoming))
        except StoreError:
            raise
        except Exception as error:
            return type(error).__name__
        return None
