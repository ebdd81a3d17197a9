"""The words of an answer to a risk item: as it was given, beside the answers before it.

Nothing here predicts. An item's own words are shown only where they are free to show.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from services.alerts.core.figures import day
from services.alerts.core.language import _, gettext_noop, ngettext
from services.alerts.core.policy import Policy

NOT_REASSURANCE = gettext_noop("A 0 is not reassurance.")
WORDINGS: dict[tuple[str, int], str] = {
    ("phq-9", 9): (
        "Thoughts that you would be better off dead, or of hurting yourself in some way"
    ),
}
"""Items whose wording is free to use (the PHQ family); all others are named by number."""
ANSWERS: dict[tuple[str, int], tuple[str, ...]] = {
    ("phq-9", 9): ("not at all", "several days", "more than half the days", "nearly every day"),
}
_KINDS = {
    "self": gettext_noop("harm to self"),
    "others": gettext_noop("harm to others"),
    "substance": gettext_noop("use of substances"),
}


def make(
    answer: Mapping[str, Any],
    earlier: Sequence[Mapping[str, Any]],
    policy: Policy,
    policy_link: str = "",
) -> dict[str, Any]:
    """The card of an answer to a risk item.

    Args:
        answer: the record of `core.risk`: instrument, item, kind, on, received_at, answer, state,
            urgent, change, was.
        earlier: records before it, oldest first.
        policy: for the age on arrival and the time within which it asks for an answer.
        policy_link: where the local policy stands, empty when not set.
    """
    name, said = _name(answer), words(answer)
    title = _("{item} of {instrument}: {answer}").format(
        item=name, instrument=str(answer["instrument"]).upper(), answer=said
    )
    return {
        "channel": "risk_answer",
        "label": f"{name}: {said}",
        "tone": "risk" if answer["state"] == "endorsed" else "unknown",
        "title": title,
        "sentence": _sentence(answer, earlier, policy),
        "grounds": _grounds(answer, policy, policy_link),
        "missing": _missing(answer),
        "disagrees": [],
        "thresholds": [],
        "numbers": {"answer": answer["answer"], "item": answer["item"]},
        "points": [],
        "evidence_label": _("the client's own answer, routed by local policy"),
        "evidence_source": _("no prediction is made from it"),
        "caution": _(NOT_REASSURANCE),
        "rule": _("risk answer"),
        "rule_version": "1",
        "instrument": answer["instrument"],
    }


def unreadable(policy_link: str = "") -> dict[str, Any]:
    """The card of a risk message that could not be read."""
    sentence = _(
        "A risk answer arrived that could not be read. Look at the client's record in the EHR now."
    )
    kept = _("The message is kept and can be read again by a later release.")
    return {
        "channel": "risk_answer",
        "label": _("Risk answer, unreadable"),
        "tone": "risk",
        "title": _("A risk answer arrived that could not be read"),
        "sentence": sentence,
        "grounds": [kept, *_policy(policy_link)],
        "missing": [_("What the client answered.")],
        "disagrees": [],
        "thresholds": [],
        "numbers": {},
        "points": [],
        "evidence_label": _("the client's own answer, routed by local policy"),
        "evidence_source": _("no prediction is made from it"),
        "caution": "",
        "rule": _("risk answer"),
        "rule_version": "1",
        "instrument": None,
    }


def _name(answer: Mapping[str, Any]) -> str:
    return _("Item {item}").format(item=answer["item"])


def _sentence(
    answer: Mapping[str, Any], earlier: Sequence[Mapping[str, Any]], policy: Policy
) -> str:
    """The answer, what it was before, and how late it came."""
    wording = WORDINGS.get((str(answer["instrument"]), int(answer["item"])))
    said = f"“{wording}”" if wording else _name(answer)
    parts = [f"{said}: {words(answer)}."]
    return " ".join(parts + _changed(answer) + _before(earlier) + _late(answer, policy))


def _grounds(answer: Mapping[str, Any], policy: Policy, policy_link: str) -> list[str]:
    kind = str(answer["kind"])
    lines = [
        _("{item} ({kind}) answered on {day}.").format(
            item=_name(answer),
            kind=_(_KINDS[kind]) if kind in _KINDS else kind,
            day=day(str(answer["on"])),
        ),
        _within(answer, policy),
        _(NOT_REASSURANCE),
        _("An answer as it was given; nothing is predicted from it."),
        *_policy(policy_link),
    ]
    return [line for line in lines if line]


def _policy(link: str) -> list[str]:
    return [_("Local policy: {policy}").format(policy=link)] if link else []


def words(answer: Mapping[str, Any]) -> str:
    """What was answered, in the item's own words where they may be shown."""
    if answer["state"] == "unanswered":
        return _("left unanswered")
    if answer["state"] == "not received":
        return _("not received (a total without items)")
    value = answer["answer"]
    if value is None:
        return str(answer["state"])
    labels = ANSWERS.get((str(answer["instrument"]), int(answer["item"])), ())
    if 0 <= value < len(labels):
        return str(labels[value])
    return _("answered {answer}").format(answer=value)


def short(answer: Mapping[str, Any]) -> str:
    """The answer in as few signs as a list of earlier ones bears."""
    if answer["state"] == "unanswered":
        return _("unanswered")
    if answer["state"] == "not received" or answer["answer"] is None:
        return _("not received")
    return str(answer["answer"])


def _changed(answer: Mapping[str, Any]) -> list[str]:
    was = answer.get("was")
    if was is None:
        return []
    before, now = short(was), short(answer)
    if answer["change"] == "withdrawn":
        return [_("The EHR has withdrawn this measure (it said {before}).").format(before=before)]
    if before == now:
        return []
    return [_("Changed by the EHR from {before} to {now}.").format(before=before, now=now)]


def _before(earlier: Sequence[Mapping[str, Any]]) -> list[str]:
    if not earlier:
        return [_("No earlier answer.")]
    return [_("Before: {answers}.").format(answers=", ".join(short(one) for one in earlier[-3:]))]


def _late(answer: Mapping[str, Any], policy: Policy) -> list[str]:
    received = datetime.fromisoformat(str(answer["received_at"]))
    days = (policy.day(received) - date.fromisoformat(str(answer["on"])[:10])).days
    if days < 1:
        return []
    form = ngettext(
        "Answered {count} day before it arrived.", "Answered {count} days before it arrived.", days
    )
    return [form.format(count=days)]


def _within(answer: Mapping[str, Any], policy: Policy) -> str:
    if answer["state"] == "not received":
        return _("Items were not sent, so this answer is not known.")
    if answer["urgent"]:
        within = _("Answer within {minutes} minutes (local policy).")
        return within.format(minutes=policy.risk_urgent_minutes)
    return _("Answer by the end of the working day (local policy).")


def _missing(answer: Mapping[str, Any]) -> list[str]:
    if answer["state"] in ("unanswered", "not received"):
        missing = _("The answer to item {item}: {state}.")
        return [missing.format(item=answer["item"], state=words(answer))]
    return []
