"""A small house behind the pages, kept in memory at our own seam: for tests of the pages alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from services.alerts import api
from services.alerts.core import lens, risk_card
from services.alerts.core.card import Ground, make
from services.alerts.core.labels import NO_VERDICT
from services.alerts.core.language import _
from services.alerts.core.pattern import Patterns, patterns
from services.alerts.core.person import Person
from services.alerts.core.pivot import Elsewhere, Pivot
from services.alerts.core.policy import Policy, rank
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

ZONE = ZoneInfo("Europe/London")
NOW = datetime(2026, 4, 8, 9, 30, tzinfo=UTC)
POLICY = Policy(zone=ZONE)
OFF = courses.ident("e", "off")
LENSES = lens.load(Path(lens.__file__).parents[1] / "lenses")

PEOPLE = {
    name: Person(UUID(courses.ident("person", name)), 1, name, role)
    for name, role in {
        "Anna": "clinician",
        "Ben": "clinician",
        "Carla": "clinician",
        "Sam": "supervisor",
        "Olga": "ops",
    }.items()
}
"""Anna treats, Ben is her colleague, Carla a stranger, Sam supervises Anna, Olga runs it."""


def alert(
    channel: str, evidence: dict[str, Any], scale: dict[str, Any], tier: str, **parts: Any
) -> dict[str, Any]:
    """An open alert as a course document holds it, its card made from its evidence."""
    card = make(Ground(channel=channel, evidence=evidence, scale=scale))
    return _entry(channel, card, tier, **parts)


def risk_alert(answer: int, urgent: bool, **parts: Any) -> dict[str, Any]:
    """An open alert about item 9."""
    said = _answer("m-r", answer, "2026-04-08", urgent)
    card = risk_card.make(
        said,
        [_answer(f"m-{n}", n // 2, f"2026-03-{n + 10}", False) for n in range(3)],
        POLICY,
        "shared drive, Risk",
    )
    due = (NOW + timedelta(minutes=50)).isoformat()
    return _entry("risk_answer", card, "risk", due_at=due, **parts)


def _answer(measure: str, answer: int, on: str, urgent: bool) -> dict[str, Any]:
    return {
        "measure": measure,
        "version": 1,
        "instrument": "phq-9",
        "item": 9,
        "kind": "self",
        "on": on,
        "received_at": f"{on}T08:40:00+00:00",
        "answer": answer,
        "state": "endorsed" if answer else "not endorsed",
        "urgent": urgent,
        "change": "recorded",
        "was": None,
        "quiet": None,
    }


def _entry(channel: str, card: dict[str, Any], tier: str, **parts: Any) -> dict[str, Any]:
    key = courses.ident("alert", channel, card["title"])
    raised_at = (NOW - timedelta(hours=20)).isoformat()
    return {
        "alert": key,
        "channel": channel,
        "tier": tier,
        "state": "raised",
        "spell": f"{key}.1",
        "ordinal": 1,
        "revision": 1,
        "on": "2026-04-06",
        "old_news": False,
        "card": card,
        "raised_at": raised_at,
        "history": [{"at": raised_at, "what": "raised", "tier": tier}],
        **dict.fromkeys(
            (
                "due_at",
                "escalated_at",
                "escalated_to",
                "escalated_why",
                "seen_at",
                "seen_by",
                "snoozed_until",
                "held_until",
                "acknowledged",
                "dismissed",
                "ended_at",
                "ended_why",
                "unchanged_since",
                "unconfirmed",
            )
        ),
        **parts,
    }


def risk_answers(*answers: int) -> dict[str, Any]:
    """The answers to item 9, a week apart, the last on the present day."""
    days = [date(2026, 4, 8) - timedelta(weeks=back) for back in range(len(answers))][::-1]
    told = [
        _answer(f"m{place}", answer, on.isoformat(), answer > 1)
        for place, (answer, on) in enumerate(zip(answers, days, strict=True))
    ]
    return {"phq-9|9": {"instrument": "phq-9", "item": 9, "kind": "self", "answers": told}}


def off_track_evidence(spell_of: str = "phq-9|total|client") -> dict[str, Any]:
    """Evidence of a course off track."""
    return {
        "rule": "trend",
        "rule_version": "1.2",
        "instrument": "phq-9",
        "trajectories": [spell_of],
        "points": [
            {"measure": "a", "on": courses.on(11), "score": 14.0},
            {"measure": "b", "on": courses.on(12), "score": 15.0},
        ],
        "thresholds": [
            {
                "name": "alarm threshold",
                "value": 0.62,
                "source": "alarm budget .10",
            },
            {"name": "reliable change", "value": 5.6, "source": "Jacobson-Truax, 95 %, r .89"},
        ],
        "numbers": {
            "p_fail": 0.7,
            "threshold": 0.62,
            "horizon_weeks": 6,
            "measure_number": 13,
            "weeks": 13,
            "level": 15.0,
            "cutoff": 10.0,
            "reliable_change": 5.6,
        },
        "reasons": [],
        "missing": [],
        "disagrees": [],
    }


def documents() -> dict[str, dict[str, Any]]:
    """Anna's caseload: one course for each kind of row."""
    scale = courses.PHQ9
    flat = courses.trajectory(scale, [18, 17, 15, 16, 15, 15, 14, 15, 15], list(range(9)))
    finding = {
        "spell": "", "channel": "off_track", "ordinal": 1, "revision": 1, "tier": "prompt",
        "on": courses.on(8), "old_news": False, "evidence": off_track_evidence(),
        "status": "open", "cleared_reason": None, "cleared_on": None,
    }  # fmt: skip
    off = alert("off_track", off_track_evidence(), scale, "prompt")
    finding["spell"] = off["spell"]
    none = alert(
        "not_assessable",
        off_track_evidence()
        | {
            "numbers": {"instrument": "phq-9", "measures": 1, "last_on": courses.on(9), "days": 30},
            "reasons": ["too_few", "too_old"],
            "points": [],
            "thresholds": [],
        },
        scale,
        "review",
    )
    good = alert(
        "good_news",
        off_track_evidence() | {"numbers": {"kind": "sudden_gain", "gain": 7.0, "score": 9.0}},
        scale,
        "info",
    )
    urgent = risk_alert(2, urgent=True)
    found = [
        courses.course(
            episode=courses.ident("e", "risk"), client="K-2207", reference="E-1",
            trajectories={"phq-9|total|client": courses.trajectory(
                scale, [18, 16, 18, 18, 20], list(range(5)))},
            approaches=[courses.approach("CBT", 0)],
            risk=risk_answers(0, 0, 1, 2), alerts={urgent["alert"]: urgent},
        ),
        courses.course(
            episode=courses.ident("e", "off"), client="K-1184", reference="E-2",
            trajectories={
                "phq-9|total|client": flat,
                "gad-7|total|client": courses.trajectory(
                    {**scale, "title": "GAD-7", "maximum": 21.0, "bands": []},
                    [12, 11, 9], [0, 3, 7]),
            },
            approaches=[courses.approach("CBT", 0)],
            findings=[finding], risk=risk_answers(0, 1, 0), alerts={off["alert"]: off},
            sessions=[{"session": f"s{w}", "on": courses.on(w),
                       "attendance": "missed" if w in (5, 6) else "attended"}
                      for w in range(9)],
            reflections=[_reflection()],
        ),
        courses.course(
            episode=courses.ident("e", "none"), client="K-3020", reference="E-3",
            trajectories={"phq-9|total|client": courses.trajectory(scale, [19], [9])},
            alerts={none["alert"]: none}, next_session=None,
        ),
        courses.course(
            episode=courses.ident("e", "good"), client="K-2750", reference="E-4",
            trajectories={"phq-9|total|client": courses.trajectory(
                scale, [18, 17, 17, 10, 9, 9], list(range(5, 11)))},
            risk=risk_answers(0, 0), alerts={good["alert"]: good},
        ),
        {**courses.pivoted(), "episode": courses.ident("e", "pivot"), "client": "K-0931",
         "risk": risk_answers(0, 0, 1, 0, 0)},
    ]  # fmt: skip
    return {doc["episode"]: doc for doc in found}


def _reflection() -> dict[str, Any]:
    return {
        "reflection": courses.ident("reflection"),
        "at": "2026-03-02T10:00:00+00:00",
        "author": PEOPLE["Anna"].id.hex,
        "on": "2026-03-02",
        "expectation": "Below 10 by week 8.",
        "assumption": "The plan was agreed in session 2.",
        "unknowns": [
            {"unknown": "u1", "what": "Whether sleep changed", "why": "not asked",
             "who": "client", "find": "", "since": "2026-03-02", "how": None, "closed_on": None},
            {"unknown": "u2", "what": "Whether we still agree on the goal",
             "why": "each assumed the other knew", "who": "both of us",
             "find": "ask next time", "since": "2026-03-02",
             "how": None, "closed_on": None},
        ],
        "client_view": "I do better when I know what the week is for.",
        "pattern": "",
        "decision": "stay",
        "reason": "Two good weeks after planning one thing.",
        "approach": "",
        "approach_id": None,
        "since": None,
        "beyond": "",
        "review_on": "2026-05-01",
        "lenses": [],
        "choices": {"alliance": ["withdrawal"]},
        "preference": "",
        "considered": "",
        "shared": ["unknowns"],
        "answers": [],
        "forecast": {"p_worked": 0.38, "fan": [], "on": "2026-03-02"},
        "review_due": False,
        "resolved": None,
    }  # fmt: skip


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
                one["reflection"]: {"own_part": self.own_part, "confidence": 60, "journal": ""}
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
        "approaches": ("CBT", "Behavioural activation", "EMDR"),
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
