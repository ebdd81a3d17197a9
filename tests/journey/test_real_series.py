"""Two series of real scores go in through the door: all are stored, every finding is explained.

The scores are not part of this repository: they are read from the folder `shared/data` beside it.
"""

import csv
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from services.__main__ import main
from services.chassis.clock import SteppedClock
from tests.faults.auditor import audit
from tests.faults.ehr import Ehr
from tests.faults.house import prepared, running, settle
from tests.faults.load import CLINICIAN

DATA = Path(__file__).parents[3] / "shared" / "data"
START = date(2026, 1, 5)
NOW = datetime(2026, 4, 6, 12, tzinfo=UTC)
BATCH = 400
CONNECTIONS = 8
NOTHING_TO_REST_ON = {"disconnection", "not_assessable"}
"""Channels that speak of what is missing: they rest on no point."""


@dataclass(frozen=True, slots=True)
class Series:
    """A file of scores: its columns, the instrument, and days to one step of its time."""

    file: str
    instrument: str
    person: str
    time: str
    score: str
    days: int

    @property
    def path(self) -> Path:
        """The file; the test is skipped, and says so, where it is not."""
        path = DATA / self.file
        if not path.exists():
            pytest.skip(f"the real series were NOT read: {path} is not on this machine")
        return path

    def measures(self) -> list[dict[str, Any]]:
        """Every row as an EHR would post it, in the order of the calendar."""
        with self.path.open(newline="") as lines:
            found = [self._measure(number, row) for number, row in enumerate(csv.DictReader(lines))]
        return sorted(found, key=lambda one: str(one["administered_at"]))

    def _measure(self, number: int, row: dict[str, str]) -> dict[str, Any]:
        on = START + timedelta(days=int(row[self.time]) * self.days)
        return {
            "external_id": f"{self.instrument}-{number}",
            "client": f"P-{row[self.person]}",
            "episode": f"{self.instrument}-{row[self.person]}",
            "clinician": CLINICIAN,
            "instrument": self.instrument,
            "administered_at": on.isoformat(),
            "total": float(row[self.score]),
        }


SERIES = (
    Series("antidepressant_trial.csv", "hamd-17", "patient", "day", "hamd17", 1),
    Series("weekly_bdi.csv", "bdi", "person", "week", "bdi", 7),
)


@dataclass
class Posted:
    """What was posted of a series, and what the door then tells of each course."""

    measures: list[dict[str, Any]]
    courses: list[dict[str, Any]]
    faults: list[str]

    def findings(self) -> Iterator[dict[str, Any]]:
        for course in self.courses:
            yield from course["findings"]


@pytest.fixture(scope="module", params=SERIES, ids=lambda one: one.instrument)
def posted(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Posted:
    measures = request.param.measures()
    clock = SteppedClock(NOW)
    house = prepared(tmp_path_factory.mktemp(request.param.instrument) / "data", clock)
    with running(house, clock) as (both, ehr):
        _announce(ehr, measures)
        for first in range(0, len(measures), BATCH):
            told = ehr.send_batch(measures[first : first + BATCH])
            assert {one.status for one in told} == {201}
        settle(both, 120)
        names = sorted({one["episode"] for one in measures})
        courses = [ehr.get(f"/v1/episodes/{name}") for name in names]
        told = ehr.record.all()
    return Posted(measures, courses, audit(house.data, told, clock=clock))


def _announce(ehr: Ehr, measures: Sequence[dict[str, Any]]) -> None:
    """Tell of every course, opened with its first measure; several connections at a time."""
    first: dict[str, dict[str, Any]] = {}
    for one in measures:
        first.setdefault(one["episode"], one)
    ehrs = [ehr.another() for _ in range(CONNECTIONS)]
    shares = [list(first.values())[number::CONNECTIONS] for number in range(CONNECTIONS)]

    def send(one: Ehr, share: Sequence[dict[str, Any]]) -> None:
        for course in share:
            body = {
                "client": course["client"],
                "clinician": CLINICIAN,
                "opened_on": course["administered_at"],
                "primary_instrument": course["instrument"],
            }
            one.send("PUT", f"/v1/episodes/{course['episode']}", body)
        one.close()

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        list(pool.map(send, ehrs, shares))


def test_every_measure_is_stored_and_scored(posted: Posted) -> None:
    assert posted.faults == []
    stored = {one["external_id"]: one for course in posted.courses for one in course["measures"]}
    assert len(stored) == len(posted.measures)
    for one in posted.measures:
        assert stored[one["external_id"]]["score"] == one["total"]
    charted = [
        assessment["external_id"]
        for course in posted.courses
        for trajectory in course["trajectories"]
        for assessment in trajectory["assessments"]
    ]
    assert sorted(charted) == sorted(stored)


def test_every_finding_shows_its_points_and_thresholds_with_their_source(posted: Posted) -> None:
    said = [one for one in posted.findings() if one["status"] == "open"]
    assert len(said) > len(posted.courses) / 4, "a trial has courses that fail"
    scores = {one["external_id"]: one["total"] for one in posted.measures}
    names = {
        one["id"]: one["external_id"] for course in posted.courses for one in course["measures"]
    }
    for one in said:
        evidence, channel = one["evidence"], one["channel"]
        assert evidence["rule"], channel
        assert evidence["rule_version"], channel
        assert evidence["points"] or channel in NOTHING_TO_REST_ON, channel
        for point in evidence["points"]:
            assert point["score"] == scores[names[point["measure"]]], channel
        for limit in evidence["thresholds"]:
            assert limit["name"], channel
            assert limit["source"], (channel, limit["name"])
        assert evidence["thresholds"] or channel in NOTHING_TO_REST_ON | {"validity"}, channel


def test_every_course_is_assessed_or_says_why_not(posted: Posted) -> None:
    silent = [
        course["episode"]
        for course in posted.courses
        if not _assessed(course) and not _reasons(course)
    ]
    assert silent == []
    if not all("no_norm" in _reasons(course) for course in posted.courses):
        assert sum(map(_assessed, posted.courses)) > len(posted.courses) / 2


def _assessed(course: dict[str, Any]) -> bool:
    """Whether something is forecast from the latest measure that counts."""
    used = [
        one
        for trajectory in course["trajectories"]
        for one in trajectory["assessments"]
        if one["used"] and not one["not_assessable"]
    ]
    return bool(used) and used[-1]["state"]["p_fail"] is not None


def _reasons(course: dict[str, Any]) -> list[str]:
    """Why a course, or each of its measures, cannot be assessed."""
    found = [one["evidence"]["reasons"] for one in course["findings"] if _is_ignorance(one)]
    for trajectory in course["trajectories"]:
        found += [one["not_assessable"] for one in trajectory["assessments"][-1:]]
    return [reason for reasons in found for reason in reasons]


def _is_ignorance(finding: dict[str, Any]) -> bool:
    return bool(finding["channel"] == "not_assessable" and finding["status"] == "open")


def test_each_channel_speaks_of_real_courses(posted: Posted) -> None:
    """What the detector says of real people is more than one thing, and some of it is good."""
    channels = {one["channel"] for one in posted.findings()}
    assert channels >= {"good_news", "possibly_worse"}
    assert channels & {"off_track", "plateau", "reliable_deterioration", "gain_partly_lost"}


@pytest.mark.parametrize("series", SERIES, ids=lambda one: one.instrument)
def test_intervals_learned_from_other_courses_cover_about_what_they_say(series: Series) -> None:
    words = ["--csv", str(series.path), "--client", series.person, "--day", series.time]
    words += ["--unit", "weeks" if series.days == 7 else "days", "--score", series.score]
    words += ["--instrument", series.instrument, "--min-measures", "3", "--bootstrap", "0"]
    told = CliRunner().invoke(main, ["evaluate", *words, "--json", "-"])
    assert told.exit_code == 0, told.output
    covered = json.loads(told.stdout)["rules"]["p-fail-learned"]["coverage"]
    assert set(covered) == {"1", "4", "6"}
    for weeks, share in covered.items():
        assert 0.75 <= share <= 0.90, f"{weeks} weeks ahead"
