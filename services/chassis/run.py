"""Runs a process: starts its parts in order, waits for a signal, and stops them in reverse order.

A first SIGTERM or SIGINT lets work finish; a second one, or a part that does not stop within the
grace, ends the process at once. Nothing acknowledged is lost by that: an answer leaves after its
commit alone.
"""

import ctypes
import gc
import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from types import FrameType

logger = logging.getLogger(__name__)

GRACE = 10.0
"""Seconds from a signal to the end of the process."""
M_ARENA_MAX = -8
"""mallopt(3): how many heaps there may be."""
ALLOCATIONS = 20_000
"""New objects between two looks for cycles; a page of events makes more than 700 (the default)."""


def _nothing() -> None:
    return None


def _yes() -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Part:
    """Something that runs: how to start it, how to stop it, and whether it still runs."""

    name: str
    start: Callable[[], None] = _nothing
    stop: Callable[[], None] = _nothing
    alive: Callable[[], bool] = _yes


class Supervisor:
    """The parts of one process. Give them in the order in which they depend on each other."""

    def __init__(self, grace: float = GRACE) -> None:
        """Give the parts `grace` seconds to stop, all together."""
        self._grace = grace
        self._parts: list[Part] = []
        self._running: list[Part] = []
        self._asked = threading.Event()

    def add(self, part: Part) -> None:
        """Start `part` after those that were added before it and stop it before them."""
        self._parts.append(part)

    def start(self) -> None:
        """Start every part; when one cannot, stop those that did start and raise its error."""
        for part in self._parts:
            try:
                part.start()
            except BaseException:
                self.stop()
                raise
            self._running.append(part)

    def ask_to_stop(self) -> None:
        """Let `run` come to its end."""
        self._asked.set()

    def stop(self) -> bool:
        """Stop the running parts, last first; whether all of them did within the grace."""
        deadline = time.monotonic() + self._grace
        in_time = True
        while self._running:
            part = self._running.pop()
            in_time = _stopped(part, max(0.1, deadline - time.monotonic())) and in_time
        return in_time

    def run(self, ready: Callable[[], None] = _nothing) -> int:
        """Start, call `ready`, wait for a signal or the death of a part, stop; the exit code.

        0 after a signal, 1 when a part died or did not stop in time. To be called from the main
        thread, where signals arrive.
        """
        signal.signal(signal.SIGTERM, self._signalled)
        signal.signal(signal.SIGINT, self._signalled)
        spare_arenas()
        self.start()
        spare_collecting()
        ready()
        healthy = self._wait()
        return 0 if self.stop() and healthy else 1

    def _wait(self) -> bool:
        while not self._asked.wait(0.5):
            dead = [part for part in self._running if not part.alive()]
            for part in dead:
                logger.error("a part died", extra={"part": part.name})
            if dead:
                return False
        return True

    def _signalled(self, number: int, _: FrameType | None) -> None:
        if self._asked.is_set():
            os._exit(128 + number)
        self._asked.set()


def spare_arenas() -> None:
    """Let all threads share two heaps, where the C library is glibc; elsewhere nothing happens.

    It gives threads heaps of their own, up to eight for each core, and each keeps what its largest
    page once took. With one interpreter lock no two threads ask for memory at once anyhow.
    """
    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 2)


def spare_collecting() -> None:
    """Look for cycles less often, and never again among what the start has made.

    Events, documents and answers hold no cycles: counting references frees them.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(ALLOCATIONS, 20, 20)


def _stopped(part: Part, timeout: float) -> bool:
    """Stop a part in a thread of its own, for one that hangs must not keep the others running."""
    thread = threading.Thread(target=_stop, args=(part,), name=f"stop-{part.name}", daemon=True)
    thread.start()
    thread.join(timeout)
    if thread.is_alive():
        logger.error("a part did not stop in time", extra={"part": part.name})
    return not thread.is_alive()


def _stop(part: Part) -> None:
    try:
        part.stop()
    except Exception as error:  # the others are to be stopped all the same
        logger.error("a part failed to stop", extra={"part": part.name, "error": _name(error)})


def _name(error: Exception) -> str:
    return type(error).__name__
