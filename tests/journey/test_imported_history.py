"""A clinic's history, imported: its endings are known with their number, and it prompts nobody."""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

from click.testing import CliRunner

from services.__main__ import main
from services.alerts.core.alert import AlertAmended, AlertRaised
from services.alerts.core.caseload import StatisticsNoted
from services.alerts.views.inbox_rows import InboxRow
from services.chassis.clock import SystemClock
from services.embedded import Embedded
from services.outcomes.core.findings import CourseEnded
from tests.faults import courses
from tests.faults.house import LIND, PEOPLE, prepared, running, settle
from tests.faults.load import CLINICIAN

ENDED = 120
LEAST_FOUND = 20
PIVOT_WEEK = 6
WORSE = (15, 16, 18, 21, 22, 22, 21, 20, 19, 18, 18, 17, 17, 17)
BETTER = (17, 16, 16, 14, 13, 12, 10, 9, 8, 7, 6, 6, 5, 5)
Row = dict[str, Any]


def course(number: int) -> list[Row]:
    """Every third course ends no better; every other one changes its approach on its way."""
    return list(_course(number))


def _course(number: int) -> Iterator[Row]:
    name, random = f"E-{number}", Random(number)
    first = date(2023, 1, 2) + timedelta(days=number)
    totals = BETTER if number % 3 else WORSE
    yield {
        "kind": "episode", "episode": name, "client": f"client of {name}",
        "clinician": CLINICIAN, "opened_on": first.isoformat(), "approach": "CBT",
        "primary_instrument": "phq-9",
    }  # fmt: skip
    for week, total in enumerate(totals):
        on = (first + timedelta(weeks=week)).isoformat()
        yield {
            "kind": "session", "episode": name, "external_id": f"s-{week}", "on": on,
            "attendance": "attended",
        }  # fmt: skip
        noisy = min(24, max(0, total + random.randint(-1, 1)))
        yield courses.measure(name, week, on, noisy, risk=week % 2)
        if week == PIVOT_WEEK and number % 2:
            yield {"kind": "approach", "episode": name, "approach": "EMDR", "since": on}
    on = (first + timedelta(weeks=len(totals))).isoformat()
    yield {"kind": "closing", "episode": name, "on": on, "reason": "planned ending"}


def imported(data: Path, file: Path, rows: list[Row]) -> None:
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    command = ["outcomes", "import", str(file), "--sender", "ehr", "--data", str(data)]
    ended = CliRunner().invoke(main, command)
    assert ended.stdout == f"Imported: {len(rows):,} recorded.\n"


def published(both: Embedded) -> Row:
    """The statistics as the alerts service has noted them; they are looked at once a day."""
    both.outcomes.statistician().publish(SystemClock().now())
    settle(both)
    (noted,) = noted_of(both, StatisticsNoted.TOPIC)[-1:]
    data: Row = noted.message["data"]
    return data


def noted_of(both: Embedded, topic: str) -> list[Any]:
    page = both.alerts.store.log().page(0, 50_000, {topic})
    return [entry.event for entry in page.entries]


def calling(both: Embedded, name: str) -> list[InboxRow]:
    """What stands in somebody's inbox and is more than a mark on the chart."""
    who = both.alerts.register.find(name)
    assert who is not None
    return both.alerts.inbox.calling(who, SystemClock().now())


def test_an_imported_history_counts_in_the_statistics_and_prompts_nobody(tmp_path: Path) -> None:
    """Every second measure has an old risk answer; six of the courses were never closed."""
    clock = SystemClock()
    house = prepared(tmp_path / "data", clock)
    rows = [row for number in range(ENDED) for row in course(number)]
    left = [row for number in range(ENDED, ENDED + 6) for row in course(number)[:-1]]
    imported(house.data, tmp_path / "old.ndjson", rows + left)
    with running(house, clock) as (both, ehr):
        settle(both)
        known = published(both)
        assert (known["endings"], known["left_out"]) == (ENDED, 0)
        base = known["base_rate"]
        assert (base["n"], base["of"]) == (ENDED // 3, ENDED)
        shares = {one["channel"]: one["ppv"] for one in known["channels"]}
        for channel in ("off_track", "reliable_deterioration", "possibly_worse"):
            assert LEAST_FOUND <= shares[channel]["n"] <= shares[channel]["of"] <= ENDED
        pivots = {(one["approach"], one["channel"]): one["n"] for one in known["effects"]}
        assert {approach for approach, _ in pivots} == {"EMDR"}
        assert sum(pivots.values()) == ENDED // 2
        assert known["like_forecast"]["n"] >= LEAST_FOUND

        assert [row for name in PEOPLE for row in calling(both, name)] == []
        assert both.alerts.inbox.unread(clock.now()) == (0, 0.0)
        raised = noted_of(both, AlertRaised.TOPIC)
        assert {one.tier for one in raised} == {"info"}

        # Beside them a course of today is heard, and its card knows what the history tells.
        courses.worsening(ehr, "E-now", clock.now().date())
        settle(both)
        (row,) = calling(both, LIND)
        assert row.main.tier == "prompt"
        heard = noted_of(both, AlertRaised.TOPIC)[len(raised) :]
        (card,) = [one.card for one in heard if one.channel == "reliable_deterioration"]
        share = shares["reliable_deterioration"]
        assert f"Of {share['of']} courses here in which this was found" in card["caution"]
        assert f"Of all {ENDED} courses that have ended" in card["caution"]


def test_a_course_that_ended_this_week_is_not_heard_where_its_ending_comes_first(
    tmp_path: Path,
) -> None:
    """Its last measures are no old news; all that was measured before its last day counts."""
    clock = SystemClock()
    house, today = prepared(tmp_path / "data", clock), clock.now().date()
    opened = today - timedelta(weeks=len(WORSE[:8]))
    opening, *_, closing = course(0)
    opening |= {"opened_on": opened.isoformat()}
    closing |= {"on": (today - timedelta(days=3)).isoformat()}
    measures = [
        courses.measure("E-0", week, (opened + timedelta(weeks=week)).isoformat(), total)
        for week, total in enumerate(WORSE[:8])
    ]
    imported(house.data, tmp_path / "old.ndjson", [opening, closing, *measures])
    with running(house, clock) as (both, _):
        settle(both)
        changed = [*noted_of(both, AlertRaised.TOPIC), *noted_of(both, AlertAmended.TOPIC)]
        assert {one.tier for one in changed} <= {"info"}
        assert [row for name in PEOPLE for row in calling(both, name)] == []
        ended = both.outcomes.log.page(0, 5_000, {CourseEnded.TOPIC}).entries[-1].event
    assert (ended.result, ended.measures) == ("failure", len(measures))
