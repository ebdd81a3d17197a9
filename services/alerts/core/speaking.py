"""When an alert speaks and when it ends: what a finding, or time, makes of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.alerts.core import policy as rules
from services.alerts.core.alert import (
    Alert,
    AlertAmended,
    AlertEscalated,
    AlertEvent,
    AlertHeld,
    AlertRaised,
    AlertSettled,
    AlertWithdrawn,
    AlertWoken,
    Next,
)
from services.alerts.core.policy import Policy


@dataclass(frozen=True, slots=True)
class Finding:
    """What a message says of a spell, with the card made from it."""

    spell: str
    ordinal: int
    revision: int
    tier: str
    on: str
    old_news: bool
    card: dict[str, Any]


def decide_found(
    state: Alert | None, finding: Finding, pen: Next, policy: Policy, at: datetime
) -> list[AlertEvent]:
    """What follows from a finding that opened or was amended."""
    if state is not None and _is_old(state, finding):
        return []
    if state is None or finding.spell != state.spell or state.phase in ("withdrawn", "settled"):
        _new_spell(state, finding, pen, policy, at)
    else:
        _same_spell(state, finding, pen, policy, at)
    return pen.events


def _is_old(state: Alert, finding: Finding) -> bool:
    known = state.revisions.get(finding.spell)
    if known is not None and finding.revision <= known:
        return True
    return finding.spell != state.spell and finding.ordinal < state.ordinal


def _new_spell(
    state: Alert | None, finding: Finding, pen: Next, policy: Policy, at: datetime
) -> None:
    cleared = state.cleared_at if state else None
    if state and state.phase in ("open", "held", "acknowledged", "dismissed"):
        # The end of the spell before is still under way to us; two are never open at once.
        pen.add(
            AlertSettled, spell=state.spell, revision=state.revision, reason="recovered",
            on=finding.on,
        )  # fmt: skip
        cleared = at if state.spoke else cleared
    until = rules.refractory_until(policy, cleared) if cleared else at
    if until > at:
        pen.add(AlertHeld, **_fields(finding), until=until.isoformat())
    else:
        pen.add(AlertRaised, **_fields(finding), due_at=_due(policy, pen, finding, at))


def _same_spell(state: Alert, finding: Finding, pen: Next, policy: Policy, at: datetime) -> None:
    if state.phase == "held" and state.held_until and _moment(state.held_until) <= at:
        pen.add(AlertRaised, **_fields(finding), due_at=_due(policy, pen, finding, at))
        return
    louder = rules.TIERS.index(finding.tier) < rules.TIERS.index(state.tier)
    again = louder and state.phase != "held"
    due = _due(policy, pen, finding, at) if again else state.due_at
    pen.add(AlertAmended, **_fields(finding), again=again, due_at=due)


def _fields(finding: Finding) -> dict[str, Any]:
    return {
        "spell": finding.spell,
        "ordinal": finding.ordinal,
        "revision": finding.revision,
        "tier": finding.tier,
        "on": finding.on,
        "old_news": finding.old_news,
        "card": finding.card,
    }


def _due(policy: Policy, pen: Next, finding: Finding, at: datetime) -> str | None:
    if finding.tier != "prompt":
        return None
    due = rules.unread_due(policy, pen.channel, at)
    return due.isoformat() if due else None


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def decide_cleared(
    state: Alert | None, spell: str, revision: int, reason: str, on: str, pen: Next
) -> list[AlertEvent]:
    """What follows from a finding that cleared: recovered, corrected away or closed."""
    if state is not None and revision <= state.revisions.get(spell, -1):
        return []
    if reason == "corrected away":
        pen.add(AlertWithdrawn, spell=spell, revision=revision, on=on)
    else:
        pen.add(AlertSettled, spell=spell, revision=revision, reason=reason, on=on)
    return pen.events


def decide_escalate(state: Alert, to: str, why: str, pen: Next) -> list[AlertEvent]:
    """Tell somebody else, once for each time it spoke."""
    if state.phase == "open" and state.escalated_to != to and state.escalated_to != "backup":
        pen.add(AlertEscalated, to=to, why=why)
    return pen.events


def decide_wake(state: Alert, at: datetime, pen: Next) -> list[AlertEvent]:
    """Bring a snoozed alert back when its day has come."""
    until = state.snoozed_until
    if until is not None and _moment(until) <= at:
        pen.add(AlertWoken, until=until)
    return pen.events


def decide_release(state: Alert, policy: Policy, at: datetime, pen: Next) -> list[AlertEvent]:
    """Let a finding that was held speak once its channel's silence is over."""
    if state.phase != "held" or state.held_until is None or _moment(state.held_until) > at:
        return []
    finding = Finding(
        state.spell, state.ordinal, state.revision, state.tier, state.on, state.old_news, state.card
    )
    pen.add(AlertRaised, **_fields(finding), due_at=_due(policy, pen, finding, at))
    return pen.events
