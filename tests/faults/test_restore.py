"""A service goes back to a backup while the other is ahead: nothing is lost, twice, or unsaid."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from services.__main__ import main
from services.chassis.clock import SystemClock
from services.embedded import Embedded
from tests.faults import acknowledged, courses, detection, inbox
from tests.faults.auditor import audit, events, opened
from tests.faults.browser import Browser
from tests.faults.courses import channels, measure, row
from tests.faults.ehr import Ehr, Told
from tests.faults.house import LIND, House, prepared, running, settle, until

CLOCK = SystemClock()
TODAY = CLOCK.now().date()
WORSE = "reliable_deterioration"
EARLY = 4
"""Measures of a course before the backup: too few for it to be worse at two in a row."""


def told(*arguments: str | Path) -> str:
    """What a command says that has to succeed."""
    done: Result = CliRunner().invoke(main, [str(one) for one in arguments])
    assert done.exit_code == 0, done.output
    return done.output


def begins(ehr: Ehr, name: str, count: int) -> None:
    """A course that will be worse, with its first measures."""
    courses.announce(ehr, name, day(0).isoformat())
    goes_on(ehr, name, range(count))


def goes_on(ehr: Ehr, name: str, numbers: range) -> None:
    for number in numbers:
        body = measure(name, number, day(number).isoformat(), courses.WORSE[number])
        ehr.send("POST", "/v1/measures", body)


def day(number: int) -> date:
    return TODAY - timedelta(weeks=len(courses.WORSE) - 1 - number)


def unconfirmed(both: Embedded, name: str) -> dict[str, bool]:
    """Channel to whether it is marked so, for those that the inbox shows."""
    found = row(both, CLOCK, LIND, name)
    assert found is not None, f"{name} is no longer in the inbox"
    lines = (found.main, *found.others)
    return {one.channel: bool(one.unconfirmed) for one in lines if one.channel != "risk_answer"}


@pytest.fixture
def house(tmp_path: Path) -> House:
    return prepared(tmp_path / "data", CLOCK)


def test_outcomes_goes_back_and_alerts_says_what_is_unconfirmed(
    house: House, tmp_path: Path
) -> None:
    with running(house, CLOCK) as (both, ehr):
        begins(ehr, "known", len(courses.WORSE))
        begins(ehr, "half", EARLY)
        settle(both)
        told("outcomes", "backup", tmp_path / "backup", "--data", house.data)
        goes_on(ehr, "half", range(EARLY, len(courses.WORSE)))
        begins(ehr, "after", len(courses.WORSE))
        settle(both)
        assert all(WORSE in unconfirmed(both, name) for name in ("known", "half", "after"))
        before = {name: channels(row(both, CLOCK, LIND, name)) for name in ("half", "after")}
        sent = ehr.record.all()

    said = told("outcomes", "restore", tmp_path / "backup", "--replace", "--data", house.data)
    assert "All is well" in said

    with running(house, CLOCK) as (both, ehr):
        settle(both)
        assert unconfirmed(both, "known")[WORSE] is False
        for name in ("half", "after"):
            marks = unconfirmed(both, name)
            assert marks[WORSE], "a finding that the source does not hold is marked"
            assert channels(row(both, CLOCK, LIND, name)) == before[name], "nothing is withdrawn"
        browser = Browser(lambda: both.alerts_url)
        browser.sign_in(both.invite(LIND))
        for path in ("/", f"/episodes/{courses.episode_id(both, 'after').hex}"):
            assert "Source restored, unconfirmed" in browser.get(path).text
        again(ehr, sent)
        settle(both)
        for name in ("known", "half", "after"):
            assert not any(unconfirmed(both, name).values()), "it was found again"
        assert "unconfirmed" not in browser.get("/").text
        told_again = [one for one in ehr.record.all() if not one.taken]
        assert told_again == []
    for service in ("outcomes", "alerts"):
        assert "All is well" in told(service, "verify", "--data", house.data)
    assert left(house.data, sent) == []


def left(data: Path, sent: list[Told]) -> list[str]:
    """The auditor's parts about what stands at the end.

    What alerts heard of the course of events that is no more stays in its log, so that the two
    cannot be held against each other event by event.
    """
    with opened(data, CLOCK) as (outcomes, alerts):
        ours, theirs = list(events(outcomes.log)), list(events(alerts.log))
        faults = acknowledged.of_measures(sent, "ehr", ours)
        faults += acknowledged.of_episodes(sent, "ehr", ours)
        faults += detection.differences(outcomes, ours)
        faults += inbox.open_twice(theirs)
        return faults + inbox.differences(alerts, LIND, theirs, CLOCK.now())


def again(ehr: Ehr, sent: list[Told]) -> None:
    """The sender repeats all that it ever sent, in the same order."""
    for one in sent:
        ehr.send(one.method, one.path, one.body)


def test_alerts_goes_back_and_has_all_of_it_again_once(house: House, tmp_path: Path) -> None:
    with running(house, CLOCK) as (both, ehr):
        begins(ehr, "known", len(courses.WORSE))
        begins(ehr, "half", EARLY)
        settle(both)
        told("alerts", "backup", tmp_path / "backup", "--data", house.data)
        goes_on(ehr, "half", range(EARLY, len(courses.WORSE)))
        begins(ehr, "after", len(courses.WORSE))
        settle(both)
        before = both.alerts.log.head()
        sent = ehr.record.all()

    told("alerts", "restore", tmp_path / "backup", "--replace", "--data", house.data)
    with running(house, CLOCK) as (both, _):
        settle(both)
        assert both.alerts.log.head() == before, "what was lost has come again"
        told("outcomes", "resend", "--from", "1", "--data", house.data)
        key = courses.episode_id(both, "known")
        told("outcomes", "resend", "--episode", str(key), "--data", house.data)
        until(lambda: both.outcomes.store.parking.list() == [])
        settle(both)
        assert both.alerts.log.head() == before, "what is sent again has no effect"
    assert audit(house.data, sent, clinician=LIND) == []


def test_both_go_back(house: House, tmp_path: Path) -> None:
    """To different moments: what alerts lacks is in the log that outcomes has left."""
    with running(house, CLOCK) as (both, ehr):
        begins(ehr, "half", EARLY)
        settle(both)
        told("alerts", "backup", tmp_path / "alerts", "--data", house.data)
        goes_on(ehr, "half", range(EARLY, len(courses.WORSE)))
        settle(both)
        told("outcomes", "backup", tmp_path / "outcomes", "--data", house.data)
        begins(ehr, "after", 2)
        settle(both)
        sent = ehr.record.all()
    for service in ("outcomes", "alerts"):
        told(service, "restore", tmp_path / service, "--replace", "--data", house.data)
    with running(house, CLOCK) as (both, ehr):
        settle(both)
        assert unconfirmed(both, "half")[WORSE] is False
        again(ehr, sent)
        settle(both)
    assert audit(house.data, sent, clinician=LIND) == []


def test_a_folder_that_runs_is_not_restored(house: House, tmp_path: Path) -> None:
    with running(house, CLOCK):
        told("outcomes", "backup", tmp_path / "backup", "--data", house.data)
        command = ["outcomes", "restore", str(tmp_path / "backup"), "--replace"]
        done = CliRunner().invoke(main, [*command, "--data", str(house.data)])
    assert done.exit_code == 1
    assert "stop them first" in done.output
