"""One course told in plain words, from first score to effect: the end of the demo's summary."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Any

Document = dict[str, Any]
"""A course document, as `services.alerts.views.course` describes it."""

FAILURES = ("reliable_deterioration", "gain_partly_lost", "off_track", "stalled", "plateau")
"""Channels whose findings are failures: a plateau or a regression."""

BETTER, WITHIN = "better than forecast", "within forecast"


def choose(documents: Iterable[Document]) -> Document | None:
    """The course with the fullest loop: a prompt, a pivot and effects measured after it."""
    return max(documents, key=_fullness, default=None)


def tell(document: Document, names: dict[str, str], read: dict[str, str]) -> list[str]:
    """The course as sentences.

    Args:
        document: what the episode's page is made from.
        names: the name of each clinician's reference.
        read: alert to what stood in the inbox when it was answered: new evidence amends a card.
    """
    who = names.get(document.get("clinician") or "", "the clinician")
    return [
        *_beginning(document, who),
        *_failure(document, read),
        *_reflection(document, who),
        *_effect(document),
    ]


def day(moment: str) -> str:
    """A date or time, ISO 8601, as one says it: 4 August."""
    on = datetime.fromisoformat(moment).date() if "T" in moment else date.fromisoformat(moment)
    return f"{on.day} {on:%B}"


def number(value: float) -> str:
    """A score as one says it: without a decimal where it has none."""
    return f"{value:.0f}" if abs(value - round(value)) < 0.05 else f"{value:.1f}"


def failures(document: Document) -> list[Document]:
    """The findings of plateau or regression, in the order in which they were made."""
    return [finding for finding in document["findings"] if finding["channel"] in FAILURES]


def pivots(document: Document) -> list[Document]:
    """The approaches that reflections chose, in order of time."""
    return [one for one in document["approaches"] if one.get("origin") == "reflection"]


def effects(chosen: Document) -> list[Document]:
    """What was measured after a pivot, by date, without what was withdrawn since."""
    measured = [one for one in chosen.get("effects", []) if not one.get("withdrawn")]
    return sorted(measured, key=lambda effect: str(effect["on"]))


def counted(number_of: int, one: str, more: str = "") -> str:
    """A number with its noun: 1 prompt, 2 prompts."""
    return f"{number_of} {one if number_of == 1 else more or one + 's'}"


def _fullness(document: Document) -> tuple[bool, bool, bool, int, str]:
    chosen = pivots(document)
    measured = effects(chosen[-1]) if chosen else []
    last = measured[-1]["verdict"] if measured else ""
    return (
        bool(_prompt(document)) and len(chosen) == 1,
        bool(measured),
        last == BETTER,
        len(measured),
        document.get("reference", ""),
    )


def _points(document: Document) -> list[Document]:
    trajectories = document["trajectories"]
    primary = document.get("primary_instrument") or "phq-9"
    named = [key for key in trajectories if key.split("|")[0] == primary]
    key = (named or list(trajectories))[0]
    return [point for point in trajectories[key]["points"] if point["score"] is not None]


def _title(document: Document) -> str:
    for trajectory in document["trajectories"].values():
        return str(trajectory["scale"]["title"])
    return "the measure"


def _prompt(document: Document) -> Document | None:
    raised = [
        alert
        for alert in document["alerts"].values()
        if alert["channel"] in FAILURES and alert["tier"] == "prompt"
    ]
    return min(raised, key=lambda alert: str(alert["raised_at"]), default=None)


def _beginning(document: Document, who: str) -> Iterator[str]:
    points = _points(document)
    first = points[0]
    begun = document["approaches"][0]["approach"] if document["approaches"] else "treatment"
    yield (
        f"{document['client']} came to {who} for {document['problem']} and began "
        f"with {begun}. The first {_title(document)}, on {day(first['on'])}, was "
        f"{number(first['score'])} ({first['band']})."
    )


def _failure(document: Document, read: dict[str, str]) -> Iterator[str]:
    alert = _prompt(document)
    if alert is None:
        return
    until = [point for point in _points(document) if point["on"] <= alert["raised_at"][:10]]
    scores = ", ".join(number(point["score"]) for point in until)
    told = read.get(alert["alert"], alert["card"]["sentence"])
    yield (
        f"By {day(alert['raised_at'])} the scores had been {scores}, and a prompt was raised: "
        f"“{told}”"
    )


def _reflection(document: Document, who: str) -> Iterator[str]:
    if not pivots(document):
        return
    chosen = pivots(document)[-1]
    own = [one for one in document["reflections"] if one["reflection"] == chosen["reflection"]]
    for reflection in own:
        if reflection.get("expectation"):
            yield (
                f"{who} wrote down what had been expected (“{reflection['expectation']}”) and the "
                f"assumption behind it (“{reflection['assumption']}”)."
            )
        for unknown in reflection["unknowns"]:
            yield f"Not known: {unknown['what']}. Why not: {unknown['why']}."
    yield (
        f"On {day(chosen['since'])} the approach changed to {chosen['approach']}. "
        + _forecast(chosen.get("forecast"))
    )


def _forecast(forecast: Document | None) -> str:
    fan = {point["weeks"]: point for point in (forecast or {}).get("fan", [])}
    if not fan:
        return "No forecast could be made then."
    weeks = 4 if 4 in fan else min(fan)
    point = fan[weeks]
    return (
        f"The forecast made that day, as if nothing changed: about {number(point['mean'])} in "
        f"{weeks} weeks, 80 % between {number(point['low80'])} and {number(point['high80'])}."
    )


def _effect(document: Document) -> Iterator[str]:
    chosen = pivots(document)
    measured = effects(chosen[-1]) if chosen else []
    if not measured:
        yield "No measure has come in since, so there is no effect to tell of yet."
        return
    last = measured[-1]
    verdict = {WITHIN: "within what was forecast"}.get(last["verdict"], last["verdict"])
    beside = "; ".join(last.get("also_changed", []))
    yield (
        f"{number(last['weeks'])} weeks later, on {day(last['on'])}, the score was "
        f"{number(last['observed'])}, where {number(last['low80'])} to {number(last['high80'])} "
        f"had been forecast: {verdict}." + (f" Then, too: {beside}." if beside else "")
    )
