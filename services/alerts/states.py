"""The states that messages met lately, kept in memory: what saves the book its reading."""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from uuid import UUID

from services.alerts.core.alert import Alert
from services.alerts.core.course import Course
from services.alerts.core.risk import Risk

STATES_REMEMBERED = 6_000
"""Courses, and the alerts of their channels and risk items; a few kB each."""
State = Course | Alert | Risk


class StateCache:
    """The states met lately, so that a message does not read all that came before it.

    One may be out of date, since people and timers write alerts too. That is safe: an event
    decided on it conflicts, and what makes a message old news only ever grows.
    """

    def __init__(self) -> None:
        self._states: OrderedDict[UUID, State] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, id_: UUID) -> State | None:
        """The state as it was left, when it is remembered."""
        with self._lock:
            found = self._states.get(id_)
            if found is not None:
                self._states.move_to_end(id_)
            return found

    def keep(self, states: Mapping[UUID, State]) -> None:
        """Remember states as they stand after a commit."""
        with self._lock:
            for id_, one in states.items():
                known = self._states.get(id_)
                if known is None or known.version < one.version:
                    self._states[id_] = one
                self._states.move_to_end(id_)
            while len(self._states) > STATES_REMEMBERED:
                self._states.popitem(last=False)

    def forget(self, ids: Iterable[UUID]) -> None:
        """Somebody else has written these: read them afresh."""
        with self._lock:
            for id_ in ids:
                self._states.pop(id_, None)
