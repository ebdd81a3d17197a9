"""What a person may come back to: regular reflections and reviews whose day has come; no alarm."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.alerts.core.person import Person
from services.alerts.people import WRITING
from services.alerts.views.inbox import Inbox
from services.alerts.views.reflections import Reflections
from services.alerts.views.rhythms import RhythmTable
from services.chassis.view import Document

REVIEWS_SHOWN = timedelta(days=28)
"""For how long a review whose day has come is reminded of, unless it is reflected on before."""


@dataclass(frozen=True, slots=True)
class Reminder:
    """One thing to come back to."""

    kind: str
    """`regular` or `review`."""
    episode: str | None
    """None: no course in particular."""
    client: str
    reflection: str | None
    """What is to be reviewed."""
    on: str
    open: int
    """Unknowns of this person that are still open there."""


@dataclass(frozen=True, slots=True)
class Reminders:
    """What has come due, and what is still unknown where."""

    due: tuple[Reminder, ...]
    open_unknowns: Mapping[str, int]
    """Episode to how many unknowns this person left open there."""


def reminders(
    inbox: Inbox, rhythms: RhythmTable, reflections: Reflections, person: Person, now: datetime
) -> Reminders:
    """A person's own reminders, of courses that are theirs now.

    Raises:
        services.chassis.view.NotBuiltError: a view was never built; say so.
        services.chassis.faults.StoreError: it could not be read.
    """
    today = inbox.policy.day(now)
    since = (today - REVIEWS_SHOWN).isoformat()
    recent = reflections.recent(person, since)
    unknown = _open(recent)
    kept = rhythms.of(person)
    if not recent and not any(one["due"] for one in kept.values()):
        return Reminders((), {})
    episodes = {doc["episode"] for doc in recent} | {key for key in kept if key}
    clients = {
        one.doc["episode"]: one.doc["client"] or ""
        for one in inbox.some(person, episodes, now)
        if one.access in WRITING and one.doc["status"] == "open"
    }
    regular = [
        Reminder("regular", key or None, clients.get(key, ""), None, one["next_on"],
                 unknown.get(key, 0))
        for key, one in kept.items()
        if one["due"] and (not key or key in clients)
    ]  # fmt: skip
    reviews = [
        Reminder("review", doc["episode"], clients[doc["episode"]], doc["reflection"],
                 doc["review_on"], unknown.get(doc["episode"], 0))
        for doc in recent
        if doc["episode"] in clients and _is_due(doc, recent, since, today.isoformat())
    ]  # fmt: skip
    due = sorted((*regular, *reviews), key=lambda one: (one.on, one.client))
    return Reminders(tuple(due), {key: n for key, n in unknown.items() if key in clients})


def _open(documents: list[Document]) -> dict[str, int]:
    found: dict[str, int] = {}
    for doc in documents:
        still = sum(one["closed_on"] is None for one in doc["unknowns"])
        if still:
            found[doc["episode"]] = found.get(doc["episode"], 0) + still
    return found


def _is_due(doc: Document, recent: list[Document], since: str, today: str) -> bool:
    """Whether its review date has come, not long ago, and nothing was reflected from then on."""
    on = doc["review_on"]
    if on is None or not since <= on <= today:
        return False
    return not any(
        other["episode"] == doc["episode"] and other["on"] >= on and other is not doc
        for other in recent
    )
