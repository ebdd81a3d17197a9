"""Runs the bench: prints a table, writes JSON lines, and on request the figures of README.md."""

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from bench import detector, intake, latency, research, views
from bench.figures import Figure, as_json, machine, table, write_readme
from bench.size import FULL, QUICK
from services.chassis.clock import SystemClock


def main(arguments: list[str]) -> None:
    """Measure everything, in an order that leaves nothing running behind the next."""
    options = _options(arguments)
    size = QUICK if options.quick else FULL
    today = SystemClock().now().date()
    console = Console(stderr=True)
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="pivotpoint-bench-") as name:
        folder = Path(name)
        parts: dict[str, Callable[[], list[Figure]]] = {
            "intake": lambda: intake.figures(size, folder),
            "detector": lambda: detector.figures(size, folder),
            "views and pages": lambda: views.figures(size, folder, today),
            "latency and size": lambda: latency.figures(size, folder, today),
            "research": lambda: research.figures(size.folded),
        }
        for part, measure in parts.items():
            with console.status(f"measuring: {part}"):
                figures += measure()
    print(f"{machine()}, {today}{' (quick: the figures mean nothing)' if options.quick else ''}\n")
    print(table(figures))
    if options.json:
        options.json.write_bytes(b"".join(as_json(figure) for figure in figures))
    if options.write:
        write_readme(figures, today.isoformat())


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write one object a line")
    parser.add_argument(
        "--quick", action="store_true", help="a smoke test: the figures mean nothing"
    )
    parser.add_argument("--write", action="store_true", help="put the figures into bench/README.md")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
