"""What a busy clinic sends: courses that get worse or better, with everything that goes wrong."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import count
from random import Random
from typing import Any

from tests.faults.ehr import Ehr

LASTED = 56
"""Days since a course was opened when the load begins."""
COURSES = 5
"""Courses that one thread tells of at a time."""
LONGEST = 40
"""Measures after which a thread turns to another client: nobody is asked a thousand times."""
CLINICIAN = "T-1"
ATTENDANCE = ("attended", "attended", "attended", "late", "cancelled", "missed")


@dataclass
class Course:
    """One course as its sender knows it; a course is told of by one thread alone."""

    name: str
    worsens: bool
    today: date
    random: Random
    announced: bool = False
    closed: bool = False
    day: int = 0
    number: int = 0
    measures: dict[str, dict[str, Any]] = field(default_factory=dict)
    withdrawn: set[str] = field(default_factory=set)
    corrected: set[str] = field(default_factory=set)

    @property
    def opened_on(self) -> date:
        return self.today - timedelta(days=LASTED)

    def on(self, day: int) -> str:
        return (self.opened_on + timedelta(days=min(day, LASTED))).isoformat()

    def next_id(self, kind: str) -> str:
        self.number += 1
        return f"{self.name}-{kind}{self.number}"

    def measure(self) -> dict[str, Any]:
        """The next measure; now and then a late one, dated weeks before."""
        late = self.random.random() < 0.15
        self.day += 0 if late else 3
        day = self.random.randrange(max(1, self.day)) if late else self.day
        name = self.next_id("m")
        body = {
            "external_id": name,
            "client": f"client of {self.name}",
            "episode": self.name,
            "clinician": CLINICIAN,
            "instrument": "phq-9",
            "administered_at": self.on(day),
            "items": self.items(day),
        }
        self.measures[name] = body
        return body

    def items(self, day: int) -> list[int]:
        """Answers that go up or down over the weeks; item 9 is endorsed now and then."""
        level = 1.2 + (1 if self.worsens else -1) * day / LASTED * 1.4
        answers = [min(3, max(0, round(level + self.random.gauss(0, 0.5)))) for _ in range(8)]
        return [*answers, self.random.choice((0, 0, 0, 1, 2))]

    def present(self) -> list[str]:
        return [name for name in self.measures if name not in self.withdrawn]


Action = Callable[[Ehr, Course], None]


def announce(ehr: Ehr, course: Course) -> None:
    """Tell of the course: at its opening, with another plan, or when it goes on after all."""
    body = {
        "client": f"client of {course.name}",
        "clinician": CLINICIAN,
        "opened_on": course.on(0),
        "approach": "CBT",
        "planned_sessions": course.random.randrange(8, 20),
        "primary_instrument": "phq-9",
    }
    if course.closed:
        body["reopened_on"] = course.on(LASTED)
    ehr.send("PUT", f"/v1/episodes/{course.name}", body)
    course.announced, course.closed = True, False


def post(ehr: Ehr, course: Course) -> None:
    ehr.send("POST", "/v1/measures", course.measure())


def post_again(ehr: Ehr, course: Course) -> None:
    """The same measure once more, as a sender does that lost the answer."""
    unchanged = [name for name in course.present() if name not in course.corrected]
    if unchanged:
        name = course.random.choice(unchanged)
        ehr.send("POST", "/v1/measures", course.measures[name])


def batch(ehr: Ehr, course: Course) -> None:
    ehr.send_batch([course.measure() for _ in range(course.random.randrange(2, 6))])


def correct(ehr: Ehr, course: Course) -> None:
    names = course.present()
    if not names:
        return
    name = course.random.choice(names)
    body = course.measures[name] | {"items": course.items(course.random.randrange(LASTED))}
    ehr.send("PUT", f"/v1/measures/{name}", body)
    course.measures[name] = body
    course.corrected.add(name)


def withdraw(ehr: Ehr, course: Course) -> None:
    names = course.present()
    if len(names) > 3:
        name = course.random.choice(names)
        ehr.send("DELETE", f"/v1/measures/{name}?reason=entered-in-error")
        course.withdrawn.add(name)


def give_again(ehr: Ehr, course: Course) -> None:
    if course.withdrawn:
        name = course.random.choice(sorted(course.withdrawn))
        ehr.send("PUT", f"/v1/measures/{name}?reinstate=true", course.measures[name])
        course.withdrawn.discard(name)


def session(ehr: Ehr, course: Course) -> None:
    body = {
        "external_id": course.next_id("s"),
        "on": course.on(course.day),
        "attendance": course.random.choice(ATTENDANCE),
    }
    ehr.send("POST", f"/v1/episodes/{course.name}/sessions", body)


def approach(ehr: Ehr, course: Course) -> None:
    chosen = course.random.choice(("CBT", "EMDR", "behavioural activation"))
    body = {"approach": chosen, "since": course.on(course.random.randrange(course.day + 1))}
    ehr.send("POST", f"/v1/episodes/{course.name}/approach", body)


def fact(ehr: Ehr, course: Course) -> None:
    kind = course.random.choice(("medication", "life event", "break"))
    body = {"external_id": course.next_id("f"), "on": course.on(course.day), "kind": kind}
    ehr.send("POST", f"/v1/episodes/{course.name}/events", body | {"label": "something"})


def close(ehr: Ehr, course: Course) -> None:
    if not course.closed and course.day > LASTED // 2:
        body = {"on": course.on(LASTED), "reason": "planned ending"}
        ehr.send("POST", f"/v1/episodes/{course.name}/close", body)
        course.closed = True


OFTEN: tuple[tuple[Action, int], ...] = (
    (post, 30),
    (post_again, 4),
    (batch, 6),
    (correct, 8),
    (withdraw, 3),
    (give_again, 2),
    (session, 10),
    (approach, 2),
    (fact, 3),
    (close, 1),
    (announce, 3),
)
"""What is done, and how often among 72."""


def step(ehr: Ehr, course: Course) -> None:
    """One thing that happens in a course; nothing but measures before it was announced."""
    actions, weights = zip(*OFTEN, strict=True)
    chosen = course.random.choices(actions, weights)[0]
    if not course.announced and chosen not in (post, batch, announce):
        chosen = announce
    if course.closed and chosen in (announce, close) and course.random.random() < 0.5:
        return
    chosen(ehr, course)


def work(ehr: Ehr, seed: int, today: date, enough: threading.Event, pause: float = 0.0) -> None:
    """Tell of a few courses at a time until it is enough; a call at hand is brought to its end."""
    random, number = Random(seed), count()

    def another() -> Course:
        n = next(number)
        return Course(f"E-{seed}-{n}", n % 2 == 0, today, random)

    courses = [another() for _ in range(COURSES)]
    try:
        while not enough.is_set():
            place = random.randrange(COURSES)
            step(ehr, courses[place])
            if len(courses[place].measures) >= LONGEST:
                courses[place] = another()
            enough.wait(pause)
    finally:
        ehr.close()
