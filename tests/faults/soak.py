"""`make soak`: the long versions, on PostgreSQL and Kafka: kills, a steady hour, a large rebuild.

SOAK_ROUNDS, SOAK_MINUTES (at SOAK_RATE calls a second) and SOAK_EVENTS say how much of each; 0
leaves it out. It is told how it goes; what came of it is kept in SOAK_DIR, as JSON and Markdown.
"""

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from random import Random
from typing import Any

from bench.courses import many, one_course
from bench.views import fill, rebuilt
from services.chassis.clock import SystemClock
from tests.faults.killing import Killed, kill_again_and_again
from tests.faults.steady import Sample, stay
from tests.servers import Cluster, Kafka

ROUNDS = int(os.environ.get("SOAK_ROUNDS", "1000"))
MINUTES = int(os.environ.get("SOAK_MINUTES", "60"))
RATE = float(os.environ.get("SOAK_RATE", "5"))
EVENTS = int(os.environ.get("SOAK_EVENTS", "1000000"))
RESULTS = Path(os.environ.get("SOAK_DIR", "var/soak"))
ROUNDS_EACH = 25
"""Kills in one clinic: the auditor folds every course from nothing, so clinics stay small."""
EVENTS_EACH = 7
"""Events that a made-up client of the rebuild comes to, about."""
SEED = 20260302


def say(text: str) -> None:
    """Tell how it goes."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {text}\n")
    sys.stderr.flush()


@contextmanager
def servers() -> Iterator[tuple[Cluster, Kafka, Path]]:
    """PostgreSQL and a broker of their own, and an empty folder."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="pivotpoint-soak-"))
        cluster, kafka = Cluster(), Kafka()
        stack.callback(cluster.close)
        stack.callback(kafka.close)
        yield cluster.start(), kafka.start(), Path(folder)


def kills() -> dict[str, Any]:
    """All the rounds, one clinic after the other."""
    total, random = Killed(), Random(SEED)
    with servers() as (cluster, kafka, folder):
        while total.rounds < ROUNDS:
            some = min(ROUNDS_EACH, ROUNDS - total.rounds)
            clinic = folder / f"{total.rounds}"
            clinic.mkdir()
            total.add(kill_again_and_again(cluster, kafka, clinic, some, random))
            keep("kills", asdict(total))
            say(
                f"killed {total.rounds} of {ROUNDS} times: {total.calls} calls acknowledged, "
                f"{len(total.faults)} faults"
            )
    return asdict(total)


def steady() -> dict[str, Any]:
    """The steady hour."""
    samples: list[Sample] = []

    def tell(sample: Sample) -> None:
        samples.append(sample)
        keep("steady", {"rate": RATE, "samples": [asdict(one) for one in samples]})
        say(
            f"minute {sample.minute} of {MINUTES}: {sample.calls} calls, behind by "
            f"{sample.lag_seconds} s, {sample.parked:.0f} parked, MB: {sample.rss_mb}"
        )

    with servers() as (cluster, kafka, folder):
        return asdict(stay(cluster, kafka, folder, MINUTES, RATE, tell))


def rebuild() -> dict[str, Any]:
    """The large rebuild, of the views of the alerts service."""
    with tempfile.TemporaryDirectory(prefix="pivotpoint-soak-") as folder:
        home = Path(folder)
        told = one_course(home / "template", SystemClock().now().date())
        say(f"filling a log with about {EVENTS} events")
        fill(home / "alerts", many(told, EVENTS // EVENTS_EACH))
        say("building every view anew")
        rate, events = rebuilt(home / "alerts")
        return {"events": events, "events_a_second": round(rate), "seconds": round(events / rate)}


def keep(part: str, result: dict[str, Any]) -> None:
    """Write down what came of a part, or what has come of it so far."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / "result.json"
    results = json.loads(path.read_text()) if path.exists() else {}
    results[part] = {"on": f"{SystemClock().now():%Y-%m-%d %H:%M} UTC", **result}
    path.write_text(json.dumps(results, indent=1))
    (RESULTS / "result.md").write_text(laid_out(results))


def laid_out(results: dict[str, Any]) -> str:
    """The results as Markdown."""
    lines: list[str] = []
    if found := results.get("kills"):
        lines += [
            "| kills | calls acknowledged | answers at pages | calls repeated | faults |",
            "|---|---|---|---|---|",
            f"| {found['rounds']} | {found['calls']} | {found['answers']} | {found['repeated']} "
            f"| {len(found['faults'])} |",
            "",
        ]
    if found := results.get("steady"):
        samples = found["samples"]
        lines += ["| minute | calls | behind, s | parked | " + " | ".join(samples[0]["rss_mb"])]
        lines[-1] += " |"
        lines += ["|---" * (4 + len(samples[0]["rss_mb"])) + "|"]
        lines += [_minute(one) for one in samples[:: max(1, len(samples) // 12)]]
        lines += [""]
    if found := results.get("rebuild"):
        lines += [f"{found['events']} events in {found['seconds']} s"]
    return "\n".join(lines) + "\n"


def _minute(sample: dict[str, Any]) -> str:
    memory = " | ".join(f"{one} MB" for one in sample["rss_mb"].values())
    lag, parked = sample["lag_seconds"], sample["parked"]
    return f"| {sample['minute']} | {sample['calls']} | {lag} | {parked:.0f} | {memory} |"


def main() -> int:
    """Do all that is asked for; 1 when the auditor found a fault."""
    parts: tuple[tuple[str, float, Callable[[], dict[str, Any]]], ...] = (
        ("kills", ROUNDS, kills),
        ("steady", MINUTES, steady),
        ("rebuild", EVENTS, rebuild),
    )
    faults = 0
    for name, wanted, part in parts:
        if wanted:
            result = part()
            keep(name, result)
            for fault in result.get("faults", ()):
                say(f"FAULT: {fault}")
            faults += len(result.get("faults", ()))
    sys.stdout.write((RESULTS / "result.md").read_text())
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
