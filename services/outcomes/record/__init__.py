"""The application in front of the outcomes log: accepts each command of the outside once."""

from collections.abc import Mapping
from zoneinfo import ZoneInfo

from schemas.approaches import Approaches
from services.chassis.clock import Clock
from services.chassis.eventlog import EventLog
from services.chassis.group_commit import GroupCommit
from services.chassis.vault import Vault
from services.outcomes.core.instrument import Instrument
from services.outcomes.record.decision import DamagedError, Decisions, ErasedError
from services.outcomes.record.episodes import Episodes, Told
from services.outcomes.record.history import Heard, History
from services.outcomes.record.measures import (
    Accepted,
    MeasureIndex,
    Measures,
    NoIndex,
    StillUnknownError,
)

__all__ = [
    "Accepted",
    "DamagedError",
    "ErasedError",
    "Heard",
    "MeasureIndex",
    "Record",
    "StillUnknownError",
    "Told",
]


class Record:
    """What may be told of measures and of episodes."""

    def __init__(
        self,
        log: EventLog,
        commit: GroupCommit,
        vault: Vault,
        instruments: Mapping[str, Instrument],
        approaches: Approaches,
        clock: Clock,
        zone: ZoneInfo,
        index: MeasureIndex | None = None,
    ) -> None:
        """Write through `commit` and read through `log`, a handle of its own.

        `approaches` says which names mean the same, `zone` which day it is; `index` knows which
        measures an episode has.
        """
        decisions = Decisions(log, commit)
        self.measures = Measures(decisions, vault, instruments, clock, index or NoIndex())
        self.episodes = Episodes(decisions, vault, approaches, clock, zone, self.measures)
        self.history = History(decisions, vault, self.measures, self.episodes)
