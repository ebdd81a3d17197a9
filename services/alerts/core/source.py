"""What becomes of alerts when the source of their findings was restored from a backup.

Nothing is withdrawn: an alert whose spell the source does not hold is marked as unconfirmed, until
the source says it again or a person has dealt with it.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from services.alerts.core.alert import (
    ENDED,
    Alert,
    AlertConfirmed,
    AlertEvent,
    AlertUnconfirmed,
    Next,
)
from services.alerts.core.policy import Policy
from services.alerts.core.speaking import Finding, decide_found


@dataclass(frozen=True, slots=True)
class Restored:
    """A restore of the source: its log's new id, and the moment to which it went back."""

    log: str
    made_at: str


def decide_restored(state: Alert, restored: Restored, pen: Next) -> list[AlertEvent]:
    """The source was restored, and has not said yet what it holds."""
    if state.phase in ENDED or state.unconfirmed or state.source == restored.log:
        return []
    pen.add(
        AlertUnconfirmed,
        log=restored.log,
        made_at=restored.made_at,
        revisions={},
        stated=False,
    )
    return pen.events


def decide_stated(
    state: Alert | None,
    stated: Finding | None,
    restored: Restored,
    pen: Next,
    policy: Policy,
    at: datetime,
) -> list[AlertEvent]:
    """The source says which spell of the channel it holds as open: `stated`, or none.

    Whatever the source says later about a spell, it counts from the revision stated here: those
    that were heard before the restore are of a course of events that is no more.
    """
    if state is None:
        return decide_found(None, stated, pen, policy, at) if stated else []
    if state.source == restored.log:
        return []
    if stated is not None and _is_told(state, stated):
        pen.add(AlertConfirmed, log=restored.log, spell=stated.spell, revision=stated.revision)
        return pen.events
    pen.add(
        AlertUnconfirmed,
        log=restored.log,
        made_at=restored.made_at,
        revisions={stated.spell: stated.revision} if stated else {},
        stated=True,
    )
    if stated is not None and _is_news(state, stated):
        decide_found(replace(state, revisions={}), stated, pen, policy, at)
    return pen.events


def _is_told(state: Alert, stated: Finding) -> bool:
    """Whether the source holds what the alert tells."""
    as_it_stands = (stated.spell, stated.revision) == (state.spell, state.revision)
    return as_it_stands and state.phase not in ENDED


def _is_news(state: Alert, stated: Finding) -> bool:
    """Whether the source holds what was never heard, or what an alert took for ended."""
    if state.phase in ENDED:
        return stated.ordinal >= state.ordinal
    return stated.spell == state.spell and stated.revision > state.revision


def decide_again(state: Alert | None, spell: str, revision: int, pen: Next) -> list[AlertEvent]:
    """The source says something of a spell that was heard before, word for word."""
    if state is None or not state.unconfirmed or state.spell != spell:
        return []
    if revision >= state.revision:
        pen.add(AlertConfirmed, log=None, spell=spell, revision=revision)
    return pen.events
