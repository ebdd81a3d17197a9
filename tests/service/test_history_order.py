"""Rows of a history stored many at once come to what they come to one by one, in any mixture."""

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from services.chassis.clock import SystemClock
from services.chassis.transport.embedded import EmbeddedTransport
from services.chassis.turns import Turns
from services.outcomes import settings
from services.outcomes.core import episode, measure
from services.outcomes.core.measure import Content
from services.outcomes.core.telling import Announcement, Begun, Closing, Fact, Session, Telling
from services.outcomes.record import Accepted, Heard, Told
from services.outcomes.wiring import Outcomes

CLIENTS, EPISODES, ROWS = 2, 3, 60


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outcomes]:
    """With its followers: what is held or released is looked up in a view."""
    made = Outcomes.open(settings.of_folder(tmp_path_factory.mktemp("data")), SystemClock())
    made.start(EmbeddedTransport(), Turns())
    yield made
    made.stop()


def row(random: Random) -> Content | Heard:
    """One of few: clients contradict each other, courses end and begin, things come twice."""
    name, day = f"E-{random.randrange(EPISODES)}", f"2024-0{random.randint(1, 3)}-01"
    client = f"K-{name}" if random.random() < 0.8 else "K-other"
    one = f"{random.randrange(4)}"
    told: Telling | None = random.choice(
        [
            Announcement(client=client, clinician=None, opened_on="2024-01-01", approach="CBT"),
            Announcement(
                client=client, clinician=one, opened_on="2024-01-01", reopened_on="2024-02-01"
            ),
            Begun(approach=random.choice(("EMDR", "ACT")), since=day),
            Session(external_id=one, on=day, attendance=random.choice(("attended", "missed"))),
            Fact(external_id=one, on=day, kind="other", label=day),
            Closing(on=day, reason="ended"),
            *[None] * 6,
        ]
    )
    if told is not None:
        return Heard(name, told)
    return Content(
        external_id=f"{name}/{random.randrange(12)}", client=client, episode=name,
        instrument="phq-9", administered_at=day, on=day, at=None, items=None,
        total=float(random.randint(10, 11)), session_number=None, clinician=None,
        respondent="client",
    )  # fmt: skip


def word(answer: Any) -> str:
    """What became of a row, without what differs between two senders."""
    if isinstance(answer, Told):
        return f"{answer.new} {answer.changed} {answer.state.closed} {answer.state.plan}"
    if isinstance(answer, Accepted):
        return f"{answer.new} {answer.version.TOPIC}"
    return type(answer).__name__


def standing(service: Outcomes, sender: str) -> dict[str, Any]:
    """How every episode and every measure of a sender stands in the log."""
    record, found = service.record, dict[str, Any]()
    for name in (f"E-{number}" for number in range(EPISODES)):
        course = episode.fold(service.log.read(record.episodes.id_of(sender, name)))
        found[name] = course and (
            course.client, course.plan, course.closed, course.reopened_on, course.doubted,
            course.sessions, course.facts, [one["approach"] for one in course.approaches.values()],
        )  # fmt: skip
        for number in range(12):
            external = f"{name}/{number}"
            one = measure.fold(service.log.read(record.measures.id_of(sender, external)))
            found[external] = one and (one.latest.client, one.latest.total, one.held)
    return found


@pytest.mark.parametrize("seed", range(25))
def test_many_rows_at_once_come_to_the_same_as_one_by_one(service: Outcomes, seed: int) -> None:
    random = Random(seed)
    rows = [row(random) for _ in range(ROWS)]
    history, one_by_one, together = service.record.history, f"single-{seed}", f"together-{seed}"
    single = [word(answer) for one in rows for answer in history.take(one_by_one, [one])]
    assert [word(answer) for answer in history.take(together, rows)] == single
    stands = standing(service, together)
    assert stands == standing(service, one_by_one)
    measures = [one for one in rows if isinstance(one, Content)]
    again = history.take(together, measures)
    assert not any(answer.new for answer in again if isinstance(answer, Accepted))
    assert standing(service, together) == stands
