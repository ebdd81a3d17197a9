"""What a person does not know across their courses, by the reason why: situations, not persons."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.alerts.core.person import Person
from services.alerts.core.reflection import REASONS
from services.alerts.views.inbox import Inbox
from services.alerts.views.reflections import Reflections
from services.chassis.view import Document


@dataclass(frozen=True, slots=True)
class OpenUnknown:
    """One thing that is not known yet."""

    episode: str
    """Id, hexadecimal: the address of the episode page."""
    client: str
    reflection: str
    unknown: str
    what: str
    who: str
    find: str
    since: str


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason for not knowing, with what is open for it."""

    why: str
    open: tuple[OpenUnknown, ...]
    found: int
    """How many for this reason were found out since."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """The reasons, commonest first."""

    reasons: tuple[Reason, ...]
    open: int
    found: int
    elsewhere: int
    """Open ones of courses that the person sees no longer: counted, not shown."""


def ledger(reflections: Reflections, inbox: Inbox, person: Person, now: datetime) -> Ledger:
    """Every unknown that a person named, open ones laid out by reason.

    Raises:
        services.chassis.view.NotBuiltError: a view was never built; say so.
        services.chassis.faults.StoreError: it could not be read.
    """
    documents = reflections.of(person)
    seen = inbox.some(person, {doc["episode"] for doc in documents}, now)
    return group(documents, {one.doc["episode"]: one.doc["client"] or "" for one in seen})


def group(documents: Iterable[Document], clients: Mapping[str, str]) -> Ledger:
    """The ledger of these reflections; `clients` names the episodes that may be shown."""
    opened: dict[str, list[OpenUnknown]] = {}
    found: dict[str, int] = {}
    elsewhere = 0
    for doc in documents:
        for one in doc["unknowns"]:
            if one["closed_on"] is not None:
                found[one["why"]] = found.get(one["why"], 0) + 1
            elif doc["episode"] not in clients:
                elsewhere += 1
            else:
                line = _line(doc, one, clients[doc["episode"]])
                opened.setdefault(one["why"], []).append(line)
    reasons = [
        Reason(why, tuple(opened.get(why, ())), found.get(why, 0))
        for why in dict.fromkeys((*REASONS, *opened, *found))
        if why in opened or why in found
    ]
    reasons.sort(key=lambda reason: (-len(reason.open), -reason.found))
    return Ledger(
        tuple(reasons), sum(map(len, opened.values())), sum(found.values()), elsewhere
    )  # fmt: skip


def _line(doc: Document, one: Mapping[str, Any], client: str) -> OpenUnknown:
    return OpenUnknown(
        episode=doc["episode"],
        client=client,
        reflection=doc["reflection"],
        unknown=one["unknown"],
        what=one["what"],
        who=one["who"],
        find=one["find"],
        since=one["since"],
    )
