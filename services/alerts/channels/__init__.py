"""Channels that carry a notice out of the house: what one is given, and how it fails."""

from dataclasses import dataclass
from datetime import datetime

TIMEOUT_S = 10.0
"""Seconds that a server of the other side may take for one step."""


class FailedError(Exception):
    """It did not arrive and may later; `why` is a class of error or a status of ours to name."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class NoUseError(FailedError):
    """It did not arrive and will not: trying again would not help."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What leaves: for whom, how much waits, and where to look. Nothing of any client."""

    id: str
    """Stable over attempts and replays: a receiver tells repetitions by it."""
    person: str
    """The name under which the person signs in."""
    kind: str
    count: int
    url: str
    at: datetime


def in_words(notice: Outgoing) -> str:
    """The notice in one sentence."""
    if notice.kind == "trial":
        return "This is a trial: notices arrive here."
    waits = "1 client waits" if notice.count == 1 else f"{notice.count} clients wait"
    return f"{waits} in your inbox."
