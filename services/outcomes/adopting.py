"""Other rules for every episode: the differences first, then a pass that prompts nobody."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from services.chassis.eventlog import ConflictError
from services.outcomes.core.event import Event
from services.outcomes.core.findings import (
    Finding,
    FindingAmended,
    FindingCleared,
    FindingOpened,
    Refolded,
)
from services.outcomes.core.said import Said
from services.outcomes.detector import Detector

PAGE = 200
TRIES = 10
Move = Callable[[int, int], None]
OPENS, CLEARS, CHANGES, REFOLDS = "opens", "clears", "changes", "read otherwise"
_KINDS: dict[type[Event], str] = {
    FindingOpened: OPENS,
    FindingCleared: CLEARS,
    FindingAmended: CHANGES,
    Refolded: REFOLDS,
}


@dataclass(slots=True)
class Differences:
    """What other rules change.

    Attributes:
        episodes: how many were looked at.
        others: how many were judged by other rules, or by another version of an instrument.
        counts: how often what happens, by (channel, instrument, what).
        lines: the same by episode: (id, channel, instrument, what).
    """

    episodes: int = 0
    others: int = 0
    counts: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    lines: list[tuple[str, str, str, str]] = field(default_factory=list)


def differences(detector: Detector, episodes: Sequence[UUID], move: Move) -> Differences:
    """Compare, episode by episode; nothing is stored."""
    found = Differences(episodes=len(episodes))
    for page in _pages(episodes, move):
        for episode, (events, before) in detector.differences(page).items():
            found.others += 1
            for event in events:
                line = _line(event, before)
                if line is not None:
                    found.counts[line] += 1
                    found.lines.append((episode.hex, *line))
    return found


def _line(event: Event, before: Said) -> tuple[str, str, str] | None:
    what = _KINDS.get(type(event))
    if what is None:
        return None
    if isinstance(event, Refolded):
        return "a trajectory", event.trajectory.split("|")[0], what
    channel = str(getattr(event, "channel", ""))
    evidence = event.evidence if isinstance(event, Finding) else before.spells[channel].evidence
    return channel, evidence.get("instrument") or "", what


def adopt(detector: Detector, episodes: Sequence[UUID], move: Move) -> int:
    """Judge every episode by the rules in force; how many were judged by others.

    Raises:
        ConflictError: others wrote the same episodes again and again.
    """
    return sum(_adopted(detector, page) for page in _pages(episodes, move))


def _adopted(detector: Detector, page: Sequence[UUID]) -> int:
    for _ in range(TRIES):
        try:
            return detector.adopt(page)
        except ConflictError:
            detector.reload()
    raise ConflictError("episodes met newer events again and again: ask again in a while")


def _pages(episodes: Sequence[UUID], move: Move) -> Iterator[Sequence[UUID]]:
    for start in range(0, len(episodes), PAGE):
        yield episodes[start : start + PAGE]
        move(min(start + PAGE, len(episodes)), len(episodes))
