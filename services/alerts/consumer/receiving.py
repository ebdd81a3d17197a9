"""What consumers share: skip what is stored, decide a page, store it with its offset."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any
from uuid import UUID

from schemas import messages
from services.alerts import metrics
from services.alerts.book import Book, Incoming, Page, note_of
from services.chassis.eventlog import ConflictError, EventLog, ShreddedError, StoreError
from services.chassis.ids import Ids
from services.chassis.message import BadMessageError, Message, decode
from services.chassis.metrics import Catalogue
from services.chassis.transport import Delivery

TRIES = 12
"""How often a page is decided anew after somebody else wrote one of its streams."""
UNREADABLE = (BadMessageError, messages.DataError, messages.UnknownMessageError)


class Consumer(ABC):
    """Receives a topic about episodes: the effects of a page and its offset, in one commit."""

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
        source = deliveries[0].source
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

    def _effect(self, page: Page, incoming: Incoming) -> str | None:
        """Take a message up; the class of the error that it raised, None when it did not."""
        try:
            page.add(self._book.take(page, incoming))
        except StoreError:
            raise
        except Exception as error:
            return type(error).__name__
        return None

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


def of_nobody(delivery: Delivery, kind: bytes) -> Message | None:
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
