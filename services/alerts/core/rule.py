"""The aggregate of one channel's standing here: whether its rule speaks, or was retired and why.

A retired rule is still evaluated: what it finds stays a mark on the chart (so to speak in shadow),
and counts in its figures. Risk answers and reliable deterioration, which are told to somebody else
when nobody looks, cannot be retired.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from services.alerts.core.event import Event
from services.alerts.core.language import _
from services.alerts.core.policy import CHANNEL_ORDER, ESCALATING

RETIRABLE = tuple(channel for channel in CHANNEL_ORDER if channel not in ESCALATING)


class RuleRefusedError(Exception):
    """The switch cannot be turned so; the text is for the page."""


@dataclass(frozen=True, kw_only=True)
class RuleEvent(Event):
    """Something that was decided about one channel."""

    channel: str
    by: str
    name: str
    why: str


@dataclass(frozen=True, kw_only=True)
class RuleRetired(RuleEvent):
    """The channel raises no prompt and no review any more."""

    TOPIC: ClassVar[str] = "rule.retired"


@dataclass(frozen=True, kw_only=True)
class RuleReinstated(RuleEvent):
    """The channel speaks again, of what it finds from now on."""

    TOPIC: ClassVar[str] = "rule.reinstated"


@dataclass(frozen=True, slots=True)
class Retirement:
    """One time from retiring a rule to reinstating it."""

    since: datetime
    name: str
    why: str
    until: datetime | None = None
    until_name: str = ""
    until_why: str = ""

    def holds(self, at: datetime) -> bool:
        """Whether the rule was retired at a moment."""
        return self.since <= at and (self.until is None or at < self.until)


@dataclass(frozen=True, slots=True)
class Rule:
    """One channel's standing, with its past."""

    channel: str
    version: int = 0
    past: tuple[Retirement, ...] = ()

    @property
    def retired(self) -> Retirement | None:
        """The retirement that holds now."""
        return self.past[-1] if self.past and self.past[-1].until is None else None

    def at(self, moment: datetime) -> Retirement | None:
        """The retirement that held at a moment."""
        return next((one for one in self.past if one.holds(moment)), None)


def fold(channel: str, events: Sequence[Any]) -> Rule:
    """The rule after these events of its stream."""
    state = Rule(channel)
    for event in events:
        state = evolve(state, event)
    return state


def evolve(state: Rule, event: Any) -> Rule:
    """The rule after one event; never refuses."""
    past = state.past
    if isinstance(event, RuleRetired):
        past = (*past, Retirement(event.timestamp, event.name, event.why))
    elif isinstance(event, RuleReinstated) and past:
        ended = replace(past[-1], until=event.timestamp, until_name=event.name, until_why=event.why)
        past = (*past[:-1], ended)
    return replace(state, version=event.originator_version, past=past)


def decide(
    state: Rule, kind: type[RuleEvent], who: tuple[UUID, str], why: str, **common: Any
) -> list[RuleEvent]:
    """Turn the switch; the position in which it stands already changes nothing.

    Raises:
        RuleRefusedError: the channel cannot be retired, or no reason is given.
    """
    if state.channel not in RETIRABLE:
        raise RuleRefusedError(_("this rule cannot be retired: somebody is told when nobody looks"))
    if not why.strip():
        raise RuleRefusedError(_("say why: it stands on the pages beside the rule"))
    if (state.retired is not None) == (kind is RuleRetired):
        return []
    by, name = who
    event = kind(
        originator_version=state.version + 1,
        channel=state.channel,
        by=by.hex,
        name=name,
        why=why.strip(),
        **common,
    )
    return [event]
