"""The patterns read model: of each course what its failures and pivots can teach, and no scores.

A document (key = episode id, sealed under the client's key) is a course document as of
`views.course` without trajectories, risk, alerts and facts; its `findings` carry {channel, on,
first_on, cleared_reason, instrument, ...} without evidence, its `reflections` {reflection, author,
on, decision, expectation, assumption, whys, ruptures, lenses, approach, shared, forecast,
resolved}.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import Boolean, Column, and_

from schemas.approaches import Approaches
from services.alerts.core import pattern, pivot, reflection
from services.alerts.core.course import MessageNoted
from services.alerts.core.lesson import ALLIANCE, RUPTURES, learn, pivots
from services.alerts.core.pattern import Patterns
from services.alerts.core.person import Person
from services.alerts.core.pivot import Elsewhere, Pivot
from services.alerts.core.policy import Policy
from services.alerts.people import Directory
from services.alerts.views import course_messages, whose
from services.chassis.eventlog import Entry
from services.chassis.ids import Ids
from services.chassis.view import Document, View
from services.chassis.views import ViewStore

_TAKEN = frozenset({
    "episode.changed", "session.recorded", "approach.chosen", "finding.opened", "finding.amended",
    "finding.cleared", "forecast.made", "effect.measured",
})  # fmt: skip
SCOPES = ("own", "team")


class PatternsView(View):
    """Folds the facts that lessons are derived from."""

    name: ClassVar[str] = "patterns"
    version: ClassVar[int] = 2
    topics: ClassVar[frozenset[str]] = frozenset(
        {
            MessageNoted.TOPIC,
            reflection.ReflectionRecorded.TOPIC,
            reflection.ReflectionRevised.TOPIC,
            reflection.ReflectionResolved.TOPIC,
        }
    )

    def __init__(self, ids: Ids) -> None:
        """Hash clinicians' references under the installation's secret of `ids`."""
        self._ids = ids

    def columns(self) -> tuple[Column[Any], ...]:
        """The clinician's hash, whether the course has ended, and whether it holds a pivot."""
        return (
            whose.column(),
            Column("ended", Boolean, nullable=False, index=True),
            Column("pivoted", Boolean, nullable=False, index=True),
        )

    def key(self, event: Any) -> UUID | None:
        """The episode; none for a message that teaches nothing."""
        if isinstance(event, MessageNoted) and not _is_taken(event):
            return None
        return UUID(event.episode)

    def fold(self, doc: Document | None, entry: Entry) -> Document | None:
        """The document after one event."""
        event = entry.event
        if doc is None:
            doc = course_messages.empty(event.episode, event.owner.hex)
        doc["position"] = entry.position
        if isinstance(event, MessageNoted):
            first = {one["spell"]: one["first_on"] for one in doc["findings"]}
            course_messages.fold(doc, event.message["type"], event.message["data"])
            doc["findings"] = [_lean(one, first) for one in doc["findings"]]
        else:
            _fold_reflection(doc, event)
        return doc

    def owner(self, doc: Document) -> UUID:
        """The client, once known."""
        return UUID(doc["subject"] or doc["owner"])

    def clear(self, doc: Document) -> dict[str, Any]:
        """The clear columns' values."""
        return whose.value(self._ids, doc) | {
            "ended": doc["status"] == "closed",
            "pivoted": bool(pivots(doc)),
        }


def _is_taken(event: MessageNoted) -> bool:
    return event.effect and event.message["type"] in _TAKEN


def _lean(finding: dict[str, Any], first: dict[str, str]) -> dict[str, Any]:
    """A finding without its evidence, which is in the course document."""
    lean = {name: value for name, value in finding.items() if name != "evidence"}
    evidence = finding.get("evidence")
    if evidence is not None:
        lean["instrument"] = evidence.get("instrument")
    on = str(finding["on"])
    return lean | {"first_on": min(first.get(finding["spell"], on), on)}


_WORDS = ("expectation", "assumption", "lenses", "shared")


def _fold_reflection(doc: Document, event: Any) -> None:
    id_ = event.originator_id.hex
    if isinstance(event, reflection.ReflectionRecorded):
        kept = {name: getattr(event, name) for name in ("author", "on", "decision", "approach")}
        doc["reflections"].append(
            kept | _said(event) | {"reflection": id_, "forecast": None, "resolved": None}
        )
        course_messages.attach(doc)
        return
    for one in doc["reflections"]:
        if one["reflection"] == id_:
            if isinstance(event, reflection.ReflectionRevised):
                one |= _said(event)
            else:
                one["resolved"] = {"worked": event.worked, "on": event.on}


def _said(event: Any) -> dict[str, Any]:
    whys = sorted({entry["why"] for entry in event.unknowns})
    noted = (event.choices or {}).get(ALLIANCE, ())
    marks = [name for name in RUPTURES if name in noted]
    return {name: getattr(event, name) for name in _WORDS} | {"whys": whys, "ruptures": marks}


@dataclass(frozen=True, slots=True)
class Lessons:
    """The query side: what one person's courses, or their team's, teach."""

    store: ViewStore
    view: PatternsView
    directory: Directory
    policy: Policy
    approaches: Approaches

    def scopes(self, person: Person, now: datetime) -> tuple[str, ...]:
        """Whose courses there are to look across: `own`, `team`, both or none."""
        caseload = self.directory.people().caseload(person, now)
        there = {"own": caseload.own, "team": caseload.supervised}
        return tuple(scope for scope in SCOPES if there[scope])

    def patterns(self, person: Person, scope: str, now: datetime) -> Patterns:
        """The patterns of a scope.

        Raises:
            services.chassis.view.NotBuiltError: the view was never built; say so.
        """
        today, people = self.policy.day(now), self.directory.people()
        lessons = []
        for doc in self.documents(person, scope, now):
            hashed = self.directory.hash(doc["sender"], doc["clinician"])
            clinician = people.clinician(hashed)
            author = clinician.id.hex if clinician else str(hashed)
            lessons.append(learn(doc, today, author, self.approaches))
        return pattern.patterns(lessons, person.id.hex, team=scope == "team")

    def pivots(self, person: Person, scope: str, now: datetime) -> tuple[list[Pivot], Elsewhere]:
        """The pivots of a scope, newest first; and what others here came to, without any client.

        Raises:
            services.chassis.view.NotBuiltError: the view was never built; say so.
        """
        table = self.store.table(self.view)
        courses = self.documents(person, scope, now, table.c.pivoted.is_(True))
        found = [one for doc in courses for one in pivot.followed(doc)]
        found.sort(key=lambda one: (one.since, one.episode), reverse=True)
        endings = self.store.count(self.view, where=table.c.ended.is_(True))
        if endings < pivot.ENDINGS:
            return found, Elsewhere(endings)
        all_ = self.store.select(self.view, where=table.c.pivoted.is_(True))
        return found, pivot.elsewhere(all_, endings, self.approaches)

    def documents(
        self, person: Person, scope: str, now: datetime, also: Any = None
    ) -> Sequence[Document]:
        """The courses of a scope, also those that have ended."""
        caseload = self.directory.people().caseload(person, now)
        hashes = caseload.supervised if scope == "team" else caseload.own
        where = whose.among(self.store.table(self.view), hashes)
        return self.store.select(self.view, where=where if also is None else and_(where, also))
