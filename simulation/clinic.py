"""A made-up clinic: what its EHR would send to the door, day by day, and what is true of it."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from random import Random
from typing import Any, Literal

from simulation.cohort import PHQ9_LIKE, WEEK, Course, Habits, Visit, course, deal
from simulation.items import GAD7_ITEMS, answers, phq9_answers, slip

SENDER = "demo-ehr"
CLINICIANS = {"T-01": "Alma", "T-02": "Bruno", "T-03": "Clara", "T-04": "Dario"}
"""The EHR's reference of each made-up clinician to the name that signs in."""
SUPERVISOR = "Selma"
OPS = "Olaf"

FIRST_REFERENCE = 1184
PROBLEMS = ("depression", "depression and anxiety", "grief", "work stress")
APPROACHES = (
    "Cognitive behavioural therapy",
    "Interpersonal therapy",
    "Behavioural activation",
    "Person-centred therapy",
)
GAPS = ((1, 0.8), (2, 0.2))
SHORT, LONG = (8, 10), (30, 30)
"""Sessions of those who end as planned, and of those who are still in treatment at the end."""
OPENING_WEEKS = 6
"""The clients come in over the first weeks, so that none has less than ten to go."""
GOES_ON = 6
"""Weeks for which a treatment that has not ended is planned beyond the last day."""
PLAN_EVERY = 3
"""After every so many sessions the EHR sends what is planned."""
ATTENDANCE = (("missed", 0.05), ("cancelled", 0.04), ("late", 0.04))

Item9 = Literal["never", "now and then", "rising", "left out"]
Kind = Literal[
    "episode", "session", "measure", "correction", "withdrawal", "fact", "approach", "close"
]


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the EHR at the door; `path` follows /v1/."""

    kind: Kind
    client: str
    """Whose it is, in the EHR's reference: what concerns one client is sent in order."""
    method: Literal["POST", "PUT", "DELETE"]
    path: str
    body: dict[str, Any] | None = None
    late: bool = False
    """Sent days after the questionnaire was filled in."""
    again: bool = False
    """Sent a second time, as an EHR does that saw no answer."""


@dataclass(slots=True)
class Client:
    """One made-up client: `planned` is the truth had nothing changed, `course` what happens."""

    number: int
    clinician: str
    opened: int
    planned: Course
    course: Course
    random: Random
    problem: str
    approach: str
    anxiety: float | None = None
    """Points above what the depression score suggests on GAD-7; None: not measured."""
    item_9: Item9 = "never"
    turns: bool = False
    """Whether a change of approach helps: decided beforehand by the made-up truth."""
    stays_away: int | None = None
    """The number of the session from which two are missed."""
    totals_only: bool = False
    goes_on: bool = False
    """Whether the treatment goes on after the clinic's last day."""
    pivoted: int | None = None
    approach_now: str | None = None
    """The approach chosen in a reflection, once there is one."""

    @property
    def client(self) -> str:
        """The EHR's reference of the client."""
        return f"K-{FIRST_REFERENCE + self.number}"

    @property
    def episode(self) -> str:
        """The EHR's reference of the episode."""
        return f"E-{FIRST_REFERENCE + self.number}"

    @property
    def last(self) -> int:
        """The day of the last session, counted from the clinic's first day."""
        return self.opened + self.planned.visits[-1].day

    def pivot(self, day: int) -> None:
        """Another approach from `day` on; it helps where the made-up truth says so."""
        if self.pivoted is not None or not self.opened <= day < self.last:
            return
        self.pivoted = day
        if self.turns:
            gain = self.random.uniform(9, 12)
            self.course = self.planned.turned(day - self.opened, gain, 2.0)


@dataclass(slots=True)
class Clinic:
    """The clients of a clinic from `start` on, and the calls that its EHR makes each day."""

    start: date
    weeks: int
    clients: list[Client]
    _waiting: dict[int, list[Call]] = field(default_factory=dict)

    @property
    def days(self) -> int:
        """How many days the clinic is open."""
        return self.weeks * WEEK

    def on(self, day: int) -> date:
        """The calendar date of a day."""
        return self.start + timedelta(days=day)

    def calls(self, day: int) -> list[Call]:
        """What the EHR sends on this day; days are asked for once each, in order."""
        calls = self._waiting.pop(day, [])
        for client in self.clients:
            calls.extend(self._of(client, day))
        return calls

    def _of(self, client: Client, day: int) -> Iterator[Call]:
        for number, visit in enumerate(client.course.visits):
            if client.opened + visit.day == day:
                yield from self._session(client, number, visit, day)
        yield from self._facts(client, day)
        if day == client.last + 1 and not client.goes_on and client.number % 5:
            reason = "ended by agreement" if client.course.failed else "completed"
            body = {"on": self.on(day).isoformat(), "reason": reason}
            yield Call("close", client.client, "POST", f"episodes/{client.episode}/close", body)

    def _session(self, client: Client, number: int, visit: Visit, day: int) -> Iterator[Call]:
        last = number + 1 == len(client.course.visits)
        if number == 0 or last or number % PLAN_EVERY == client.number % PLAN_EVERY:
            yield self._plan(client, number)
        attendance = _attendance(client, number)
        path = f"episodes/{client.episode}/sessions"
        session = {
            "external_id": f"S-{client.episode}-{number + 1:02}",
            "on": self.on(day).isoformat(),
            "attendance": attendance,
        }
        yield Call("session", client.client, "POST", path, session)
        if attendance in ("attended", "late") and visit.measured:
            for measure in self._measures(client, number, visit, day):
                yield from self._sent(client, number, measure, day)

    def _plan(self, client: Client, number: int) -> Call:
        """What is known of the episode, sent again now and then."""
        visits = client.course.visits
        more = GOES_ON if client.goes_on else 0
        body: dict[str, Any] = {
            "client": client.client,
            "clinician": client.clinician,
            "opened_on": self.on(client.opened).isoformat(),
            "approach": client.approach,
            "problem": client.problem,
            "planned_sessions": len(visits) + more,
            "planned_end": self.on(client.last + more * WEEK).isoformat(),
            "primary_instrument": "phq-9",
        }
        if number + 1 < len(visits):
            following = client.opened + visits[number + 1].day
            body["next_session"] = self.on(following).isoformat()
        elif client.goes_on:
            body["next_session"] = self.on(client.last + WEEK).isoformat()
        return Call("episode", client.client, "PUT", f"episodes/{client.episode}", body)

    def _measures(
        self, client: Client, number: int, visit: Visit, day: int
    ) -> Iterator[dict[str, Any]]:
        score = client.course.score(visit)
        yield self._measure(client, number, day, "phq-9", _phq9(client, number, score))
        if client.anxiety is not None:
            anxious = round(min(21, max(0, score * 0.8 + client.anxiety)))
            items = answers(client.random, anxious, GAD7_ITEMS)
            yield self._measure(client, number, day, "gad-7", {"items": items})

    def _measure(
        self, client: Client, number: int, day: int, instrument: str, answer: dict[str, Any]
    ) -> dict[str, Any]:
        return {
            "external_id": f"M-{client.episode}-{number + 1:02}-{instrument}",
            "client": client.client,
            "episode": client.episode,
            "instrument": instrument,
            "administered_at": self.on(day).isoformat(),
            "session_number": number + 1,
            "clinician": client.clinician,
            **answer,
        }

    def _sent(
        self, client: Client, number: int, measure: dict[str, Any], day: int
    ) -> Iterator[Call]:
        """The measure on its day, or days later; first mistyped, or taken back where it slips."""
        call = Call("measure", client.client, "POST", "measures", measure)
        place = f"measures/{measure['external_id']}"
        fate = client.random.random()
        if "items" not in measure or number == 0 or None in measure["items"]:
            yield call
        elif fate < 0.04:
            self._later(day + client.random.randint(2, 9), replace(call, late=True))
        elif fate < 0.07:
            mistyped = {**measure, "items": slip(measure["items"])}
            yield replace(call, body=mistyped)
            correction = Call("correction", client.client, "PUT", place, measure)
            self._later(day + client.random.randint(1, 4), correction)
        elif fate < 0.08:
            yield call
            gone = f"{place}?reason=wrong-client"
            self._later(day + 1, Call("withdrawal", client.client, "DELETE", gone))
        else:
            yield call
            if client.number == 7 and number == 2:
                yield replace(call, again=True)

    def _later(self, day: int, call: Call) -> None:
        self._waiting.setdefault(min(day, self.days - 1), []).append(call)

    def _facts(self, client: Client, day: int) -> Iterator[Call]:
        since = day - client.opened
        note = FACTS.get(client.number % 20)
        if note and since == note[0]:
            body = {
                "external_id": f"F-{client.episode}",
                "on": self.on(day).isoformat(),
                "kind": note[1],
                "label": note[2],
            }
            path = f"episodes/{client.episode}/events"
            yield Call("fact", client.client, "POST", path, body)
        if client.number == 11 and since == 6 * WEEK:
            body = {
                "approach": APPROACHES[(client.number + 1) % len(APPROACHES)],
                "since": self.on(day).isoformat(),
                "reason": "agreed in the sixth week",
            }
            path = f"episodes/{client.episode}/approach"
            yield Call("approach", client.client, "POST", path, body)


FACTS: dict[int, tuple[int, str, str]] = {
    3: (23, "medication", "sertraline begun"),
    8: (37, "life event", "lost the job"),
    14: (44, "break", "two weeks of holiday"),
    17: (30, "medication", "dose raised"),
}
"""Client number modulo 20 to (day since opening, kind, label)."""


def clinic(start: date, clients: int = 60, weeks: int = 16, seed: int = 2026) -> Clinic:
    """A clinic from a Monday on; the same arguments give the same clinic."""
    random = Random(f"{seed}/clinic")
    kinds = deal(clients, random)
    people = [_client(number, kind, weeks, seed) for number, kind in enumerate(kinds)]
    _mark(people)
    return Clinic(start=start, weeks=weeks, clients=people)


def _client(number: int, kind: str, weeks: int, seed: int) -> Client:
    random = Random(f"{seed}/client/{number}")
    week = random.randrange(min(OPENING_WEEKS, max(1, weeks - 8)))
    opened = week * WEEK + random.randrange(5)
    longest = (weeks * WEEK - 1 - opened) // WEEK
    ends = kind in ("recovery", "linear") and number % 3 == 0
    habits = Habits(sessions=SHORT if ends else LONG, gaps=GAPS, longest=longest)
    planned = course(number, kind, seed, PHQ9_LIKE, habits)
    return Client(
        number=number,
        clinician=list(CLINICIANS)[number % len(CLINICIANS)],
        opened=opened,
        planned=planned,
        course=planned,
        random=random,
        problem=random.choice(PROBLEMS),
        approach=random.choice(APPROACHES),
        anxiety=random.gauss(2, 2) if random.random() < 0.35 else None,
        turns=planned.failed and random.random() < 0.6,
        goes_on=not ends,
    )


def _mark(clients: list[Client]) -> None:
    """Give single clients what the whole product must cope with."""
    burdened = sorted(clients, key=lambda client: -client.planned.levels[0])
    for client in burdened[:8:2]:
        client.item_9 = "now and then"
    for client, mark in zip(burdened[1:5:2], ("rising", "left out"), strict=False):
        client.item_9 = "rising" if mark == "rising" else "left out"
    for client in clients[4::19]:
        client.stays_away = 4
    if len(clients) > 20:
        clients[20].totals_only = True


def _attendance(client: Client, number: int) -> str:
    if number == 0:
        return "attended"
    if client.stays_away is not None and 0 <= number - client.stays_away < 2:
        return "missed"
    drawn = client.random.random()
    for attendance, share in ATTENDANCE:
        if drawn < share:
            return attendance
        drawn -= share
    return "attended"


def _phq9(client: Client, number: int, score: int) -> dict[str, Any]:
    if client.totals_only:
        return {"total": score}
    items: list[int | None] = [*phq9_answers(client.random, score, _item_9(client, number))]
    if client.item_9 == "left out" and number == 3:
        items[-1] = None
    return {"items": items}


def _item_9(client: Client, number: int) -> int:
    if client.item_9 == "rising":
        return min(3, number // 2)
    if client.item_9 == "now and then":
        return 1 if number in (0, 1, 4) else 0
    return 0
