"""The catalogue of the alerts service's metrics: how alerts fare, never whose they are."""

from collections.abc import Iterable
from typing import Any

from services.alerts.core import alert, reflection, risk
from services.chassis.metrics import GROUND, HTTP, LOOPS, RECEIVERS, Catalogue, Metric

ALERTS = Metric(
    "alerts_total",
    "counter",
    "What became of alerts, by channel, tier and outcome.",
    ("channel", "tier", "outcome"),
)
TOLD = Metric(
    "alerts_told_total",
    "counter",
    "Alerts told to be read: first of their channel in a course, or repeat.",
    ("channel", "tier", "kind"),
)
DISMISSED = Metric(
    "alerts_dismissed_total",
    "counter",
    "Alerts dismissed, by channel and reason.",
    ("channel", "reason"),
)
MESSAGES = Metric(
    "messages_received_total",
    "counter",
    "Messages taken from a topic, by type and result.",
    ("topic", "kind", "result"),
)
REFLECTIONS = Metric(
    "reflections_total", "counter", "Reflections recorded, by decision.", ("kind",)
)
RISK_HEARTBEAT = Metric(
    "risk_heartbeat_age_seconds", "gauge", "Age of the newest heartbeat of the risk path."
)
RISK_UNSENT = Metric(
    "risk_unsent_messages", "gauge", "Risk messages not yet handed over, as last told."
)
RISK_UNSENT_SECONDS = Metric(
    "risk_unsent_age_seconds", "gauge", "Age of the oldest risk message not yet handed over."
)
RISK_OPEN = Metric("risk_alerts_open", "gauge", "Risk alerts that nobody has acknowledged.")
UNASSIGNED = Metric(
    "episodes_unassigned", "gauge", "Open courses with an open alert and no clinician in reach."
)
OVERDUE = Metric(
    "alerts_overdue", "gauge", "Alerts past the time by which they were due.", ("channel",)
)
DELIVERIES = Metric(
    "deliveries_total",
    "counter",
    "Attempts to deliver a notice by mail or webhook, by what became of them.",
    ("channel", "outcome"),
)
DELIVERIES_DUE = Metric(
    "deliveries_due", "gauge", "Notices whose next attempt has come and was not made yet."
)
UNREAD = Metric("prompts_unread", "gauge", "Open prompts that nobody has opened yet.")
UNREAD_SECONDS = Metric(
    "prompts_unread_age_seconds", "gauge", "Age of the oldest prompt that nobody has opened yet."
)
CATALOGUE = (
    *HTTP, *LOOPS, *RECEIVERS, *GROUND, ALERTS, TOLD, DISMISSED, MESSAGES, REFLECTIONS,
    RISK_HEARTBEAT, RISK_UNSENT, RISK_UNSENT_SECONDS, RISK_OPEN, UNASSIGNED, OVERDUE, UNREAD,
    UNREAD_SECONDS, DELIVERIES, DELIVERIES_DUE,
)  # fmt: skip

_OUTCOMES: dict[type[Any], str] = {
    alert.AlertRaised: "raised",
    alert.AlertHeld: "held",
    alert.AlertAmended: "amended",
    alert.AlertSeen: "seen",
    alert.AlertSnoozed: "snoozed",
    alert.AlertAcknowledged: "acknowledged",
    alert.AlertDismissed: "dismissed",
    alert.AlertEscalated: "escalated",
    alert.AlertWithdrawn: "withdrawn",
    alert.AlertSettled: "settled",
    risk.RiskNoted: "noted",
}


def report(catalogue: Catalogue, events: Iterable[Any]) -> None:
    """Count what was stored; called after the commit."""
    for event in events:
        outcome = _OUTCOMES.get(type(event))
        if outcome:
            tier = getattr(event, "tier", "")
            catalogue.count(ALERTS, channel=event.channel, tier=tier, outcome=outcome)
        kind = _told(event)
        if kind:
            catalogue.count(TOLD, channel=event.channel, tier=event.tier, kind=kind)
        if isinstance(event, alert.AlertDismissed):
            catalogue.count(DISMISSED, channel=event.channel, reason=event.reason)
        if isinstance(event, reflection.ReflectionRecorded):
            catalogue.count(REFLECTIONS, kind=event.decision)


def _told(event: Any) -> str | None:
    """Whether an event asks to be read, for the first time in its course or again."""
    if isinstance(event, alert.AlertRaised):
        return "first" if event.ordinal == 1 else "repeat"
    return "repeat" if isinstance(event, alert.AlertAmended) and event.again else None
