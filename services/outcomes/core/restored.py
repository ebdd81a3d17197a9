"""What the log says after a restore: that it happened, and which spells it holds as open."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from services.outcomes.core.event import Event
from services.outcomes.core.said import fold


@dataclass(frozen=True, kw_only=True)
class LogRestored(Event):
    """The log is as it was in a backup, under a new id; see `schemas.messages.LogRestored`."""

    TOPIC: ClassVar[str] = "log.restored"

    log: str
    made_at: str
    restored_at: str


@dataclass(frozen=True, kw_only=True)
class FindingsStated(Event):
    """The spells of an episode that are open in a log that was restored, whole."""

    TOPIC: ClassVar[str] = "findings.stated"

    episode: str
    log: str
    made_at: str
    spells: list[dict[str, Any]]


def state(findings: Sequence[Event], stream: UUID, restored: LogRestored) -> FindingsStated:
    """What a findings stream says at its end.

    Args:
        findings: its events that can be read, at least one.
        stream: where it is noted; the findings stream has one writer, and its versions stay those
            that they were, so that what comes again is known by them.
        restored: the restore that asks for it.
    """
    said = fold(findings)
    last: Any = findings[-1]
    return FindingsStated(
        originator_id=stream,
        originator_version=1,
        timestamp=restored.timestamp,
        owner=last.owner,
        episode=last.episode,
        log=restored.log,
        made_at=restored.made_at,
        spells=[
            {"channel": channel, **_told(spell)}
            for channel, spell in sorted(said.open_findings.items())
        ],
    )


def _told(spell: Any) -> dict[str, Any]:
    names = ("spell", "ordinal", "revision", "tier", "on", "old_news", "quiet", "evidence")
    return {name: getattr(spell, name) for name in names}
