"""Course documents made by hand, of the shape that the course view documents, for page tests."""

from collections.abc import Sequence
from datetime import date, timedelta
from math import exp
from typing import Any
from uuid import UUID, uuid5

OPENED = date(2026, 1, 5)
_SPACE = UUID("8c9f6f6e-3f0a-4a57-9d4e-2f6b8d3b6a10")

PHQ9: dict[str, Any] = {
    "title": "PHQ-9",
    "instrument_version": "3",
    "minimum": 0.0,
    "maximum": 27.0,
    "higher_is": "worse",
    "cutoff": 10.0,
    "reliable_change": 5.6,
    "bands": [
        {"label": "minimal", "low": 0, "high": 4},
        {"label": "mild", "low": 5, "high": 9},
        {"label": "moderate", "low": 10, "high": 14},
        {"label": "moderately severe", "low": 15, "high": 19},
        {"label": "severe", "low": 20, "high": 27},
    ],
    "sources": {"reliable_change": "Jacobson-Truax, 95 %, reliability .89"},
}
ORS: dict[str, Any] = {
    "title": "ORS",
    "instrument_version": "1",
    "minimum": 0.0,
    "maximum": 40.0,
    "higher_is": "better",
    "cutoff": 25.0,
    "reliable_change": 6.0,
    "bands": [],
    "sources": {},
}
BARE: dict[str, Any] = {
    "title": "Local distress scale",
    "instrument_version": "1",
    "minimum": 0.0,
    "maximum": 100.0,
    "higher_is": "worse",
    "cutoff": None,
    "reliable_change": None,
    "bands": [],
    "sources": {},
}


def ident(*parts: str) -> str:
    """A steady hexadecimal id for these words."""
    return uuid5(_SPACE, "/".join(parts)).hex


def on(week: float) -> str:
    """The ISO date of a week of the course."""
    return (OPENED + timedelta(days=round(week * 7))).isoformat()


def fan(level: float, slope: float, top: float, spread: float = 3.6) -> list[dict[str, Any]]:
    """A forecast from a level with a slope a week, widening."""
    steps = []
    for weeks in (1, 2, 4, 6, 8, 12):
        mean = level + slope * weeks * exp(-weeks / 20)
        wide = spread + 0.35 * weeks
        ends = {
            "low50": mean - 0.5 * wide,
            "high50": mean + 0.5 * wide,
            "low80": mean - wide,
            "high80": mean + wide,
        }
        clipped = {name: min(max(value, 0.0), top) for name, value in ends.items()}
        steps.append({"weeks": weeks, "mean": min(max(mean, 0.0), top), **clipped})
    return steps


def trajectory(
    scale: dict[str, Any],
    scores: Sequence[float],
    weeks: Sequence[float],
    *,
    unused: Sequence[int] = (),
    norms: bool = True,
) -> dict[str, Any]:
    """A trajectory of these scores at these weeks; `unused` are places that conflict."""
    level = float(scores[0])
    points = []
    for place, (score, week) in enumerate(zip(scores, weeks, strict=True)):
        used = place not in unused
        level = 0.6 * level + 0.4 * score if used else level
        points.append(_point(scale, place, score, on(week), level if norms else None, used))
    expected = []
    if norms:
        goal = scores[0] * (0.45 if scale["higher_is"] == "worse" else 1.35)
        steps = range(21)
        expected = [{"weeks": w, "score": goal + (scores[0] - goal) * exp(-w / 6)} for w in steps]
    pinned = {
        **scale,
        "baseline": float(scores[0]),
        "baseline_on": on(weeks[0]),
        "baseline_label": "first session",
        "expected": expected,
    }
    ahead = fan(level, -0.35, scale["maximum"]) if norms else []
    return {"scale": pinned, "points": points, "fan": ahead, "fan_on": on(weeks[-1])}


def _point(
    scale: dict[str, Any], place: int, score: float, day: str, level: float | None, used: bool
) -> dict[str, Any]:
    bands = [b["label"] for b in scale["bands"] if b["low"] <= score <= b["high"]]
    state = {
        "level": level,
        "level_low": None if level is None else level - 2,
        "level_high": None if level is None else level + 2,
        "slope": -0.2,
        "p_fail": 0.7 if level is not None else None,
        "p_worse": 0.1,
        "p_better": 0.2,
        "change": None,
        "change_class": None,
    }
    return {
        "measure": ident(scale["title"], str(place)),
        "version": 1,
        "external_id": f"m-{place}",
        "trajectory": f"{scale['title'].lower()}|total|client",
        "instrument": scale["title"].lower(),
        "respondent": "client",
        "on": day,
        "at": None,
        "number": place + 1,
        "score": float(score),
        "band": bands[0] if bands else None,
        "flags": [] if used else ["conflict"],
        "used": used,
        "not_assessable": [] if level is not None else ["no_norm"],
        "state": state,
        "fan": [],
        "rule": "trend 1.2",
    }


def approach(
    name: str,
    week: float,
    *,
    origin: str = "ehr",
    forecast: dict[str, Any] | None = None,
    effects: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    """An approach begun in this week."""
    return {
        "approach_id": ident("approach", name, str(week)),
        "approach": name,
        "since": on(week),
        "origin": origin,
        "reason": None,
        "reflection": None,
        "review_on": None,
        "confirmed": False,
        "forecast": forecast,
        "effects": list(effects),
    }


def course(**parts: Any) -> dict[str, Any]:
    """A course document of an open episode; `parts` replace what an empty one holds."""
    return {
        "episode": ident("episode"),
        "subject": ident("subject"),
        "sender": "clinic",
        "reference": "E-1184",
        "client": "K-1184",
        "clinician": "anna",
        "announced": True,
        "opened_on": OPENED.isoformat(),
        "closed_on": None,
        "close_reason": None,
        "problem": "depression",
        "planned_sessions": 16,
        "planned_end": on(20),
        "next_session": on(13.6),
        "primary_instrument": "phq-9",
        "status": "open",
        "approaches": [],
        "sessions": [],
        "facts": [],
        "trajectories": {},
        "findings": [],
        "risk": {},
        "alerts": {},
        "reflections": [],
        "messages": 40,
        "position": 40,
        **parts,
    }


def pivoted() -> dict[str, Any]:
    """Six flat weeks, a pivot in week 8, then falling: everything a chart can hold."""
    scores = [18, 17.5, 15, 15, 14, 15, 13, 15, 16, 15, 14, 11, 10]
    weeks = [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13]
    effect = {
        "approach_id": ident("approach", "Behavioural activation", "8"),
        "approach": "Behavioural activation",
        "trajectory": "phq-9|total|client",
        "measure": ident("PHQ-9", "12"),
        "version": 1,
        "on": on(13),
        "weeks": 5.0,
        "observed": 10.0,
        "mean": 14.0,
        "low80": 9.0,
        "high80": 19.0,
        "verdict": "within forecast",
        "also_changed": ["medication: sertraline 50 mg begun"],
        "withdrawn": False,
    }
    made = {
        "approach_id": effect["approach_id"],
        "reflection": None,
        "trajectory": "phq-9|total|client",
        "on": on(8),
        "review_on": on(14),
        "p_worked": 0.38,
        "fan": fan(15.2, -0.2, 27),
        "not_assessable": [],
    }
    absent = {6: "cancelled", 9: "missed"}
    return course(
        approaches=[
            approach("CBT", 0),
            approach(
                "Behavioural activation", 8, origin="reflection", forecast=made, effects=[effect]
            ),
        ],
        sessions=[
            {"session": f"s{week}", "on": on(week), "attendance": absent.get(week, "attended")}
            for week in range(14)
        ],
        facts=[
            {"fact": "f1", "on": on(6), "kind": "medication", "label": "sertraline 50 mg begun"}
        ],
        trajectories={"phq-9|total|client": trajectory(PHQ9, scores, weeks)},
    )
