"""`outcomes import`: a clinic's history comes in once, and every row is answered for."""

import csv
import json
import signal
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from services.__main__ import main
from services.chassis.clock import SystemClock
from services.outcomes import settings
from services.outcomes.commands.history import Results, Source
from services.outcomes.wiring import Outcomes

ROOT = Path(__file__).parents[2]
HEADER = "external_id,client,episode,instrument,administered_at," + ",".join(
    f"item_{number}" for number in range(1, 10)
)
FIRST = "m-1,K-1,E-1,phq-9,2025-03-02,2,2,1,2,1,1,1,0,0"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    invoke("sender", "add", "ehr", "--data", folder)
    return folder


def invoke(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["outcomes", *map(str, arguments)])


def take(data: Path, file: Path, *more: str | Path) -> Result:
    return invoke("import", file, "--sender", "ehr", "--data", data, *more)


def table(path: Path, *rows: str, header: str = HEADER) -> Path:
    path.write_text("\n".join((header, *rows)) + "\n", "utf-8")
    return path


def told(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if row["row"] != "0"]


def stored(data: Path) -> list[str]:
    with ExitStack() as stack:
        service = Outcomes.open(settings.of_folder(data), SystemClock())
        stack.callback(service.stop)
        page = service.log.page(0, 10_000)
        return [
            entry.event.external_id
            for entry in page.entries
            if entry.event.TOPIC.startswith("measure.")
        ]


def test_rows_are_recorded_once_however_often_they_come(data: Path, tmp_path: Path) -> None:
    file = table(tmp_path / "old.csv", FIRST, FIRST.replace("m-1", "m-2"))
    assert take(data, file).stdout == "Imported: 2 recorded.\n"
    assert take(data, file).stdout == "Imported: 2 repeated.\n"
    assert stored(data) == ["m-1", "m-2"]


def test_every_refused_row_is_told_with_its_reason_and_no_cell(data: Path, tmp_path: Path) -> None:
    file = table(
        tmp_path / "old.csv",
        FIRST,
        FIRST.replace("m-1", "m-2").replace(",2,2,1,", ",2,9,1,"),
        FIRST.replace("m-1", "m-3").replace("2025-03-02", "02.03.2025"),
        FIRST.replace("m-1", "m-4").replace("K-1", ""),
        FIRST.replace("m-1", "m-5").replace(",0,0", ",0,secret"),
        FIRST.replace("m-1", "m-6").replace("phq-9", "own-scale"),
        FIRST.replace("m-1", "m-7").replace("K-1", "K-2"),
        "m-8,K-1",
    )
    results = tmp_path / "results.csv"
    ended = take(data, file, "--results", results)
    assert ended.exit_code == 1
    assert "2 held, 1 recorded, 5 refused" in ended.output
    rows = told(results)
    assert [int(row["row"]) for row in rows] == list(range(2, 10))
    reasons = {row["external_id"]: row["reason"] for row in rows}
    assert reasons["m-2"].startswith("items/1 must be a whole number from 0 to 3")
    assert reasons["m-3"].startswith("administered_at")
    assert reasons["m-4"] == "client is missing"
    assert reasons["m-5"].startswith("items/8")
    assert reasons[""] == "has 2 cells where the header has 14"
    assert "secret" not in results.read_text() + ended.output
    assert {row["external_id"] for row in rows if row["status"] == "held"} == {"m-6", "m-7"}


def test_a_dry_run_stores_nothing_and_says_the_same(data: Path, tmp_path: Path) -> None:
    file = table(tmp_path / "old.csv", FIRST, FIRST.replace(",2,2,1,", ",2,9,1,"))
    results = tmp_path / "trial.csv"
    ended = take(data, file, "--dry-run", "--results", results)
    assert ended.exit_code == 1
    assert ended.stdout.startswith("Tried, nothing stored: 1 fits, 1 refused.")
    assert stored(data) == []
    # A trial's results are not taken for those of an import.
    assert "another way" in take(data, file, "--results", results, "--resume").output


def test_a_mapping_file_reads_another_systems_table(data: Path, tmp_path: Path) -> None:
    file = table(
        tmp_path / "export.csv",
        "0042;case 7;14.03.2025;12,0;PHQ",
        header="patient;treatment;day;sum;form",
    )
    mapping = tmp_path / "mapping.toml"
    mapping.write_text(
        '[columns]\nclient = "patient"\nepisode = "treatment"\nadministered_at = "day"\n'
        'total = "sum"\ninstrument = "form"\n'
        '[constants]\nclinician = "T-1"\n'
        '[templates]\nexternal_id = "{client}/{instrument}/{administered_at}"\n'
        '[values.instrument]\nPHQ = "phq-9"\n'
        '[format]\ndate = "%d.%m.%Y"\ndecimal = ","\n'
    )
    assert take(data, file, "--mapping", mapping).stdout == "Imported: 1 recorded.\n"
    assert stored(data) == ["0042/phq-9/2025-03-14"]


def test_what_a_mapping_cannot_make_out_is_refused_and_not_guessed(
    data: Path, tmp_path: Path
) -> None:
    file = table(
        tmp_path / "old.csv",
        "K;E;phq-9;2025-03-02;12;1",
        "K;E;phq-9;2025-03-09;11;",
        "K;E;phq-9;2025-03-16;10;",
        "K;E;phq-9;2025-03-23;1.2;4",
        header="client;episode;instrument;administered_at;total;session_number",
    )
    mapping, results = tmp_path / "mapping.toml", tmp_path / "results.csv"
    mapping.write_text(
        '[templates]\nexternal_id = "{client}/{session_number}"\n[format]\ndecimal = ","\n'
    )
    assert take(data, file, "--mapping", mapping, "--results", results).exit_code == 1
    assert [(row["status"], row["reason"].split(" ")[0]) for row in told(results)] == [
        ("recorded", ""), ("refused", "external_id"), ("refused", "external_id"),
        ("refused", "total"),
    ]  # fmt: skip
    assert stored(data) == ["K/1"]


def test_lines_of_json_are_taken_as_at_the_door(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "old.ndjson"
    good = {
        "external_id": "m-1", "client": "K", "episode": "E", "instrument": "gad-7",
        "administered_at": "2025-03-02T10:00:00Z", "items": [1, 1, 1, 1, 1, 1, None],
    }  # fmt: skip
    lines = [json.dumps(good), "", "{not json", '{"a": 1, "a": 2}', "[1]"]
    file.write_text("\n".join(lines))
    results = tmp_path / "results.csv"
    assert take(data, file, "--results", results).exit_code == 1
    assert [(row["row"], row["status"]) for row in told(results)] == [
        ("1", "recorded"), ("3", "refused"), ("4", "refused"), ("5", "refused"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("old.csv", "", "is empty"),
        ("old.xlsx", "PK", "ends in .csv"),
        ("old.csv", "\n", "row 1 names each column"),
        ("old.csv", "client,client\n1,2\n", "each once"),
    ],
)
def test_a_file_of_another_kind_is_refused(
    data: Path, tmp_path: Path, name: str, text: str, says: str
) -> None:
    file = tmp_path / name
    file.write_text(text)
    ended = take(data, file)
    assert ended.exit_code == 1
    assert says in ended.output


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[columns", "is no TOML"),
        ("[column]\n", "column is nothing that a mapping has"),
        ('[columns]\nscore = "x"\n', "columns.score is nothing"),
        ('[columns]\ntotal = "points"\n', "has no column points"),
        ("[columns]\ntotal = 1\n", "total is a text"),
        ('[columns]\nitems = "x"\n', "columns.items is a list"),
        ('[format]\ndecimal = ""\n', 'format.decimal is "." or ","'),
        ('[templates]\nexternal_id = "{patient}"\n', "templates.external_id: {patient} is no"),
        ('[templates]\nexternal_id = "{client/1"\n', "a brace that belongs to no {field}"),
        ('[templates]\nexternal_id = "x"\n', "templates.external_id would make one measure of"),
        ('[constants]\nexternal_id = "x"\n', "constants.external_id would make one measure of"),
        ('columns = "x"\n', "mapping.toml: columns is a table"),
        ('[values]\nclient = "x"\n', "mapping.toml: values.client is a table"),
        ("[values.client]\nK-1 = 5\n", "mapping.toml: K-1 is a text"),
        ('[columns]\nitems = ["item_1", "item_2", "item_1"]\n', "items names item_1 twice"),
        ('[format]\ndate = "%d.%m."\n', 'format.date is no form of a day such as "%d.%m.%Y"'),
        ('[format]\ndate = "%Q"\n', "format.date is no form of a day"),
        ("a = " + "[" * 5_000, "mapping.toml: is nested too deep"),
    ],
)
def test_a_mapping_that_cannot_be_is_told_with_its_place(
    data: Path, tmp_path: Path, text: str, says: str
) -> None:
    mapping = tmp_path / "mapping.toml"
    mapping.write_text(text)
    ended = take(data, table(tmp_path / "old.csv", FIRST), "--mapping", mapping)
    assert ended.exit_code == 1
    assert says in ended.output


def test_an_unknown_sender_and_a_second_beginning_are_refused(data: Path, tmp_path: Path) -> None:
    file, results = table(tmp_path / "old.csv", FIRST), tmp_path / "results.csv"
    assert (
        "no sender of that name"
        in invoke("import", file, "--sender", "nobody", "--data", data).output
    )
    take(data, file, "--results", results)
    assert "is there already" in take(data, file, "--results", results).output
    assert take(data, file, "--results", results, "--resume").stdout == "Imported: no rows.\n"
    other = table(tmp_path / "other.csv", FIRST, FIRST)
    assert "another file" in take(data, other, "--results", results, "--resume").output


def test_what_breaks_off_is_told_and_what_came_before_is_kept(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "old.csv"
    file.write_bytes((HEADER + "\n" + FIRST + "\n").encode() + b'm-2,"\xff\xfe' + b"x" * 10)
    ended = take(data, file)
    assert ended.exit_code == 1
    assert "1 recorded, 1 refused" in ended.stdout
    assert "Traceback" not in ended.output


def test_a_quotation_mark_that_stays_open_is_told_by_its_own_row(
    data: Path, tmp_path: Path
) -> None:
    rows = [FIRST, 'm-2,"K-1,E-1', *(FIRST.replace("m-1", f"m-{n}") for n in range(3, 9))]
    results = tmp_path / "results.csv"
    take(data, table(tmp_path / "old.csv", *rows), "--results", results)
    assert [(row["row"], row["status"]) for row in told(results)] == [
        ("2", "recorded"),
        ("3", "refused"),
    ]


@pytest.mark.parametrize("text", ["my only copy, in one line", HEADER + "\n" + FIRST, "\n\nx"])
def test_what_are_no_results_is_left_as_it_is(data: Path, tmp_path: Path, text: str) -> None:
    other = tmp_path / "mine.csv"
    other.write_text(text)
    file = table(tmp_path / "old.csv", FIRST)
    for more in ((), ("--resume",)):
        ended = take(data, file, "--results", other, *more)
        assert (ended.exit_code, other.read_text()) == (1, text)
    assert stored(data) == []


def test_an_import_that_was_killed_before_its_first_rows_can_begin_anew(
    data: Path, tmp_path: Path
) -> None:
    file, results = table(tmp_path / "old.csv", FIRST), tmp_path / "results.csv"
    for more in ((), ("--resume",)):
        results.write_bytes(b"")
        assert take(data, file, "--results", results, *more).exit_code == 0
        assert [row["row"] for row in told(results)] == ["2"]


def test_two_imports_do_not_write_the_same_results(data: Path, tmp_path: Path) -> None:
    file, results = table(tmp_path / "old.csv", FIRST), tmp_path / "results.csv"
    with Source(file) as source, closing(Results(results, source, resume=False, how="import")):
        ended = take(data, file, "--results", results, "--resume")
        assert "another import is writing to results.csv" in ended.output
    assert stored(data) == []
    assert take(data, file, "--results", results, "--resume").exit_code == 0
    assert stored(data) == ["m-1"]


@pytest.mark.parametrize(
    ("line", "fault"), [("x,recorded,m-1,", True), ("", True), ("3,recorded,m-\udce9,", False)]
)
def test_results_that_were_edited_are_told_by_their_line(
    data: Path, tmp_path: Path, line: str, fault: bool
) -> None:
    file, results = table(tmp_path / "old.csv", FIRST), tmp_path / "results.csv"
    take(data, file, "--results", results)
    with results.open("ab") as more:
        more.write(line.encode("utf-8", "surrogateescape") + b"\r\n")
    ended = take(data, file, "--results", results, "--resume")
    assert ended.exit_code == fault
    assert ("results.csv, line 4: is no result of a row" in ended.output) == fault


def test_a_killed_import_goes_on_where_it_ended(data: Path, tmp_path: Path) -> None:
    count = 6_000
    rows = [f"m-{n},K-{n % 50},E-{n % 50},phq-9,2025-03-02,{n % 28}" for n in range(count)]
    header = "external_id,client,episode,instrument,administered_at,total"
    file = table(tmp_path / "old.csv", *rows, header=header)
    results = tmp_path / "results.csv"
    command = [
        sys.executable, "-m", "services", "outcomes", "import", str(file), "--sender", "ehr",
        "--data", str(data), "--results", str(results),
    ]  # fmt: skip
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 120
    while _lines(results) < 1_002 and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL, "it was done before it could be killed"
    results.write_text(results.read_text() + "9999,reco")  # a line that was cut off
    ended = take(data, file, "--results", results, "--resume")
    assert ended.exit_code == 0, ended.output
    rows_told = told(results)
    assert [int(row["row"]) for row in rows_told] == list(range(2, count + 2))
    assert {row["status"] for row in rows_told} <= {"recorded", "repeated"}
    assert sorted(_everything(data)) == sorted(f"m-{n}" for n in range(count))


def test_going_on_takes_no_memory_for_what_is_done(tmp_path: Path) -> None:
    file, path = table(tmp_path / "old.csv", FIRST), tmp_path / "results.csv"
    with Source(file) as source:
        Results(path, source, resume=False, how="import").close()
        with path.open("a", encoding="utf-8", newline="") as results:
            results.writelines(f"{row},recorded,m-{row},\r\n" for row in range(2, 100_002))
        tracemalloc.start()
        again = Results(path, source, resume=True, how="import")
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        again.close()
    assert again.done == 100_001
    assert peak < 2_000_000 < path.stat().st_size  # one is for the fingerprint


def test_a_whole_number_is_read_as_any_other(data: Path, tmp_path: Path) -> None:
    cells = ("12", "012", "12.0", "+12", "1234567890", "\u0661\u0662", "-3", "12.5")
    rows = [f"m-{n},K-1,E-1,phq-9,2025-03-02,{cell}" for n, cell in enumerate(cells)]
    header = "external_id,client,episode,instrument,administered_at,total"
    results = tmp_path / "results.csv"
    take(data, table(tmp_path / "old.csv", *rows, header=header), "--results", results)
    said = [(row["status"], row["reason"]) for row in told(results)]
    assert [status for status, _ in said] == ["recorded"] * 4 + ["refused"] * 4
    assert said[4][1] == said[5][1] != said[6][1]  # no numbers, against one out of range
    assert said[7][1] == "total must be a whole number"


def _lines(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


def _everything(data: Path) -> Sequence[str]:
    service = Outcomes.open(settings.of_folder(data), SystemClock())
    found: list[str] = []
    position = 0
    try:
        while (page := service.log.page(position, 5_000)).entries:
            found += [
                entry.event.external_id
                for entry in page.entries
                if entry.event.TOPIC == "measure.recorded"
            ]
            position = page.scanned_to
    finally:
        service.stop()
    return found
