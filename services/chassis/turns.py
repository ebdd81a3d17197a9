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
from time import monotonic

PATIENCE_S = 5.0
"""Seconds after which whoever works is taken to hang, and others work beside it."""
URGENT_S = 1.0
"""Seconds after which the urgent work beside whoever works."""


class Turns:
    """A lock that is given in the order of asking, to the urgent before all others.

    It saves time and guards nothing: what is stored is fenced by positions. So nobody waits long
    for it, least of all for one whom the store keeps waiting.
    """

    def __init__(self, patience: float = PATIENCE_S, urgent: float = URGENT_S) -> None:
        """Nobody works; the seconds are those that others wait, and the urgent."""
        self._patience, self._urgent_patience = patience, urgent
        self._lock = threading.Lock()
        self._taken, self._since = False, 0.0
        self._at_work = 0
        self._urgent: deque[threading.Event] = deque()
        self._waiting: deque[threading.Event] = deque()

    @contextmanager
    def turn(self, *, urgent: bool = False) -> Iterator[None]:
        """Work for the length of the block, once those before have done so or have hung."""
        self._take(urgent)
        try:
            yield
        finally:
            self._give()

    @contextmanager
    def aside(self, *, urgent: bool = True) -> Iterator[None]:
        """Let others work while the block waits for something else; go on before them, if `urgent`.

        In a thread whose turn it is not, nothing happens.
        """
        mine = self._give()
        try:
            yield
        finally:
            if mine:
                self._take(urgent)

    def _take(self, urgent: bool) -> None:
        """Wait for a turn; without one, when whoever works has hung, the caller works beside it."""
        queue = self._urgent if urgent else self._waiting
        called = threading.Event()
        with self._lock:
            if not self._taken:
                self._taken = True
                called.set()
            elif monotonic() - self._since > self._patience:
                return
            else:
                queue.append(called)
        if not called.wait(self._urgent_patience if urgent else self._patience):
            with self._lock:
                if not called.is_set():
                    queue.remove(called)
                    return
        self._at_work, self._since = threading.get_ident(), monotonic()

    def _give(self) -> bool:
        """Pass the turn on, if it is the caller's; whether it was."""
        if self._at_work != threading.get_ident():
            return False
        with self._lock:
            self._at_work, self._since = 0, monotonic()
            queue = self._urgent or self._waiting
            if queue:
                queue.popleft().set()
            else:
                self._taken = False
        return True
