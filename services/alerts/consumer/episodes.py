"""Takes messages from the topic of episodes, and stores effects and offset together.

What one message of an episode brings to a stop is parked with the later ones of that episode.
"""

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from schemas import messages
from services.alerts.book import Book, Incoming, Page, note_of
from services.alerts.consumer.receiving import TRIES, Consumer, of_nobody
from services.chassis.eventlog import ConflictError, EventLog, StoreError
from services.chassis.ids import Ids
from services.chassis.message import Message, decode
from services.chassis.metrics import Catalogue
from services.chassis.parking import Parking
from services.chassis.transport import Delivery

LOGGER = logging.getLogger(__name__)
EPISODES_READER = "episodes consumer"
RESTORED = messages.LogRestored.TYPE.encode()


class EpisodesConsumer(Consumer):
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
    return of_nobody(delivery, RESTORED)


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
