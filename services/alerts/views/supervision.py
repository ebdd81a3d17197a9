"""What lies ready for supervision: laid out, overdue, due for review, shared, and who stands in.

Asked of the read models that are there already. A clinician sees the same of their own courses, and
earlier: what will be laid out, and on which day, is told to them first.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from services.alerts.core.person import Person
from services.alerts.people import People
from services.alerts.views import standing
from services.alerts.views.inbox import Inbox, Seen, to_lay_out
from services.alerts.views.patterns import Lessons

SHARED_SHOWN = 20


@dataclass(frozen=True, slots=True)
class LaidOut:
    """One open alert that is, or will be, laid out."""

    episode: str
    client: str
    clinician: str
    """Who has the course; empty where it is one's own."""
    label: str
    tone: str
    sentence: str
    on: str
    """The day from which it is laid out, ISO 8601."""
    is_laid_out: bool
    due_at: str | None
    overdue: bool
    told: str | None
    """Since when somebody else has been told, where that is so."""


@dataclass(frozen=True, slots=True)
class Review:
    """A reflection whose review date has come and that is not resolved."""

    episode: str
    client: str
    review_on: str


@dataclass(frozen=True, slots=True)
class Leave:
    """An absence that goes on or is to come."""

    name: str
    since: str
    until: str | None
    by: str | None
    """Who stands in; None: nobody in reach, so that the backup does."""
    now: bool


@dataclass(frozen=True, slots=True)
class Shared:
    """A reflection of which its author shared something."""

    episode: str
    client: str
    reflection: str
    on: str
    decision: str
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SupervisionPage:
    """What a supervisor, or a clinician of their own courses, sees."""

    team: bool
    supervisors: tuple[str, ...]
    """Names of those who supervise the viewer."""
    days: int
    """Without an answer, after which an alert is laid out."""
    laid_out: tuple[LaidOut, ...]
    coming: tuple[LaidOut, ...]
    """The clinician's alone: what will be laid out, the soonest first."""
    reviews: tuple[Review, ...]
    leave: tuple[Leave, ...]
    shared: tuple[Shared, ...]


@dataclass(frozen=True, slots=True)
class Supervision:
    """The query side."""

    inbox: Inbox
    lessons: Lessons

    def page(self, person: Person, now: datetime) -> SupervisionPage:
        """What lies ready; of the team where one is supervised, else of the person's own courses.

        Raises:
            services.chassis.view.NotBuiltError: a view was never built; say so.
        """
        people = self.inbox.directory.people()
        team = person.role == "supervisor"
        wanted = ("supervise",) if team else ("own", "cover")
        seen = [one for one in self.inbox.documents(person, now) if one.access in wanted]
        lines = sorted(self._laid_out(seen, people, now, person), key=lambda pair: pair[0])
        staff = people.supervised(person) if team else [person]
        reviews = _reviews(seen, self.inbox.policy.day(now))
        return SupervisionPage(
            team=team,
            supervisors=tuple(sorted(one.name for one in people.supervisors(person))),
            days=self.inbox.policy.lay_out_days,
            laid_out=tuple(one for _, one in lines if one.is_laid_out),
            coming=tuple(
                sorted((one for _, one in lines if not one.is_laid_out), key=lambda one: one.on)
            ),
            reviews=tuple(sorted(reviews, key=lambda one: (one.review_on, one.client))),
            leave=tuple(sorted(_leave(staff, people, now), key=lambda one: one.since)),
            shared=tuple(self._shared(person, "team" if team else "own", now)),
        )

    def _laid_out(
        self, seen: Sequence[Seen], people: People, now: datetime, person: Person
    ) -> Iterator[tuple[Any, LaidOut]]:
        policy, team = self.inbox.policy, person.role == "supervisor"
        retired = self.inbox.rules.retired()
        for doc, entry, from_ in to_lay_out(seen, person, retired, policy):
            if team and from_ > now:
                continue
            hashed = self.inbox.directory.hash(doc["sender"], doc["clinician"])
            whose = people.clinician(hashed)
            line = standing.line(entry, now, policy)
            made = LaidOut(
                episode=doc["episode"],
                client=doc["client"] or "",
                clinician=(whose.name if whose else doc["clinician"] or "") if team else "",
                label=line.label,
                tone=line.tone,
                sentence=line.sentence,
                on=policy.day(from_).isoformat(),
                is_laid_out=from_ <= now,
                due_at=line.due_at,
                overdue=line.overdue,
                told=line.escalated_at,
            )
            yield (standing.order(entry), made.on, made.client), made

    def _shared(self, person: Person, scope: str, now: datetime) -> list[Shared]:
        found = [
            Shared(
                episode=doc["episode"],
                client=doc["client"] or "",
                reflection=one["reflection"],
                on=one["on"],
                decision=one["decision"],
                parts=tuple(one["shared"]),
            )
            for doc in self.lessons.documents(person, scope, now)
            for one in doc["reflections"]
            if one["shared"] and (scope == "team" or one["author"] == person.id.hex)
        ]
        found.sort(key=lambda one: (one.on, one.reflection), reverse=True)
        return found[:SHARED_SHOWN]


def _reviews(seen: Sequence[Seen], today: date) -> Iterator[Review]:
    for doc in (one.doc for one in seen):
        for review in doc["reviews"].values():
            on = review["review_on"]
            if on is not None and not review["resolved"] and date.fromisoformat(on) <= today:
                yield Review(doc["episode"], doc["client"] or "", on)


def _leave(staff: Sequence[Person], people: People, now: datetime) -> Iterator[Leave]:
    for person in staff:
        for since, until in person.away:
            if person.disabled or (until is not None and until <= now):
                continue
            other = people.persons.get(UUID(person.covered_by)) if person.covered_by else None
            there = other is not None and other.is_present(max(since, now))
            yield Leave(
                name=person.name,
                since=since.isoformat(),
                until=until.isoformat() if until else None,
                by=other.name if other is not None and there else None,
                now=since <= now,
            )
