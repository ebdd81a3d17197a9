"""Runs the bench: prints a table, writes JSON lines, and on request the figures of README.md."""

import argparse
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import date
from pathlib import Path

from rich.console import Console

from bench import broker, clinic, detector, history, intake, latency, real, research, views
from bench.figures import PICTURE, Figure, as_json, keep, machine, table, write_readme
from bench.picture import picture
from bench.real import Real
from bench.size import FULL, QUICK, Size
from services.chassis.clock import SystemClock

CLIENTS_OF_A_MILLION = 145_000


def main(arguments: list[str]) -> None:
    """Measure everything, in an order that leaves nothing running behind the next."""
    options = _options(arguments)
    size = QUICK if options.quick else FULL
    if options.long:
        size = replace(size, million=CLIENTS_OF_A_MILLION)
    today = SystemClock().now().date()
    console = Console(stderr=True)
    figures: list[Figure] = []
    with ExitStack() as stack:
        name = stack.enter_context(tempfile.TemporaryDirectory(prefix="pivotpoint-bench-"))
        servers = stack.enter_context(real.servers())
        for part, measure in _parts(size, Path(name), today, servers, figures).items():
            with console.status(f"measuring: {part}"):
                figures += measure()
    print(f"{machine()}, {today}{' (quick: the figures mean nothing)' if options.quick else ''}\n")
    print(table(figures))
    if options.json:
        options.json.write_bytes(b"".join(as_json(figure) for figure in figures))
    if options.write:
        write_readme(figures, today.isoformat())
        keep(figures, today.isoformat())
        PICTURE.write_text(picture(figures), encoding="utf-8")


def _parts(
    size: Size, folder: Path, today: date, servers: Real | None, measured: list[Figure]
) -> dict[str, Callable[[], list[Figure]]]:
    """What is measured, in order; without servers nothing that needs them."""
    return {
        "intake": lambda: intake.figures(size, folder, servers),
        "history": lambda: history.figures(size, folder / "history"),
        "detector": lambda: detector.figures(size, folder, servers),
        "broker": lambda: broker.figures(size, folder, servers) if servers else [],
        "views and pages": lambda: views.figures(size, folder, today, servers),
        "latency and size": lambda: latency.figures(size, folder, today),
        "clinic": lambda: (
            clinic.figures(size, folder / "clinic", today, servers, measured) if servers else []
        ),
        "research": lambda: research.figures(size.folded),
    }


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write one object a line")
    parser.add_argument(
        "--quick", action="store_true", help="a smoke test: the figures mean nothing"
    )
    parser.add_argument(
        "--long", action="store_true", help="rebuild a million events instead of scaling"
    )
    parser.add_argument("--write", action="store_true", help="put the figures into bench/")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
