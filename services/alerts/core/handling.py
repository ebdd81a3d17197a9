"""What a person does with an alert: reads it, lays it aside, puts it away, takes it up.

What arrives and what falls due is decided in `core.alert` and never refused; a person may be.
"""

from services.alerts.core import policy as rules
from services.alerts.core.alert import (
    Alert,
    AlertAcknowledged,
    AlertDismissed,
    AlertEvent,
    AlertSeen,
    AlertSnoozed,
    Next,
)
from services.alerts.core.language import _


class AlertRefusedError(Exception):
    """The alert cannot take this command; the text is for the page and names no client."""


def decide_seen(state: Alert, by: str, pen: Next) -> list[AlertEvent]:
    """Opened on a page; the first time counts."""
    if state.phase == "open" and not state.seen:
        pen.add(AlertSeen, by=by)
    return pen.events


def decide_snooze(state: Alert, by: str, until: str, pen: Next) -> list[AlertEvent]:
    """Lay an open alert aside until a day.

    Raises:
        AlertRefusedError: it is about a risk answer, or not open.
    """
    if state.channel == rules.RISK:
        raise AlertRefusedError(_("an answer to a risk item cannot be laid aside"))
    _must_be_open(state)
    pen.add(AlertSnoozed, by=by, until=until)
    return pen.events


def decide_dismiss(state: Alert, by: str, reason: str, pen: Next) -> list[AlertEvent]:
    """Put an open alert away with a reason.

    Raises:
        AlertRefusedError: it is about a risk answer, not open, or the reason is not on the list.
    """
    if state.channel == rules.RISK:
        raise AlertRefusedError(_("an answer to a risk item closes only when it is acknowledged"))
    if reason not in rules.DISMISS_REASONS:
        raise AlertRefusedError(_("choose one of the reasons"))
    _must_be_open(state)
    pen.add(AlertDismissed, by=by, reason=reason)
    return pen.events


def decide_acknowledge(
    state: Alert, by: str, name: str, done: str, note: str, to: str, pen: Next
) -> list[AlertEvent]:
    """Take an alert up: who, when, what was done.

    Raises:
        AlertRefusedError: it is not open, or a risk answer without a word on what was done.
    """
    _must_be_open(state)
    if state.channel == rules.RISK:
        if done not in rules.RISK_DONE:
            choices = ", ".join(_(one) for one in rules.RISK_DONE)
            raise AlertRefusedError(_("say what was done: {choices}").format(choices=choices))
        if done == "passed to" and not to.strip():
            raise AlertRefusedError(_("say to whom it was passed"))
    pen.add(AlertAcknowledged, by=by, name=name, done=done, note=note, to=to)
    return pen.events


def _must_be_open(state: Alert) -> None:
    if state.phase != "open":
        raise AlertRefusedError(_("this alert is no longer open"))
