"""How loudly a finding speaks, to whom and by when: pure rules over numbers that are settings."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from services.alerts.core.language import gettext_noop

RISK = "risk_answer"
CHANNEL_ORDER = (
    RISK,
    "reliable_deterioration",
    "gain_partly_lost",
    "off_track",
    "stalled",
    "disconnection",
    "plateau",
    "possibly_worse",
    "not_assessable",
    "validity",
    "good_news",
)
"""Channels as the inbox ranks them: what helps most when it is seen first."""
TIERS = ("risk", "prompt", "review", "info")
ESCALATING = frozenset({RISK, "reliable_deterioration"})
"""Channels that are told to somebody else when they stay unanswered; no other is."""
DISMISS_REASONS = (
    gettext_noop("known and being worked on"),
    gettext_noop("a plain reason outside therapy"),
    gettext_noop("does not fit this client"),
    gettext_noop("the measure is not right"),
    gettext_noop("too early to say"),
    gettext_noop("another reason"),
)
RISK_DONE = (
    gettext_noop("reviewed with client"),
    gettext_noop("contacted"),
    gettext_noop("passed to"),
)
"""What may have been done about a risk answer when it is acknowledged."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Every number of the alert policy; each is a setting."""

    zone: ZoneInfo
    refractory_days: int = 28
    prompts_a_day: int = 3
    risk_urgent_minutes: int = 60
    day_ends: time = time(17, 0)
    working_days: frozenset[int] = frozenset(range(5))
    """Monday is 0."""
    unread_hours: int = 72
    """Reliable deterioration unread for so long is told to the supervisor."""
    snooze_days: int = 7
    """When the next session is not known."""
    snooze_most_days: int = 28
    history_days: int = 14
    """A risk answer older than this on arrival is a mark on the chart and one summary."""
    review_window_days: int = 14
    good_news_days: int = 14
    lay_out_days: int = 7
    """An answer still owed after so long is laid out for the next supervision."""

    def day(self, moment: datetime) -> date:
        """The installation's calendar day of an aware moment."""
        return moment.astimezone(self.zone).date()


def rank(tier: str, channel: str) -> tuple[int, int]:
    """Where an alert stands in the inbox, lowest first."""
    tiers = TIERS.index(tier) if tier in TIERS else len(TIERS)
    channels = CHANNEL_ORDER.index(channel) if channel in CHANNEL_ORDER else len(CHANNEL_ORDER)
    return tiers, channels


def risk_due(policy: Policy, received: datetime, urgent: bool) -> datetime:
    """When a risk answer must have been acknowledged, before the backup is told.

    Urgent: so many minutes after it was received. Otherwise: the end of the working day, or of
    the next one when it came after hours.
    """
    if urgent:
        return received + timedelta(minutes=policy.risk_urgent_minutes)
    local = received.astimezone(policy.zone)
    day = local.date()
    if local.timetz().replace(tzinfo=None) >= policy.day_ends:
        day += timedelta(days=1)
    for _ in range(7):
        if day.weekday() in policy.working_days:
            break
        day += timedelta(days=1)
    return datetime.combine(day, policy.day_ends, policy.zone).astimezone(received.tzinfo)


def unread_due(policy: Policy, channel: str, raised: datetime) -> datetime | None:
    """When an unread finding is told to the supervisor; None where nobody is told."""
    if channel != "reliable_deterioration":
        return None
    return raised + timedelta(hours=policy.unread_hours)


def refractory_until(policy: Policy, cleared: datetime) -> datetime:
    """When a channel that has cleared may speak again."""
    return cleared + timedelta(days=policy.refractory_days)


def leave_between(
    away: Iterable[tuple[datetime, datetime | None]], start: datetime, now: datetime
) -> timedelta:
    """How much of the time from `start` to `now` somebody was away; leave pauses the clock."""
    paused = timedelta()
    for gone, back in away:
        first, last = max(gone, start), min(back or now, now)
        if last > first:
            paused += last - first
    return paused


def is_history(policy: Policy, on: date, received: datetime) -> bool:
    """Whether a risk answer was so old on arrival that it came with an import of history."""
    return (policy.day(received) - on).days > policy.history_days


@dataclass(frozen=True, slots=True)
class Spoken:
    """A prompt that was raised: what the daily cap counts."""

    key: str
    day: date
    channel: str
    chance: float = 0.0
    """P(fail) of its client, as far as it is known."""
    session: str = ""
    """The client's next session, ISO 8601."""


def waiting(policy: Policy, prompts: Sequence[Spoken], today: date) -> frozenset[str]:
    """The keys of prompts that wait because the day's cap is reached.

    Each day holds `prompts_a_day`; within a day the order of the inbox decides: channel, P(fail),
    soonest session, then the key. What finds no room goes to the next day that has some.
    """
    taken: dict[date, int] = {}
    late: set[str] = set()
    for spoken in sorted(prompts, key=_benefit):
        day = spoken.day
        while taken.get(day, 0) >= policy.prompts_a_day:
            day += timedelta(days=1)
        taken[day] = taken.get(day, 0) + 1
        if day > today:
            late.add(spoken.key)
    return frozenset(late)


def _benefit(spoken: Spoken) -> tuple[date, tuple[int, int], float, str, str]:
    place = rank("prompt", spoken.channel)
    return spoken.day, place, -spoken.chance, spoken.session or "9999", spoken.key


def snooze_until(policy: Policy, now: datetime, asked: date | None, session: date | None) -> date:
    """The day on which a snoozed alert comes back: the one asked for, or the next session's.

    Never later than the longest snooze, never today.
    """
    today = policy.day(now)
    if asked is None:
        asked = session if session and session > today else None
    wanted = asked or today + timedelta(days=policy.snooze_days)
    latest = today + timedelta(days=policy.snooze_most_days)
    return max(today + timedelta(days=1), min(wanted, latest))


def day_starts(policy: Policy, day: date) -> datetime:
    """The first moment of a day of the installation, aware."""
    return datetime.combine(day, time(0, 0), policy.zone)


def worked(
    points: Sequence[Mapping[str, object]],
    scale: Mapping[str, object],
    review_on: date,
    today: date,
    window_days: int,
) -> tuple[bool | None, str | None] | None:
    """Whether a course stood better at a review date; None while it cannot be told yet.

    Args:
        points: assessments of one trajectory, with `on`, `used`, `score` and `state.change`.
        scale: its `cutoff`, `reliable_change` and `higher_is`.
        review_on: the day that was named at the reflection.
        today: the installation's day.
        window_days: how far from the review date a measure may lie.

    Returns:
        (worked, id of the nearest measure); (None, None) when no measure lies near enough: it
        stays unresolved. None when a nearer measure may still come.
    """
    if today < review_on:
        return None
    near = [
        (abs((date.fromisoformat(str(point["on"])[:10]) - review_on).days), index)
        for index, point in enumerate(points)
        if point.get("used") and point.get("score") is not None
    ]
    near = [pair for pair in near if pair[0] <= window_days]
    if not near:
        return (None, None) if (today - review_on).days > window_days else None
    distance, index = min(near, key=lambda pair: (pair[0], -pair[1]))
    if (today - review_on).days < distance:
        return None
    return _better(points[index], scale), str(points[index].get("measure"))


def _better(point: Mapping[str, object], scale: Mapping[str, object]) -> bool | None:
    state = point.get("state")
    change = state.get("change") if isinstance(state, Mapping) else None
    reliable, cutoff, score = scale.get("reliable_change"), scale.get("cutoff"), point["score"]
    known = False
    if isinstance(change, (int, float)) and isinstance(reliable, (int, float)):
        known = True
        if change < -reliable:
            return True
    if isinstance(cutoff, (int, float)) and isinstance(score, (int, float)):
        known = True
        below = score < cutoff if scale.get("higher_is") == "worse" else score >= cutoff
        if below:
            return True
    return False if known else None
