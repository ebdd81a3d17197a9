"""A person's own calibration: what they said, what the engine said of the same, what came."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from services.alerts.core import calibration as core
from services.alerts.core.person import Person
from services.alerts.views.journal import Journals
from services.alerts.views.reflections import Reflections
from services.chassis.view import Document


@dataclass(frozen=True, slots=True)
class Statement:
    """One confidence, stated at a reflection."""

    reflection: str
    episode: str
    on: str
    review_on: str | None
    decision: str
    confidence: float
    """From 0 to 1."""
    engine: float | None
    """The engine's number for the same event, where it could give one."""
    worked: bool | None
    """None: not resolved, yet or for good."""
    resolved: bool


@dataclass(frozen=True, slots=True)
class Calibration:
    """All of them, with how well they agreed with what came."""

    statements: tuple[Statement, ...]
    """Newest first."""
    bins: tuple[core.Bin, ...]
    own: core.Score | None
    """Over every resolved statement."""
    pair: tuple[core.Score, core.Score] | None
    """Own and the engine's, over the statements for which both are known."""
    difference: core.Difference | None
    """Own minus the engine's; None where there are too few to tell."""
    waiting: int
    """Not resolved yet."""
    unresolved: int
    """Resolved as not to be told: no measure near the review date."""


def calibration(reflections: Reflections, journals: Journals, person: Person) -> Calibration:
    """The person's own; there is no way to ask for anybody else's.

    Raises:
        services.chassis.view.NotBuiltError: a view was never built; say so.
        services.chassis.faults.StoreError: it could not be read.
    """
    return of(journals.private(person), reflections.of(person))


def of(private: Mapping[str, Mapping[str, Any]], documents: Iterable[Document]) -> Calibration:
    """The calibration of these own parts and reflections."""
    made = [
        _statement(doc, private[doc["reflection"]]["confidence"])
        for doc in documents
        if private.get(doc["reflection"], {}).get("confidence") is not None
    ]
    told = [one for one in made if one.worked is not None]
    both = [one for one in told if one.engine is not None]
    own = core.score([_pair(one.confidence, one) for one in both])
    engine = core.score([_pair(one.engine or 0.0, one) for one in both])
    return Calibration(
        statements=tuple(reversed(made)),
        bins=core.bins([_pair(one.confidence, one) for one in told]),
        own=core.score([_pair(one.confidence, one) for one in told]),
        pair=(own, engine) if own and engine else None,
        difference=core.difference(
            [one.confidence for one in both],
            [one.engine or 0.0 for one in both],
            [bool(one.worked) for one in both],
        ),
        waiting=sum(not one.resolved for one in made),
        unresolved=sum(one.resolved and one.worked is None for one in made),
    )


def _pair(said: float, one: Statement) -> core.Stated:
    return said, bool(one.worked)


def _statement(doc: Document, confidence: int) -> Statement:
    resolved = doc["resolved"]
    return Statement(
        reflection=doc["reflection"],
        episode=doc["episode"],
        on=doc["on"],
        review_on=doc["review_on"],
        decision=doc["decision"],
        confidence=confidence / 100,
        engine=doc["p_worked"],
        worked=resolved["worked"] if resolved else None,
        resolved=resolved is not None,
    )
