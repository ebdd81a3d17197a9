"""What made-up clinicians do with what lies in their inbox: after the prompt, before the effect."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Literal, Protocol

from simulation.clinic import APPROACHES

Answer = Literal["acknowledge", "reflect", "dismiss", "snooze", "leave"]


class Line(Protocol):
    """An open alert as the inbox shows it; see `services.alerts.views.inbox.AlertLine`."""

    @property
    def alert(self) -> str:
        """Its id, hexadecimal."""
        ...

    @property
    def channel(self) -> str:
        """Which rule speaks."""
        ...

    @property
    def tier(self) -> str:
        """How it reaches the clinician: risk, prompt, review or info."""
        ...

    @property
    def state(self) -> str:
        """raised, seen, snoozed, and so on."""
        ...


@dataclass(frozen=True, slots=True)
class Reflection:
    """What a made-up clinician writes on the reflection page."""

    expectation: str
    assumption: str
    unknowns: tuple[tuple[str, str], ...]
    """(what, why it is not known)."""
    client_view: str
    pattern: str
    decision: str
    reason: str
    approach: str
    review_on: date
    confidence: int
    lenses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Done:
    """One answer to one alert."""

    answer: Answer
    alert: str
    """The one it is about; a reflection answers all prompts of the client at once."""
    words: str = ""
    """What was done, or the reason for dismissing it."""
    reflection: Reflection | None = None


REFLECTIONS: tuple[Reflection, ...] = (
    Reflection(
        expectation="Half of the score gone by the sixth week",
        assumption="That what we agree on is tried out between the sessions",
        unknowns=(
            ("What happens between the sessions", "not asked"),
            ("Whether sleep came first or the low mood did", "no measure for it"),
        ),
        client_view="“Talking helps while I am here, and is gone by the evening.”",
        pattern="I hold on to the plan the longer it does not move",
        decision="pivot",
        reason="the present way asks for what there is no strength for now",
        approach="",
        review_on=date.min,
        confidence=60,
        lenses=("alliance", "motivation and expectations"),
    ),
    Reflection(
        expectation="Slower than usual, but downwards by now",
        assumption="That the client and I want the same out of this",
        unknowns=(
            ("What the client would call a good outcome", "each assumed the other knew"),
            ("Who at home knows about the therapy", "the relationship does not allow it yet"),
        ),
        client_view="“I did not want to disappoint you.”",
        pattern="Agreement comes quickly and is rarely kept",
        decision="pivot",
        reason="we work on something other than what matters to the client",
        approach="",
        review_on=date.min,
        confidence=50,
        lenses=("alliance", "preferences"),
    ),
    Reflection(
        expectation="A setback in these weeks, then on as before",
        assumption="That the change at work explains it",
        unknowns=(("How long the change at work will go on", "not knowable now"),),
        client_view="“It is the job. Let us go on.”",
        pattern="Setbacks follow changes outside",
        decision="stay",
        reason="the ground has moved, the way of working still fits",
        approach="",
        review_on=date.min,
        confidence=55,
        lenses=("life events",),
    ),
    Reflection(
        expectation="That the gain would hold without much from me",
        assumption="That the worst was over",
        unknowns=(
            ("What kept the gain up while it lasted", "a blind spot until now"),
            ("Whether the medication was changed", "time, language, records"),
        ),
        client_view="“I thought I was done.”",
        pattern="I look away when it goes well",
        decision="consult",
        reason="a second pair of eyes before anything is changed",
        approach="",
        review_on=date.min,
        confidence=40,
        lenses=("motivation and expectations", "social support"),
    ),
)
DECIDES = ("pivot", "pivot", "stay", "pivot", "consult", "pivot")
"""How often which decision is taken, in turn: a demo wants to see pivots."""
TIME_TO_WORK = 42
"""Days after a pivot in which these clinicians do not pivot again."""
RISK = "risk_answer"
RISK_DONE = ("reviewed with client", "contacted", "reviewed with client")
DISMISSED = ("known and being worked on", "too early to say")


def decides(turn: int, pivoted: int | None, today: int) -> str:
    """The decision of a clinician's reflection number `turn`; a pivot is given time to work."""
    if pivoted is not None and today - pivoted < TIME_TO_WORK:
        return "stay"
    return DECIDES[turn % len(DECIDES)]


def due(opened: int, today: int) -> bool:
    """Whether a clinician gets to an alert today: two days after it was raised."""
    return today - opened >= 2


def answers(
    lines: Sequence[Line], random: Random, today: date, present: str, decision: str
) -> Iterator[Done]:
    """What a clinician does about the open alerts of one client.

    `present` is the approach in use, `decision` what a reflection would come to.
    """
    open_lines = [line for line in lines if line.state in ("raised", "seen")]
    yield from (
        Done("acknowledge", line.alert, random.choice(RISK_DONE))
        for line in open_lines
        if line.channel == RISK
    )
    prompts = [line for line in open_lines if line.tier == "prompt" and line.channel != RISK]
    if prompts:
        written = _reflection(random, today, present, decision)
        yield Done("reflect", prompts[0].alert, reflection=written)
        return
    for line in open_lines:
        if line.tier == "review" and line.channel != RISK:
            yield _review(line, random)


def _review(line: Line, random: Random) -> Done:
    drawn = random.random()
    if drawn < 0.15:
        return Done("dismiss", line.alert, random.choice(DISMISSED))
    if drawn < 0.30:
        return Done("snooze", line.alert)
    return Done("leave", line.alert)


def _reflection(random: Random, today: date, present: str, decision: str) -> Reflection:
    model = random.choice([one for one in REFLECTIONS if one.decision == decision])
    others = [approach for approach in APPROACHES if approach != present]
    return Reflection(
        expectation=model.expectation,
        assumption=model.assumption,
        unknowns=model.unknowns,
        client_view=model.client_view,
        pattern=model.pattern,
        decision=decision,
        reason=model.reason,
        approach=random.choice(others) if decision == "pivot" else "",
        review_on=today + timedelta(weeks=5),
        confidence=model.confidence,
        lenses=model.lenses,
    )
