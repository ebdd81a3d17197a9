"""What reflections leave unknown, as documents of read models hold it: noted, revised, found out.

An entry: {unknown, what, why, who, find, since, how, closed_on}; open while `closed_on` is None.
"""

from collections.abc import Iterable
from typing import Any

from services.alerts.core.reflection import UnknownClosed

Entries = list[dict[str, Any]]


def noted(unknowns: Iterable[dict[str, Any]], on: str) -> Entries:
    """The entries of what an event names, all of them open since a day."""
    return [
        {
            "unknown": one["unknown"],
            "what": one["what"],
            "why": one["why"],
            "who": one["who"],
            "find": one.get("find", ""),
            "since": on,
            "how": None,
            "closed_on": None,
        }
        for one in unknowns
    ]


def revised(before: Entries, unknowns: Iterable[dict[str, Any]], on: str) -> Entries:
    """The entries of a revision: words anew, and what was found out of those that stay."""
    known = {one["unknown"]: one for one in before}
    kept = ("since", "how", "closed_on")
    return [
        one | {name: known[one["unknown"]][name] for name in kept}
        if one["unknown"] in known
        else one
        for one in noted(unknowns, on)
    ]


def close(entries: Entries, event: UnknownClosed) -> None:
    """Note how one of them was found out."""
    for one in entries:
        if one["unknown"] == event.unknown:
            one |= {"how": event.how, "closed_on": event.on}
