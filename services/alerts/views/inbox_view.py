"""The inbox read model: one document for each episode, folded from the log.

A document holds what one row needs: {episode, owner, subject, sender, client, clinician, status,
next_session, primary, trajectories: {key: {instrument, respondent, scores: [[on, score]], p_fail,
assessable, higher_is, cutoff, minimum, maximum, reliable_change}}, alerts, risk, history,
prompts: [{key, at, channel}], reviews: {reflection: {author, review_on, due, resolved, unknowns}},
position}. The clock, snooze and the cap on prompts are applied at the query, never in the fold.
"""

from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import Boolean, Column, String

from services.alerts.core import alert, reflection, risk
from services.alerts.core import policy as rules
from services.alerts.core.course import MessageNoted
from services.alerts.views import inbox_messages, standing, whose
from services.chassis.eventlog import Entry
from services.chassis.ids import Ids
from services.chassis.view import Document, View

PROMPTS_KEPT = 20
"""Prompts of one episode that the daily cap may still have to count."""


class InboxView(View):
    """Folds what a row needs, with the clinician's keyed hash in clear to select by."""

    name: ClassVar[str] = "inbox"
    version: ClassVar[int] = 3
    topics: ClassVar[frozenset[str]] = standing.TOPICS | {
        MessageNoted.TOPIC,
        reflection.ReflectionRecorded.TOPIC,
        reflection.ReflectionRevised.TOPIC,
        reflection.UnknownClosed.TOPIC,
        reflection.ReviewDue.TOPIC,
        reflection.ReflectionResolved.TOPIC,
    }

    def __init__(self, ids: Ids) -> None:
        """Hash clinicians' references under the installation's secret of `ids`."""
        self._ids = ids

    def columns(self) -> tuple[Column[Any], ...]:
        """The clinician's hash, whether something waits or was told to the backup, and how loud.

        `loudest` is the tier of the loudest alert that waits, `prompted_on` the day (UTC) on which
        something last spoke as a prompt.
        """
        return (
            whose.column(),
            Column("waits", Boolean, nullable=False, index=True),
            Column("told_backup", Boolean, nullable=False, index=True),
            Column("loudest", String(8), nullable=True, index=True),
            Column("prompted_on", String(10), nullable=True, index=True),
        )

    def key(self, event: Any) -> UUID | None:
        """The episode."""
        return UUID(event.episode)

    def fold(self, doc: Document | None, entry: Entry) -> Document | None:
        """The document after one event."""
        event = entry.event
        if doc is None:
            doc = inbox_messages.empty(event.episode, event.owner.hex)
        doc["position"] = entry.position
        if isinstance(event, MessageNoted):
            if event.effect:
                inbox_messages.fold(doc, event.message["type"], event.message["data"])
        elif event.TOPIC in standing.TOPICS:
            _fold_alert(doc, event)
        else:
            _fold_review(doc, event)
        return doc

    def owner(self, doc: Document) -> UUID:
        """The client, once known."""
        return UUID(doc["subject"] or doc["owner"])

    def clear(self, doc: Document) -> dict[str, Any]:
        """The clear columns' values."""
        waiting = open_alerts(doc)
        tiers = {one["tier"] for one in waiting}
        return whose.value(self._ids, doc) | {
            "waits": bool(waiting),
            "told_backup": any(one["escalated_to"] == "backup" for one in waiting),
            "loudest": next((tier for tier in rules.TIERS if tier in tiers), None),
            "prompted_on": max((one["at"][:10] for one in doc["prompts"]), default=None),
        }


def open_alerts(doc: Document) -> list[dict[str, Any]]:
    """The entries of the alerts that wait for an answer, put off or not."""
    return [one for one in doc["alerts"].values() if one["state"] in standing.OPEN]


_CARD = ("label", "tone", "title", "sentence")


def _fold_alert(doc: Document, event: Any) -> None:
    key = event.originator_id.hex
    entry = standing.fold(doc["alerts"].get(key), event)
    standing.fold_answer(doc["risk"], event)
    if isinstance(event, risk.RiskNoted) and event.quiet == "history":
        doc["history"] = doc["history"] or event.answer["state"] == "endorsed"
    if isinstance(event, alert.AlertSeen | alert.AlertAcknowledged):
        doc["history"] = False
    speaks = isinstance(event, alert.AlertRaised) or getattr(event, "again", False)
    if speaks and event.tier == "prompt":
        spoken = {"key": key, "at": event.timestamp.isoformat(), "channel": event.channel}
        doc["prompts"] = [*doc["prompts"], spoken][-PROMPTS_KEPT:]
    if entry is None:
        return
    entry["card"] = {name: entry["card"][name] for name in _CARD}
    entry["history"] = []
    if entry["state"] in standing.OPEN or entry["state"] == "held":
        doc["alerts"][key] = entry
    else:
        doc["alerts"].pop(key, None)


def _fold_review(doc: Document, event: Any) -> None:
    id_ = event.originator_id.hex
    if isinstance(event, reflection.ReflectionRecorded):
        doc["reviews"][id_] = {
            "author": event.author,
            "review_on": event.review_on,
            "due": False,
            "resolved": False,
            "unknowns": sorted(one["unknown"] for one in event.unknowns),
        }
    one = doc["reviews"].get(id_)
    if one is None:
        return
    if isinstance(event, reflection.ReflectionRevised):
        one["unknowns"] = sorted(entry["unknown"] for entry in event.unknowns)
    elif isinstance(event, reflection.UnknownClosed):
        one["unknowns"] = [name for name in one["unknowns"] if name != event.unknown]
    elif isinstance(event, reflection.ReviewDue):
        one["due"] = True
    elif isinstance(event, reflection.ReflectionResolved):
        one["resolved"] = True
