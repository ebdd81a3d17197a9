"""`outcomes import` of whole courses: openings, sessions, approaches, events, endings, measures."""

import csv
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from services.__main__ import main
from services.chassis.clock import SystemClock
from services.outcomes import settings
from services.outcomes.api import schemas
from services.outcomes.formats import table
from services.outcomes.wiring import Outcomes

Told = dict[str, Any]

OPENING: Told = {
    "kind": "episode", "episode": "E-1", "client": "K-1", "clinician": "T-1",
    "opened_on": "2024-01-08", "approach": "CBT", "problem": "depression", "client_age": 34,
    "client_gender": "female", "primary_instrument": "PHQ-9", "planned_sessions": 16,
}  # fmt: skip
SESSION: Told = {
    "kind": "session", "episode": "E-1", "external_id": "s-1", "on": "2024-01-15",
    "attendance": "attended",
}  # fmt: skip
MEASURE: Told = {
    "external_id": "m-1", "client": "K-1", "episode": "E-1", "instrument": "phq-9",
    "administered_at": "2024-01-15", "total": 14,
}  # fmt: skip
APPROACH: Told = {"kind": "approach", "episode": "E-1", "approach": "EMDR", "since": "2024-03-04"}
EVENT: Told = {
    "kind": "life event", "episode": "E-1", "external_id": "f-1", "on": "2024-02-01",
    "label": "moved house",
}  # fmt: skip
CLOSING: Told = {
    "kind": "closing", "episode": "E-1", "on": "2024-06-03", "reason": "planned ending",
}  # fmt: skip
COURSE = (OPENING, SESSION, MEASURE, APPROACH, EVENT, CLOSING)
TOPICS = [
    "episode.opened", "episode.approach_chosen", "episode.session_recorded", "measure.recorded",
    "episode.approach_chosen", "episode.fact_noted", "episode.closed",
]  # fmt: skip


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    assert invoke("sender", "add", "ehr", "--data", folder).exit_code == 0
    return folder


def invoke(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["outcomes", *map(str, arguments)])


def take(data: Path, file: Path, *more: str | Path) -> Result:
    return invoke("import", file, "--sender", "ehr", "--data", data, *more)


def lined(path: Path, *rows: Told) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def told(path: Path) -> list[tuple[str, str]]:
    """Status and reason of each row."""
    with path.open(encoding="utf-8", newline="") as file:
        return [(row["status"], row["reason"]) for row in csv.DictReader(file) if row["row"] != "0"]


@contextmanager
def opened(data: Path) -> Iterator[Outcomes]:
    service = Outcomes.open(settings.of_folder(data), SystemClock())
    try:
        yield service
    finally:
        service.stop()


def events(data: Path) -> list[Any]:
    with opened(data) as service:
        every = [entry.event for entry in service.log.page(0, 10_000).entries]
    return [one for one in every if one.TOPIC.startswith(("episode.", "measure."))]


def topics(data: Path) -> list[str]:
    return [one.TOPIC for one in events(data)]


def test_a_course_is_recorded_in_the_order_of_its_rows(data: Path, tmp_path: Path) -> None:
    assert take(data, lined(tmp_path / "old.ndjson", *COURSE)).stdout == "Imported: 6 recorded.\n"
    assert topics(data) == TOPICS
    opening, begun, *_, event, closing = events(data)
    assert (opening.client, opening.client_age, opening.primary_instrument) == ("K-1", 34, "phq-9")
    assert (begun.approach, begun.since) == ("CBT", "2024-01-08")
    assert (event.kind, event.label) == ("life event", "moved house")
    assert (closing.on, closing.reason) == ("2024-06-03", "planned ending")


def test_a_course_that_has_ended_comes_again_without_effect(data: Path, tmp_path: Path) -> None:
    """The door refuses the plan of a closed course; a history only tells again what was so."""
    replanned = {**OPENING, "clinician": "T-2", "planned_sessions": 20}
    again = {**replanned, "reopened_on": "2024-07-01"}
    file = lined(
        tmp_path / "old.ndjson", *COURSE[:-1], replanned, CLOSING, again,
        {**CLOSING, "on": "2024-09-02"},
    )  # fmt: skip
    first, results = tmp_path / "first.csv", tmp_path / "second.csv"
    assert take(data, file, "--results", first).exit_code == 0
    assert [status for status, _ in told(first)] == [
        *["recorded"] * 5, "changed", "recorded", "changed", "recorded",
    ]  # fmt: skip
    before = topics(data)
    assert before[-3:] == ["episode.closed", "episode.reopened", "episode.closed"]
    assert take(data, file, "--results", results).exit_code == 0
    assert {status for status, _ in told(results)} == {"repeated"}
    assert topics(data) == before


def test_what_a_closed_course_was_never_told_is_refused(data: Path, tmp_path: Path) -> None:
    take(data, lined(tmp_path / "old.ndjson", *COURSE))
    other = {**CLOSING, "reason": "moved away"}
    file = lined(tmp_path / "new.ndjson", {**OPENING, "planned_sessions": 12}, other)
    results = tmp_path / "results.csv"
    assert take(data, file, "--results", results).exit_code == 1
    assert [(status, reason[:22]) for status, reason in told(results)] == [
        ("refused", "This episode is closed"), ("refused", "This episode is closed"),
    ]  # fmt: skip
    assert topics(data) == TOPICS


def test_the_last_word_on_a_session_or_an_event_counts(data: Path, tmp_path: Path) -> None:
    rows = OPENING, SESSION, {**SESSION, "attendance": "missed"}, EVENT, {**EVENT, "label": "x"}
    results = tmp_path / "results.csv"
    take(data, lined(tmp_path / "old.ndjson", *rows), "--results", results)
    assert [status for status, _ in told(results)] == [
        "recorded", "recorded", "changed", "recorded", "changed",
    ]  # fmt: skip
    assert [one.attendance for one in events(data) if one.TOPIC.endswith("session_recorded")] == [
        "attended", "missed",
    ]  # fmt: skip


def test_an_import_of_courses_goes_on_behind_the_last_row_that_is_settled(
    data: Path, tmp_path: Path
) -> None:
    """Some rows behind it were stored before the crash, some were not."""
    file, results = lined(tmp_path / "old.ndjson", *COURSE), tmp_path / "results.csv"
    take(data, lined(tmp_path / "stored.ndjson", *COURSE[:4]))
    take(data, file, "--results", results)
    lines = results.read_bytes().splitlines(keepends=True)
    results.write_bytes(b"".join(lines[:4]) + b"3,reco")
    ended = take(data, file, "--results", results, "--resume")
    assert ended.stdout == "Imported: 4 repeated.\n"
    assert [status for status, _ in told(results)] == ["repeated"] * 6
    assert topics(data) == TOPICS


FAULTS: list[tuple[Told, str]] = [
    ({**SESSION, "kind": "seance"}, "kind must be one of: approach, closing, episode, measure"),
    ({**SESSION, "kind": ["session"]}, "kind must be one of: "),
    ({**EVENT, "kind": "event"}, "kind must be one of: medication, life event, break"),
    ({**SESSION, "episode": None}, "episode is missing"),
    ({**SESSION, "attendance": "slept"}, "attendance must be one of: attended, late"),
    ({**SESSION, "on": "2999-01-01"}, "on lies in the future"),
    ({"kind": "session", "episode": "E-1"}, "external_id is missing; on is missing; attendance"),
    ({"kind": "closing", "episode": "E-1", "on": "2024-06-03"}, "reason is missing"),
    ({"kind": "approach", "episode": "E-1", "approach": "EMDR"}, "since is missing"),
    ({"kind": "episode", "episode": "E-9", "client": "K"}, "clinician is missing; opened_on is"),
    ({**SESSION, "episode": "E-7"}, "You have announced no episode under this reference"),
    ({**CLOSING, "on": "2024-01-01"}, "on lies before the day on which the episode was opened"),
    ({**OPENING, "client": "K-2"}, "This episode was announced for another client"),
    ({**OPENING, "reopened_on": "2024-05-01"}, "This episode is not closed"),
]


@pytest.mark.parametrize("more", [(), ("--dry-run",)], ids=["import", "dry run"])
def test_each_fault_is_told_in_its_row_and_holds_up_no_other(
    data: Path, tmp_path: Path, more: tuple[str, ...]
) -> None:
    rows = [OPENING, *(row for row, _ in FAULTS), SESSION, CLOSING]
    results = tmp_path / "results.csv"
    ended = take(data, lined(tmp_path / "old.ndjson", *rows), "--results", results, *more)
    assert ended.exit_code == 1
    first, *refused, session, closing = told(results)
    kept = ("fits", "") if more else ("recorded", "")
    assert (first, session, closing) == (kept, kept, kept)
    for (status, reason), (_, says) in zip(refused, FAULTS, strict=True):
        assert status == "refused"
        assert says in reason
    assert len(events(data)) == (0 if more else 4)


def test_a_dry_run_knows_what_is_stored_and_what_the_file_told_before(
    data: Path, tmp_path: Path
) -> None:
    """Rows far apart, and a course whose opening came with another file."""
    take(data, lined(tmp_path / "openings.ndjson", OPENING))
    many = [{**MEASURE, "external_id": f"m-{number}"} for number in range(1_200)]
    second = {**OPENING, "episode": "E-2", "client": "K-2"}
    rows = SESSION, CLOSING, second, *many, {**SESSION, "episode": "E-2"}, OPENING, APPROACH
    file, results = lined(tmp_path / "old.ndjson", *rows), tmp_path / "results.csv"
    assert take(data, file, "--dry-run", "--results", results).exit_code == 0
    assert {status for status, _ in told(results)} == {"fits"}
    assert topics(data) == TOPICS[:2]
    with opened(data) as service:
        assert service.store.vault.find("ehr", "K-2") is None


def test_an_erased_client_stays_so_and_holds_up_no_other(data: Path, tmp_path: Path) -> None:
    take(data, lined(tmp_path / "old.ndjson", *COURSE))
    assert invoke("erase", "--client", "ehr", "K-1", "--yes", "--data", data).exit_code == 0
    other = {**OPENING, "episode": "E-2", "client": "K-2"}
    file = lined(tmp_path / "new.ndjson", *COURSE, other, {**MEASURE, "client": "K-2"})
    for more in ((), ("--dry-run",)):
        results = tmp_path / f"results{len(more)}.csv"
        assert take(data, file, "--results", results, *more).exit_code == 1
        gone = [reason.startswith("This client was erased") for _, reason in told(results)]
        assert gone[:2] + gone[3:6] == [True] * 5
        assert not gone[6]


def test_a_table_of_all_kinds_is_read_by_a_mapping_file(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "export.csv"
    file.write_text(
        "type;case;patient;day;therapist;what;points;planned\n"
        "begin;7;0042;08.01.2024;;CBT;;1,0\n"
        "visit;7;0042;15.01.2024;;came;;\n"
        ";7;0042;15.01.2024;;;14,0;\n"
        "pills;7;0042;01.02.2024;;sertraline;;\n"
        "change;7;0042;04.03.2024;;EMDR;;\n"
        "end;7;0042;03.06.2024;;done;;\n"
    )
    mapping = tmp_path / "mapping.toml"
    days = "".join(f'{name} = "day"\n' for name in ("opened_on", "on", "since", "administered_at"))
    texts = "".join(f'{name} = "what"\n' for name in ("approach", "attendance", "label", "reason"))
    mapping.write_text(
        '[columns]\nkind = "type"\nepisode = "case"\nclient = "patient"\ntotal = "points"\n'
        f'clinician = "therapist"\nplanned_sessions = "planned"\n{days}{texts}'
        '[constants]\ninstrument = "phq-9"\n'
        '[templates]\nexternal_id = "{episode}/{on}"\n'
        '[values.kind]\nbegin = "episode"\nvisit = "session"\npills = "medication"\n'
        'change = "approach"\nend = "closing"\n'
        '[values.attendance]\ncame = "attended"\n'
        '[format]\ndate = "%d.%m.%Y"\ndecimal = ","\n'
    )
    assert take(data, file, "--mapping", mapping).stdout == "Imported: 6 recorded.\n"
    assert topics(data) == [*TOPICS[:4], "episode.fact_noted", *TOPICS[4:5], "episode.closed"]
    opening, _, session, _, event, begun, closing = events(data)
    assert (opening.client, opening.clinician, opening.planned_sessions) == ("0042", None, 1)
    assert (session.session, session.attendance) == ("7/2024-01-15", "attended")
    assert (event.kind, event.label, event.on) == ("medication", "sertraline", "2024-02-01")
    assert (begun.approach, begun.since) == ("EMDR", "2024-03-04")
    assert (closing.reason, closing.on) == ("done", "2024-06-03")


def test_a_table_of_one_kind_and_one_whose_kind_means_something_else(
    data: Path, tmp_path: Path
) -> None:
    take(data, lined(tmp_path / "openings.ndjson", OPENING))
    sessions, measures = tmp_path / "sessions.csv", tmp_path / "measures.csv"
    sessions.write_text("episode,on,attendance\nE-1,2024-01-15,attended\n")
    measures.write_text(
        "kind,external_id,client,episode,administered_at,total\n"
        "paper,m-1,K-1,E-1,2024-01-15,14\ntablet,m-2,K-1,E-1,2024-01-22,13\n"
    )
    of_sessions, of_measures = tmp_path / "sessions.toml", tmp_path / "measures.toml"
    of_sessions.write_text(
        '[constants]\nkind = "session"\n[templates]\nexternal_id = "{episode}/{kind}/{on}"\n'
    )
    of_measures.write_text(
        '[constants]\ninstrument = "phq-9"\n[values.kind]\npaper = "measure"\ntablet = "measure"\n'
    )
    assert take(data, measures).exit_code == 1
    assert take(data, sessions, "--mapping", of_sessions).stdout == "Imported: 1 recorded.\n"
    assert take(data, measures, "--mapping", of_measures).stdout == "Imported: 2 recorded.\n"
    assert [one.session for one in events(data) if one.TOPIC.endswith("session_recorded")] == [
        "E-1/session/2024-01-15"
    ]


FORMS = {
    table.MEASURE: schemas.MeasureIn, table.EPISODE: schemas.EpisodeIn,
    table.APPROACH: schemas.ApproachIn, table.SESSION: schemas.SessionIn,
    table.EVENT: schemas.FactIn, table.CLOSING: schemas.CloseIn,
}  # fmt: skip


@pytest.mark.parametrize("kind", table.FIELDS)
def test_a_row_may_hold_what_the_door_takes(kind: str) -> None:
    assert {*table.FIELDS[kind], "items"} == {*FORMS[kind]._declared_fields, "episode", "items"}
