"""Anna's caseload as course documents, one for each kind of row: for tests of the pages alone."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from services.alerts.core import risk_card
from services.alerts.core.card import make
from services.alerts.core.ground import Ground
from services.alerts.core.person import Person
from services.alerts.core.policy import Policy
from tests.journey import pages_courses as courses

ZONE = ZoneInfo("Europe/London")
NOW = datetime(2026, 4, 8, 9, 30, tzinfo=UTC)
POLICY = Policy(zone=ZONE)
OFF = courses.ident("e", "off")
PEOPLE = {
    name: Person(UUID(courses.ident("person", name)), 1, name, role)
    for name, role in {
        "Anna": "clinician",
        "Ben": "clinician",
        "Carla": "clinician",
        "Sam": "supervisor",
        "Olga": "ops",
    }.items()
}
"""Anna treats, Ben is her colleague, Carla a stranger, Sam supervises Anna, Olga runs it."""


def alert(
    channel: str, evidence: dict[str, Any], scale: dict[str, Any], tier: str, **parts: Any
) -> dict[str, Any]:
    """An open alert as a course document holds it, its card made from its evidence."""
    card = make(Ground(channel=channel, evidence=evidence, scale=scale))
    return _entry(channel, card, tier, **parts)


def risk_alert(answer: int, urgent: bool, **parts: Any) -> dict[str, Any]:
    """An open alert about item 9."""
    said = _answer("m-r", answer, "2026-04-08", urgent)
    card = risk_card.make(
        said,
        [_answer(f"m-{n}", n // 2, f"2026-03-{n + 10}", False) for n in range(3)],
        POLICY,
        "shared drive, Risk",
    )
    due = (NOW + timedelta(minutes=50)).isoformat()
    return _entry("risk_answer", card, "risk", due_at=due, **parts)


def _answer(measure: str, answer: int, on: str, urgent: bool) -> dict[str, Any]:
    return {
        "measure": measure,
        "version": 1,
        "instrument": "phq-9",
        "item": 9,
        "kind": "self",
        "on": on,
        "received_at": f"{on}T08:40:00+00:00",
        "answer": answer,
        "state": "endorsed" if answer else "not endorsed",
        "urgent": urgent,
        "change": "recorded",
        "was": None,
        "quiet": None,
    }


def _entry(channel: str, card: dict[str, Any], tier: str, **parts: Any) -> dict[str, Any]:
    key = courses.ident("alert", channel, card["title"])
    raised_at = (NOW - timedelta(hours=20)).isoformat()
    return {
        "alert": key,
        "channel": channel,
        "tier": tier,
        "state": "raised",
        "spell": f"{key}.1",
        "ordinal": 1,
        "revision": 1,
        "on": "2026-04-06",
        "old_news": False,
        "card": card,
        "raised_at": raised_at,
        "history": [{"at": raised_at, "what": "raised", "tier": tier}],
        **dict.fromkeys(
            (
                "due_at",
                "escalated_at",
                "escalated_to",
                "escalated_why",
                "seen_at",
                "seen_by",
                "snoozed_until",
                "held_until",
                "acknowledged",
                "dismissed",
                "ended_at",
                "ended_why",
                "unchanged_since",
                "unconfirmed",
            )
        ),
        **parts,
    }


def risk_answers(*answers: int) -> dict[str, Any]:
    """The answers to item 9, a week apart, the last on the present day."""
    days = [date(2026, 4, 8) - timedelta(weeks=back) for back in range(len(answers))][::-1]
    told = [
        _answer(f"m{place}", answer, on.isoformat(), answer > 1)
        for place, (answer, on) in enumerate(zip(answers, days, strict=True))
    ]
    return {"phq-9|9": {"instrument": "phq-9", "item": 9, "kind": "self", "answers": told}}


def off_track_evidence(spell_of: str = "phq-9|total|client") -> dict[str, Any]:
    """Evidence of a course off track."""
    return {
        "rule": "trend",
        "rule_version": "1.2",
        "instrument": "phq-9",
        "trajectories": [spell_of],
        "points": [
            {"measure": "a", "on": courses.on(11), "score": 14.0},
            {"measure": "b", "on": courses.on(12), "score": 15.0},
        ],
        "thresholds": [
            {
                "name": "alarm threshold",
                "value": 0.62,
                "source": "alarm budget .10",
            },
            {"name": "reliable change", "value": 5.6, "source": "Jacobson-Truax, 95 %, r .89"},
        ],
        "numbers": {
            "p_fail": 0.7,
            "threshold": 0.62,
            "horizon_weeks": 6,
            "measure_number": 13,
            "weeks": 13,
            "level": 15.0,
            "cutoff": 10.0,
            "reliable_change": 5.6,
        },
        "reasons": [],
        "missing": [],
        "disagrees": [],
    }


def documents() -> dict[str, dict[str, Any]]:
    """Anna's caseload: one course for each kind of row."""
    scale = courses.PHQ9
    flat = courses.trajectory(scale, [18, 17, 15, 16, 15, 15, 14, 15, 15], list(range(9)))
    finding = {
        "spell": "", "channel": "off_track", "ordinal": 1, "revision": 1, "tier": "prompt",
        "on": courses.on(8), "old_news": False, "evidence": off_track_evidence(),
        "status": "open", "cleared_reason": None, "cleared_on": None,
    }  # fmt: skip
    off = alert("off_track", off_track_evidence(), scale, "prompt")
    finding["spell"] = off["spell"]
    none = alert(
        "not_assessable",
        off_track_evidence()
        | {
            "numbers": {"instrument": "phq-9", "measures": 1, "last_on": courses.on(9), "days": 30},
            "reasons": ["too_few", "too_old"],
            "points": [],
            "thresholds": [],
        },
        scale,
        "review",
    )
    good = alert(
        "good_news",
        off_track_evidence() | {"numbers": {"kind": "sudden_gain", "gain": 7.0, "score": 9.0}},
        scale,
        "info",
    )
    urgent = risk_alert(2, urgent=True)
    found = [
        courses.course(
            episode=courses.ident("e", "risk"), client="K-2207", reference="E-1",
            trajectories={"phq-9|total|client": courses.trajectory(
                scale, [18, 16, 18, 18, 20], list(range(5)))},
            approaches=[courses.approach("CBT", 0)],
            risk=risk_answers(0, 0, 1, 2), alerts={urgent["alert"]: urgent},
        ),
        courses.course(
            episode=courses.ident("e", "off"), client="K-1184", reference="E-2",
            trajectories={
                "phq-9|total|client": flat,
                "gad-7|total|client": courses.trajectory(
                    {**scale, "title": "GAD-7", "maximum": 21.0, "bands": []},
                    [12, 11, 9], [0, 3, 7]),
            },
            approaches=[courses.approach("CBT", 0)],
            findings=[finding], risk=risk_answers(0, 1, 0), alerts={off["alert"]: off},
            sessions=[{"session": f"s{w}", "on": courses.on(w),
                       "attendance": "missed" if w in (5, 6) else "attended"}
                      for w in range(9)],
            reflections=[_reflection()],
        ),
        courses.course(
            episode=courses.ident("e", "none"), client="K-3020", reference="E-3",
            trajectories={"phq-9|total|client": courses.trajectory(scale, [19], [9])},
            alerts={none["alert"]: none}, next_session=None,
        ),
        courses.course(
            episode=courses.ident("e", "good"), client="K-2750", reference="E-4",
            trajectories={"phq-9|total|client": courses.trajectory(
                scale, [18, 17, 17, 10, 9, 9], list(range(5, 11)))},
            risk=risk_answers(0, 0), alerts={good["alert"]: good},
        ),
        {**courses.pivoted(), "episode": courses.ident("e", "pivot"), "client": "K-0931",
         "risk": risk_answers(0, 0, 1, 0, 0)},
    ]  # fmt: skip
    return {doc["episode"]: doc for doc in found}


def _reflection() -> dict[str, Any]:
    return {
        "reflection": courses.ident("reflection"),
        "at": "2026-03-02T10:00:00+00:00",
        "author": PEOPLE["Anna"].id.hex,
        "on": "2026-03-02",
        "expectation": "Below 10 by week 8.",
        "assumption": "The plan was agreed in session 2.",
        "unknowns": [
            {"unknown": "u1", "what": "Whether sleep changed", "why": "not asked",
             "who": "client", "find": "", "since": "2026-03-02", "how": None, "closed_on": None},
            {"unknown": "u2", "what": "Whether we still agree on the goal",
             "why": "each assumed the other knew", "who": "both of us",
             "find": "ask next time", "since": "2026-03-02",
             "how": None, "closed_on": None},
        ],
        "client_view": "I do better when I know what the week is for.",
        "pattern": "",
        "decision": "stay",
        "reason": "Two good weeks after planning one thing.",
        "approach": "",
        "approach_id": None,
        "since": None,
        "beyond": "",
        "review_on": "2026-05-01",
        "lenses": [],
        "choices": {"alliance": ["withdrawal"]},
        "preference": "",
        "considered": "",
        "shared": ["unknowns"],
        "answers": [],
        "forecast": {"p_worked": 0.38, "fan": [], "on": "2026-03-02"},
        "review_due": False,
        "resolved": None,
    }  # fmt: skip
