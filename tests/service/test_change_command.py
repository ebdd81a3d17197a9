"""`pivotpoint change` from outside: tables good and bad in, counts, JSON or clear errors out."""

import json
import random
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from services.__main__ import main

WIDE = ("--client", "id", "--pre", "pre", "--post", "post")
LONG = ("--client", "id", "--day", "day", "--score", "score")
GOOD = "id,pre,post\nA,20,8\nB,18,17\nC,12,19\nD,15,9\n"
COURSES = "id,day,score\n" + "".join(
    f"{name},{7 * week},{start + slope * week + (week * 7 + start) % 3}\n"
    for name, start, slope in (("A", 20, -2), ("B", 18, 0), ("C", 15, 1), ("D", 22, -1))
    for week in range(8)
)


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["change", *map(str, arguments)])


@pytest.fixture
def given(tmp_path: Path) -> Any:
    def write(content: str | bytes) -> Path:
        path = tmp_path / "table.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def judged(given: Any, content: str | bytes, *options: str) -> dict[str, Any]:
    told = run("--csv", given(content), *options, "--json", "-")
    assert told.exit_code == 0, told.output
    answer: dict[str, Any] = json.loads(told.stdout)
    return answer


def test_the_couples_of_1991(given: Any) -> None:
    answer = judged(
        given, "id,pre,post\nX,32.5,47.5\n", *WIDE, "--reliability", ".8", "--higher-is", "better",
        "--clinical-mean", "40", "--clinical-sd", "7.5", "--functional-mean", "60",
        "--functional-sd", "7.5",
    )  # fmt: skip
    method = answer["methods"]["jacobson-truax"]
    assert method["used"]["sem"] == pytest.approx(3.354, abs=5e-4)
    assert method["s_diff"] == pytest.approx(4.743, abs=5e-4)
    assert (method["cutoff"], method["cutoff_kind"]) == (50, "c")
    assert method["rows"] == [
        {"client": "X", "pre": 32.5, "post": 47.5, "change": 15.0, "class": "improved",
         "statistic": pytest.approx(3.162, abs=5e-4), "why": None},
    ]  # fmt: skip
    assert method["summary"] == {
        "recovered": 0, "improved": 1, "unchanged": 0, "deteriorated": 0, "harmed": 0,
        "not_assessable": 0,
    }  # fmt: skip


def test_every_method_that_a_table_allows_is_used_and_the_others_are_named(given: Any) -> None:
    content = GOOD + "E,,5\nF,14,NA\n"
    answer = judged(
        given, content, *WIDE, "--method", "all", "--reliability", ".85", "--anchor", "5",
        "--percent", "50", "--cutoff", "10",
    )  # fmt: skip
    assert set(answer["methods"]) == {
        "jacobson-truax", "gulliksen-lord-novick", "hsu-lin-lord", "edwards-nunnally",
        "nunnally-kotsch", "hageman-arrindell", "anchor", "percentage",
    }  # fmt: skip
    assert set(answer["not_assessable"]) == {
        "hierarchical", "reliable-trend", "sudden-gains", "nhs-talking-therapies",
    }  # fmt: skip
    for method in answer["methods"].values():
        assert [row["client"] for row in method["rows"]] == list("ABCDEF")
        assert method["summary"]["not_assessable"] == 2
        assert sum(count or 0 for count in method["summary"].values()) == method["n"] == 6
    anchor = {row["client"]: row["class"] for row in answer["methods"]["anchor"]["rows"]}
    assert anchor["A"] == "recovered"
    assert anchor["B"] == "unchanged"
    assert anchor["C"] == "deteriorated"


def test_a_long_table_allows_the_others(given: Any) -> None:
    answer = judged(
        given, COURSES, *LONG, "--method", "all", "--reliability", ".85", "--anchor", "5"
    )
    assert {"hierarchical", "reliable-trend", "sudden-gains"} <= set(answer["methods"])
    slopes = answer["methods"]["hierarchical"]
    assert slopes["relative"]
    assert all("course" in row["class"] for row in slopes["rows"])
    assert "deteriorated" not in json.dumps(slopes["rows"])
    assert slopes["rows"][0]["measures"] == 8
    shuffled = COURSES.splitlines()
    random.Random(1).shuffle(lines := shuffled[1:])
    again = judged(given, "\n".join([shuffled[0], *lines]), *LONG, "--method", "hierarchical")
    first = {row["client"]: row["class"] for row in slopes["rows"]}
    assert {
        row["client"]: row["class"] for row in again["methods"]["hierarchical"]["rows"]
    } == first


def test_days_may_be_dates(given: Any) -> None:
    content = "id,day,score\nA,2026-03-01,20\nA,2026-03-08,12\nA,2026-02-22,21\n"
    answer = judged(
        given, content, *LONG, "--method", "reliable-trend", "--reliability", ".9",
        "--clinical-sd", "6",
    )  # fmt: skip
    (row,) = answer["methods"]["reliable-trend"]["rows"]
    assert (row["pre"], row["post"], row["slope_per_day"]) == (21, 12, pytest.approx(-9 / 14))


def test_two_measures_are_judged_together(given: Any) -> None:
    content = "id,pre,post,gpre,gpost\nA,15,8,12,7\nB,15,8,12,16\n"
    answer = judged(
        given, content, *WIDE, "--method", "nhs-talking-therapies", "--cutoff", "10", "--anchor",
        "6", "--second-pre", "gpre", "--second-post", "gpost", "--second-cutoff", "8",
        "--second-anchor", "4",
    )  # fmt: skip
    rows = answer["methods"]["nhs-talking-therapies"]["rows"]
    assert [row["class"] for row in rows] == ["recovered", "unchanged"]


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf" + GOOD.encode(),
        GOOD.replace(",", ";"),
        GOOD.replace(",", "\t"),
        GOOD.replace("\n", "\r\n"),
        GOOD.replace("20,8", '"20","8"') + "\n\n",
        GOOD.replace(",", ";").replace("20;8", "20,0;8,0"),
    ],
    ids=["byte-order mark", "semicolons", "tabs", "Windows", "quotes", "decimal commas"],
)
def test_tables_come_in_many_shapes(given: Any, content: str | bytes) -> None:
    plain = judged(given, GOOD, *WIDE, "--reliability", ".85")
    assert judged(given, content, *WIDE, "--reliability", ".85") == plain


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "table.csv is empty"),
        ("\n\n", "table.csv is empty"),
        ("id,pre,post\n", "has a header and no rows"),
        ("id,pre,past\nA,1,2\n", "has no column 'post'; it has id, pre, past"),
        ("id,pre,pre,post\nA,1,2,3\n", "more than one column 'pre'"),
        ("id,pre,post\nA,1,2\nB,nan,2\nC,inf,2\n", "row 3: pre is no finite number"),
        ("id,pre,post\nA,1,2\nB,1,two\n", "row 3: post is no number"),
        ("id,pre,post\nA,1,2\nB,1,1_000\n", "row 3: post is no number"),
        ("id,pre,post\nA,1,2\nB,1\n", "row 3: has 2 cells where the header has 3"),
        ("id,pre,post\nA,1,2\nB,1,2\nA,3,4\n", "row 4: is the same client as row 2"),
        ("id,pre,post\n,1,2\n", "row 2: names no client"),
        ("id,pre,post\nA,5,2\nB,5,3\n", "the scores before do not vary"),
        ("id,pre,post\nA,5,2\n", "needs the SD before"),
        ('id,pre,post\nA,"5"x,2\n', "row 2: is no CSV"),
        ("id,pre,post\nA,5,2\n".encode("utf-16"), "is not written in UTF-8"),
        (b"id,pre,post\nA\x00,5,x\n", "row 2: post is no number"),
        ("id,pre,post\nA,5,2\nB,1e308,2\n", "row 3: pre is too large to be meant"),
        ("id,pre,post\nA,.1,2\nB,.1,3\nC,.1,3\n", "the scores before do not vary"),
    ],
)
def test_a_table_that_cannot_be_used_is_told_by_row_and_reason(
    given: Any, content: str | bytes, says: str, tmp_path: Path
) -> None:
    target = tmp_path / "out.json"
    told = run("--csv", given(content), *WIDE, "--reliability", ".85", "--json", target)
    assert told.exit_code == 2
    assert says in told.stderr
    assert "Traceback" not in told.stderr
    assert not target.exists()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("id,day,score\nA,0,5\nA,7,4\nA,0,3\n", "row 4: is of the same client and day as row 2"),
        ("id,day,score\nA,0,5\nA,7,\n", "row 3: score is empty"),
        ("id,day,score\nA,2026-03-01,5\nA,8,4\n", "row 3: day is no date like 2026-03-14"),
        ("id,day,score\nA,2026-02-30,5\n", "row 2: day is no date"),
        ("id,day,score\nA,14.03.2026,5\n", "row 2: day is no number, and no date like 2026-03-14"),
        ("id,day,score\nA,20260314,5\n", "row 2: day is no number of days: write dates like"),
        ("id,day,score\nA,0,5\nA,7,4\nB,0,3\n", "on average more than two measures"),
        ("id,day,score\nA,0,5\nA,7,5\nA,9,5\nB,0,5\nB,1,5\nB,2,5\n", "do not vary"),
    ],
)
def test_a_long_table_that_cannot_be_used_is_told_too(given: Any, content: str, says: str) -> None:
    told = run("--csv", given(content), *LONG, "--method", "hierarchical")
    assert told.exit_code == 2
    assert says in told.stderr


def test_many_faults_are_told_in_part_and_counted(given: Any) -> None:
    content = "id,pre,post\n" + "".join(f"{at},x,1\n" for at in range(50))
    told = run("--csv", given(content), *WIDE)
    assert told.exit_code == 2
    assert told.stderr.count("row ") == 20
    assert "and 30 more" in told.stderr


def test_what_stands_in_a_cell_is_never_repeated(given: Any) -> None:
    told = run("--csv", given("id,pre,post\nsecret-name,private,1\nsecret-name,2,3\n"), *WIDE)
    assert told.exit_code == 2
    assert "secret" not in told.stderr
    assert "private" not in told.stderr


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--client", "id", "--pre", "pre"), "--pre and --post go together"),
        (("--client", "id"), "name the columns"),
        ((*WIDE, "--day", "pre", "--score", "post"), "name the columns"),
        ((*WIDE, "--reliability", "1"), "must be above 0 and below 1"),
        ((*WIDE, "--reliability", "nan"), "is no finite number"),
        ((*WIDE, "--functional-mean", "5"), "go together"),
        ((*WIDE, "--cutoff", "5", "--cutoff-kind", "a"), "exclude each other"),
        ((*WIDE, "--cutoff-kind", "b", "--reliability", ".8"), "needs --functional-mean"),
        ((*WIDE, "--method", "anchor"), "anchor needs --anchor POINTS"),
        ((*WIDE, "--method", "percentage"), "percentage needs --percent P"),
        ((*WIDE, "--anchor", "-1"), "must be above 0"),
        (WIDE, "jacobson-truax needs the reliability of the scale: --reliability"),
        ((*WIDE, "--method", "hierarchical"), "one row per measure"),
        ((*WIDE, "--method", "guess"), "'guess' is not one of"),
        ((*WIDE, "--clinical-sd", "1e300"), "is too large or too small to be meant"),
        ((*WIDE, "--clinical-sd", "1e-300"), "is too large or too small to be meant"),
        (("--client", "id", "--pre", "pre", "--post", "pre"), "column 'pre' is named twice"),
    ],
)
def test_a_request_that_does_not_fit_is_told(
    given: Any, options: tuple[str, ...], says: str
) -> None:
    told = run("--csv", given(GOOD), *options)
    assert told.exit_code == 2
    assert says in told.stderr


def test_the_table_itself_is_never_written_over(given: Any) -> None:
    path = given(GOOD)
    told = run("--csv", path, *WIDE, "--reliability", ".8", "--json", path)
    assert told.exit_code == 2
    assert path.read_text() == GOOD
    other = path.with_name("other name of it")
    other.hardlink_to(path)
    told = run("--csv", path, *WIDE, "--reliability", ".8", "--json", other)
    assert "is the table itself" in told.stderr
    assert path.read_text() == GOOD


def test_days_too_close_to_tell_apart_have_no_slope(given: Any) -> None:
    content = "id,day,score\nA,1e-300,9\nA,2e-300,3\nB,0,20\nB,7,5\n"
    answer = judged(given, content, *LONG, "--method", "reliable-trend", "--reliability", ".9")
    first, second = answer["methods"]["reliable-trend"]["rows"]
    assert (first["class"], first["why"]) == ("not assessable", "the days do not differ")
    assert second["class"] == "improved"


def test_a_person_reads_counts_and_the_first_clients(given: Any) -> None:
    content = "id,pre,post\n" + "".join(f"K{at},{10 + at % 9},{9 + at % 5}\n" for at in range(40))
    told = run("--csv", given(content), *WIDE, "--reliability", ".9").stdout
    assert told.splitlines()[0].split()[:4] == ["method", "recovered", "improved", "unchanged"]
    assert "K29" in told
    assert "K30" not in told
    assert "and 10 more: --json FILE writes all of them" in told
    both = run("--csv", given(content), *WIDE, "--reliability", ".9", "--method", "hsu-lin-lord",
               "--method", "jacobson-truax").stdout  # fmt: skip
    assert "It cannot say that somebody got worse." in both
    assert "K1" not in both


def test_what_a_cell_holds_is_no_order_to_the_terminal(given: Any) -> None:
    content = 'id,pre,post,\x1b[2J\nA\x1b[31m,5,2,\n"B\nC",7,3,\nD\u202e,9,3,\n'
    told = run("--csv", given(content), *WIDE, "--reliability", ".9")
    assert told.exit_code == 0
    assert {"A�[31m", "B�C", "D�"} <= {line.split("  ")[0] for line in told.stdout.splitlines()}
    lacks = run("--csv", given(content), "--client", "who", "--pre", "pre", "--post", "post")
    assert "it has id, pre, post, �[2J\n" in lacks.stderr


def test_ten_thousand_rows_are_quick_enough(given: Any) -> None:
    draw = random.Random(4)
    rows = [f"{at},{draw.gauss(15, 5):.1f},{draw.gauss(10, 6):.1f}" for at in range(10_000)]
    answer = judged(
        given, "\n".join(["id,pre,post", *rows]), *WIDE, "--method", "all", "--reliability", ".85",
    )  # fmt: skip
    assert len(answer["methods"]["hageman-arrindell"]["rows"]) == 10_000
