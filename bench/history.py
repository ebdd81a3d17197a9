"""How many rows of a clinic's history are taken in a second, beside one commit a row."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from itertools import count, islice
from pathlib import Path
from typing import Any

from bench import library
from bench.figures import Figure
from bench.intake import FIRST_DAY, phq9
from bench.process import ROOT
from bench.size import Size
from services.chassis.clock import SystemClock
from services.outcomes import settings
from services.outcomes.api.fields import Calendar
from services.outcomes.commands.history import Source
from services.outcomes.commands.rows import Reader
from services.outcomes.formats.table import RowMapping
from services.outcomes.wiring import Outcomes

SENDER = "bench"
WEEKS, PIVOT = 18, 6


def figures(size: Size, folder: Path) -> list[Figure]:
    """`import.rows_s`: the whole command, its start and its results file included."""
    folder.mkdir(parents=True)
    file, data = folder / "history.ndjson", folder / "data"
    with file.open("w", encoding="utf-8") as lines:
        lines.writelines(json.dumps(row) + "\n" for row in islice(_rows(), size.rows))
    service = Outcomes.open(settings.of_folder(data), SystemClock())
    service.senders.add(SENDER)
    service.stop()
    command = ["import", file, "--sender", SENDER, "--data", data, "--results", folder / "r.csv"]
    started = time.monotonic()
    subprocess.run(
        [sys.executable, "-m", "services", "outcomes", *map(str, command)],
        cwd=ROOT,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    rate = size.rows / (time.monotonic() - started)
    facts = {
        "note": f"{size.rows:,} rows of whole courses, from start to end of the command",
        "baseline_is": "the same rows read alike, one commit a row through the library",
    }
    baseline = _library(file, min(size.rows, size.library_events), folder / "library")
    return [Figure("import.rows_s", rate, "rows/s", baseline, facts)]


def _rows() -> Iterator[dict[str, Any]]:
    """One course after another: weekly sessions and measures, a pivot, an event, an ending."""
    for number in count():
        name = {"episode": f"E-{number}"}
        days = [(FIRST_DAY + timedelta(weeks=week)).isoformat() for week in range(WEEKS)]
        yield {
            "kind": "episode", **name, "client": f"K-{number}", "clinician": f"T-{number % 40}",
            "opened_on": days[0], "approach": "CBT", "primary_instrument": "phq-9",
        }  # fmt: skip
        for week, on in enumerate(days):
            kept = {"external_id": f"s-{week}", "on": on, "attendance": "attended"}
            yield {"kind": "session", **name, **kept}
            yield phq9(f"{number}/{week}", number, week) | {"administered_at": on}
        yield {"kind": "approach", **name, "approach": "EMDR", "since": days[PIVOT]}
        event = {"external_id": "f-1", "on": days[PIVOT], "label": "started"}
        yield {"kind": "medication", **name, **event}
        yield {"kind": "closing", **name, "on": days[-1], "reason": "planned ending"}


def _library(file: Path, rows: int, folder: Path) -> float:
    intake = library.intake(folder)
    zone = settings.of_folder(folder).zone
    reader = Reader(RowMapping(), Calendar(SystemClock(), zone))
    started = time.monotonic()
    with Source(file) as source:
        for row in islice(source.rows(), rows):
            if isinstance(told := reader.read(row), Exception):
                raise told
            intake.take(row.values)
    rate = rows / (time.monotonic() - started)
    intake.close()
    return rate
