"""An episode page as its template needs it: the trajectory shown, charts, table, effects."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.alerts.core.caseload import Statistics, beside
from services.alerts.core.labels import label_of
from services.alerts.core.language import _
from services.alerts.core.lesson import pivots
from services.alerts.pages import why, words
from services.alerts.pages.axes import day_of
from services.alerts.pages.chart import NARROW, WIDE, Drawing, draw, live_effects
from services.alerts.views.course import EpisodePage


@dataclass(frozen=True, slots=True)
class Track:
    """One trajectory of the episode, to choose from."""

    place: int
    key: str
    title: str
    summary: str
    measures: int


@dataclass(frozen=True, slots=True)
class TableRow:
    """A day of the course in the data table."""

    on: str
    week: str
    score: str
    band: str
    estimate: str
    happened: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Effect:
    """A pivot and what followed it."""

    approach: str
    since: str
    sentence: str
    earlier: tuple[str, ...]
    forecast: str


@dataclass(frozen=True, slots=True)
class Story:
    """Everything of an episode page that is worked out rather than looked up."""

    title: str
    """The finding that matters most as a sentence; else what followed the last pivot."""
    lead: str
    tracks: tuple[Track, ...]
    chosen: Track | None
    broad: Drawing | None
    narrow: Drawing | None
    rows: tuple[TableRow, ...]
    effects: tuple[Effect, ...]
    beside: str
    """What stands beside effects: the same in courses without a pivot, or that it is not known."""
    quiet: tuple[why.Why, ...]
    """Why nobody was prompted, rule by rule."""
    expected: str


Known = Callable[[str | None], Statistics | None]
"""What the caseload's endings say of an instrument."""


def tell(
    page: EpisodePage,
    today: date,
    show: int | None = None,
    known: Known = lambda instrument: None,
) -> Story:
    """Work the page out; `show` is the place of the trajectory asked for."""
    course = page.document
    tracks = tuple(_track(place, key, course) for place, key in enumerate(course["trajectories"]))
    chosen = _choose(tracks, page, show)
    key = chosen.key if chosen else None
    title, lead = _headline(page)
    return Story(
        title=title,
        lead=lead,
        tracks=tracks,
        chosen=chosen,
        broad=draw(course, key, today, WIDE) if key else None,
        narrow=draw(course, key, today, NARROW) if key else None,
        rows=table(course, key),
        effects=tuple(_effect(new, course) for new, _old in reversed(pivots(course))),
        beside=beside(known(key.split("|")[0] if key else None)),
        quiet=why.answers(page),
        expected=_expected(course, key, today),
    )


def _headline(page: EpisodePage) -> tuple[str, str]:
    """What the page says first; a pivot's effect where nothing waits for an answer."""
    if all(line.tier == "info" for line in page.alerts):
        for new, _old in reversed(pivots(page.document)):
            effects = live_effects(new)
            if effects:
                before = _score_at(page.document, effects[-1], new)
                return words.effect_title(effects[-1], before), page.lead
    return page.title, page.lead


def _track(place: int, key: str, course: Mapping[str, Any]) -> Track:
    track = course["trajectories"][key]
    respondent = key.rpartition("|")[2]
    title = str(track["scale"]["title"])
    if respondent not in ("client", key):
        title = _("{instrument}, answered by {respondent}").format(
            instrument=title, respondent=respondent
        )
    scores = [point for point in track["points"] if point.get("score") is not None]
    summary = _("no score")
    if scores:
        first, last = (words.number(scores[end]["score"]) for end in (0, -1))
        summary = first if len(scores) == 1 else words.range_of(first, last)
    return Track(place, key, title, summary, len(track["points"]))


def _choose(tracks: Sequence[Track], page: EpisodePage, show: int | None) -> Track | None:
    """The one asked for; else that of the leading finding, the primary one, the longest."""
    if show is not None and 0 <= show < len(tracks):
        return tracks[show]
    wanted = _leading(page)
    primary = str(page.document.get("primary_instrument") or "")
    return max(
        tracks,
        key=lambda track: (
            track.key in wanted,
            bool(primary) and track.key.startswith(f"{primary}|"),
            "|total|" in track.key,
            track.measures,
        ),
        default=None,
    )


def _leading(page: EpisodePage) -> list[str]:
    spells = [line.spell for line in page.alerts[:1]]
    for finding in page.document["findings"]:
        if finding["spell"] in spells:
            return list(finding["evidence"].get("trajectories") or [])
    return []


def table(course: Mapping[str, Any], key: str | None) -> tuple[TableRow, ...]:
    """All that the chart holds as rows, oldest first."""
    happened: dict[str, list[str]] = {}
    for day, what in _happenings(course, key):
        happened.setdefault(day, []).append(what)
    points = course["trajectories"][key]["points"] if key else []
    measured: dict[str, list[Mapping[str, Any]]] = {}
    for point in points:
        measured.setdefault(point["on"][:10], []).append(point)
    zero = course.get("opened_on") or min([*happened, *measured], default=None)
    rows = []
    for day in sorted({*happened, *measured}):
        for place, point in enumerate(measured.get(day, [{}])):
            rows.append(_row(day, zero, point, happened.get(day, []) if place == 0 else []))
    return tuple(rows)


def _row(day: str, zero: str | None, point: Mapping[str, Any], happened: Sequence[str]) -> TableRow:
    week = (day_of(day) - day_of(zero)).days // 7 if zero else 0
    notes = [_(words.FLAGS.get(flag, flag)) for flag in point.get("flags", [])]
    if point and not point["used"]:
        notes.append(_("not used for findings"))
    level = (point.get("state") or {}).get("level")
    return TableRow(
        on=words.day(day),
        week=words.number(week),
        score=words.number(point.get("score")) if point else "",
        band=str(point.get("band") or ""),
        estimate=words.number(level) if level is not None else "",
        happened=(*happened, *notes),
    )


def _happenings(course: Mapping[str, Any], key: str | None) -> list[tuple[str, str]]:
    found = [(new["since"][:10], words.pivot_words(new, old)) for new, old in pivots(course)]
    found += [
        (session["on"][:10], words.session(session["attendance"]))
        for session in course["sessions"]
        if session["attendance"] != "attended"
    ]
    found += [
        (fact["on"][:10], f"{words.kind(fact['kind'])}: {fact['label']}")
        for fact in course["facts"]
    ]
    for finding in course["findings"]:
        if finding.get("cleared_reason") == "corrected away":
            continue
        if key in (finding["evidence"].get("trajectories") or [key]):
            name = label_of(finding["channel"]).lower()
            found.append((finding["on"][:10], _("found: {finding}").format(finding=name)))
    return found


def _effect(approach: Mapping[str, Any], course: Mapping[str, Any]) -> Effect:
    effects = live_effects(approach)
    said = [words.effect_sentence(one, _score_at(course, one, approach)) for one in effects]
    made = approach.get("forecast") or {}
    forecast = words.forecast_sentence(made["fan"], made["on"]) if made.get("fan") else ""
    return Effect(
        approach=str(approach["approach"]),
        since=str(approach["since"]),
        sentence=said[-1] if said else words.effect_open(approach),
        earlier=tuple(said[:-1]),
        forecast=forecast,
    )


def _score_at(
    course: Mapping[str, Any], effect: Mapping[str, Any], approach: Mapping[str, Any]
) -> float | None:
    """The last score up to the pivot."""
    points = (course["trajectories"].get(effect["trajectory"]) or {}).get("points", [])
    before = [
        point["score"]
        for point in points
        if point.get("score") is not None and point["on"][:10] <= approach["since"][:10]
    ]
    return before[-1] if before else None


def _expected(course: Mapping[str, Any], key: str | None, today: date) -> str:
    if key is None:
        return ""
    track = course["trajectories"][key]
    scale = track["scale"]
    if not scale.get("baseline_on") or not track["points"]:
        return ""
    last = day_of(track["points"][-1]["on"])
    return words.expected_now(scale, (last - day_of(scale["baseline_on"])).days / 7)
