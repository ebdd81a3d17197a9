"""The words of an answer to a risk item: as it was given, beside the answers before it.

Nothing here predicts. An item's own words are shown only where they are free to show.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from services.alerts.core.card import day
from services.alerts.core.policy import Policy

NOT_REASSURANCE = "A 0 is not reassurance."
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
    "self": "harm to self",
    "others": "harm to others",
    "substance": "use of substances",
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
    name = f"Item {answer['item']}"
    said = words(answer)
    title = f"{name} of {str(answer['instrument']).upper()}: {said}"
    wording = WORDINGS.get((str(answer["instrument"]), int(answer["item"])))
    parts = [f"“{wording}”: {said}." if wording else f"{name}: {said}."]
    parts += _changed(answer) + _before(earlier) + _late(answer, policy)
    grounds = [
        f"{name} ({_KINDS.get(str(answer['kind']), str(answer['kind']))}) answered on "
        f"{day(str(answer['on']))}.",
        _within(answer, policy),
        NOT_REASSURANCE,
        "An answer as it was given; nothing is predicted from it.",
    ]
    if policy_link:
        grounds.append(f"Local policy: {policy_link}")
    return {
        "channel": "risk_answer",
        "label": f"{name}: {said}",
        "tone": "risk" if answer["state"] == "endorsed" else "unknown",
        "title": title,
        "sentence": " ".join(parts),
        "grounds": [line for line in grounds if line],
        "missing": _missing(answer),
        "disagrees": [],
        "thresholds": [],
        "numbers": {"answer": answer["answer"], "item": answer["item"]},
        "points": [],
        "evidence_label": "the client's own answer, routed by local policy",
        "evidence_source": "no prediction is made from it",
        "caution": NOT_REASSURANCE,
        "rule": "risk answer",
        "rule_version": "1",
        "instrument": answer["instrument"],
    }


def unreadable(policy_link: str = "") -> dict[str, Any]:
    """The card of a risk message that could not be read."""
    sentence = (
        "A risk answer arrived that could not be read. Look at the client's record in the EHR now."
    )
    return {
        "channel": "risk_answer",
        "label": "Risk answer, unreadable",
        "tone": "risk",
        "title": "A risk answer arrived that could not be read",
        "sentence": sentence,
        "grounds": ["The message is kept and can be read again by a later release."]
        + ([f"Local policy: {policy_link}"] if policy_link else []),
        "missing": ["What the client answered."],
        "disagrees": [],
        "thresholds": [],
        "numbers": {},
        "points": [],
        "evidence_label": "the client's own answer, routed by local policy",
        "evidence_source": "no prediction is made from it",
        "caution": "",
        "rule": "risk answer",
        "rule_version": "1",
        "instrument": None,
    }


def words(answer: Mapping[str, Any]) -> str:
    """What was answered, in the item's own words where they may be shown."""
    if answer["state"] == "unanswered":
        return "left unanswered"
    if answer["state"] == "not received":
        return "not received (a total without items)"
    value = answer["answer"]
    if value is None:
        return str(answer["state"])
    labels = ANSWERS.get((str(answer["instrument"]), int(answer["item"])), ())
    return labels[value] if 0 <= value < len(labels) else f"answered {value}"


def short(answer: Mapping[str, Any]) -> str:
    """The answer in as few signs as a list of earlier ones bears."""
    if answer["state"] == "unanswered":
        return "unanswered"
    if answer["state"] == "not received" or answer["answer"] is None:
        return "not received"
    return str(answer["answer"])


def _changed(answer: Mapping[str, Any]) -> list[str]:
    was = answer.get("was")
    if was is None:
        return []
    before = "not received" if was["answer"] is None else str(was["answer"])
    if was["state"] == "unanswered":
        before = "unanswered"
    if answer["change"] == "withdrawn":
        return [f"The EHR has withdrawn this measure (it said {before})."]
    now = short(answer)
    return [f"Changed by the EHR from {before} to {now}."] if before != now else []


def _before(earlier: Sequence[Mapping[str, Any]]) -> list[str]:
    if not earlier:
        return ["No earlier answer."]
    return ["Before: " + ", ".join(short(one) for one in earlier[-3:]) + "."]


def _late(answer: Mapping[str, Any], policy: Policy) -> list[str]:
    received = datetime.fromisoformat(str(answer["received_at"]))
    days = (policy.day(received) - date.fromisoformat(str(answer["on"])[:10])).days
    if days < 1:
        return []
    return [f"Answered {days} day{'' if days == 1 else 's'} before it arrived."]


def _within(answer: Mapping[str, Any], policy: Policy) -> str:
    if answer["state"] == "not received":
        return "Items were not sent, so this answer is not known."
    if answer["urgent"]:
        return f"Answer within {policy.risk_urgent_minutes} minutes (local policy)."
    return "Answer by the end of the working day (local policy)."


def _missing(answer: Mapping[str, Any]) -> list[str]:
    if answer["state"] in ("unanswered", "not received"):
        return [f"The answer to item {answer['item']}: {words(answer)}."]
    return []
