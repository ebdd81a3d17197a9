"""The aggregate of one risk item of one episode: its answers, and the alert only a person closes.

It is never snoozed, capped, batched, dismissed, held or withdrawn: a correction changes its words,
not that it waits. The business identity of what arrives is (measure, version).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

from services.alerts.core import alert as alerts
from services.alerts.core import policy as rules
from services.alerts.core.alert import (
    Alert,
    AlertAcknowledged,
    AlertAmended,
    AlertEscalated,
    AlertEvent,
    AlertRaised,
    Next,
)
from services.alerts.core.policy import Policy

UNREADABLE = "unreadable"
"""Stands in the place of an instrument when a risk message could not be read."""


@dataclass(frozen=True, kw_only=True)
class RiskNoted(AlertEvent):
    """An answer that notifies nobody anew: a mark on the chart, and why it is only that."""

    TOPIC: ClassVar[str] = "alert.risk_noted"

    answer: dict[str, Any]
    quiet: str
    """`not endorsed`, `unchanged`, `history`, `withdrawn`, `lower` or `changed`."""


@dataclass(frozen=True, slots=True)
class Answered:
    """One item of one version of one measure, as the message tells it."""

    instrument: str
    item: int
    kind: str
    measure: str
    version: int
    on: str
    received_at: str
    answer: int | None
    state: str
    urgent: bool
    change: str
    clinician: str | None

    def key(self) -> tuple[str, str]:
        """Where it stands among the answers to its item: clinical date, then arrival."""
        return self.on[:10], self.received_at


@dataclass(frozen=True, slots=True)
class Risk:
    """One risk item's answers and its alert as they stand."""

    alert: Alert
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Measure to its newest version: the fields of `Answered`, `was` and `covered`."""
    acknowledged_at: str | None = None

    @property
    def version(self) -> int:
        """Of its alert, whose stream it is."""
        return self.alert.version


def fold(state: Risk | None, events: list[Any]) -> Risk | None:
    """The item after these events of its stream."""
    for event in events:
        state = evolve(state, event)
    return state


def evolve(state: Risk | None, event: Any) -> Risk:
    """The item after one event; never refuses."""
    alert = alerts.evolve(state.alert if state else None, event)
    answers = state.answers if state else {}
    acknowledged = state.acknowledged_at if state else None
    answer = getattr(event, "answer", None)
    if answer is not None:
        answers = answers | {answer["measure"]: answer}
    if isinstance(event, AlertAcknowledged):
        answers = {key: value | {"covered": True} for key, value in answers.items()}
        acknowledged = event.timestamp.isoformat()
    return Risk(alert, answers, acknowledged)


def decide_answered(
    state: Risk | None,
    answered: Answered,
    unreachable: str | None,
    card: Callable[[dict[str, Any], list[dict[str, Any]]], dict[str, Any]],
    pen: Next,
    policy: Policy,
) -> list[AlertEvent]:
    """What follows from an answer to a risk item.

    Args:
        state: the item as it stands, None when nothing was ever heard of it.
        answered: the answer.
        unreachable: why the backup is told at once: no clinician, closed course, on leave; None:
            the clinician is in reach.
        card: makes the card from (answer, earlier answers).
        pen: for the item's stream.
        policy: the numbers.
    """
    known = state.answers.get(answered.measure) if state else None
    if known is not None and answered.version <= known["version"]:
        return []
    record = _record(answered, known)
    quiet = _quiet(state, answered, record, known, policy)
    is_open = state is not None and state.alert.phase == "open"
    if quiet is not None and not is_open:
        record["covered"] = quiet in ("unchanged", "lower")
        pen.add(RiskNoted, answer=record, quiet=quiet)
        return pen.events
    made = card(record, _before(state, answered))
    if state is not None and is_open:
        _amend(state, answered, record, made, quiet is None, pen, policy)
    else:
        _raise(state, answered, record, made, pen, policy)
    if unreachable and answered.state in ("endorsed", "unanswered"):
        _tell_backup(state, quiet is None, unreachable, pen)
    return pen.events


def _record(answered: Answered, known: dict[str, Any] | None) -> dict[str, Any]:
    return {
        "measure": answered.measure,
        "version": answered.version,
        "instrument": answered.instrument,
        "item": answered.item,
        "kind": answered.kind,
        "on": answered.on,
        "received_at": answered.received_at,
        "answer": answered.answer,
        "state": answered.state,
        "urgent": answered.urgent,
        "change": answered.change,
        "was": None if known is None else {"answer": known["answer"], "state": known["state"]},
        "covered": False,
    }


def _quiet(
    state: Risk | None,
    answered: Answered,
    record: dict[str, Any],
    known: dict[str, Any] | None,
    policy: Policy,
) -> str | None:
    """Why this answer notifies nobody anew; None when it does."""
    if answered.change == "withdrawn":
        return "withdrawn"
    if answered.state == "not endorsed":
        return "not endorsed" if known is None else "changed"
    received = datetime.fromisoformat(answered.received_at)
    recorded = answered.change == "recorded"  # a correction is news, however old its measure
    if recorded and rules.is_history(policy, date.fromisoformat(answered.on[:10]), received):
        return "history"
    reference = known if known is not None else _last_before(state, answered)
    if reference is None or not _covers(reference, record):
        return None
    return "unchanged" if reference["answer"] == answered.answer else "lower"


def _covers(reference: dict[str, Any], record: dict[str, Any]) -> bool:
    """Whether an answer that was acknowledged is like this one, or was higher."""
    if not reference["covered"] or reference["change"] == "withdrawn":
        return False
    if record["state"] != "endorsed":
        return bool(reference["state"] == record["state"])
    if reference["state"] != "endorsed":
        return False
    before, now = reference["answer"], record["answer"]
    return before is not None and now is not None and before >= now


def _before(state: Risk | None, answered: Answered) -> list[dict[str, Any]]:
    """The answers of other measures up to this one, oldest first."""
    if state is None:
        return []
    earlier = [
        one
        for measure, one in state.answers.items()
        if measure != answered.measure
        and one["change"] != "withdrawn"
        and (one["on"][:10], one["received_at"]) <= answered.key()
    ]
    return sorted(earlier, key=lambda one: (one["on"][:10], one["received_at"]))


def _last_before(state: Risk | None, answered: Answered) -> dict[str, Any] | None:
    earlier = _before(state, answered)
    return earlier[-1] if earlier else None


def _tier(answered: Answered) -> str:
    # A total without items is a fact about the sender, for every client alike: it stands on the
    # row and asks for one acknowledgement, but does not call the backup.
    return "review" if answered.state == "not received" else "risk"


def _due(answered: Answered, policy: Policy) -> str | None:
    if answered.state == "not received":
        return None
    received = datetime.fromisoformat(answered.received_at)
    return rules.risk_due(policy, received, answered.urgent).isoformat()


def _raise(
    state: Risk | None,
    answered: Answered,
    record: dict[str, Any],
    card: dict[str, Any],
    pen: Next,
    policy: Policy,
) -> None:
    ordinal = state.alert.ordinal + 1 if state else 1
    pen.add(
        AlertRaised,
        spell=f"{pen.id.hex}.{ordinal}",
        ordinal=ordinal,
        revision=1,
        tier=_tier(answered),
        on=answered.on,
        old_news=False,
        card=card,
        due_at=_due(answered, policy),
        answer=record,
    )


def _amend(
    state: Risk,
    answered: Answered,
    record: dict[str, Any],
    card: dict[str, Any],
    speaks: bool,
    pen: Next,
    policy: Policy,
) -> None:
    """Take a further answer into an alert that is open; it stays open whatever the answer says.

    Only a rise or a new endorsement is to be read again; the earlier due time is never put off.
    """
    last = state.answers.get(answered.measure) or _last_before(state, answered)
    again = speaks and not (last is not None and _covers(last | {"covered": True}, record))
    before = state.alert
    due = [text for text in (before.due_at, _due(answered, policy) if speaks else None) if text]
    tier = min(before.tier, _tier(answered), key=rules.TIERS.index) if speaks else before.tier
    pen.add(
        AlertAmended,
        spell=before.spell,
        ordinal=before.ordinal,
        revision=before.revision + 1,
        tier=tier,
        on=max(before.on, answered.on),
        old_news=False,
        card=card,
        again=again,
        due_at=min(due, key=datetime.fromisoformat) if due else None,
        answer=record,
    )


def _tell_backup(state: Risk | None, speaks: bool, why: str, pen: Next) -> None:
    told = state is not None and state.alert.escalated_to == "backup"
    repeated = any(isinstance(event, AlertAmended) and event.again for event in pen.events)
    if speaks and (not told or repeated or state is None or state.alert.phase != "open"):
        pen.add(AlertEscalated, to="backup", why=why)


def decide_unreadable(
    state: Risk | None, card: dict[str, Any], day: str, pen: Next
) -> list[AlertEvent]:
    """A risk message arrived that could not be read: the backup is told at once."""
    ordinal = state.alert.ordinal + 1 if state else 1
    if state is not None and state.alert.phase == "open":
        return []
    pen.add(
        AlertRaised,
        spell=f"{pen.id.hex}.{ordinal}",
        ordinal=ordinal,
        revision=1,
        tier="risk",
        on=day,
        old_news=False,
        card=card,
        due_at=None,
    )
    pen.add(AlertEscalated, to="backup", why="it could not be read")
    return pen.events


def pen_for(state: Risk | None, id_: UUID, episode: str, owner: UUID, at: datetime) -> Next:
    """The pen for a risk item's stream."""
    return Next(state.alert if state else None, id_, episode, rules.RISK, owner, at)
