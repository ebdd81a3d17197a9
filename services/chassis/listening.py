"""Hears on PostgreSQL that another process has stored events, and wakes who waits for them here.

Followers look every 50 ms anyhow: what is not heard is only seen that much later.
"""

import logging
import threading
from collections.abc import Callable

import psycopg
from psycopg.sql import SQL, Identifier

from services.chassis.eventlog import EventLog
from services.chassis.faults import StoreError
from services.chassis.recorders import EVENTS

LOGGER = logging.getLogger(__name__)
TURN = 0.5
"""Seconds after which it looks whether it is to stop."""
REST = 2.0
"""Seconds before it connects again after the connection has broken."""


class Listener(threading.Thread):
    """One connection that waits for the notice which every insert into a log gives."""

    def __init__(
        self, connect: Callable[[], psycopg.Connection], log: EventLog, rest: float = REST
    ) -> None:
        """Hear over a connection of its own; `log` is a handle on the log whose readers wait."""
        super().__init__(name="listener", daemon=True)
        self._connect, self._log, self._rest = connect, log, rest
        self._stopping = threading.Event()

    def run(self) -> None:
        """Listen until stopped; the database may come and go."""
        while not self._stopping.is_set():
            try:
                with self._connect() as connection:
                    self._hear(connection)
            except (psycopg.Error, StoreError) as error:
                LOGGER.warning("listening tries again", extra={"error": type(error).__name__})
                self._stopping.wait(self._rest)

    def stop(self) -> None:
        """End; one whom the database keeps waiting is left to end with its process."""
        self._stopping.set()
        if self.is_alive():
            self.join(2 * TURN)

    def _hear(self, connection: psycopg.Connection) -> None:
        connection.execute(SQL("LISTEN {}").format(Identifier(EVENTS)))
        while not self._stopping.is_set():
            # Those that came together say no more than one: that there is news.
            if list(connection.notifies(timeout=TURN, stop_after=1)):
                self._log.look()
