"""What a person at a page may do: every command checks whose episode it is, then commits."""

from dataclasses import dataclass, field
from datetime import date


class NotYoursError(Exception):
    """The episode, alert or reflection is unknown or not this person's; both are told alike."""


class RefusedError(Exception):
    """The command cannot be done; the text is ours, for the page, and names no client."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """Something that the decision needs and the record lacks, with the reason it is lacking."""

    what: str
    why: str
    """One of `services.alerts.core.reflection.REASONS`."""
    who: str = ""
    """Who could know."""


@dataclass(frozen=True, slots=True)
class ReflectionForm:
    """What the reflection form sends; every part may stay empty but the decision."""

    decision: str
    """One of `services.alerts.core.reflection.DECISIONS`: pivot, stay, consult, end well."""
    reason: str = ""
    expectation: str = ""
    assumption: str = ""
    unknowns: tuple[Unknown, ...] = ()
    client_view: str = ""
    pattern: str = ""
    approach: str = ""
    """The new approach; needed when the decision is to pivot."""
    beyond: str = ""
    """Where the approach is not in the toolkit: consultation, training or referral."""
    since: date | None = None
    """When the new approach begins; today when left out."""
    review_on: date | None = None
    confidence: int | None = None
    """0 to 100; the author's own."""
    own_part: str = ""
    """The author's own."""
    lenses: tuple[str, ...] = ()
    """Names of the lenses looked through."""
    shared: tuple[str, ...] = ()
    """Which of expectation, assumption, client_view, pattern others may read."""
    answers: tuple[str, ...] = field(default=())
    """Alerts (hexadecimal ids) that this reflection answers; they leave the inbox."""


# The commands, as `Desk` offers them. Each returns the position of the log at which its effect
# stands, for `ViewStore.wait_for`; `reflect` returns (reflection id, position).
#
#   Desk.seen(person, episode) -> int
#   Desk.acknowledge(person, episode, alert, done, note="", to="") -> int
#   Desk.snooze(person, episode, alert, until: date | None) -> int
#   Desk.dismiss(person, episode, alert, reason) -> int
#   Desk.reflect(person, episode, form: ReflectionForm) -> tuple[UUID, int]
#   Desk.revise(person, episode, reflection, form: ReflectionForm) -> int
#   Desk.find_out(person, episode, reflection, unknown, how) -> int
#   Desk.journal(person, text, episode: UUID | None = None) -> int
#
# `person` is services.alerts.core.person.Person; episode, alert, reflection are UUID; `unknown` is
# the string id of the entry.
