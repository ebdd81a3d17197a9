"""A team of two clinicians with courses that fail, reflect and pivot, on a real store."""

from typing import Any
from uuid import UUID

from services.alerts.writing import ReflectionForm, Unknown
from tests.service.alerts_rig import Rig, episode_changed, found, id_of, staffed

ASSUMED = "The plan was agreed in the second session"


def team(rig: Rig) -> None:
    """Alice and Bob, both supervised by Sam."""
    staffed(rig)
    rig.register.supervise("sam", "bob")


def course(rig: Rig, name: str, whose: str = "a", **changes: Any) -> UUID:
    """An open course of Alice's or Bob's, worked in CBT."""
    header = episode_changed(name, clinician=f"dr-{whose}", problem="Depression", **changes)
    rig.tell("episode.changed", header)
    approach(rig, name, "CBT", "2026-01-05")
    return id_of("episode", name)


def approach(rig: Rig, name: str, approach_: str, since: str) -> str:
    """An approach begun, as the EHR reports it; its id."""
    id_ = id_of("approach", name, approach_).hex
    data = {
        "episode": id_of("episode", name).hex,
        "approach_id": id_,
        "approach": approach_,
        "since": since,
        "origin": "ehr",
    }
    rig.tell("approach.chosen", data)
    return id_


def fails(rig: Rig, name: str, channel: str = "off_track") -> None:
    """Something is found in a course."""
    rig.tell("finding.opened", found(name, channel))
    rig.show()


def reflects(rig: Rig, name: str, who: str = "alice", **form: Any) -> UUID:
    """A reflection with an assumption and an unknown; nothing of it is shared unless said."""
    given: dict[str, Any] = {
        "decision": "stay",
        "reason": "two good weeks",
        "expectation": "Below 10 by week 8",
        "assumption": ASSUMED,
        "unknowns": (Unknown("whether sleep changed", "not asked"),),
        "lenses": ("alliance", "own part"),
        **form,
    }
    id_, _ = rig.desk.reflect(rig.person(who), id_of("episode", name), ReflectionForm(**given))
    rig.show()
    return id_


def follows(
    rig: Rig, name: str, approach_id: str, verdict: str, observed: float, weeks: float = 6.0
) -> None:
    """The forecast made at a pivot, and an effect measured later."""
    fan = {"low50": 12.0, "high50": 16.0, "low80": 9.0, "high80": 19.0}
    common = {
        "episode": id_of("episode", name).hex,
        "approach_id": approach_id,
        "trajectory": "phq-9|total|client",
    }
    steps = [{"weeks": w, "mean": 14.0, **fan} for w in (2, 4, 6)]
    made = {"on": "2026-03-02", "review_on": "2026-04-20", "p_worked": 0.31, "fan": steps}
    rig.tell("forecast.made", common | made)
    effect = {
        "approach": "EMDR",
        "measure": id_of("measure", name, "effect").hex,
        "version": 1,
        "on": "2026-04-13",
        "weeks": weeks,
        "observed": observed,
        "mean": 14.0,
        "low80": 9.0,
        "high80": 19.0,
        "verdict": verdict,
        "also_changed": ["medication: dose raised"],
    }
    rig.tell("effect.measured", common | effect)


def clinic(rig: Rig) -> None:
    """Sixteen courses of two clinicians: EMDR courses fail more often than CBT ones."""
    team(rig)
    for number in range(8):
        for whose in "ab":
            name = f"{whose}{number}"
            course(rig, name, whose)
            if number >= 4:
                pivot = approach(rig, name, "EMDR", "2026-01-20")
            if number in (1, 5, 6, 7):
                fails(rig, name)
            if number >= 6:
                worse = "better than forecast" if number == 6 else "within forecast"
                follows(rig, name, pivot, worse, 7.0 if number == 6 else 13.0)
    for name, who, shared in (
        ("a1", "alice", ("assumption", "unknowns")),
        ("a5", "alice", ()),
        ("b5", "bob", ("unknowns",)),
    ):
        reflects(rig, name, who, shared=shared)
    reflects(rig, "a6", expectation="Sleep mended by spring", assumption="Nights were calm")
    rig.show()
