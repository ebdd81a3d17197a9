"""The bench's own parts: what it counts is what happened, and what it writes can be read."""

import json
from pathlib import Path
from types import SimpleNamespace
from xml.etree.ElementTree import fromstring

import pytest
from flask import Flask

from bench import figures
from bench.broker import Tally
from bench.figures import Figure, as_json, percentile, table, write_readme
from bench.picture import picture
from bench.process import ServerFailedError, load
from services.chassis.http.server import Server

SOME = [
    Figure("intake.sqlite", 1500.0, "measures/s", 500.0, {"baseline_is": "the library"}),
    Figure("limit.http", 2000.0, "measures/s"),
]


def test_a_line_of_json_has_exactly_the_promised_keys() -> None:
    first, second = (json.loads(as_json(figure)) for figure in SOME)
    assert list(first) == ["name", "value", "unit", "baseline", "ratio", "settings"]
    assert first["ratio"] == 3.0
    assert second["baseline"] is None
    assert second["ratio"] is None


def test_the_table_shows_every_figure_beside_its_baseline() -> None:
    assert "| `intake.sqlite` | 1,500 | measures/s | 500 | 3 | the library |" in table(SOME)
    assert "| `limit.http` | 2,000 | measures/s | - | - |" in table(SOME)


def test_the_table_says_what_a_figure_was_reckoned_from() -> None:
    scaled = Figure("rebuild.million_s", 90.0, "s", None, {"note": "scaled from 5,000 events"})
    assert "| `rebuild.million_s` (scaled from 5,000 events) | 90 | s |" in table([scaled])


def test_a_tally_leaves_out_what_came_with_the_first_page(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter((100.0, 101.0, 102.0))
    monkeypatch.setattr("bench.broker.time", SimpleNamespace(monotonic=lambda: next(moments)))
    tally = Tally(wanted=30)
    for count in (10, 5, 15):
        tally.received("topic", 0, count, 0)
    assert tally.rate() == 20 / 2


def test_the_readme_keeps_what_stands_around_the_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{figures.OPENING}\nold\n{figures.CLOSING}\nafter\n")
    monkeypatch.setattr(figures, "README", readme)
    write_readme(SOME, "2026-11-23")
    text = readme.read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "2026-11-23" in text
    assert "intake.sqlite" in text
    assert "old" not in text


def test_results_are_added_to_those_of_earlier_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = tmp_path / "results.jsonl"
    monkeypatch.setattr(figures, "RESULTS", results)
    figures.keep(SOME, "2026-11-23")
    figures.keep(SOME[:1], "2026-11-24")
    lines = [json.loads(line) for line in results.read_text().splitlines()]
    assert [(one["on"], one["name"]) for one in lines] == [
        ("2026-11-23", "intake.sqlite"),
        ("2026-11-23", "limit.http"),
        ("2026-11-24", "intake.sqlite"),
    ]
    assert all(one["machine"]["cores"] >= 1 for one in lines)


def test_the_picture_draws_each_figure_that_has_a_baseline() -> None:
    slow = Figure("latency.p99_ms", 5.0, "ms", 50.0)
    drawn = fromstring(picture([*SOME, slow]))
    space = "{http://www.w3.org/2000/svg}"
    texts = [one.text for one in drawn.iter(f"{space}text")]
    bars = [one for one in drawn.iter(f"{space}rect") if one.get("class") in ("bar", "less")]
    assert {"intake.sqlite", "latency.p99_ms", "3", "0.1"} <= set(texts)
    assert "limit.http" not in texts
    assert [one.get("class") for one in bars] == ["bar", "less"]
    more, less = (float(one.get("x", "")) for one in bars)
    assert less < more, "a tenth lies left of the baseline, three times right of it"


def test_a_percentile_is_one_of_the_values() -> None:
    values = [float(value) for value in range(1, 101)]
    assert percentile(values, 0.5) == 51.0
    assert percentile(values, 0.99) == 100.0
    assert percentile([7.0], 0.99) == 7.0


def test_the_load_generator_sends_each_request_once_and_times_it() -> None:
    heard: list[int] = []
    app = Flask("counted")

    @app.post("/<int:number>")
    def count(number: int) -> str:
        heard.append(number)
        return "ok"

    requests = [
        {"method": "POST", "path": f"/{number}", "headers": {}, "body": "{}"}
        for number in range(40)
    ]
    server = Server(app, threads=4)
    server.start()
    try:
        loaded = load(server.port, requests, connections=4)
        assert sorted(heard) == list(range(40))
        assert loaded.statuses == {"200": 40}
        assert all(0 < taken < 10_000 for taken in loaded.milliseconds)
        paced = load(server.port, requests[:10], connections=2, rate=100.0)
        assert 0.08 < paced.seconds < 5
        with pytest.raises(ServerFailedError):
            load(server.port, [requests[0] | {"path": "/nowhere"}], connections=1)
    finally:
        server.stop()
