"""Calls of a sender in a few words, and ways to look at what became of them."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from services.alerts.views.inbox_rows import InboxRow
from services.chassis.clock import Clock
from services.embedded import Embedded
from tests.faults.ehr import Ehr, Told
from tests.faults.load import CLINICIAN

WORSE = (9, 10, 15, 17, 19, 21)
"""Totals of a course that gets reliably worse."""


def announce(
    ehr: Ehr, name: str, opened_on: str, clinician: str | None = CLINICIAN, **more: str
) -> Told:
    body = {
        "client": f"client of {name}",
        "clinician": clinician,
        "opened_on": opened_on,
        "primary_instrument": "phq-9",
        **more,
    }
    return ehr.send("PUT", f"/v1/episodes/{name}", body)


def measure(name: str, number: int, on: str, total: int, risk: int = 0) -> dict[str, Any]:
    """A PHQ-9 whose items come to `total`, of which item 9 is `risk`."""
    rest = total - risk
    items = [rest // 8 + (place < rest % 8) for place in range(8)]
    return {
        "external_id": f"{name}-{number}",
        "client": f"client of {name}",
        "episode": name,
        "clinician": CLINICIAN,
        "instrument": "phq-9",
        "administered_at": on,
        "items": [*items, risk],
    }


def worsening(ehr: Ehr, name: str, today: date, totals: tuple[int, ...] = WORSE) -> None:
    """An announced course with weekly measures up to today."""
    first = today - timedelta(weeks=len(totals) - 1)
    announce(ehr, name, first.isoformat())
    for number, total in enumerate(totals):
        on = (first + timedelta(weeks=number)).isoformat()
        ehr.send("POST", "/v1/measures", measure(name, number, on, total))


def episode_id(both: Embedded, name: str) -> UUID:
    """Our id of a sender's episode."""
    return both.outcomes.record.episodes.id_of("ehr", name)


def row(both: Embedded, clock: Clock, person: str, name: str) -> InboxRow | None:
    """The row of an episode in somebody's inbox now."""
    who = both.alerts.register.find(person)
    assert who is not None
    key = episode_id(both, name).hex
    rows = both.alerts.inbox.rows(who, clock.now())
    return next((one for one in rows if one.episode == key), None)


def channels(found: InboxRow | None) -> set[str]:
    """The channels of which a row speaks."""
    return set() if found is None else {line.channel for line in (found.main, *found.others)}
