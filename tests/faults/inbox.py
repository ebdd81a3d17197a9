"""A slow reference for the inbox: the alerts log read from its first event, case by case.

It shares no code with the views and reads events by their topics alone; what it does not know of
(words of cards, the daily cap) it takes from the row it is held against, or leaves out.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from services.alerts.views.inbox_rows import InboxRow
from services.alerts.wiring import Alerts

RANKS = (
    "risk_answer",
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
"""The order in which the plan has channels seen."""
GOOD_NEWS_FOR = timedelta(days=14)
SCORES = 16
ENDS = ("acknowledged", "dismissed", "withdrawn", "settled")


@dataclass
class Spoken:
    """One alert of one channel (or of one risk item) as its events leave it."""

    channel: str
    state: str = "none"
    tier: str = ""
    on: str = ""
    old_news: bool = False
    raised_at: datetime | None = None
    until: datetime | None = None
    sentence: str = ""


@dataclass
class Episode:
    """What the log says of one episode."""

    client: str | None = None
    clinician: str | None = None
    sender: str | None = None
    closed: bool = False
    primary: str | None = None
    alerts: dict[str, Spoken] = field(default_factory=dict)
    answers: dict[tuple[str, int], dict[str, dict[str, Any]]] = field(default_factory=dict)
    scores: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    scales: dict[str, dict[str, Any]] = field(default_factory=dict)


def read(events: Iterable[Any]) -> dict[str, Episode]:
    """Every episode of an alerts log."""
    found: dict[str, Episode] = {}
    for event in events:
        if event.TOPIC == "course.noted":
            episode = found.setdefault(event.episode, Episode())
            if event.effect:
                _message(episode, event.message["type"], event.message["data"])
        elif event.TOPIC.startswith("alert."):
            _alert(found.setdefault(event.episode, Episode()), event)
    return found


def _message(episode: Episode, type_: str, data: dict[str, Any]) -> None:
    if type_ == "episode.changed":
        episode.client, episode.clinician = data["client"], data["clinician"]
        episode.sender, episode.closed = data["sender"], data["closed_on"] is not None
        episode.primary = data["primary_instrument"]
    elif type_ == "measure.assessed":
        _assessment(episode, data["assessment"])
    elif type_ == "trajectory.refolded":
        episode.scores.pop(data["trajectory"], None)
        for assessment in data["assessments"]:
            _assessment(episode, assessment)


def _assessment(episode: Episode, told: dict[str, Any]) -> None:
    episode.scores.setdefault(told["trajectory"], []).append(told)
    if told["scale"]:
        episode.scales[told["trajectory"]] = told["scale"]


def _alert(episode: Episode, event: Any) -> None:
    if getattr(event, "answer", None):
        item = event.answer["instrument"], event.answer["item"]
        episode.answers.setdefault(item, {})[event.answer["measure"]] = event.answer
    one = episode.alerts.setdefault(event.originator_id.hex, Spoken(event.channel))
    kind = event.TOPIC.removeprefix("alert.")
    if kind in ("raised", "held") or (kind == "amended" and one.state != "none"):
        _spoken(one, event, kind)
    elif kind == "snoozed":
        one.state, one.until = "open", datetime.fromisoformat(event.until)
    elif kind == "woken":
        one.until = None
    elif kind in ("acknowledged", "dismissed"):
        one.state = kind
    elif kind in ("withdrawn", "settled"):
        one.state = "over"


def _spoken(one: Spoken, event: Any, kind: str) -> None:
    speaks = kind == "raised" or (kind == "amended" and event.again)
    if speaks:
        one.until = None
    if kind == "raised" or (speaks and one.state != "open"):
        one.raised_at, one.state = event.timestamp, "open"
    elif kind == "held":
        one.state = "held"
    one.tier, one.on, one.old_news = event.tier, event.on, event.old_news
    one.sentence = event.card["sentence"]


def open_twice(events: Iterable[Any]) -> list[str]:
    """Channels that spoke twice at a time, in any stream, at any moment."""
    faults: list[str] = []
    about: dict[str, tuple[str, ...]] = {}
    waits: dict[tuple[str, ...], str] = {}
    for event in events:
        if not event.TOPIC.startswith("alert."):
            continue
        stream, kind = event.originator_id.hex, event.TOPIC.removeprefix("alert.")
        about.setdefault(stream, _about(event))
        key = about[stream]
        if kind == "raised":
            if key in waits:
                faults.append(f"episode {event.episode}: {event.channel} is open twice")
            waits[key] = stream
        elif kind in ENDS:
            waits.pop(key, None)
    return faults


def _about(event: Any) -> tuple[str, ...]:
    """What only one open alert may be about: a channel, or one risk item."""
    answer = getattr(event, "answer", None)
    if event.channel != "risk_answer":
        return event.episode, event.channel
    if answer:
        return event.episode, event.channel, answer["instrument"], str(answer["item"])
    return event.episode, event.channel, event.originator_id.hex


# The rows


def differences(alerts: Alerts, person: str, events: Sequence[Any], now: datetime) -> list[str]:
    """Where somebody's inbox is another than their own episodes' alerts make it."""
    who = alerts.register.find(person)
    if who is None:
        return [f"{person} is not known"]
    mine = {
        key: episode
        for key, episode in read(events).items()
        if (episode.sender, episode.clinician) in who.links
    }
    expected = {key: one for key, one in mine.items() if _shown(one, now)}
    rows = alerts.inbox.rows(who, now)
    faults = []
    if {row.episode for row in rows} != expected.keys() or len(rows) != len(expected):
        faults.append(f"{len(rows)} rows where the log has {len(expected)}")
    for row in rows:
        if row.episode in expected:
            told = _of_row(row, expected[row.episode], now)
            faults += [f"row {row.episode}: {one} is not the log's" for one in told]
    return faults + _of_order(rows)


def _shown(episode: Episode, now: datetime) -> list[Spoken]:
    """The open alerts that belong in the clinician's own inbox at this moment."""
    return [one for one in episode.alerts.values() if _is_shown(one, now)]


def _is_shown(one: Spoken, now: datetime) -> bool:
    if one.state != "open" or one.raised_at is None or (one.until and one.until > now):
        return False
    fresh = now - one.raised_at <= GOOD_NEWS_FOR
    return one.tier != "info" or (one.channel == "good_news" and not one.old_news and fresh)


def _of_row(row: InboxRow, episode: Episode, now: datetime) -> list[str]:
    lines = (row.main, *row.others)
    told = sorted(
        (line.channel, "prompt" if line.waiting else line.tier, line.sentence) for line in lines
    )
    log = sorted((one.channel, one.tier, one.sentence) for one in _shown(episode, now))
    pairs: dict[str, tuple[Any, Any]] = {
        "alerts": (told, log),
        "client": (row.client, episode.client),
        "status": (row.status, "closed" if episode.closed else "open"),
        "risk": (_risk_told(row), _risk(episode)),
        "spark": (list(row.spark), _spark(episode)),
        "p_fail": (row.p_fail, _p_fail(episode)),
    }
    return [name for name, (shown, true) in pairs.items() if shown != true]


def _risk_told(row: InboxRow) -> dict[tuple[str, int], tuple[Any, ...]]:
    return {(one.instrument, one.item): (one.on, one.state, one.answer) for one in row.risk}


def _risk(episode: Episode) -> dict[tuple[str, int], tuple[Any, ...]]:
    """The last answer to each item by the day it was given on, those taken back left out."""
    last = {}
    for item, answers in episode.answers.items():
        stand = [one for one in answers.values() if one["change"] != "withdrawn"]
        if stand:
            one = max(stand, key=lambda each: (each["on"][:10], each["received_at"]))
            last[item] = (one["on"], one["state"], one["answer"])
    return last


def _chief(episode: Episode) -> list[dict[str, Any]]:
    """The assessments in use of the trajectory that stands for the episode, in order."""
    keys = sorted(episode.scores)
    named = [key for key in keys if key.split("|")[0] == episode.primary]
    full = [
        key
        for key in keys
        if (scale := episode.scales.get(key))
        and scale["reliable_change"] is not None
        and scale["cutoff"] is not None
    ]
    found = (named or full or keys)[:1]
    return [one for key in found for one in episode.scores[key] if one["used"]]


def _spark(episode: Episode) -> list[float]:
    return [one["score"] for one in _chief(episode) if one["score"] is not None][-SCORES:]


def _p_fail(episode: Episode) -> float | None:
    used = [one for one in _chief(episode) if one["score"] is not None]
    value: float | None = used[-1]["state"]["p_fail"] if used else None
    return value


def _of_order(rows: Sequence[InboxRow]) -> list[str]:
    """Risk first, then prompts, then the rest; among these by channel, then by P(fail)."""
    keys = []
    for row in rows:
        main = row.main
        tier = ("risk", "prompt", "review", "info").index(main.tier)
        low = main.channel == "risk_answer" and main.tier == "review"
        channel = "not_assessable" if low else main.channel
        chance = -1.0 if row.p_fail is None else row.p_fail
        keys.append((tier, RANKS.index(channel), -chance, row.next_session or "9999"))
    return [] if keys == sorted(keys) else ["the rows are in another order than their benefit"]
