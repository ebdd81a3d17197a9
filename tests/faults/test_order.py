"""The order of arrival does not matter: calls shuffled, doubled and batched give the same findings.

PIVOTPOINT_ORDER_EXAMPLES sets how many made-up courses are sent (8).
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import count
from time import sleep
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from services.chassis.clock import SteppedClock
from services.embedded import Embedded
from tests.faults.auditor import opened
from tests.faults.detection import differences
from tests.faults.ehr import Ehr, Told
from tests.faults.house import prepared, running, settle

EXAMPLES = int(os.environ.get("PIVOTPOINT_ORDER_EXAMPLES", "8"))
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
OPENED = date(2026, 1, 5)
LAST = (NOW.date() - OPENED).days
NUMBERS = count(1)
IDLE = 0.6
"""Seconds in which a detector with nothing to read looks at the time more than once."""
CLIENT = "K-1"


@dataclass(frozen=True, slots=True)
class Call:
    """A call with the chain it belongs to: of one chain a later call replaces an earlier one."""

    chain: str
    method: str
    path: str
    body: dict[str, Any] | None

    @property
    def is_post_of_measure(self) -> bool:
        return (self.method, self.path) == ("POST", "/v1/measures")


def on(day: int) -> str:
    return (OPENED + timedelta(days=day)).isoformat()


def plan(reopened: int | None = None) -> Call:
    body: dict[str, Any] = {
        "client": CLIENT,
        "clinician": "T-1",
        "opened_on": on(0),
        "approach": "CBT",
        "primary_instrument": "phq-9",
    }
    if reopened is not None:
        body["reopened_on"] = on(reopened)
    return Call("episode", "PUT", "/v1/episodes/{}", body)


def items(total: int) -> list[int]:
    return [total // 9 + (place < total % 9) for place in range(9)]


@st.composite
def moments(draw: st.DrawFn, minute: int) -> str:
    """A day, or a moment of it; at one minute of an hour only one measure of a course is taken."""
    day, hour = draw(st.integers(0, LAST)), draw(st.none() | st.integers(8, 12))
    return on(day) if hour is None else f"{on(day)}T{hour:02}:{minute:02}:00+01:00"


@st.composite
def measures(draw: st.DrawFn) -> list[Call]:
    """What is told of one measure over time: recorded, perhaps corrected, perhaps taken back."""
    number = next(NUMBERS)
    name, when = f"m{number}", moments(number % 60)
    body: dict[str, Any] = {
        "external_id": name,
        "client": CLIENT,
        "episode": "{}",
        "instrument": draw(st.sampled_from(("phq-9", "phq-9", "phq-9", "gad-7"))),
        "administered_at": draw(when),
    }
    gad = body["instrument"] == "gad-7"

    def answers() -> dict[str, Any]:
        total = draw(st.integers(0, 21))
        return {"items": items(total)[:7] if gad else items(total)}

    calls = [Call(name, "POST", "/v1/measures", body | answers())]
    address = f"/v1/measures/{name}"
    for change in draw(st.lists(st.sampled_from(("correct", "move", "withdraw")), max_size=2)):
        if change == "withdraw":
            calls.append(Call(name, "DELETE", f"{address}?reason=other", None))
            break
        if change == "move":
            body = body | {"administered_at": draw(when)}
        calls.append(Call(name, "PUT", address, body | answers()))
    return calls


@st.composite
def happenings(draw: st.DrawFn) -> list[Call]:
    """A session or a fact, perhaps told otherwise later."""
    name, day = f"h{next(NUMBERS)}", draw(st.integers(0, LAST))
    if draw(st.booleans()):
        kept = draw(
            st.lists(st.sampled_from(("attended", "missed", "cancelled")), min_size=1, max_size=2)
        )
        path = "/v1/episodes/{}/sessions"
        told = [{"external_id": name, "on": on(day), "attendance": one} for one in kept]
    else:
        path = "/v1/episodes/{}/events"
        kind = draw(st.sampled_from(("medication", "break", "life event")))
        told = [{"external_id": name, "on": on(day), "kind": kind, "label": "something"}]
    return [Call(name, "POST", path, body) for body in told]


ENDINGS = (
    [plan()],
    [plan(), Call("episode", "POST", "/v1/episodes/{}/close", {"on": on(40), "reason": "ended"})],
    [
        plan(),
        Call("episode", "POST", "/v1/episodes/{}/close", {"on": on(40), "reason": "ended"}),
        plan(reopened=45),
    ],
)


@dataclass(frozen=True, slots=True)
class Course:
    """The same calls in two orders; `pauses` are after how many calls everything settles."""

    tidy: list[Call]
    mixed: list[list[Call]]
    pauses: frozenset[int]


@st.composite
def courses(draw: st.DrawFn) -> Course:
    """A course told in order of the calendar, and told as networks and humans tell it."""
    chains = draw(st.lists(measures(), min_size=3, max_size=9))
    chains += draw(st.lists(happenings(), max_size=4))
    ending = draw(st.sampled_from(ENDINGS))
    last = [chain[-1:] for chain in chains]
    tidy = ending[:1] + sorted(
        (call for chain in last for call in chain if call.method != "DELETE"),
        key=lambda call: str((call.body or {}).get("administered_at", "")),
    )
    tidy = [_as_first(call) for call in tidy] + ending[1:]
    order = draw(st.permutations([*(n for n, chain in enumerate(chains) for _ in chain)]))
    waiting = [list(chain) for chain in chains]
    mixed = [waiting[number].pop(0) for number in order]
    for call in ending:
        low = max((mixed.index(one) + 1 for one in mixed if one.chain == "episode"), default=0)
        mixed.insert(draw(st.integers(low, len(mixed))), call)
    mixed = _announced_before_it_is_needed(mixed)
    doubled = [one for call in mixed for one in [call] * draw(st.sampled_from((1, 1, 1, 2)))]
    return Course(tidy, _batched(doubled, draw(st.booleans())), draw(_PAUSES))


_PAUSES = st.frozensets(st.integers(0, 25), max_size=4)


def _as_first(call: Call) -> Call:
    """A correction as it would have been sent had it been right at once."""
    if call.method == "PUT" and call.chain != "episode":
        return Call(call.chain, "POST", "/v1/measures", call.body)
    return call


def _announced_before_it_is_needed(calls: list[Call]) -> list[Call]:
    """Sessions and facts of an episode that nobody announced are refused: they come again later."""
    first = next(number for number, call in enumerate(calls) if call.chain == "episode")
    early = [one for one in calls[:first] if "/episodes/" in one.path]
    return [
        *(one for one in calls[:first] if one not in early),
        calls[first],
        *early,
        *calls[first + 1 :],
    ]


def _batched(calls: Sequence[Call], together: bool) -> list[list[Call]]:
    """Runs of posted measures as batches, when they are to be."""
    runs: list[list[Call]] = []
    for call in calls:
        joins = together and runs and call.is_post_of_measure and runs[-1][-1].is_post_of_measure
        if joins:
            runs[-1].append(call)
        else:
            runs.append([call])
    return runs


# Sending


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Embedded, Ehr, Ehr]]:
    """Two senders, who tell the same of the same episode each in its own way."""
    clock = SteppedClock(NOW)
    house = prepared(tmp_path_factory.mktemp("order") / "data", clock)
    with running(house, clock) as (both, tidy):
        mixed = Ehr(lambda: both.outcomes_url, both.outcomes.senders.add("mixed"))
        yield both, tidy, mixed
        mixed.close()
        settle(both)
    with opened(house.data, clock) as (outcomes, alerts):
        log = [entry.event for entry in outcomes.log.page(0, 100_000).entries]
        assert differences(outcomes, log) == []
        for service in (outcomes, alerts):
            for view in service.views:
                assert service.store.views.verify(view, service.log) == []


def sent(ehr: Ehr, episode: str, calls: Sequence[Call]) -> list[Told]:
    """Send a run of calls about this episode."""
    bodies = [_named(call.body, episode) for call in calls]
    if len(calls) > 1:
        return ehr.send_batch([body for body in bodies if body is not None])
    (call,), (body,) = calls, bodies
    return [ehr.send(call.method, call.path.format(episode), body)]


def _named(body: dict[str, Any] | None, episode: str) -> dict[str, Any] | None:
    return body | {"episode": episode} if body and "episode" in body else body


def rest(both: Embedded) -> None:
    """Wait until everything is taken and what time alone changes was noticed as well."""
    head = -1
    while head != (head := both.outcomes.log.head()):
        sleep(IDLE)
        settle(both)


def known(ehr: Ehr, episode: str) -> dict[str, Any]:
    """What the door tells of an episode now, without ids, versions and what is history.

    Two measures of one day that tell no time stand in the order of their ids, which are each
    sender's own: so their order is left out too. So are the days that had passed since the last
    measure, which are counted up to the moment at which the episode was last looked at.
    """
    all_ = ehr.get(f"/v1/episodes/{episode}")
    told = ehr.get(f"/v1/episodes/{episode}/trajectories")["trajectories"]
    names = {one["id"]: one["external_id"] for one in all_["measures"]}
    return {
        "trajectories": {one["trajectory"]: _trajectory(one) for one in told},
        "findings": {
            one["channel"]: _finding(one, names)
            for one in all_["findings"]
            if one["status"] == "open"
        },
    }


def _trajectory(told: dict[str, Any]) -> dict[str, Any]:
    own = ("measure", "version", "number")
    assessments = [
        {name: value for name, value in one.items() if name not in own}
        for one in told["assessments"]
    ]
    return told | {"assessments": sorted(assessments, key=_day_and_name)}


def _finding(told: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    evidence = told["evidence"]
    points = [
        {"on": one["on"], "score": one["score"], "external_id": names[one["measure"]]}
        for one in evidence["points"]
    ]
    numbers = {name: value for name, value in evidence["numbers"].items() if name != "days"}
    evidence = evidence | {"points": sorted(points, key=_day_and_name), "numbers": numbers}
    return {name: told[name] for name in ("tier", "on", "old_news")} | {"evidence": evidence}


def _day_and_name(one: dict[str, Any]) -> tuple[str, str]:
    return one["on"], one["external_id"]


def differing(one: Any, other: Any, where: str = "") -> Iterator[str]:
    """Where two documents differ, and how."""
    if isinstance(one, dict) and isinstance(other, dict):
        for name in sorted(one.keys() | other.keys()):
            yield from differing(one.get(name), other.get(name), f"{where}/{name}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for number, pair in enumerate(zip(one, other, strict=True)):
            yield from differing(*pair, f"{where}/{number}")
    elif one != other:
        yield f"{where}: {one} instead of {other}"


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=EXAMPLES <= 8,
    phases=(Phase.reuse, Phase.generate),  # to make an example smaller takes minutes
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(course=courses())
def test_any_order_gives_the_same_trajectories_and_findings(
    rig: tuple[Embedded, Ehr, Ehr], course: Course
) -> None:
    both, tidy, mixed = rig
    episode = f"E-{next(NUMBERS)}"
    for call in course.tidy:
        (told,) = sent(tidy, episode, [call])
        assert told.taken, (call, told.answer)
    for number, calls in enumerate(course.mixed):
        for told in sent(mixed, episode, calls):
            # What was corrected or taken back meanwhile may refuse an old word, nothing else may.
            assert told.taken or told.status == 409, (calls, told.answer)
        if number in course.pauses:
            settle(both)
    rest(both)
    assert list(differing(known(mixed, episode), known(tidy, episode))) == []
