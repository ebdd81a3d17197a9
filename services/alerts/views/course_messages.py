"""What each message from the outcomes service changes in the document of its episode."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from services.alerts.views.standing import reassigned

Document = dict[str, Any]
Data = dict[str, Any]

HEADER = (
    "sender", "reference", "client", "clinician", "announced", "opened_on", "closed_on",
    "close_reason", "problem", "planned_sessions", "planned_end", "next_session",
    "primary_instrument",
)  # fmt: skip


def empty(episode: str, owner: str) -> Document:
    """The document of an episode of which nothing is known but that it exists."""
    document: Document = dict.fromkeys(HEADER)
    lists = ("approaches", "sessions", "facts", "findings", "reflections", "loose")
    document |= {name: [] for name in lists}
    document |= {name: {} for name in ("trajectories", "risk", "alerts")}
    return document | {
        "episode": episode,
        "owner": owner,
        "subject": None,
        "announced": False,
        "status": "open",
        "messages": 0,
        "position": 0,
    }


def fold(doc: Document, type_: str, data: Data) -> None:
    """Take one message into the document; unknown types change nothing."""
    doc["messages"] += 1
    step = _STEPS.get(type_)
    if step is not None:
        step(doc, data)


def _hex(value: Any) -> str:
    return UUID(str(value)).hex


def _replace(entries: list[Data], key: str, new: Data, order: str) -> None:
    """Put an entry in the place of the one with the same key, in order of a date."""
    entries[:] = [one for one in entries if one[key] != new[key]] + [new]
    entries.sort(key=lambda one: (str(one[order]), str(one[key])))


def _episode_changed(doc: Document, data: Data) -> None:
    if doc["clinician"] is not None and data.get("clinician") != doc["clinician"]:
        reassigned(doc["alerts"])
    for name in HEADER:
        doc[name] = data.get(name)
    doc["subject"] = _hex(data["subject"])
    doc["status"] = "closed" if data.get("closed_on") else "open"


def _answered(doc: Document, data: Data) -> None:
    """A risk answer may come before all else: until the header has, it says whose it is."""
    if doc["subject"] is None:
        for name in ("sender", "reference", "client", "clinician"):
            doc[name] = data.get(name)


def _session(doc: Document, data: Data) -> None:
    new = {name: data[name] for name in ("session", "on", "attendance")}
    _replace(doc["sessions"], "session", new, "on")


def _fact(doc: Document, data: Data) -> None:
    fact = {name: data.get(name) for name in ("fact", "on", "kind", "label", "until")}
    _replace(doc["facts"], "fact", fact, "on")


def _approach(doc: Document, data: Data) -> None:
    id_ = _hex(data["approach_id"])
    before = next((one for one in doc["approaches"] if one["approach_id"] == id_), None)
    confirmed = bool(data.get("confirmed"))
    if before is not None and confirmed:
        before["confirmed"] = True
        return
    new = {
        "approach_id": id_,
        "approach": data["approach"],
        "since": data["since"],
        "origin": data["origin"],
        "reason": data.get("reason"),
        "reflection": _hex(data["reflection"]) if data.get("reflection") else None,
        "review_on": data.get("review_on"),
        "confirmed": confirmed or bool(before and before["confirmed"]),
        "forecast": before["forecast"] if before else None,
        "effects": before["effects"] if before else [],
    }
    _replace(doc["approaches"], "approach_id", new, "since")
    attach(doc)


def _assessed(doc: Document, data: Data) -> None:
    _point(doc, data["assessment"])


def _refolded(doc: Document, data: Data) -> None:
    scale = doc["trajectories"].get(data["trajectory"], {}).get("scale")
    if not data["assessments"]:
        doc["trajectories"].pop(data["trajectory"], None)
        return
    doc["trajectories"][data["trajectory"]] = {
        "scale": scale, "points": [], "fan": [], "fan_on": None,
    }  # fmt: skip
    for assessment in data["assessments"]:
        _point(doc, assessment)


def _point(doc: Document, assessment: Data) -> None:
    trajectory = doc["trajectories"].setdefault(
        assessment["trajectory"], {"scale": None, "points": [], "fan": [], "fan_on": None}
    )
    point = {name: value for name, value in assessment.items() if name not in ("scale", "fan")}
    point["measure"] = _hex(point["measure"])
    known = [one for one in trajectory["points"] if one["measure"] == point["measure"]]
    if known and known[0]["version"] > point["version"]:
        return
    for name, value in (("flags", []), ("not_assessable", []), ("score", None), ("at", None)):
        point.setdefault(name, value)
    points = [one for one in trajectory["points"] if one["measure"] != point["measure"]]
    points.append(point)
    points.sort(key=lambda one: (one["number"], one["on"], one["measure"]))
    trajectory["points"] = points
    if assessment.get("scale"):
        trajectory["scale"] = assessment["scale"]
    if points[-1] is point:
        trajectory["fan"] = assessment.get("fan", [])
        trajectory["fan_on"] = assessment["on"]


def _found(doc: Document, data: Data) -> None:
    spell = _hex(data["spell"])
    known = next((one for one in doc["findings"] if one["spell"] == spell), None)
    if known is not None and known["revision"] >= data["revision"]:
        return
    new = {
        "spell": spell,
        "channel": data["channel"],
        "ordinal": data["ordinal"],
        "revision": data["revision"],
        "tier": data["tier"],
        "on": data["on"],
        "old_news": data["old_news"],
        "evidence": data["evidence"],
        "status": "open",
        "cleared_reason": None,
        "cleared_on": None,
    }
    _replace(doc["findings"], "spell", new, "on")


def _cleared(doc: Document, data: Data) -> None:
    spell = _hex(data["spell"])
    for one in doc["findings"]:
        if one["spell"] == spell and data["revision"] > one["revision"]:
            one |= {
                "status": "cleared",
                "revision": data["revision"],
                "cleared_reason": data["reason"],
                "cleared_on": data["on"],
            }


def _forecast(doc: Document, data: Data) -> None:
    """Keep a forecast until what it is about is there; both may come in any order."""
    doc["loose"].append({"kind": "forecast", "data": data})
    attach(doc)


def _effect(doc: Document, data: Data) -> None:
    doc["loose"].append({"kind": "effect", "data": data})
    attach(doc)


def attach(doc: Document) -> None:
    """Bring forecasts and effects to the approach or reflection that they are about."""
    doc["loose"] = [one for one in doc["loose"] if not _ATTACH[one["kind"]](doc, one["data"])]


def _attach_forecast(doc: Document, data: Data) -> bool:
    """Whether everything that the forecast is about is there."""
    done = True
    for key, entries in (("approach_id", doc["approaches"]), ("reflection", doc["reflections"])):
        if not data.get(key):
            continue
        id_ = _hex(data[key])
        found = [one for one in entries if one[key] == id_]
        for one in found:
            one["forecast"] = data
        done = done and bool(found)
    return done


def _attach_effect(doc: Document, data: Data) -> bool:
    id_ = _hex(data["approach_id"])
    for one in doc["approaches"]:
        if one["approach_id"] == id_:
            one["effects"] = _with_effect(one["effects"], data)
            return True
    return False


def _with_effect(effects: list[Data], data: Data) -> list[Data]:
    same = [
        one
        for one in effects
        if (one["trajectory"], one["measure"]) == (data["trajectory"], data["measure"])
    ]
    if same and same[0]["version"] > data["version"]:
        return effects
    rest = [one for one in effects if one not in same]
    if not data.get("withdrawn"):
        rest.append(data)
    return sorted(rest, key=lambda one: (one["on"], one["trajectory"], one["measure"]))


_ATTACH: dict[str, Callable[[Document, Data], bool]] = {
    "forecast": _attach_forecast,
    "effect": _attach_effect,
}
_STEPS: dict[str, Callable[[Document, Data], None]] = {
    "episode.changed": _episode_changed,
    "risk.answered": _answered,
    "session.recorded": _session,
    "fact.noted": _fact,
    "approach.chosen": _approach,
    "measure.assessed": _assessed,
    "trajectory.refolded": _refolded,
    "finding.opened": _found,
    "finding.amended": _found,
    "finding.cleared": _cleared,
    "forecast.made": _forecast,
    "effect.measured": _effect,
}
