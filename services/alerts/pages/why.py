"""Why was I not prompted? Answered from the log: what each rule said, and what held it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.alerts.core.card import LABELS, NO_VERDICT
from services.alerts.core.policy import CHANNEL_ORDER, RISK
from services.alerts.core.rule import Rule
from services.alerts.pages.words import ENDED, day, listed
from services.alerts.views.course import EpisodePage

STEPS_SHOWN = 12
"""Of one rule, the newest."""


@dataclass(frozen=True, slots=True)
class Why:
    """What one rule said in this episode and what became of it, oldest first."""

    label: str
    steps: tuple[str, ...]


def answers(page: EpisodePage) -> tuple[Why, ...]:
    """Each rule that said something, each time it did; then those that said nothing."""
    course = page.document
    waiting = {line.alert for line in page.alerts if line.waiting}
    entries = sorted(course["alerts"].values(), key=lambda one: _place(one["channel"]))
    told = [
        Why(_label(entry["channel"]), tuple(_steps(entry, page.rules, waiting))[-STEPS_SHOWN:])
        for entry in entries
        if entry["channel"] != RISK
    ]
    spoke = {entry["channel"] for entry in entries}
    silent = [one for one in CHANNEL_ORDER if one not in spoke and one != RISK]
    return (*(one for one in told if one.steps), Why("", tuple(_silence(page, silent))))


def _steps(entry: Mapping[str, Any], rules: Mapping[str, Rule], waiting: set[str]) -> Iterator[str]:
    for step in entry["history"]:
        said = _said(step, rules.get(entry["channel"]))
        if said:
            yield f"{day(step['at'])}: {said}."
    if entry["alert"] in waiting:
        yield "As many prompts as a day may have had been sent, so it waits its turn in the inbox."


def _said(step: Mapping[str, Any], rule: Rule | None) -> str:
    what = step["what"]
    if what == "raised" or (what == "amended" and step.get("again")):
        return _spoke(step, rule)
    if what == "held":
        return (
            f"found again and held back until {day(step.get('until'))}: the same rule had spoken "
            "and cleared only a short time before"
        )
    if what == "snoozed":
        return f"put off until {day(step.get('until'))}"
    if what == "woken":
        return "came back from having been put off"
    if what == "escalated":
        return "told to somebody else"
    return "" if what in ("seen", "amended") else ENDED.get(what, what)


def _spoke(step: Mapping[str, Any], rule: Rule | None) -> str:
    tier = step.get("tier")
    if tier == "prompt":
        return "you were prompted"
    if tier == "review":
        return "laid in the inbox for review, which does not interrupt"
    if step.get("old_news"):
        return (
            "a mark on the chart only: its newest measure was over 28 days old on arrival, or the "
            "episode was closed"
        )
    held = rule.at(datetime.fromisoformat(step["at"])) if rule else None
    if held is not None:
        return (
            f"a mark on the chart only: {held.name} had retired this rule on "
            f"{day(held.since.isoformat())} ({held.why})"
        )
    return "a mark on the chart, which never interrupts"


def _silence(page: EpisodePage, silent: Sequence[str]) -> Iterator[str]:
    retired = [one for one in silent if one in page.rules and page.rules[one].retired]
    if silent:
        names = listed([_label(one).lower() for one in silent])
        yield f"Nothing was found by: {names}. {NO_VERDICT}"
    if retired:
        yield f"Retired at present: {listed([_label(one).lower() for one in retired])}."
    yield from page.not_assessable
    if page.document["status"] == "closed":
        yield "The episode is closed: what comes in is shown on the chart only."


def _label(channel: str) -> str:
    return LABELS.get(channel, channel.replace("_", " ").capitalize())


def _place(channel: str) -> tuple[int, str]:
    known = channel in CHANNEL_ORDER
    return (CHANNEL_ORDER.index(channel) if known else len(CHANNEL_ORDER)), channel
