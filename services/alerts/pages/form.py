"""The reflection form: what was typed to a `ReflectionForm`, or to words about what is missing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from services.alerts.core.lens import Lens
from services.alerts.core.reflection import BEYOND, DECISIONS, REASONS
from services.alerts.writing import ReflectionForm, Unknown

LONGEST = 4000
"""Characters that one answer may have."""
FREE_UNKNOWNS = 2
"""Rows for unknowns in the clinician's own words."""


class Typed(Protocol):
    """A submitted form, as Werkzeug gives it."""

    def get(self, key: str, default: str, /) -> str:
        """The first value of a field."""
        ...

    def getlist(self, key: str, /) -> list[str]:
        """Every value of a field."""
        ...


@dataclass(frozen=True, slots=True)
class Prompt:
    """One thing that might not be known, from a lens."""

    key: str
    what: str
    lens: Lens


@dataclass(slots=True)
class Draft:
    """What was typed, kept as typed, with what is wrong by field."""

    values: Mapping[str, str] = field(default_factory=dict)
    chosen: Mapping[str, Sequence[str]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    def value(self, name: str) -> str:
        """What stands in a field."""
        return self.values.get(name, "")

    def has(self, name: str, value: str) -> bool:
        """Whether a box or choice is marked."""
        return value in self.chosen.get(name, ())

    def wrong(self, name: str) -> str:
        """What is wrong with a field; empty when nothing is."""
        return self.errors.get(name, "")


def prompts(lenses: Sequence[Lens]) -> list[Prompt]:
    """The questions offered as possible unknowns: the first of each lens that is shown to all."""
    return [
        Prompt(f"{lens.name}:0", lens.questions[0], lens)
        for lens in lenses
        if not lens.opt_in and not lens.private
    ]


_TEXTS = (
    "reason", "expectation", "assumption", "client_view", "pattern", "approach", "own_part",
    "since", "review_on", "confidence", "beyond", "decision", "key",
)  # fmt: skip
_BOXES = ("unknown", "lens", "shared", "answers", "decision")


def draft_of(typed: Typed, offered: Sequence[Prompt]) -> Draft:
    """Everything that was typed, to show it again."""
    names = [*_TEXTS, *(f"why-{prompt.key}" for prompt in offered)]
    for row in range(FREE_UNKNOWNS):
        names += [f"what-{row}", f"free-why-{row}", f"who-{row}"]
    values = {name: typed.get(name, "").strip() for name in names}
    return Draft(values, {name: typed.getlist(name) for name in _BOXES})


def read(
    typed: Typed,
    offered: Sequence[Prompt],
    answerable: frozenset[str],
    toolkit: frozenset[str],
    today: date,
) -> tuple[Draft, ReflectionForm | None]:
    """Read a submitted form.

    Args:
        typed: the form.
        offered: the unknowns that the page asked about.
        answerable: ids of the alerts that a reflection on this page may answer.
        toolkit: the approaches the person is trained in; empty when nothing is known of it.
        today: the installation's day.

    Returns:
        What was typed and, when nothing is wrong with it, the form for the desk.
    """
    draft = draft_of(typed, offered)
    for name, text in draft.values.items():
        if len(text) > LONGEST:
            draft.errors[name] = f"At most {LONGEST} characters, please."
    unknowns = _unknowns(draft, offered)
    since = _day(draft, "since")
    review_on = _day(draft, "review_on")
    confidence = _confidence(draft)
    _check_decision(draft, toolkit)
    if review_on is not None and review_on <= today:
        draft.errors["review_on"] = "The review date lies in the future."
    if draft.errors:
        return draft, None
    return draft, ReflectionForm(
        decision=draft.value("decision"),
        reason=draft.value("reason"),
        expectation=draft.value("expectation"),
        assumption=draft.value("assumption"),
        unknowns=unknowns,
        client_view=draft.value("client_view"),
        pattern=draft.value("pattern"),
        approach=draft.value("approach"),
        since=since,
        beyond=draft.value("beyond") if draft.value("decision") == "pivot" else "",
        review_on=review_on,
        confidence=confidence,
        own_part=draft.value("own_part"),
        lenses=tuple(draft.chosen["lens"]),
        shared=tuple(draft.chosen["shared"]),
        answers=tuple(alert for alert in draft.chosen["answers"] if alert in answerable),
        key=draft.value("key"),
    )


def _unknowns(draft: Draft, offered: Sequence[Prompt]) -> tuple[Unknown, ...]:
    found = []
    for prompt in offered:
        if draft.has("unknown", prompt.key):
            why = _reason(draft, f"why-{prompt.key}")
            found.append(Unknown(what=prompt.what, why=why))
    for row in range(FREE_UNKNOWNS):
        what = draft.value(f"what-{row}")
        if what:
            why = _reason(draft, f"free-why-{row}")
            found.append(Unknown(what=what, why=why, who=draft.value(f"who-{row}")))
    return tuple(found)


def _reason(draft: Draft, name: str) -> str:
    why = draft.value(name)
    if why not in REASONS:
        draft.errors[name] = "Choose why it is not known."
    return why


def _day(draft: Draft, name: str) -> date | None:
    text = draft.value(name)
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        draft.errors[name] = "Give the date as year-month-day, for instance 2026-06-01."
        return None


def _confidence(draft: Draft) -> int | None:
    text = draft.value("confidence").removesuffix("%").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and int(text) <= 100):
        draft.errors["confidence"] = "A whole number from 0 to 100, or nothing."
        return None
    if not draft.value("review_on"):
        draft.errors["review_on"] = "Say by when it will have worked, or leave the percentage out."
    return int(text)


def _check_decision(draft: Draft, toolkit: frozenset[str]) -> None:
    decision = draft.value("decision")
    if decision not in DECISIONS:
        draft.errors["decision"] = "Choose one; staying is as good a decision as any."
        return
    if decision == "stay" and not draft.value("reason"):
        draft.errors["reason"] = "A few words on why to stay."
    if decision != "pivot":
        return
    approach = draft.value("approach")
    if not approach:
        draft.errors["approach"] = "Name the approach to pivot to."
    elif _beyond(approach, toolkit) and draft.value("beyond") not in BEYOND:
        draft.errors["beyond"] = (
            "This approach is not in your toolkit. Say what goes with it: consultation, training "
            "or a referral."
        )


def _beyond(approach: str, toolkit: frozenset[str]) -> bool:
    names = {name.casefold() for name in toolkit}
    return bool(names) and approach.casefold() not in names
