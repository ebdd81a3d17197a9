"""`pivotpoint run` that ends itself, with no chance to tidy up, the n-th time it comes to a point.

Run as `python -m tests.faults.crasher READER WHEN NUMBER --data DIR`. READER is who stores:
`intake`, a follower by its name, a topic (for its consumer), `keys` (the vault) or `views`; WHEN is
`before` or `after` its commit.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from services.chassis import store
from services.chassis.clock import SystemClock
from services.chassis.eventlog import Event, EventLog
from services.chassis.vault import Vault
from services.chassis.view_tables import Step
from services.chassis.views import ViewStore
from services.embedded import Embedded

CRASHED = 77
"""The exit code by which the test knows that the point was reached."""


class Point:
    """Counts how often a reader came to the point, and ends the process at last."""

    def __init__(self, reader: str, when: str, number: int) -> None:
        self.reader, self.when, self.left = reader, when, number

    def reached(self, reader: str, when: str) -> None:
        if (reader, when) != (self.reader, self.when):
            return
        self.left -= 1
        if self.left <= 0:
            os._exit(CRASHED)


POINT = Point("", "", 0)


class CrashingLog(EventLog):
    """Comes to the points of everybody who writes to a log."""

    def append(
        self,
        events: Sequence[Event],
        tracking: tuple[str, int] | tuple[str, int, int] | None = None,
    ) -> list[int]:
        reader = _reader(events, tracking[0] if tracking else None)
        POINT.reached(reader, "before")
        positions = super().append(events, tracking)
        POINT.reached(reader, "after")
        return positions


class CrashingVault(Vault):
    """Comes to the points of a client who is new."""

    def subjects(self, clients: Any) -> dict[tuple[str, str], UUID]:
        POINT.reached("keys", "before")
        found = super().subjects(clients)
        POINT.reached("keys", "after")
        return found


class CrashingViews(ViewStore):
    """Comes to the points of views that take entries in."""

    def write_page(self, steps: Sequence[Step], to: int) -> list[int]:
        if any(step.entries for step in steps):
            POINT.reached("views", "before")
        damaged = super().write_page(steps, to)
        if any(step.entries for step in steps):
            POINT.reached("views", "after")
        return damaged


def _reader(events: Sequence[Event], tracked: str | None) -> str:
    """Who writes; of a follower that passes over foreign events nothing is said."""
    if tracked is None:
        clinical = any(event.TOPIC.startswith(("measure.", "episode.")) for event in events)
        return "intake" if clinical else ""
    if "/" in tracked:
        return tracked.split("/")[1]
    return tracked if events or "relay" in tracked else ""


def main(reader: str, when: str, number: str, option: str, data: str) -> int:
    global POINT
    POINT = Point(reader, when, int(number))
    for name, kind in (
        ("EventLog", CrashingLog),
        ("Vault", CrashingVault),
        ("ViewStore", CrashingViews),
    ):
        setattr(store, name, kind)
    both = Embedded.open(Path(data), SystemClock(), outcomes_port=0, alerts_port=0)
    return both.serve(lambda: None)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
