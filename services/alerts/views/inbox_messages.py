"""What each message from the outcomes service changes in an episode's inbox document."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from services.alerts.views.standing import reassigned

Document = dict[str, Any]
Data = dict[str, Any]
SCORES_KEPT = 16
"""Scores of a trajectory that a sparkline shows."""
_HEADER = ("sender", "client", "clinician", "next_session")
_SCALE = ("higher_is", "cutoff", "minimum", "maximum", "reliable_change")


def empty(episode: str, owner: str) -> Document:
    """The document of an episode of which nothing is known but that it exists."""
    document: Document = dict.fromkeys(_HEADER)
    return document | {
        "episode": episode,
        "owner": owner,
        "subject": None,
        "status": "open",
        "primary": None,
        "trajectories": {},
        "alerts": {},
        "risk": {},
        "history": False,
        "prompts": [],
        "reviews": {},
        "position": 0,
    }


def fold(doc: Document, type_: str, data: Data) -> None:
    """Take one message into the document; most change nothing here."""
    step = _STEPS.get(type_)
    if step is not None:
        step(doc, data)


def _episode_changed(doc: Document, data: Data) -> None:
    if doc["clinician"] is not None and data.get("clinician") != doc["clinician"]:
        reassigned(doc["alerts"])
    for name in _HEADER:
        doc[name] = data.get(name)
    doc["subject"] = UUID(str(data["subject"])).hex
    doc["status"] = "closed" if data.get("closed_on") else "open"
    doc["primary"] = data.get("primary_instrument")


def _answered(doc: Document, data: Data) -> None:
    """A risk answer may come before all else: until the header has, it says whose it is."""
    if doc["subject"] is None:
        for name in ("sender", "client", "clinician"):
            doc[name] = data.get(name)


def _assessed(doc: Document, data: Data) -> None:
    _point(doc, data["assessment"])


def _refolded(doc: Document, data: Data) -> None:
    before = doc["trajectories"].pop(data["trajectory"], None)
    for assessment in data["assessments"]:
        _point(doc, assessment)
    after = doc["trajectories"].get(data["trajectory"])
    if before and after:
        for name in _SCALE:
            after[name] = after[name] if after[name] is not None else before[name]


def _point(doc: Document, assessment: Data) -> None:
    known = doc["trajectories"].setdefault(
        assessment["trajectory"],
        dict.fromkeys(_SCALE)
        | {
            "instrument": assessment["instrument"],
            "respondent": assessment["respondent"],
            "scores": [],
            "p_fail": None,
            "assessable": False,
        },
    )
    for name in _SCALE:
        if assessment.get("scale"):
            known[name] = assessment["scale"].get(name)
    if not assessment["used"] or assessment.get("score") is None:
        return
    known["scores"] = [*known["scores"], [assessment["on"], assessment["score"]]][-SCORES_KEPT:]
    known["p_fail"] = assessment["state"].get("p_fail")
    known["assessable"] = not assessment.get("not_assessable")


def primary(doc: Document) -> dict[str, Any]:
    """The trajectory that stands for the episode: the one named, else the first that can alarm."""
    trajectories = [doc["trajectories"][key] for key in sorted(doc["trajectories"])]
    named = [one for one in trajectories if one["instrument"] == doc["primary"]]
    full = [
        one
        for one in trajectories
        if one["reliable_change"] is not None and one["cutoff"] is not None
    ]
    found = named or full or trajectories
    return found[0] if found else {}


def is_assessable(doc: Document) -> bool:
    """Whether anything can be said of the course: an unassessable one is unknown, not fine."""
    return bool(primary(doc).get("assessable"))


_STEPS: dict[str, Callable[[Document, Data], None]] = {
    "episode.changed": _episode_changed,
    "risk.answered": _answered,
    "measure.assessed": _assessed,
    "trajectory.refolded": _refolded,
}
