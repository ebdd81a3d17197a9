"""A figure with its baseline: how it is printed, written as JSON, and kept in README.md."""

import os
import platform
import sqlite3
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import orjson

README = Path(__file__).parent / "README.md"
RESULTS, PICTURE = README.with_name("results.jsonl"), README.with_name("figures.svg")
OPENING, CLOSING = "<!-- figures -->", "<!-- end of figures -->"


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value; `ratio` is value through baseline."""

    name: str
    value: float
    unit: str
    baseline: float | None = None
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def ratio(self) -> float | None:
        """How many times the baseline, or None without one."""
        return None if not self.baseline else self.value / self.baseline


def percentile(values: Iterable[float], share: float) -> float:
    """The value below which so large a share of them lies (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def as_json(figure: Figure) -> bytes:
    """One object on a line, as the design names its keys."""
    line = asdict(figure)
    settings = line.pop("settings")
    return orjson.dumps({**line, "ratio": figure.ratio, "settings": settings}) + b"\n"


def facts() -> dict[str, Any]:
    """What the figures were measured on, without names."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "cores": cores,
        "processor": platform.machine(),
        "system": f"{platform.system()} {platform.release()}",
        "python": sys.version.split()[0],
        "sqlite": sqlite3.sqlite_version,
        "load_15_min": round(os.getloadavg()[2], 1),
    }


def machine() -> str:
    """The same as a sentence."""
    told = facts()
    return (
        f"{told['cores']} cores ({told['processor']}), {told['system']}, "
        f"Python {told['python']}, SQLite {told['sqlite']}, "
        f"load average {told['load_15_min']} over the last 15 minutes"
    )


def keep(figures: Iterable[Figure], on: str) -> None:
    """Add the figures to those of earlier runs, each with the day and the machine."""
    with RESULTS.open("ab") as file:
        for figure in figures:
            line = {"on": on, "machine": facts(), **orjson.loads(as_json(figure))}
            file.write(orjson.dumps(line) + b"\n")


def table(figures: Sequence[Figure]) -> str:
    """The figures as a Markdown table, readable as it stands."""
    lines = [
        "| figure | value | unit | baseline | ratio | baseline is | goal |",
        "|---|---:|---|---:|---:|---|---|",
    ]
    for figure in figures:
        against = figure.settings.get("baseline_is", "")
        goal = figure.settings.get("goal", "")
        lines.append(
            f"| {_named(figure)} | {_short(figure.value)} | {figure.unit} | "
            f"{_short(figure.baseline)} | {_short(figure.ratio)} | {against} | {goal} |"
        )
    return "\n".join(lines) + "\n"


def write_readme(figures: Sequence[Figure], on: str) -> None:
    """Put the figures, the machine and the date between the marks of README.md."""
    text = README.read_text(encoding="utf-8")
    before, _, rest = text.partition(OPENING)
    _, _, after = rest.partition(CLOSING)
    shown = f"![Each figure through its baseline]({PICTURE.name})"
    block = f"{OPENING}\nMeasured on {on}: {machine()}.\n\n{shown}\n\n{table(figures)}{CLOSING}"
    README.write_text(before + block + after, encoding="utf-8")


def _named(figure: Figure) -> str:
    note = figure.settings.get("note")
    return f"`{figure.name}` ({note})" if note else f"`{figure.name}`"


def _short(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
