"""One holder at a time, over all replicas: who runs the detector and the timers."""

import fcntl
import hashlib
import os
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from services.chassis.faults import StoreError


class SingleHolder(Protocol):
    """A lock that one process (or thread) holds until it releases it or dies."""

    def acquire(self) -> bool:
        """Try to take it, or make sure that it is still held; whether it is."""
        ...

    def release(self) -> None:
        """Let others have it."""
        ...


class FileLock:
    """Held through a file; the system frees it when the process dies."""

    def __init__(self, path: Path) -> None:
        """Lock `path`, which is made when it is missing."""
        self._path = path
        self._handle: int | None = None

    def acquire(self) -> bool:
        """Try to take it; whether it is held now.

        Raises:
            StoreError: the file cannot be opened.
        """
        return self._handle is not None or self._take(fcntl.LOCK_NB)

    def wait(self) -> None:
        """Take it, however long others hold it.

        Raises:
            StoreError: the file cannot be opened.
        """
        self._take(0)

    def release(self) -> None:
        """Let others have it."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def _take(self, how: int) -> bool:
        try:
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreError(f"the lock file cannot be opened: {type(error).__name__}") from None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | how)
        except OSError:
            os.close(handle)
            return False
        self._handle = handle
        return True


class AdvisoryLock:
    """Held through a PostgreSQL session; the server frees it when the session ends."""

    def __init__(self, engine: Engine, name: str) -> None:
        """Lock `name` in the database of `engine`."""
        self._engine = engine
        digest = hashlib.sha256(name.encode()).digest()
        self._number = int.from_bytes(digest[:8], "big", signed=True)
        self._session: Connection | None = None

    def acquire(self) -> bool:
        """Try to take it, or see whether the session that holds it is alive; whether it is held.

        Raises:
            StoreError: the database cannot be reached.
        """
        try:
            if self._session is not None:
                self._session.execute(text("SELECT 1"))
                return True
            return self._take()
        except SQLAlchemyError as error:
            self._drop()
            raise StoreError(f"the lock cannot be reached: {type(error).__name__}") from None

    def release(self) -> None:
        """Let others have it."""
        self._drop()

    def _take(self) -> bool:
        session = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        query = text("SELECT pg_try_advisory_lock(:number)")
        if session.scalar(query, {"number": self._number}):
            self._session = session
            return True
        session.close()
        return False

    def _drop(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.invalidate()  # ends the server's session, and with it the lock
            session.close()
