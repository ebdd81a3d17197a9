"""A small house behind the pages, kept in memory at our own seam: for tests of the pages alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from schemas.approaches import Approaches
from services.alerts import api
from services.alerts.core import lens
from services.alerts.core.caseload import Statistics
from services.alerts.core.labels import NO_VERDICT
from services.alerts.core.language import _
from services.alerts.core.pattern import Patterns, patterns
from services.alerts.core.person import Person
from services.alerts.core.pivot import Elsewhere, Pivot
from services.alerts.core.policy import rank
from services.alerts.desk import NotYoursError
from services.alerts.metrics import CATALOGUE
from services.alerts.pages import Freshness, House, Loop, Operations, clinical, create_app, person
from services.alerts.views import standing
from services.alerts.views.clients import ClientLine
from services.alerts.views.course import EpisodePage
from services.alerts.views.inbox_rows import AlertLine, InboxPage, InboxRow, RiskPath
from services.alerts.views.quality import RuleFigures
from services.alerts.views.reminders import Reminder, Reminders
from services.alerts.views.supervision import SupervisionPage
from services.alerts.writing import ReflectionForm
from services.chassis.http.health import Health
from services.chassis.http.server import Server
from services.chassis.metrics import Catalogue
from tests.journey import pages_courses as courses
from tests.journey.pages_caseload import NOW, OFF, POLICY, ZONE, documents

APPROACHES = Approaches.of({"title": one} for one in ("CBT", "Behavioural activation", "EMDR"))
LENSES = lens.load(Path(lens.__file__).parents[1] / "lenses")


@dataclass
class Rooms:
    """Reading, commands and entrance in one, in memory."""

    docs: dict[str, dict[str, Any]] = field(default_factory=documents)
    done: list[tuple[Any, ...]] = field(default_factory=list)
    links: dict[str, Person] = field(default_factory=dict)
    sessions: dict[str, Person] = field(default_factory=dict)
    fresh: Freshness = field(default_factory=lambda: Freshness(built=True, behind_s=0.0))
    banner: str | None = None
    arrives: bool = True
    own_part: str = "I am sure of the goal without having asked."

    def inbox(self, person: Person) -> InboxPage:
        access = _access(person)
        rows = []
        for doc in self.docs.values():
            lines = self._lines(doc, standing.OPEN)
            if access and lines:
                rows.append(_row(doc, lines, access))
        rows.sort(key=lambda row: rank(row.main.tier, row.main.channel))
        counts = {"nothing_flagged": 22, "waiting": 3, "snoozed": 2, "unknown": 2}
        summary = _(
            "{own} of your {caseload} clients. Of the others: nothing flagged in "
            "{nothing_flagged}, {waiting} waiting, {snoozed} snoozed, {unknown} unknown."
        ).format(own=len(rows), caseload=34, **counts)
        return InboxPage(
            rows=tuple(rows), caseload=34, nothing_flagged=22, waiting=3, snoozed=2, unknown=2,
            unassigned=0, reviews_due=1, seeing_today=1, seeing_soon=4, laid_out=2, unknowns_open=3,
            history=0, silenced=1, position=7,
            summary=f"{summary} {_(NO_VERDICT)}",
        )  # fmt: skip

    def clients(self, person: Person) -> tuple[ClientLine, ...]:
        access = _access(person)
        return tuple(_client(doc, access) for doc in self.docs.values() if access)

    def episode(self, person: Person, episode: UUID) -> EpisodePage:
        doc = self.docs.get(episode.hex)
        access = _access(person)
        if doc is None or access is None:
            raise NotYoursError
        lines = self._lines(doc, standing.OPEN)
        mine = access == "own"
        shown = {**doc, "reflections": [_shared(one, mine) for one in doc["reflections"]]}
        return EpisodePage(
            episode=doc["episode"],
            access=access,
            may_write=mine,
            document=shown,
            title=lines[0].title if lines else _("Nothing flagged"),
            lead=lines[0].sentence if lines else _(NO_VERDICT),
            alerts=lines,
            past=self._lines(doc, {"dismissed", "acknowledged"}),
            held=self._lines(doc, {"held"}),
            risk=standing.risk_lines(doc["risk"]),
            unknowns=tuple(
                {"reflection": one["reflection"], **entry}
                for one in shown["reflections"]
                for entry in one["unknowns"]
                if entry["closed_on"] is None
            ),
            not_assessable=(),
            private={
                one["reflection"]: {"own_part": self.own_part, "confidence": 60}
                for one in doc["reflections"]
                if mine
            },
            position=7,
        )

    def _lines(self, doc: dict[str, Any], states: Any) -> tuple[AlertLine, ...]:
        entries = [one for one in doc["alerts"].values() if one["state"] in states]
        entries.sort(key=standing.order)
        return tuple(standing.line(one, NOW, POLICY) for one in entries)

    def scopes(self, person: Person, now: datetime) -> tuple[str, ...]:
        return {"Anna": ("own",), "Sam": ("team",)}.get(person.name, ())

    def patterns(self, person: Person, scope: str, now: datetime) -> Patterns:
        return patterns([], person.id.hex, team=scope == "team")

    def pivots(self, person: Person, scope: str, now: datetime) -> tuple[list[Pivot], Elsewhere]:
        return [], Elsewhere(endings=41)

    def reminders(self, person: Person) -> Reminders:
        review = Reminder("review", OFF, "K-1184", courses.ident("reflection"), "2026-04-07", 2)
        return Reminders((review,) if _access(person) == "own" else (), {})

    def said(self, person: Person, episode: UUID) -> list[dict[str, str]]:
        return []

    def rhythm(self, person: Person, episode: UUID | None = None) -> dict[str, Any] | None:
        return {"weeks": 4, "next_on": "2026-05-01", "due": False}

    def statistics(self, instrument: str | None) -> dict[str, Any] | None:
        return None

    def effects(self) -> list[Statistics]:
        return []

    def figures(self, now: datetime) -> list[RuleFigures]:
        return []

    def retire(self, person: Person, channel: str, why: str) -> int:
        self.done.append(("retire", person.name, channel, why))
        return 9

    def reinstate(self, person: Person, channel: str, why: str) -> int:
        self.done.append(("reinstate", person.name, channel, why))
        return 9

    def page(self, person: Person, now: datetime) -> SupervisionPage:
        return SupervisionPage(
            team=person.role == "supervisor", supervisors=(), days=7, laid_out=(), coming=(),
            reviews=(), leave=(), shared=(),
        )  # fmt: skip

    def risk_path(self) -> RiskPath:
        return RiskPath(self.banner is None, NOW.isoformat(), 0, 0.0, self.banner)

    def freshness(self) -> Freshness:
        return self.fresh

    def operations(self) -> Operations:
        return Operations(
            loops=[Loop("inbox", True, 0.2, 0, 0.0), Loop("deliver", False, 400.0, 12, 390.0)],
            parked=[("book", 1)],
            counts=[("persons who may sign in", 5)],
            clock_stopped=None,
        )

    def wait(self, position: int, timeout: float) -> bool:
        return self.arrives

    def seen(self, person: Person, episode: UUID) -> int:
        self._must_read(person, episode)
        self.done.append(("seen", person.name, episode.hex))
        return 8

    def acknowledge(
        self, person: Person, episode: UUID, alert: UUID, done: str, note: str = "", to: str = ""
    ) -> int:
        self._must_read(person, episode)
        self._end(episode, alert, "acknowledged")
        self.done.append(("acknowledge", person.name, alert.hex, done, note, to))
        return 8

    def snooze(self, person: Person, episode: UUID, alert: UUID, until: date | None) -> int:
        self._must_write(person, episode)
        self.done.append(("snooze", person.name, alert.hex, until))
        return 8

    def dismiss(self, person: Person, episode: UUID, alert: UUID, reason: str) -> int:
        self._must_write(person, episode)
        entry = self._end(episode, alert, "dismissed")
        entry["dismissed"] = {"by": "", "at": NOW.isoformat(), "reason": reason}
        self.done.append(("dismiss", person.name, alert.hex, reason))
        return 8

    def reflect(self, person: Person, episode: UUID, form: ReflectionForm) -> tuple[UUID, int]:
        self._must_write(person, episode)
        self.done.append(("reflect", person.name, form))
        return UUID(courses.ident("reflection")), 9

    def revise(self, person: Person, episode: UUID, reflection: UUID, form: ReflectionForm) -> int:
        self._must_write(person, episode)
        self.done.append(("revise", person.name, reflection.hex, form))
        return 9

    def find_out(
        self, person: Person, episode: UUID, reflection: UUID, unknown: str, how: str
    ) -> int:
        self._must_write(person, episode)
        self.done.append(("find_out", person.name, unknown, how))
        return 9

    def _must_read(self, person: Person, episode: UUID) -> None:
        if episode.hex not in self.docs or _access(person) is None:
            raise NotYoursError

    def _must_write(self, person: Person, episode: UUID) -> None:
        if episode.hex not in self.docs or _access(person) != "own":
            raise NotYoursError

    def _end(self, episode: UUID, alert: UUID, state: str) -> dict[str, Any]:
        entry: dict[str, Any] = self.docs[episode.hex]["alerts"][alert.hex]
        entry |= {"state": state, "ended_at": NOW.isoformat()}
        return entry

    def redeem(self, token: str) -> Person | None:
        return self.links.pop(token, None)

    def open_session(self, person: Person) -> str:
        secret = f"session-of-{person.name}"
        self.sessions[secret] = person
        return secret

    def session(self, token: str) -> Person | None:
        return self.sessions.get(token)

    def close_session(self, token: str) -> None:
        self.sessions.pop(token, None)


def _access(person: Person) -> str | None:
    return {"Anna": "own", "Sam": "supervise"}.get(person.name)


def _shared(one: dict[str, Any], mine: bool) -> dict[str, Any]:
    if mine:
        return one
    hidden = {
        name: [] if name == "unknowns" else ""
        for name in ("expectation", "assumption", "unknowns", "client_view", "pattern", "reason")
        if name not in one["shared"]
    }
    return {**one, **hidden}


def _client(doc: dict[str, Any], access: str) -> ClientLine:
    points = next(iter(doc["trajectories"].values()))["points"]
    return ClientLine(
        episode=doc["episode"],
        client=doc["client"],
        clinician=doc["clinician"],
        access=access,
        status=doc["status"],
        stands="in the inbox" if doc["alerts"] else "nothing flagged",
        scores=tuple(point["score"] for point in points),
        last_on=points[-1]["on"],
        next_session=doc["next_session"],
        reflections=len(doc["reflections"]),
    )


def _row(doc: dict[str, Any], lines: tuple[AlertLine, ...], access: str) -> InboxRow:
    track = next(iter(doc["trajectories"].values()))
    scale = track["scale"]
    return InboxRow(
        episode=doc["episode"], client=doc["client"], sender=doc["sender"],
        clinician=doc["clinician"], access=access, status=doc["status"], main=lines[0],
        others=lines[1:], risk=standing.risk_lines(doc["risk"]), p_fail=0.7,
        next_session=doc["next_session"],
        spark=tuple(point["score"] for point in track["points"])[-12:],
        higher_is=scale["higher_is"], cutoff=scale["cutoff"], minimum=scale["minimum"],
        maximum=scale["maximum"], unread=lines[0].seen_at is None,
    )  # fmt: skip


def house(rooms: Rooms, **parts: Any) -> House:
    """The house of these rooms."""
    given: dict[str, Any] = {
        "reading": rooms,
        "commands": rooms,
        "entrance": rooms,
        "own": rooms,
        "together": rooms,
        "lessons": rooms,
        "quality": rooms,
        "rules": rooms,
        "supervision": rooms,
        "now": lambda: NOW,
        "zone": ZONE,
        "lenses": LENSES,
        "approaches": APPROACHES,
        "risk_policy": "shared drive, Risk",
        "contact": "extension 100",
        **parts,
    }
    return House(**given)


def app_of(rooms: Rooms, **parts: Any) -> Any:
    """The application over these rooms."""
    built = house(rooms, **parts)
    figures = Catalogue(CATALOGUE)
    programs = api.blueprint(lambda: built.reading.inbox(person()))
    return create_app(built, Health(figures), figures, [(programs, clinical(built))])


@contextmanager
def serving(rooms: Rooms, **parts: Any) -> Iterator[str]:
    """A real server on a free port; gives its address."""
    server = Server(app_of(rooms, **parts), threads=4)
    server.start()
    try:
        yield server.url
    finally:
        server.stop()
