"""The reflection form: what was typed to a `ReflectionForm`, or to words about what is missing."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol
from uuid import UUID

from schemas.approaches import Approaches
from services.alerts.core.language import _
from services.alerts.core.lens import Lens, Offer
from services.alerts.core.reflection import BEYOND, DECISIONS, REASONS
from services.alerts.writing import FoundOut, ReflectionForm, Unknown

LONGEST = 4000
"""Characters that one answer may have."""
FREE_UNKNOWNS = 2
"""Rows for unknowns in the clinician's own words."""


class Typed(Protocol):
    """A submitted form, as Werkzeug gives it."""

    def __iter__(self) -> Iterator[str]:
        """The names of its fields."""
        ...

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

    def any(self, name: str, beginning: str) -> bool:
        """Whether a box is marked whose value begins so."""
        return any(value.startswith(beginning) for value in self.chosen.get(name, ()))

    def wrong(self, name: str) -> str:
        """What is wrong with a field; empty when nothing is."""
        return self.errors.get(name, "")


@dataclass(frozen=True, slots=True)
class Sheet:
    """What the page of one reflection asks, and what may be answered with it."""

    offer: Offer
    answerable: frozenset[str]
    """Ids of the alerts that it may answer."""
    open_unknowns: Sequence[Mapping[str, Any]]
    """Of earlier reflections: {reflection, unknown, what, why, who, find, since}."""
    toolkit: frozenset[str]
    """The approaches the person is trained in; empty when nothing is known of it."""
    approaches: Approaches
    """What else they may be called."""
    today: date
    """The installation's day."""
    unknown_ids: Sequence[str] = ()
    """Ids of the unknowns of the reflection that is revised, each with a row of its own."""
    revises: bool = False

    @property
    def rows(self) -> int:
        """How many rows there are for unknowns in the clinician's own words."""
        return len(self.unknown_ids) + FREE_UNKNOWNS

    @property
    def prompts(self) -> list[Prompt]:
        """Possible unknowns: the first question of each lens whose asking is supported."""
        if self.revises:
            return []
        return [
            Prompt(f"{lens.name.replace(' ', '-')}:0", lens.questions[0], lens)
            for lens in self.offer.shown
            if lens.grade == "supported" and not lens.private
        ]


def draft_of(typed: Typed) -> Draft:
    """Everything that was typed, to show it again."""
    values = {name: typed.get(name, "").strip() for name in typed}
    return Draft(values, {name: typed.getlist(name) for name in typed})


def read(typed: Typed, sheet: Sheet) -> tuple[Draft, ReflectionForm | None]:
    """Read a submitted form.

    Returns:
        What was typed and, when nothing is wrong with it, the form for the desk.
    """
    draft = draft_of(typed)
    for name, text in draft.values.items():
        if len(text) > LONGEST:
            draft.errors[name] = _("At most {most} characters, please.").format(most=LONGEST)
    unknowns = _unknowns(draft, sheet)
    _check_decision(draft, sheet)  # faults are told in the order of the page
    since = _day(draft, "since")
    review_on = _day(draft, "review_on")
    if review_on is not None and review_on <= sheet.today:
        draft.errors["review_on"] = _("Choose a review date after today.")
    confidence = _confidence(draft)
    if draft.errors:
        return draft, None
    choices, own_choices = _choices(draft, sheet.offer)
    return draft, ReflectionForm(
        decision=draft.value("decision"),
        reason=draft.value("reason"),
        expectation=draft.value("expectation"),
        assumption=draft.value("assumption"),
        unknowns=unknowns,
        client_view=draft.value("client_view"),
        preference=draft.value("preference"),
        pattern=draft.value("pattern"),
        approach=draft.value("approach"),
        considered=draft.value("considered"),
        since=since,
        beyond=draft.value("beyond") if draft.value("decision") == "pivot" else "",
        review_on=review_on,
        confidence=confidence,
        own_part=draft.value("own_part"),
        lenses=_looked_through(draft, sheet.offer, choices),
        choices=choices,
        own_choices=own_choices,
        shared=tuple(draft.chosen.get("shared", ())),
        answers=tuple(one for one in draft.chosen.get("answers", ()) if one in sheet.answerable),
        found=_found(draft, sheet.open_unknowns),
        key=draft.value("key"),
    )


def _unknowns(draft: Draft, sheet: Sheet) -> tuple[Unknown, ...]:
    found = []
    for prompt in sheet.prompts:
        if draft.has("unknown", prompt.key):
            why = _reason(draft, f"why-{prompt.key}")
            who, find = draft.value(f"who-{prompt.key}"), draft.value(f"find-{prompt.key}")
            found.append(Unknown(what=_(prompt.what), why=why, who=who, find=find))
    for row in range(sheet.rows):
        what = draft.value(f"what-{row}")
        if what:
            why = _reason(draft, f"free-why-{row}")
            who, find = draft.value(f"who-{row}"), draft.value(f"find-{row}")
            id_ = sheet.unknown_ids[row] if row < len(sheet.unknown_ids) else ""
            found.append(Unknown(what=what, why=why, who=who, find=find, unknown=id_))
    return tuple(found)


def _choices(
    draft: Draft, offer: Offer
) -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[str, ...]]]:
    """What was seen through lenses, and through private ones; only what they offer."""
    shared: dict[str, tuple[str, ...]] = {}
    own: dict[str, tuple[str, ...]] = {}
    for lens in offer.shown:
        ids = [one.id for one in lens.choices if draft.has("choice", f"{lens.name}:{one.id}")]
        if ids:
            (own if lens.private else shared)[lens.name] = tuple(ids)
    return shared, own


def _looked_through(
    draft: Draft, offer: Offer, choices: Mapping[str, tuple[str, ...]]
) -> tuple[str, ...]:
    """The lenses that were marked, or through which something was seen; private ones never."""
    names = [lens.name for lens in offer.shown if not lens.private]
    return tuple(name for name in names if draft.has("lens", name) or name in choices)


def _found(draft: Draft, open_unknowns: Sequence[Mapping[str, Any]]) -> tuple[FoundOut, ...]:
    found = []
    for one in open_unknowns:
        how = draft.value(f"found-{one['reflection']}-{one['unknown']}")
        if how:
            found.append(FoundOut(UUID(one["reflection"]), one["unknown"], how))
    return tuple(found)


def _reason(draft: Draft, name: str) -> str:
    why = draft.value(name)
    if why not in REASONS:
        draft.errors[name] = _("Choose why it is not known.")
    return why


def _day(draft: Draft, name: str) -> date | None:
    text = draft.value(name)
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        draft.errors[name] = _("Give the date as year-month-day, for instance 2026-06-01.")
        return None


def _confidence(draft: Draft) -> int | None:
    text = draft.value("confidence").removesuffix("%").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and int(text) <= 100):
        draft.errors["confidence"] = _("A whole number from 0 to 100, or nothing.")
        return None
    if not draft.value("review_on"):
        draft.errors["review_on"] = _(
            "Say by when it will have worked, or leave the percentage out."
        )
    return int(text)


def _check_decision(draft: Draft, sheet: Sheet) -> None:
    decision = draft.value("decision")
    if decision not in DECISIONS:
        draft.errors["decision"] = _("Choose one; staying is as good a decision as any.")
        return
    if decision == "stay" and not draft.value("reason"):
        draft.errors["reason"] = _("A few words on why to stay.")
    if decision != "pivot":
        return
    approach = draft.value("approach")
    if not approach:
        draft.errors["approach"] = _("Name the approach to pivot to.")
    elif (
        sheet.approaches.is_beyond(sheet.toolkit, approach) and draft.value("beyond") not in BEYOND
    ):
        draft.errors["beyond"] = _(
            "This approach is not in your toolkit. Say what goes with it: consultation, training "
            "or a referral."
        )
