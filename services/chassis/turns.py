"""Who of several followers in one process works now: the one that has waited longest.

Python runs one thread at a time, and SQLite's driver lets go of the interpreter at each step. Five
followers that work at once hand it to each other hundreds of times a measure and wait for it each
time; one after another they do the same work in half the time. It also bounds how long the one that
carries risk answers waits: it goes first when the page at hand is done.
"""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager


class Turns:
    """A lock that is given in the order of asking, to the urgent before all others."""

    def __init__(self) -> None:
        """Nobody works."""
        self._lock = threading.Lock()
        self._taken = False
        self._at_work = 0
        self._urgent: deque[threading.Event] = deque()
        self._waiting: deque[threading.Event] = deque()

    @contextmanager
    def turn(self, *, urgent: bool = False) -> Iterator[None]:
        """Work for the length of the block, once those before have done so."""
        self._take(urgent)
        try:
            yield
        finally:
            self._pass_on()

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Let others work while the block waits for a machine elsewhere; then go on before them.

        In a thread whose turn it is not, nothing happens.
        """
        mine = self._at_work == threading.get_ident()
        if mine:
            self._pass_on()
        try:
            yield
        finally:
            if mine:
                self._take(urgent=True)

    def _take(self, urgent: bool) -> None:
        called = self._queue(urgent)
        if called is not None:
            called.wait()
        self._at_work = threading.get_ident()

    def _queue(self, urgent: bool) -> threading.Event | None:
        """What will call the asker; None: it is its turn at once."""
        with self._lock:
            if not self._taken:
                self._taken = True
                return None
            called = threading.Event()
            (self._urgent if urgent else self._waiting).append(called)
            return called

    def _pass_on(self) -> None:
        self._at_work = 0
        with self._lock:
            queue = self._urgent or self._waiting
            if queue:
                queue.popleft().set()
            else:
                self._taken = False
