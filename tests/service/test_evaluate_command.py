"""`pivotpoint evaluate` from outside: cohort or table in, figures or clear errors out."""

import json
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from services.__main__ import main

COLUMNS = ("--client", "id", "--day", "day", "--score", "score")
SCALE = ("--sd", "6", "--reliability", ".88", "--cutoff", "10")
QUICK = ("--bootstrap", "8", "--folds", "3")
RULES = {
    "p-fail", "p-fail-learned", "raw-change", "rci-deterioration", "no-change-at-4",
    "no-change-at-6", "no-change-at-8", "expected-curve", "reliable-trend", "logistic",
}  # fmt: skip
DOCUMENT = Path(__file__).parents[2] / "docs" / "evaluate.md"
Given = Callable[[str | bytes], Path]


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["evaluate", *map(str, arguments)])


def told(*arguments: str | Path) -> dict[str, Any]:
    done = run(*arguments, *QUICK, "--json", "-")
    assert done.exit_code == 0, done.output
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def refused(*arguments: str | Path) -> str:
    done = run(*arguments, *QUICK)
    assert done.exit_code == 2, done.output
    assert isinstance(done.exception, SystemExit)
    assert "Traceback" not in done.output
    return done.stderr


@pytest.fixture
def given(tmp_path: Path) -> Given:
    def write(content: str | bytes) -> Path:
        path = tmp_path / "table.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def rows(clients: int = 60, measures: int = 10) -> list[str]:
    """Half recover, half stay as they are; whole scores from 0 to 27."""
    drawn = random.Random(4)
    found = []
    for client in range(clients):
        level, slope = drawn.uniform(14, 22), -1.4 if client % 2 else 0.0
        for week in range(measures):
            score = max(0, min(27, round(level + slope * week + drawn.gauss(0, 1.5))))
            found.append(f"C{client:02d},{7 * week},{score}")
    return found


def table(lines: list[str]) -> str:
    return "\n".join(["id,day,score", *lines]) + "\n"


@pytest.fixture(scope="module")
def cohort() -> dict[str, Any]:
    return told("--seeds", "31,", "--clients", "500")


def test_the_cohort_gives_every_figure_of_every_rule(cohort: dict[str, Any]) -> None:
    assert cohort["n"] + sum(cohort["left_out"].values()) == 500
    assert 0.3 * cohort["n"] < cohort["failures"] < 0.55 * cohort["n"]
    assert set(cohort["rules"]) == RULES
    for rule in cohort["rules"].values():
        rates = {"0.05", "0.10", "0.20", "own", *RULES}
        for figure in ("sensitivity", "lead_sessions", "lead_days", "ppv"):
            assert set(rule[figure]) == rates
            assert set(rule["intervals"][figure]) <= rates
        for rate, value in rule["sensitivity"].items():
            low, high = rule["intervals"]["sensitivity"][rate]
            assert low - 0.1 <= value <= high + 0.1
        assert (rule["brier"] is None) == (not rule["probability"])
    assert set(cohort["rules"]["p-fail"]["auc"]) == {"3", "4", "5", "6", "8", "10", "12"}
    assert cohort["rules"]["no-change-at-8"]["auc"]["4"] is None


def test_rates_are_those_that_were_asked_for(cohort: dict[str, Any]) -> None:
    own = {name: one["false_alarms"]["own"] for name, one in cohort["rules"].items()}
    for name, rule in cohort["rules"].items():
        if name.startswith("no-change"):
            continue  # it looks once, and cannot reach every rate
        for rate in ("0.05", "0.10", "0.20"):
            assert rule["false_alarms"][rate] == pytest.approx(float(rate), abs=0.004)
        for other, rate in own.items():
            if other != name and rate < 0.4:
                assert rule["false_alarms"][other] == pytest.approx(rate, abs=0.004)


def test_the_forecast_finds_more_than_the_rules_in_use_at_their_own_false_alarms(
    cohort: dict[str, Any],
) -> None:
    ours = cohort["rules"]["p-fail"]
    for name in ("rci-deterioration", "no-change-at-4", "no-change-at-6", "no-change-at-8"):
        theirs = cohort["rules"][name]
        assert ours["sensitivity"][name] > theirs["sensitivity"]["own"]
        assert ours["lead_sessions"][name] > theirs["lead_sessions"]["own"]
    assert ours["brier"] < 0.15 < cohort["brier_of_base_rate"]


def test_the_same_command_gives_the_same_figures(given: Given) -> None:
    asked = ("--csv", given(table(rows(24))), *COLUMNS, *SCALE)
    assert told(*asked) == told(*asked)


def test_a_table_is_judged_by_its_last_two_measures(given: Given) -> None:
    lines = rows()
    random.Random(1).shuffle(lines)
    answer = told("--csv", given(table(lines)), *COLUMNS, *SCALE)
    assert answer["n"] == 60
    assert 25 <= answer["failures"] <= 35
    assert answer["scale"]["reliable_change"] == pytest.approx(1.96 * 6 * (2 * 0.12) ** 0.5)
    assert answer["scale"]["cut"] == 9.5
    assert answer["rules"]["p-fail"]["auc"]["8"] > 0.9
    assert set(answer["rules"]["p-fail"]["coverage"]) == {"1", "4", "6"}


def test_failure_is_at_or_above_the_cut_off_and_not_reliably_better(given: Given) -> None:
    ends = {"case": (14, 10), "below": (14, 9), "better": (18, 10), "edge": (14, 10)}
    lines = []
    for name, (first, last) in ends.items():
        for number, score in enumerate((first, first, first, last, last)):
            shown = score - 1 if name == "edge" and number == 4 else score
            lines.append(f"{name},{7 * number},{shown}")
    answer = told("--csv", given(table(lines)), *COLUMNS, *SCALE, "--reliable-change", "6")
    assert (answer["n"], answer["failures"]) == (4, 1)
    assert told("--csv", given(table(lines)), *COLUMNS, *SCALE,
                "--reliable-change", "9")["failures"] == 2  # fmt: skip


def test_direction_does_not_matter(given: Given) -> None:
    one = told("--csv", given(table(rows())), *COLUMNS, *SCALE)
    turned = [
        f"{client},{day},{27 - int(score)}"
        for client, day, score in (line.split(",") for line in rows())
    ]
    two = told(
        "--csv", given(table(turned)), *COLUMNS, "--sd", "6", "--reliability", ".88",
        "--cutoff", "17", "--higher-is", "better",
    )  # fmt: skip
    assert (one["n"], one["failures"]) == (two["n"], two["failures"])
    for name in RULES - {"p-fail-learned"}:
        told_one, told_two = one["rules"][name], two["rules"][name]
        assert told_one["sensitivity"] == pytest.approx(told_two["sensitivity"])


@pytest.mark.parametrize("factor", [0.1, 0.01, 10])
def test_nor_does_the_size_of_a_scale_that_nobody_defined(given: Given, factor: float) -> None:
    """A cut-off lies half a step below the mildest case, whatever a step is there."""
    milder = [f"M{client},{7 * week},9" for client in range(5) for week in range(6)]
    one = told("--csv", given(table(rows() + milder)), *COLUMNS, *SCALE)
    lines = [line.split(",") for line in rows() + milder]
    other = [f"{client},{day},{int(score) * factor:.9g}" for client, day, score in lines]
    two = told(
        "--csv", given(table(other)), *COLUMNS, "--reliability", ".88",
        "--sd", f"{6 * factor:g}", "--cutoff", f"{10 * factor:g}",
    )  # fmt: skip
    assert one["left_out"]["began below the cut-off"] >= 5
    for figure in ("n", "failures", "left_out"):
        assert one[figure] == two[figure]
    if factor < 1:  # of whole tens nobody knows that they are steps
        first, second = (figures["rules"]["p-fail"] for figures in (one, two))
        assert first["brier"] == pytest.approx(second["brier"])
        assert first["sensitivity"] == pytest.approx(second["sensitivity"])


def test_who_is_left_out_is_counted(given: Given) -> None:
    lines = [*rows(), "low,0,5", "low,7,6", "low,14,4", "low,21,4", "low,28,5", "one,0,20"]
    answer = told("--csv", given(table(lines)), *COLUMNS, *SCALE, "--planned-days", "40")
    assert answer["n"] == 60
    assert answer["left_out"] == {
        "began below the cut-off": 1,
        "too few measures": 0,
        "ended before it was planned": 1,
    }


def test_weeks_and_dates_are_days(given: Given) -> None:
    days = told("--csv", given(table(rows())), *COLUMNS, *SCALE)
    weekly = [
        f"{client},{int(day) // 7},{score}"
        for client, day, score in (line.split(",") for line in rows())
    ]
    weeks = told("--csv", given(table(weekly)), *COLUMNS, *SCALE, "--unit", "weeks")
    assert weeks["rules"] == days["rules"]


# Somebody's own rule


def test_a_rule_of_ones_own_is_a_file_with_one_function(given: Given, tmp_path: Path) -> None:
    rule = tmp_path / "second_thoughts.py"
    rule.write_text("def risk(days, scores, scale):\n    return scores[-1] - scores[0]\n")
    answer = told("--csv", given(table(rows())), *COLUMNS, *SCALE, "--rule", rule)
    own, known = answer["rules"]["second-thoughts"], answer["rules"]["raw-change"]
    assert own["sensitivity"]["0.10"] == known["sensitivity"]["0.10"]
    assert own["auc"] == known["auc"]
    assert "own" not in own["sensitivity"]


def test_the_example_of_the_documentation_runs(given: Given, tmp_path: Path) -> None:
    text = DOCUMENT.read_text()
    (example,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    rule = tmp_path / "my_rule.py"
    rule.write_text(example)
    answer = told("--csv", given(table(rows())), *COLUMNS, *SCALE, "--rule", rule)
    assert answer["rules"]["my-rule"]["auc"]["8"] > 0.8
    for name in RULES - {"no-change-at-6", "no-change-at-8"}:
        assert f"| `{name}`" in text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("def other(): pass\n", "mine has no function risk(days, scores, scale)"),
        ("def risk(days): return 1\n", "mine: risk must take (days, scores, scale)"),
        ("def risk(\n", "mine.py cannot be run: SyntaxError"),
        ("def risk(d, s, c): return 1 / 0\n", "mine: risk failed with ZeroDivisionError"),
        ("def risk(d, s, c): return 'x'\n", "mine: risk failed with ValueError"),
        ("PROBABILITY = True\ndef risk(d, s, c): return 7\n", "not from 0 to 1"),
        ("OWN = 'x'\ndef risk(d, s, c): return 7\n", "mine: OWN is no number"),
        ("raise SystemExit(0)\n", "mine.py cannot be run: SystemExit"),
        ("def risk(d, s, c): raise SystemExit(0)\n", "mine: risk failed with SystemExit"),
        ("def learn(c, s): exit(0)\ndef risk(d, s, c, l): return 1\n", "mine: learn failed with"),
        ("def risk(d, s, c): raise ValueError('a\\nb')\n", "risk failed with ValueError: a b\n"),
    ],
)
def test_what_is_wrong_with_a_rule_is_said(
    given: Given, tmp_path: Path, text: str, reason: str
) -> None:
    rule = tmp_path / "mine.py"
    rule.write_text(text)
    assert reason in refused("--csv", given(table(rows())), *COLUMNS, *SCALE, "--rule", rule)


# The report


def test_the_report_is_one_page_that_needs_nothing_else(given: Given, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    rule = tmp_path / "a<b>.py"
    rule.write_text("def risk(days, scores, scale):\n    return scores[-1]\n")
    done = run(
        "--csv", given(table(rows())), *COLUMNS, *SCALE, *QUICK, "--html", page, "--rule", rule,
        "--note", "Made for a <test>",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    text = page.read_text()
    for forbidden in ("<script", "http:", "https:", "url(", "@import", "<link", "a<b>", "<test>"):
        assert forbidden not in text
    assert text.count("<svg") == text.count('role="img"') == 3 + text.count("<figcaption>")
    assert text.count("<figcaption>") >= 2
    assert text.count("<table>") == text.count("<caption>") == 6
    assert "prefers-color-scheme: dark" in text
    assert "Made for a &lt;test&gt;" in text
    assert "C00" not in text, "no client is named"


def test_the_report_leaves_single_courses_out_on_request(given: Given, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    done = run(
        "--csv", given(table(rows())), *COLUMNS, *SCALE, *QUICK, "--html", page, "--no-courses"
    )
    assert done.exit_code == 0, done.output
    assert page.read_text().count("<svg") == 3


# What cannot be judged


PHQ = ("--instrument", "phq-9")


@pytest.mark.parametrize(
    ("content", "options", "reason"),
    [
        ("", PHQ, "table.csv is empty"),
        ("id,day,score\n", PHQ, "table.csv has a header and no rows"),
        ("id,day,points\nA,0,3\n", PHQ, "has no column 'score'; it has id, day, points"),
        (table(["A,0,28"]), PHQ, "row 2: score is outside 0 to 27"),
        (table(["A,0,20", "A,7,12.5"]), PHQ, "row 3: score must be a whole number"),
        (table(["A,0,nan"]), PHQ, "row 2: score is no finite number"),
        (table(["A,0,many"]), PHQ, "row 2: score is no number"),
        (table(["A,0,20", "A,0,21"]), PHQ, "row 3: is of the same client and day as row 2"),
        (table([",0,20"]), PHQ, "row 2: names no client"),
        (table(["A,0,20", "B,0,20"]), PHQ, "no course can be judged: 2 too few measures"),
        (table(["A,0,20", "B,0,20"]), ("--reliability", ".8", "--cutoff", "10"), "needs --sd"),
        (table(rows()), ("--cutoff", "10"), "not assessable: needs --reliability"),
        (table(rows()), ("--reliability", ".8"), "not assessable: needs --cutoff"),
        (table(rows()), ("--instrument", "phq-99"), "no instrument phq-99 is known"),
        (table(rows()), (*PHQ, "--higher-is", "better"), "of phq-9 higher is worse"),
        (table([f"A,{7 * n},20" for n in range(9)]), PHQ, "of 1 courses none went well"),
        (b"id,day,score\n\xff,0,3\n", PHQ, "is not written in UTF-8"),
    ],
)
def test_what_cannot_be_judged_is_said_with_row_and_reason(
    given: Given, content: str | bytes, options: tuple[str, ...], reason: str
) -> None:
    assert reason in refused("--csv", given(content), *COLUMNS, *options)


def test_constant_and_very_long_courses_are_judged(given: Given) -> None:
    lines = [f"flat,{7 * number},20" for number in range(12)]
    lines += [f"long,{number},{15 + number % 3}" for number in range(4_000)]
    answer = told("--csv", given(table([*rows(12), *lines])), *COLUMNS, *PHQ)
    assert answer["n"] == 14
    assert answer["measures"] == 4_000 + 12 + 120


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--client", "id"), "--client goes with --csv"),
        (("--seeds", "x"), "is no number, no range like 11-15 and no list like 11,12"),
        (("--seeds", "9-3"), "must name 1 to 1000 cohorts"),
        (("--min-measures", "2"), "2 is not in the range"),
    ],
)
def test_options_that_do_not_go_together_are_refused(options: tuple[str, ...], reason: str) -> None:
    assert reason in refused(*options)


def test_a_table_needs_its_columns_and_is_never_written_over(given: Given) -> None:
    path = given(table(rows()))
    assert "--csv needs --client COL" in refused("--csv", path)
    assert "is the table itself" in refused("--csv", path, *COLUMNS, *SCALE, "--json", path)
    assert path.read_text() == table(rows())
    again = ("--client", "id", "--day", "day", "--score", "day")
    assert "column 'day' is named twice" in refused("--csv", path, *again, *SCALE)


def test_what_a_rule_prints_is_no_part_of_the_figures(given: Given, tmp_path: Path) -> None:
    rule = tmp_path / "mine.py"
    rule.write_text("print('loaded')\ndef risk(d, s, c):\n    print('asked')\n    return s[-1]\n")
    done = run("--csv", given(table(rows(12))), *COLUMNS, *SCALE, *QUICK, "--rule", rule,
               "--json", "-")  # fmt: skip
    assert "mine" in json.loads(done.stdout)["rules"]
    assert "loaded" in done.stderr
    assert "asked" in done.stderr


def test_what_is_of_the_cohort_is_refused_beside_a_table(given: Given) -> None:
    path = given(table(rows()))
    for option in ("--seeds", "--clients"):
        said = run("--csv", path, *COLUMNS, *SCALE, option, "30")
        assert said.exit_code == 2
        assert f"{option} is of the made-up cohort" in said.stderr


def test_where_nothing_can_be_written_is_said_before_anything_is_computed(tmp_path: Path) -> None:
    mine, out = tmp_path / "mine.py", tmp_path / "out"
    mine.write_text("def risk(d, s, c): raise ValueError('this was asked already')\n")
    rule = ("--clients", "20", "--rule", mine)
    for option in ("--json", "--html"):
        nowhere = tmp_path / "none" / "out"
        assert f"there is no folder {nowhere.parent}" in refused(*rule, option, nowhere)
        assert f"{mine} is read by this command" in refused(*rule, option, mine)
    assert "is named twice" in refused(*rule, "--json", out, "--html", tmp_path / "." / "out")
    assert mine.read_text().startswith("def risk")
    assert not out.exists()


def test_the_terminal_says_what_was_judged_and_how(given: Given) -> None:
    done = run("--csv", given(table(rows())), *COLUMNS, *SCALE, *QUICK)
    assert done.exit_code == 0, done.output
    for words in ("60 courses, 600 measures", "sensitivity at 0.10", "AUC at measure", "coverage"):
        assert words in done.stdout


def test_the_documented_figures_are_those_of_the_kept_report() -> None:
    text, page = DOCUMENT.read_text(), (DOCUMENT.parent / "evaluate" / "cohort.html").read_text()
    lines = [line for line in text.splitlines() if line.startswith("| `p-fail`") and "[" in line]
    told = re.findall(r"\.\d+ \[\.\d+, \.\d+\]", lines[0])
    assert len(told) >= 4
    for figure in told:
        assert f"<td>{figure}</td>" in page


def test_rules_learn_from_earlier_courses_alone_where_that_is_asked_for(given: Given) -> None:
    asked = ("--csv", given(table(rows())), *COLUMNS, *SCALE, *QUICK, "--json", "-")
    told = json.loads(run(*asked, "--learn-from", "earlier", "--folds", "4").stdout)
    others = json.loads(run(*asked, "--folds", "4").stdout)
    assert told["n"] + told["left_out"]["learned from alone"] == others["n"]
    assert told["settings"]["learn_from"] == "earlier"
    assert told["settings"]["folds"] == 4
    assert "learned from alone" not in others["left_out"]
    assert set(told["rules"]) == set(others["rules"])
    assert told["rules"]["p-fail-learned"] != others["rules"]["p-fail-learned"]


def test_a_note_that_is_no_text_is_refused_before_anything_is_computed(given: Given) -> None:
    told = run("--csv", given(table(rows())), *COLUMNS, *SCALE, "--note", "caf\udce9")
    assert told.exit_code == 2
    assert told.stderr.splitlines()[-1].endswith("'--note': is not written in UTF-8")
