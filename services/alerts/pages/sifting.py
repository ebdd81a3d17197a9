"""What of an inbox is looked at now: one rule, one tier, who is seen today, a client by words.

Words never stand in an address: they come by POST and are gone with the page. Risk answers stay,
whatever is chosen; what is left out is counted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from services.alerts.core.labels import label_of
from services.alerts.core.policy import RISK
from services.alerts.views.inbox_rows import AlertLine, InboxRow

TIERS = ("prompt", "review", "info")
LONGEST = 128


@dataclass(frozen=True, slots=True)
class Sieve:
    """What was chosen; everything where nothing was."""

    channel: str = ""
    tier: str = ""
    today: bool = False
    words: str = ""

    @property
    def is_set(self) -> bool:
        """Whether anything was chosen."""
        return bool(self.channel or self.tier or self.today or self.words)


@dataclass(frozen=True, slots=True)
class Sifted:
    """The rows that are left, and what may be chosen."""

    rows: tuple[InboxRow, ...]
    left_out: int
    channels: tuple[tuple[str, str], ...]
    """(channel, label) of those that any row holds, in the order of the rows."""
    sieve: Sieve


def read(query: Mapping[str, str], form: Mapping[str, str]) -> Sieve:
    """What a request chose; what cannot be chosen is nothing."""
    tier = query.get("tier", "")
    return Sieve(
        channel=query.get("channel", "")[:40],
        tier=tier if tier in TIERS else "",
        today=query.get("seeing") == "today",
        words=form.get("words", "").strip()[:LONGEST],
    )


def sift(rows: Sequence[InboxRow], sieve: Sieve, today: date) -> Sifted:
    """The rows that pass, in their order; those of risk answers always do."""
    kept = tuple(row for row in rows if _is_risk(row) or _passes(row, sieve, today))
    channels = dict.fromkeys(line.channel for row in rows for line in _lines(row))
    named = tuple((one, label_of(one)) for one in channels if one != RISK)
    return Sifted(kept, len(rows) - len(kept), named, sieve)


def _lines(row: InboxRow) -> tuple[AlertLine, ...]:
    return (row.main, *row.others)


def _is_risk(row: InboxRow) -> bool:
    return any(line.channel == RISK for line in _lines(row))


def _passes(row: InboxRow, sieve: Sieve, today: date) -> bool:
    if sieve.today and (row.next_session or "")[:10] != today.isoformat():
        return False
    if sieve.words and sieve.words.casefold() not in row.client.casefold():
        return False
    return any(
        sieve.channel in ("", line.channel) and sieve.tier in ("", line.tier)
        for line in _lines(row)
    )
