"""Disconnection: sessions missed, or no measure for long; there may be a plain reason."""

from collections.abc import Iterable, Sequence
from operator import attrgetter, sub
from typing import NamedTuple

from services.outcomes.core.channels.meaning import EPISODE, Meaning
from services.outcomes.core.found import Found
from services.outcomes.core.rules import Rules
from services.outcomes.core.timeline import MISSED, Measure, Session, iso, ordinal

MEANING = Meaning(
    "disconnection",
    "review",
    "{rules.missed_in_row} consecutive sessions missed or cancelled, or {rules.missed_of[0]} "
    "of the last {rules.missed_of[1]}; how late a session was cancelled is not told, so every "
    "cancellation counts, and a client who came late was there. Or silence: no measure for "
    "{rules.silence_days} days, or {rules.silence_gaps:g} times the median gap where that is "
    "longer, while the episode is open. An announced break is left out: until its last day, or "
    "{rules.break_days} days where none was told.",
    "practice; no tested limit was found",
    ("missed_in_row", "missed_of", "silence_days", "silence_gaps", "break_days"),
    asked_of=EPISODE,
)


class Attendance(NamedTuple):
    """What of an episode bears on disconnection; days are numbers, `today` the latest known.

    `days` are those on which anything was measured, in order and each once; `breaks` are those
    that were announced, each with its first and last day.
    """

    sessions: Iterable[Session]
    measures: Iterable[Measure]
    days: Sequence[int]
    opened: int | None
    breaks: Sequence[tuple[int, int]]
    today: int


def disconnection(attendance: Attendance, rules: Rules) -> Found | None:
    """Two consecutive sessions missed or cancelled, or 3 of the last 6; or silence."""
    return _missed(attendance, rules) or _silent(attendance, rules)


def silent_from(attendance: Attendance, rules: Rules) -> int | None:
    """The day number from which silence is noticed, None where nothing is expected."""
    last = last_measure(attendance)
    if last is None:
        return None
    limit = patience(attendance, rules)
    day = last + limit
    while short := limit - (day - last - _left_out(attendance.breaks, last, day)):
        day += short
    return day


def patience(attendance: Attendance, rules: Rules) -> int:
    """Days without a measure before it is silence: 21, or twice the median gap."""
    days = attendance.days
    gaps: list[int] = sorted(map(sub, days[1:], days))
    if not gaps:
        return rules.silence_days
    half = len(gaps) // 2
    median = gaps[half] if len(gaps) % 2 else (gaps[half - 1] + gaps[half]) / 2
    return max(rules.silence_days, round(rules.silence_gaps * median))


def last_measure(attendance: Attendance) -> int | None:
    """The day of the latest measure, else of the opening."""
    return attendance.days[-1] if attendance.days else attendance.opened


def _missed(attendance: Attendance, rules: Rules) -> Found | None:
    held = sorted(attendance.sessions, key=attrgetter("on", "session"))
    if attendance.breaks:
        held = [one for one in held if not _in_break(attendance.breaks, ordinal(one.on))]
    enough, of = rules.missed_of
    latest = held[-of:]
    missed = [session for session in latest if session.attendance in MISSED]
    row = latest[-rules.missed_in_row :]
    in_row = len(row) == rules.missed_in_row and all(one.attendance in MISSED for one in row)
    if not in_row and len(missed) < enough:
        return None
    newest = latest[-1]
    shown = row if in_row and len(missed) < enough else missed
    return Found(
        channel="disconnection",
        tier="review",
        on=newest.on,
        received_on=newest.received_on,
        instrument=None,
        numbers={
            "kind": "sessions",
            "missed": len(shown),
            "of": len(row) if shown is row else len(latest),
            "days": ordinal(newest.on) - ordinal(shown[0].on),
            "since": shown[0].on,
        },
    )


def _silent(attendance: Attendance, rules: Rules) -> Found | None:
    since = last_measure(attendance)
    if since is None or attendance.today - since < rules.silence_days:
        return None
    due = silent_from(attendance, rules)
    if due is None or attendance.today < due:
        return None
    return Found(
        channel="disconnection",
        tier="review",
        on=iso(attendance.today),
        received_on=_arrival(attendance, since),
        instrument=None,
        numbers={
            "kind": "silence",
            "missed": 0,
            "of": 0,
            "days": attendance.today - since,
            "since": iso(since),
        },
        missing=["a measure"],
    )


def _arrival(attendance: Attendance, since: int) -> str:
    """When silence is news: the day that it is noticed, shifted by how late its measure came."""
    received = [
        ordinal(entry.received_on) - since for entry in attendance.measures if entry.day == since
    ]
    return iso(attendance.today + max(received, default=0))


def _left_out(breaks: Sequence[tuple[int, int]], since: int, until: int) -> int:
    """How many of the days after `since` up to `until` lie in an announced break."""
    if not breaks:
        return 0
    return sum(_in_break(breaks, day) for day in range(since + 1, until + 1))


def _in_break(breaks: Sequence[tuple[int, int]], day: int) -> bool:
    return any(first <= day <= last for first, last in breaks)
