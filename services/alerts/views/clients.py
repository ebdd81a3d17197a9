"""Every client of a person, with how each course stands: also those that the inbox leaves out."""

from dataclasses import dataclass
from datetime import datetime

from services.alerts.core.person import Person
from services.alerts.views import inbox_messages, standing
from services.alerts.views.inbox import Inbox, Seen, holds, is_unknown
from services.alerts.views.inbox_view import open_alerts


@dataclass(frozen=True, slots=True)
class ClientLine:
    """One client's course in a list of all."""

    episode: str
    """Id, hexadecimal: the address of the episode page."""
    client: str
    clinician: str | None
    access: str
    """Why this person sees it, as in `InboxRow`."""
    status: str
    """`open` or `closed`."""
    stands: str
    """`in the inbox`, `snoozed`, `waiting`, `unknown`, `nothing flagged` or `closed`."""
    scores: tuple[float, ...]
    last_on: str | None
    next_session: str | None
    reflections: int


def clients(inbox: Inbox, person: Person, now: datetime) -> tuple[ClientLine, ...]:
    """The courses that a person may see, open ones first, by client.

    Raises:
        services.chassis.view.NotBuiltError: the view was never built; say so.
        services.chassis.faults.StoreError: it could not be read.
    """
    rows = {row.episode for row in inbox.rows(person, now)}
    lines = [_line(one, rows, now) for one in inbox.documents(person, now)]
    return tuple(sorted(lines, key=lambda line: (line.status != "open", line.client, line.episode)))


def _line(one: Seen, rows: set[str], now: datetime) -> ClientLine:
    doc = one.doc
    scores = inbox_messages.primary(doc).get("scores", [])
    return ClientLine(
        episode=doc["episode"],
        client=doc["client"] or "",
        clinician=doc["clinician"],
        access=one.access,
        status=doc["status"],
        stands=_stands(one, rows, now),
        scores=tuple(score for _, score in scores),
        last_on=scores[-1][0] if scores else None,
        next_session=doc["next_session"],
        reflections=len(doc["reviews"]),
    )


def _stands(one: Seen, rows: set[str], now: datetime) -> str:
    doc = one.doc
    if doc["episode"] in rows:
        return "in the inbox"
    if doc["status"] != "open":
        return "closed"
    if any(standing.is_snoozed(entry, now) for entry in open_alerts(doc)):
        return "snoozed"
    if holds(doc):
        return "waiting"
    return "unknown" if is_unknown(doc) else "nothing flagged"
