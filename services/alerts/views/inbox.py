"""What the inbox shows a person: documents of their clients, ranked and worded when asked for."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, or_

from services.alerts.core import policy as rules
from services.alerts.core.labels import NO_VERDICT
from services.alerts.core.language import _
from services.alerts.core.person import Person
from services.alerts.core.policy import Policy, Spoken
from services.alerts.people import WRITING, Caseload, Directory
from services.alerts.rules import Rules
from services.alerts.views import inbox_messages, standing, whose
from services.alerts.views.inbox_rows import (
    AlertLine,
    InboxPage,
    InboxRow,
    RiskLine,
    RiskPath,
)
from services.alerts.views.inbox_view import InboxView, open_alerts
from services.chassis.view import Document
from services.chassis.views import ViewStore

__all__ = [
    "AlertLine",
    "Inbox",
    "InboxPage",
    "InboxRow",
    "RiskLine",
    "RiskPath",
]

LOUD = ("risk", "prompt", "review")
CAP_REACHES = timedelta(days=28)
"""How far back prompts are counted for the cap of a day: what found no room moves on day by day."""


def to_lay_out(
    seen: Iterable["Seen"], person: Person, retired: frozenset[str], policy: Policy
) -> Iterator[tuple[Document, dict[str, Any], datetime]]:
    """Each open alert of one's own courses, for a supervisor of the team's, that is laid out.

    Yields:
        The document, the alert's entry, and the moment from which it is, or will be, laid out.
    """
    wanted = {"supervise"} if person.role == "supervisor" else WRITING
    for one in seen:
        for entry in open_alerts(one.doc) if one.access in wanted else ():
            from_ = standing.laid_out_from(entry, policy)
            if from_ is not None and entry["channel"] not in retired:
                yield one.doc, entry, from_


@dataclass(frozen=True, slots=True)
class Seen:
    """One document with the reason why this person may see it."""

    doc: Document
    access: str


@dataclass(frozen=True, slots=True)
class Inbox:
    """The query side: what one person sees at one moment."""

    store: ViewStore
    view: InboxView
    directory: Directory
    policy: Policy
    rules: Rules

    def page(self, person: Person, now: datetime) -> InboxPage:
        """The person's inbox.

        Raises:
            services.chassis.view.NotBuiltError: the view was never built; say so.
            services.chassis.faults.StoreError: it could not be read.
        """
        position = self.store.position(self.view)  # before the rows: they may show more, never less
        seen = self.documents(person, now)
        rows = self._rows(person, seen, now)
        retired = self.rules.retired()
        return _page(person, seen, rows, position, self.policy, now, retired)

    def rows(self, person: Person, now: datetime) -> list[InboxRow]:
        """The rows alone, in the order of benefit."""
        return self._rows(person, self.documents(person, now), now)

    def calling(self, person: Person, now: datetime) -> list[InboxRow]:
        """The rows with more than a mark on the chart; only those documents are read."""
        columns = self.store.table(self.view).c
        where = or_(columns.loudest.in_(LOUD), self._prompted(now))
        rows = self._rows(person, self.documents(person, now, where), now)
        return [row for row in rows if row.main.tier != "info"]

    def capped(self, person: Person, now: datetime) -> frozenset[str]:
        """The alerts of the person's own courses that wait because the day's cap is reached."""
        seen = self.documents(person, now, self._prompted(now))
        return self._late([one.doc for one in seen if one.access in WRITING], now)

    def _prompted(self, now: datetime) -> Any:
        """Where something may still count for the cap of today."""
        since = (now - CAP_REACHES).astimezone(UTC).date().isoformat()
        return self.store.table(self.view).c.prompted_on >= since

    def _late(self, mine: Sequence[Document], now: datetime) -> frozenset[str]:
        spoken = list(_spoken(mine, self.policy))
        return rules.waiting(self.policy, spoken, self.policy.day(now))

    def unassigned(self, now: datetime) -> int:
        """How many courses with an open alert have no clinician in reach, for the metric."""
        reachable = self.directory.people().reachable(now)
        table = self.store.table(self.view)
        where = and_(table.c.waits.is_(True), whose.not_among(table, reachable))
        return len(self.store.select(self.view, where=where))

    def unread(self, now: datetime) -> tuple[int, float]:
        """How many prompts nobody has opened, and the age in seconds of the oldest, for metrics."""
        loudest = self.store.table(self.view).c.loudest
        docs = self.store.select(self.view, where=loudest.in_(("risk", "prompt")))
        raised = [
            datetime.fromisoformat(one["raised_at"])
            for doc in docs
            for one in open_alerts(doc)
            if one["tier"] == "prompt" and one["seen_at"] is None
        ]
        oldest = (now - min(raised)).total_seconds() if raised else 0.0
        return len(raised), max(0.0, oldest)

    def documents(self, person: Person, now: datetime, also: Any = None) -> list[Seen]:
        """Every document that the person may see, with the reason why.

        `also`: a condition over the view's table that they must meet.
        """
        caseload = self.directory.people().caseload(person, now)
        where = _where(self.store.table(self.view), caseload)
        where = where if also is None else and_(where, also)
        return self._seen(self.store.select(self.view, where=where), caseload)

    def some(self, person: Person, episodes: Iterable[str], now: datetime) -> list[Seen]:
        """Those of these episodes that the person may see, with the reason why."""
        caseload = self.directory.people().caseload(person, now)
        found = self.store.get_many(self.view, {UUID(one) for one in episodes})
        return self._seen(found.values(), caseload)

    def _seen(self, documents: Iterable[Document], caseload: Caseload) -> list[Seen]:
        found = []
        for doc in documents:
            told = any(one["escalated_to"] == "backup" for one in open_alerts(doc))
            hashed = self.directory.hash(doc["sender"], doc["clinician"])
            access = caseload.access(hashed, told)
            if access is not None:
                found.append(Seen(doc, access))
        return found

    def _rows(self, person: Person, seen: Sequence[Seen], now: datetime) -> list[InboxRow]:
        mine = [one.doc for one in seen if one.access in WRITING]
        retired = self.rules.retired()
        late = self._late(mine, now)
        rows = [row for one in seen if (row := self._row(one, late, retired, now))]
        return [row for _, row in sorted(rows, key=lambda pair: pair[0])]

    def _row(
        self, one: Seen, late: frozenset[str], retired: frozenset[str], now: datetime
    ) -> tuple[tuple[Any, ...], InboxRow] | None:
        doc = one.doc
        shown = [
            entry
            for entry in open_alerts(doc)
            if entry["channel"] not in retired
            and _shown(entry, one.access, self.policy, now)
            and not standing.is_snoozed(entry, now)
        ]
        if not shown:
            return None
        shown.sort(
            key=lambda entry: (*standing.order(entry, entry["alert"] in late), entry["alert"])
        )
        lines = [standing.line(entry, now, self.policy, entry["alert"] in late) for entry in shown]
        primary = inbox_messages.primary(doc)
        row = InboxRow(
            episode=doc["episode"],
            client=doc["client"] or "",
            sender=doc["sender"] or "",
            clinician=doc["clinician"],
            access=one.access,
            status=doc["status"],
            main=lines[0],
            others=tuple(lines[1:]),
            risk=standing.risk_lines(doc["risk"]),
            p_fail=primary.get("p_fail"),
            next_session=doc["next_session"],
            spark=tuple(score for _, score in primary.get("scores", [])),
            higher_is=primary.get("higher_is") or "worse",
            cutoff=primary.get("cutoff"),
            minimum=primary.get("minimum"),
            maximum=primary.get("maximum"),
            unread=any(line.seen_at is None for line in lines),
        )
        first = standing.order(shown[0], shown[0]["alert"] in late)
        chance = -(row.p_fail if row.p_fail is not None else -1.0)
        return (*first, chance, row.next_session or "9999", row.client, row.episode), row


def _where(table: Any, caseload: Caseload) -> Any:
    mine = caseload.own | caseload.covered | caseload.supervised
    where = whose.among(table, mine)
    if not caseload.backup:
        return where
    unassigned = and_(table.c.waits.is_(True), whose.not_among(table, caseload.reachable))
    return or_(where, table.c.told_backup.is_(True), unassigned)


def _spoken(documents: Iterable[Document], policy: Policy) -> Iterable[Spoken]:
    for doc in documents:
        chance = inbox_messages.primary(doc).get("p_fail") or 0.0
        for one in doc["prompts"]:
            day = policy.day(datetime.fromisoformat(one["at"]))
            yield Spoken(one["key"], day, one["channel"], chance, doc["next_session"] or "")


def _shown(entry: Mapping[str, Any], access: str, policy: Policy, now: datetime) -> bool:
    """Whether an open alert belongs in this person's inbox at all."""
    if access == "backup":
        return entry["escalated_at"] is not None
    if access == "supervise":
        from_ = standing.laid_out_from(entry, policy)
        return from_ is not None and from_ <= now
    if entry["tier"] != "info":
        return True
    fresh = now - datetime.fromisoformat(entry["raised_at"]) <= timedelta(
        days=policy.good_news_days
    )
    return entry["channel"] == "good_news" and not entry["old_news"] and fresh


def _page(
    person: Person,
    seen: Sequence[Seen],
    rows: Sequence[InboxRow],
    position: int,
    policy: Policy,
    now: datetime,
    retired: frozenset[str],
) -> InboxPage:
    today = policy.day(now)
    mine = [one.doc for one in seen if one.access in WRITING]
    active = [doc for doc in mine if doc["status"] == "open"]
    with_row = {row.episode for row in rows}
    rest = [doc for doc in active if doc["episode"] not in with_row]
    snoozed = [doc for doc in rest if any(standing.is_snoozed(e, now) for e in open_alerts(doc))]
    held = [doc for doc in rest if doc not in snoozed and holds(doc)]
    quiet = [doc for doc in rest if doc not in snoozed and doc not in held]
    silenced = [doc for doc in quiet if any(e["channel"] in retired for e in open_alerts(doc))]
    quiet = [doc for doc in quiet if doc not in silenced]
    unknown = [doc for doc in quiet if is_unknown(doc)]
    reviews = [
        one for doc in mine for one in doc["reviews"].values() if one["author"] == person.id.hex
    ]
    counts = {
        "caseload": len(active),
        "nothing_flagged": len(quiet) - len(unknown),
        "waiting": len(held),
        "snoozed": len(snoozed),
        "unknown": len(unknown),
        "silenced": len(silenced),
    }
    return InboxPage(
        rows=tuple(rows),
        **counts,
        unassigned=sum(row.access == "unassigned" for row in rows),
        reviews_due=sum(_is_due(one, today) for one in reviews),
        seeing_today=sum((doc["next_session"] or "")[:10] == today.isoformat() for doc in active),
        seeing_soon=sum(_is_soon(doc, today) for doc in active),
        laid_out=sum(from_ <= now for *_, from_ in to_lay_out(seen, person, retired, policy)),
        unknowns_open=sum(len(one["unknowns"]) for one in reviews),
        history=sum(bool(one.doc["history"]) for one in seen),
        position=position,
        summary=_summary(rows, counts),
    )


def is_unknown(doc: Document) -> bool:
    """Nothing can be said of the course, whether that was told as news or came as old news."""
    told = any(one["channel"] == "not_assessable" for one in open_alerts(doc))
    return told or not inbox_messages.is_assessable(doc)


def holds(doc: Document) -> bool:
    """Whether a finding waits because its channel spoke not long ago."""
    return any(one["state"] == "held" for one in doc["alerts"].values())


def _is_due(review: Mapping[str, Any], today: date) -> bool:
    on = review["review_on"]
    return not review["resolved"] and on is not None and date.fromisoformat(on) <= today


def _is_soon(doc: Document, today: date) -> bool:
    session = doc["next_session"]
    if not session:
        return False
    return 0 <= (date.fromisoformat(session[:10]) - today).days <= 1


def _summary(rows: Sequence[InboxRow], counts: Mapping[str, int]) -> str:
    if not counts["caseload"]:
        return _("No clients yet.")
    said = {"own": sum(row.access in WRITING for row in rows), **counts}
    form = _(
        "{own} of your {caseload} clients. Of the others: nothing flagged in {nothing_flagged}, "
        "{waiting} waiting, {snoozed} snoozed, {unknown} unknown."
    )
    if counts["silenced"]:
        form = _(
            "{own} of your {caseload} clients. Of the others: nothing flagged in "
            "{nothing_flagged}, {waiting} waiting, {snoozed} snoozed, {unknown} unknown, "
            "{silenced} of a retired rule alone."
        )
    return f"{form.format(**said)} {_(NO_VERDICT)}"
