"""Why was I not prompted? Answered from the log: what each rule said, and what held it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.alerts.core.labels import NO_VERDICT, label_of
from services.alerts.core.language import _
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
        Why(label_of(entry["channel"]), tuple(_steps(entry, page.rules, waiting))[-STEPS_SHOWN:])
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
        yield _(
            "As many prompts as a day may have had been sent, so it waits its turn in the inbox."
        )


def _said(step: Mapping[str, Any], rule: Rule | None) -> str:
    what = step["what"]
    if what == "raised" or (what == "amended" and step.get("again")):
        return _spoke(step, rule)
    if what == "held":
        return _(
            "found again and held back until {day}: the same rule had spoken and cleared only a "
            "short time before"
        ).format(day=day(step.get("until")))
    if what == "snoozed":
        return _("put off until {day}").format(day=day(step.get("until")))
    if what == "woken":
        return _("came back from having been put off")
    if what == "escalated":
        return _("told to somebody else")
    return "" if what in ("seen", "amended") else _(ENDED.get(what, what))


def _spoke(step: Mapping[str, Any], rule: Rule | None) -> str:
    tier = step.get("tier")
    if tier == "prompt":
        return _("you were prompted")
    if tier == "review":
        return _("laid in the inbox for review, which does not interrupt")
    if step.get("old_news"):
        return _(
            "a mark on the chart only: its newest measure was over 28 days old on arrival, or the "
            "episode was closed"
        )
    held = rule.at(datetime.fromisoformat(step["at"])) if rule else None
    if held is not None:
        return _("a mark on the chart only: {name} had retired this rule on {day} ({why})").format(
            name=held.name, day=day(held.since.isoformat()), why=held.why
        )
    return _("a mark on the chart, which never interrupts")


def _silence(page: EpisodePage, silent: Sequence[str]) -> Iterator[str]:
    retired = [one for one in silent if one in page.rules and page.rules[one].retired]
    if silent:
        names = listed([label_of(one).lower() for one in silent])
        yield f"{_('Nothing was found by: {rules}.').format(rules=names)} {_(NO_VERDICT)}"
    if retired:
        names = listed([label_of(one).lower() for one in retired])
        yield _("Retired at present: {rules}.").format(rules=names)
    yield from page.not_assessable
    if page.document["status"] == "closed":
        yield _("The episode is closed: what comes in is shown on the chart only.")


def _place(channel: str) -> tuple[int, str]:
    known = channel in CHANNEL_ORDER
    return (CHANNEL_ORDER.index(channel) if known else len(CHANNEL_ORDER)), channel
