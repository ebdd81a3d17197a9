"""How one alert stands, folded from its events: the part that every read model of alerts shares."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from services.alerts.core import alert, risk, risk_card
from services.alerts.core import policy as rules
from services.alerts.core.figures import day
from services.alerts.core.language import _
from services.alerts.core.policy import Policy
from services.alerts.core.rule import Rule
from services.alerts.views.inbox_rows import AlertLine, RiskLine

Entry = dict[str, Any]
TOPICS = frozenset(
    kind.TOPIC
    for kind in (
        alert.AlertRaised, alert.AlertHeld, alert.AlertAmended, alert.AlertSeen,
        alert.AlertSnoozed, alert.AlertWoken, alert.AlertAcknowledged, alert.AlertDismissed,
        alert.AlertEscalated, alert.AlertWithdrawn, alert.AlertSettled, risk.RiskNoted,
        alert.AlertUnconfirmed, alert.AlertConfirmed,
    )
)  # fmt: skip
ANSWERS_KEPT = 12
"""Answers to one risk item that a document holds, the newest by clinical date."""


_HELD_BY = ("tier", "until", "again", "old_news")
"""What a step of an alert's history says beside its moment: what let it speak, or held it."""


def laid_out_from(entry: Mapping[str, Any], policy: Policy) -> datetime | None:
    """When an open alert is laid out for supervision; None where it never is: a mark only."""
    if entry["tier"] == "info":
        return None
    raised = datetime.fromisoformat(entry["raised_at"]) + timedelta(days=policy.lay_out_days)
    told = entry["escalated_at"]
    return raised if told is None else min(raised, datetime.fromisoformat(told))


def fold(entry: Entry | None, event: Any) -> Entry | None:
    """An alert's entry after one of its events; None while it never spoke."""
    step = _STEPS.get(type(event))
    begins = isinstance(event, _BEGINS) or getattr(event, "again", False)
    if step is None or (entry is None and not begins):
        return entry
    before = None if entry is None else entry["state"]
    entry = step(entry, event)
    if entry is not None and (entry["state"] != before or isinstance(event, _TOLD)):
        what = type(event).__name__.removeprefix("Alert").lower()
        step = {"at": event.timestamp.isoformat(), "what": what}
        entry["history"].append(step | {name: getattr(event, name, None) for name in _HELD_BY})
    return entry


def _raised(entry: Entry | None, event: Any) -> Entry:
    return _begun(entry, event) | {"state": "raised", "due_at": event.due_at}


def _held(entry: Entry | None, event: Any) -> Entry:
    return _begun(entry, event) | {"state": "held", "held_until": event.until}


def _begun(entry: Entry | None, event: Any) -> Entry:
    history = entry["history"] if entry else []
    begun: Entry = dict.fromkeys(_EMPTY)
    begun |= {
        "history": history,
        "alert": event.originator_id.hex,
        "channel": event.channel,
        "raised_at": event.timestamp.isoformat(),
    }
    return _taken(begun, event)


_EMPTY = (
    "due_at", "escalated_at", "escalated_to", "escalated_why", "seen_at", "seen_by",
    "snoozed_until", "held_until", "acknowledged", "dismissed", "ended_at", "ended_why",
    "unchanged_since", "unconfirmed",
)  # fmt: skip


def _taken(entry: Entry, event: Any) -> Entry:
    entry["unconfirmed"] = None
    for name in ("spell", "ordinal", "revision", "tier", "on", "old_news", "card"):
        entry[name] = getattr(event, name)
    return entry


def _amended(entry: Entry | None, event: Any) -> Entry:
    if entry is None or (event.again and entry["state"] not in OPEN):
        return _raised(entry, event)
    answered = entry["card"] if entry["state"] in ("acknowledged", "dismissed") else None
    _taken(entry, event)
    entry["due_at"] = event.due_at
    if answered is not None:
        entry["card"] = answered  # what was answered stays as it was shown then
    if event.again:
        entry |= {
            "state": "raised",
            "seen_at": None,
            "seen_by": None,
            "snoozed_until": None,
            "escalated_at": None,
            "escalated_to": None,
            "escalated_why": None,
        }
    return entry


def _seen(entry: Entry, event: Any) -> Entry:
    if entry["state"] == "raised":
        entry["state"] = "seen"
    return entry | {"seen_at": event.timestamp.isoformat(), "seen_by": event.by}


def _acknowledged(entry: Entry, event: Any) -> Entry:
    told = {"by": event.by, "name": event.name, "done": event.done, "note": event.note}
    told |= {"to": event.to, "at": event.timestamp.isoformat()}
    return entry | _closed("acknowledged", event) | {"acknowledged": told, "ended_why": event.done}


def _dismissed(entry: Entry, event: Any) -> Entry:
    told = {"by": event.by, "reason": event.reason, "at": event.timestamp.isoformat()}
    return entry | _closed("dismissed", event) | {"dismissed": told, "ended_why": event.reason}


def _ended(entry: Entry, event: Any) -> Entry:
    if event.spell != entry["spell"]:
        return entry
    withdrawn = isinstance(event, alert.AlertWithdrawn)
    why = "corrected away" if withdrawn else event.reason
    closed = _closed("withdrawn" if withdrawn else "settled", event)
    return entry | closed | {"ended_why": why, "revision": event.revision}


def _closed(state: str, event: Any) -> Entry:
    return {
        "state": state,
        "snoozed_until": None,
        "held_until": None,
        "due_at": None,
        "unconfirmed": None,
        "ended_at": event.timestamp.isoformat(),
    }


def _escalated(entry: Entry, event: Any) -> Entry:
    return entry | {
        "escalated_at": event.timestamp.isoformat(),
        "escalated_to": event.to,
        "escalated_why": event.why,
    }


def _noted(entry: Entry | None, event: Any) -> Entry | None:
    if entry is not None and event.quiet in ("unchanged", "lower") and entry["acknowledged"]:
        entry["unchanged_since"] = entry["acknowledged"]["at"]
    return entry


def _unconfirmed(entry: Entry, event: Any) -> Entry:
    """What has ended says nothing any more, so there is nothing to confirm."""
    return entry if entry["state"] in ENDED else entry | {"unconfirmed": event.made_at}


_BEGINS = (alert.AlertRaised, alert.AlertHeld)
_TOLD = (
    alert.AlertEscalated, alert.AlertAmended, alert.AlertSnoozed, alert.AlertWoken,
    alert.AlertUnconfirmed, alert.AlertConfirmed,
)  # fmt: skip
_STEPS: dict[type, Any] = {
    alert.AlertRaised: _raised,
    alert.AlertHeld: _held,
    alert.AlertAmended: _amended,
    alert.AlertSeen: _seen,
    alert.AlertSnoozed: lambda entry, event: (
        entry | {"snoozed_until": event.until, "state": "snoozed"}
    ),
    alert.AlertWoken: lambda entry, event: entry | {"snoozed_until": None, "state": "raised"},
    alert.AlertAcknowledged: _acknowledged,
    alert.AlertDismissed: _dismissed,
    alert.AlertEscalated: _escalated,
    alert.AlertWithdrawn: _ended,
    alert.AlertSettled: _ended,
    alert.AlertUnconfirmed: _unconfirmed,
    alert.AlertConfirmed: lambda entry, event: entry | {"unconfirmed": None},
    risk.RiskNoted: _noted,
}

ENDED = frozenset({"withdrawn", "settled"})
OPEN = frozenset({"raised", "seen", "snoozed"})
"""States in which an alert waits for an answer."""


def reassigned(entries: Mapping[str, Entry]) -> None:
    """Another clinician has the course: what is open moves, unread."""
    for entry in entries.values():
        if entry["state"] in OPEN:
            entry |= {"seen_at": None, "seen_by": None}
            if entry["state"] == "seen":
                entry["state"] = "raised"


def fold_answer(risks: dict[str, Any], event: Any) -> None:
    """Take the answer that a risk event carries into {instrument|item: {..., answers}}."""
    answer = getattr(event, "answer", None)
    if not isinstance(answer, dict):
        return
    key = f"{answer['instrument']}|{answer['item']}"
    known = risks.setdefault(
        key,
        {
            "instrument": answer["instrument"],
            "item": answer["item"],
            "kind": answer["kind"],
            "answers": [],
        },
    )
    others = [one for one in known["answers"] if one["measure"] != answer["measure"]]
    quiet = getattr(event, "quiet", None)
    others.append({name: answer[name] for name in _ANSWER} | {"quiet": quiet})
    others.sort(key=lambda one: (one["on"][:10], one["received_at"]))
    known["answers"] = others[-ANSWERS_KEPT:]


_ANSWER = (
    "measure", "version", "on", "received_at", "answer", "state", "urgent", "change", "was",
)  # fmt: skip


def risk_lines(risks: Mapping[str, Any]) -> tuple[RiskLine, ...]:
    """The last answer to every risk item, the most pressing first."""
    lines = [line for key in sorted(risks) if (line := _risk_line(risks[key])) is not None]
    order = ("endorsed", "unanswered", "not received", "not endorsed")
    return tuple(sorted(lines, key=lambda line: order.index(line.state)))


def _risk_line(item: Mapping[str, Any]) -> RiskLine | None:
    valid = [one for one in item["answers"] if one["change"] != "withdrawn"]
    last = valid[-1] if valid else None
    if last is None:
        return None
    named = {"instrument": item["instrument"], "item": item["item"]}
    return RiskLine(
        instrument=item["instrument"],
        item=item["item"],
        kind=item["kind"],
        state=last["state"],
        answer=last["answer"],
        on=last["on"],
        words=_risk_words(item, last | named, valid[:-1]),
        urgent=last["urgent"],
        wording=risk_card.WORDINGS.get((item["instrument"], item["item"])),
    )


def _risk_words(
    item: Mapping[str, Any], last: Mapping[str, Any], before: Sequence[Mapping[str, Any]]
) -> str:
    said = risk_card.words(last)
    earlier = ", ".join(risk_card.short(one) for one in before[-3:])
    form = _("Item {item}: {answer} on {day}")
    if earlier:
        form = _("Item {item}: {answer} on {day} (before: {earlier})")
    parts = [form.format(item=item["item"], answer=said, day=day(str(last["on"])), earlier=earlier)]
    was = last.get("was")
    if was is not None and was["answer"] != last["answer"]:
        changed = _("changed by the EHR from {before} to {now}")
        parts.append(changed.format(before=risk_card.short(was), now=risk_card.short(last)))
    text = "; ".join(parts) + "."
    return f"{text} {_(risk_card.NOT_REASSURANCE)}" if last["state"] == "not endorsed" else text


def line(
    entry: Entry,
    now: datetime,
    policy: Policy,
    waiting: bool = False,
    retired: Rule | None = None,
) -> AlertLine:
    """An alert as a row or page shows it at this moment."""
    card = entry["card"]
    snoozed = is_snoozed(entry, now)
    due = entry["due_at"]
    tier = "review" if waiting and entry["tier"] == "prompt" else entry["tier"]
    silent = _silence(retired)
    tier = "info" if silent is not None else tier
    is_risk = entry["channel"] == rules.RISK
    is_open = entry["state"] in OPEN
    return AlertLine(
        alert=entry["alert"],
        channel=entry["channel"],
        tier=tier,
        state="raised" if entry["state"] == "snoozed" and not snoozed else entry["state"],
        label=card["label"],
        tone=card["tone"],
        title=card["title"],
        sentence=card["sentence"],
        raised_at=entry["raised_at"],
        due_at=due,
        overdue=is_open and due is not None and datetime.fromisoformat(due) <= now,
        escalated_at=entry["escalated_at"],
        seen_at=entry["seen_at"],
        snoozed_until=entry["snoozed_until"] if snoozed else None,
        unchanged_since=entry["unchanged_since"],
        waiting=waiting,
        spell=entry["spell"],
        revision=entry["revision"],
        can_snooze=is_open and not is_risk,
        can_dismiss=is_open and not is_risk,
        unconfirmed=entry["unconfirmed"],
        retired=silent,
    )


def _silence(rule: Rule | None) -> str | None:
    """By whom and since when a rule is retired, when it is."""
    if rule is None or rule.retired is None:
        return None
    since = day(rule.retired.since.isoformat())
    return _("retired by {name} since {day}").format(name=rule.retired.name, day=since)


def is_snoozed(entry: Entry, now: datetime) -> bool:
    """Whether it is laid aside at this moment; its day may come before any timer does."""
    until = entry["snoozed_until"]
    return until is not None and datetime.fromisoformat(until) > now


def order(entry: Entry, waiting: bool = False) -> tuple[int, int]:
    """Where an alert stands among those of its client, lowest first."""
    if entry["channel"] == rules.RISK and entry["tier"] == "review":
        return rules.rank("review", "not_assessable")  # items were not sent: low, never absent
    tier, channel = rules.rank(entry["tier"], entry["channel"])
    if waiting:
        return rules.rank("review", rules.CHANNEL_ORDER[0])[0], channel
    return tier, channel


def day_of(entry: Entry, policy: Policy) -> date:
    """The day on which it spoke."""
    return policy.day(datetime.fromisoformat(entry["raised_at"]))
