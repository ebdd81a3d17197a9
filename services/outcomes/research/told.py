"""What came of classifying a table: as JSON for a program, as a table for a person."""

from collections.abc import Iterator, Sequence
from typing import Any

from services.outcomes.core.change_methods.verdict import CLASSES, COURSES, Result, Row
from services.outcomes.research.classify import Classified

SHOWN = 30
"""Clients shown on the terminal; all of them stand in the JSON."""


def as_json(classified: Classified, higher_is: str) -> dict[str, Any]:
    """Everything, by method; a count is null where the method cannot tell that class."""
    return {
        "higher_is": higher_is,
        "methods": {one.method: _method(one) for one in classified.results},
        "not_assessable": dict(classified.left_out),
    }


def _method(result: Result) -> dict[str, Any]:
    return {
        "summary": result.summary(),
        "n": len(result.rows),
        "relative": result.relative,
        "cutoff": result.cut.value if result.cut else None,
        "cutoff_kind": result.cut.kind if result.cut else None,
        "s_diff": result.s_diff,
        "standard_error": result.standard_error,
        "critical": result.critical,
        "used": dict(result.used),
        "note": result.note,
        "rows": [_row(row) for row in result.rows],
    }


def _row(row: Row) -> dict[str, Any]:
    return {
        "client": row.client,
        "pre": row.pre,
        "post": row.post,
        "change": row.change,
        "statistic": row.statistic,
        "class": row.verdict,
        "why": row.why,
        **row.more,
    }


Lines = list[Sequence[str]]


def counted(results: Sequence[Result]) -> tuple[Sequence[str], Lines]:
    """Head and lines of the table of classes by method; "-" where a method cannot tell a class."""
    shown = [one for one in results if not one.counts]
    courses = COURSES if any(one.relative for one in shown) else ()
    words = [one.removesuffix(" the group's course") for one in courses]
    head = ["method", *CLASSES, *words, "not assessable", "cut-off", "S_diff"]
    return head, [_counts(one, len(courses)) for one in shown]


def _counts(result: Result, courses: int) -> list[str]:
    summary = result.summary()
    told = [_number(summary[name]) for name in CLASSES]
    keys = [key for key in summary if key.endswith("_the_groups_course")]
    told += [_number(summary[key]) for key in keys] or ["-"] * courses
    cut = f"{result.cut.value:.4g} ({result.cut.kind})" if result.cut else "-"
    s_diff = "-" if result.s_diff is None else f"{result.s_diff:.4g}"
    return [result.method, *told, _number(summary["not_assessable"]), cut, s_diff]


def remarks(classified: Classified) -> Iterator[str]:
    """What a reader of the counts has to know."""
    for result in classified.results:
        if result.counts:
            told = ", ".join(
                f"{key.replace('_', ' ')} {value}" for key, value in result.counts.items()
            )
            left = result.summary()["not_assessable"]
            yield f"{result.method}: {told}; not assessable {left}"
        if result.note:
            ends = " It cannot say that somebody got worse." if result.relative else ""
            yield f"{result.method} {result.note}.{ends}"
    for method, reason in classified.left_out.items():
        yield f"{method} was left out: {reason}."


def clients(result: Result) -> tuple[Sequence[str], Lines]:
    """Head and lines of the first clients as one method judges them."""
    lines = [
        (
            row.client,
            _score(row.pre),
            _score(row.post),
            "-" if row.statistic is None else f"{row.statistic:.2f}",
            row.verdict + (f" ({row.why})" if row.why else ""),
        )
        for row in result.rows[:SHOWN]
    ]
    return ("client", "before", "after", "statistic", "class"), list(lines)


def _number(count: int | None) -> str:
    return "-" if count is None else str(count)


def _score(value: float | None) -> str:
    return "-" if value is None else f"{value:g}"
