"""The quality read model: how each alert fared, to be summed by rule and never by person.

A document (key = alert id, sealed under the client's key, so that it goes with the client): {alert,
channel, owner, last_on, spells: [{raised_at, tier, repeat, outcome, reason, answered_at}]};
`outcome` is None while it waits, else `acted on`, `dismissed` or `ended unanswered`.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import Column, String

from services.alerts.core import alert, risk
from services.alerts.core.policy import CHANNEL_ORDER, Policy
from services.alerts.core.rule import RETIRABLE, Rule
from services.alerts.rules import Rules
from services.chassis.eventlog import Entry
from services.chassis.view import Document, View
from services.chassis.views import ViewStore

WINDOW = timedelta(days=365)
"""How far back the figures reach."""
SPELLS_KEPT = 20
ACTED, DISMISSED, UNANSWERED = "acted on", "dismissed", "ended unanswered"


class QualityView(View):
    """Folds when an alert spoke and how that time ended."""

    name: ClassVar[str] = "quality"
    version: ClassVar[int] = 1
    topics: ClassVar[frozenset[str]] = frozenset(
        kind.TOPIC
        for kind in (
            alert.AlertRaised, alert.AlertAmended, alert.AlertAcknowledged, alert.AlertDismissed,
            alert.AlertWithdrawn, alert.AlertSettled, risk.RiskNoted,
        )
    )  # fmt: skip

    def columns(self) -> tuple[Column[Any], ...]:
        """The day on which it last spoke."""
        return (Column("last_on", String(10), nullable=False, index=True),)

    def key(self, event: Any) -> UUID | None:
        """The alert."""
        id_: UUID = event.originator_id
        return id_

    def fold(self, doc: Document | None, entry: Entry) -> Document | None:
        """The document after one event; None while it never spoke."""
        event = entry.event
        speaks = isinstance(event, alert.AlertRaised) or getattr(event, "again", False)
        if doc is None and not speaks:
            return None
        if doc is None:
            doc = {
                "alert": event.originator_id.hex,
                "channel": event.channel,
                "owner": event.owner.hex,
                "spells": [],
            }
        if speaks:
            _spoke(doc, event)
        elif (outcome := _OUTCOMES.get(type(event))) is not None:
            _ended(doc["spells"][-1], outcome, event)
        return doc

    def owner(self, doc: Document) -> UUID:
        """The client, or the episode's own key while that is not known."""
        return UUID(doc["owner"])

    def clear(self, doc: Document) -> dict[str, Any]:
        """The clear columns' values."""
        return {"last_on": doc["spells"][-1]["raised_at"][:10]}


_OUTCOMES: dict[type[Any], str] = {
    alert.AlertAcknowledged: ACTED,
    alert.AlertDismissed: DISMISSED,
    alert.AlertWithdrawn: UNANSWERED,
    alert.AlertSettled: UNANSWERED,
}


def _spoke(doc: Document, event: Any) -> None:
    spell = {
        "raised_at": event.timestamp.isoformat(),
        "tier": event.tier,
        "repeat": bool(doc["spells"]),
        "outcome": None,
        "reason": None,
        "answered_at": None,
    }
    doc["spells"] = [*doc["spells"], spell][-SPELLS_KEPT:]


def _ended(spell: dict[str, Any], outcome: str, event: Any) -> None:
    if spell["outcome"] is not None:
        return  # answered before it ended
    spell["outcome"] = outcome
    if outcome != UNANSWERED:
        spell["answered_at"] = event.timestamp.isoformat()
        spell["reason"] = getattr(event, "reason", None)


@dataclass(frozen=True, slots=True)
class RuleFigures:
    """How one rule's prompts and reviews fared in the last year."""

    channel: str
    raised: int
    """Prompts and reviews; marks on the chart are not among them."""
    marks: int
    """What it found and told nobody: info, old news, or retired."""
    acted: int
    dismissed: int
    reasons: tuple[tuple[str, int], ...]
    """Of dismissals, the commonest first."""
    unanswered: int
    waiting: int
    repeats: int
    """Of those raised, how many were of a client in whom it had spoken before."""
    median_hours: float | None
    """From speaking to an answer; None where nobody answered yet."""
    rule: Rule
    can_retire: bool


@dataclass(frozen=True, slots=True)
class Quality:
    """The query side: figures by rule, with no client and no person in them."""

    store: ViewStore
    view: QualityView
    rules: Rules
    policy: Policy

    def figures(self, now: datetime) -> list[RuleFigures]:
        """The figures of every rule, in the order of the inbox.

        Raises:
            services.chassis.view.NotBuiltError: the view was never built; say so.
        """
        since: date = (now - WINDOW).date()
        column = self.store.table(self.view).c.last_on
        documents = self.store.select(self.view, where=column >= since.isoformat())
        spells: dict[str, list[dict[str, Any]]] = {}
        for doc in documents:
            recent = [one for one in doc["spells"] if one["raised_at"][:10] >= since.isoformat()]
            spells.setdefault(doc["channel"], []).extend(recent)
        standing = self.rules.all()
        further = sorted(spells.keys() - set(CHANNEL_ORDER))
        return [
            _figures(channel, spells.get(channel, ()), standing)
            for channel in (*CHANNEL_ORDER, *further)
        ]


def _figures(
    channel: str, spells: Iterable[dict[str, Any]], standing: Mapping[str, Rule]
) -> RuleFigures:
    all_ = list(spells)
    told = [one for one in all_ if one["tier"] != "info"]
    outcomes = Counter(one["outcome"] for one in told)
    reasons = Counter(one["reason"] for one in told if one["outcome"] == DISMISSED)
    hours = [_hours(one) for one in told if one["answered_at"]]
    return RuleFigures(
        channel=channel,
        raised=len(told),
        marks=len(all_) - len(told),
        acted=outcomes[ACTED],
        dismissed=outcomes[DISMISSED],
        reasons=tuple(reasons.most_common()),
        unanswered=outcomes[UNANSWERED],
        waiting=outcomes[None],
        repeats=sum(one["repeat"] for one in told),
        median_hours=median(hours) if hours else None,
        rule=standing.get(channel, Rule(channel)),
        can_retire=channel in RETIRABLE,
    )


def _hours(spell: Mapping[str, Any]) -> float:
    answered, raised = (datetime.fromisoformat(spell[n]) for n in ("answered_at", "raised_at"))
    return (answered - raised).total_seconds() / 3600
