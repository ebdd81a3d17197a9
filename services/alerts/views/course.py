"""The course read model: everything an episode page shows, folded from the alerts log alone.

The document (key = episode id, sealed under the client's key):

    {episode, subject, sender, reference, client, clinician, announced, opened_on, closed_on,
     close_reason, problem, planned_sessions, planned_end, next_session, primary_instrument,
     status: "open" | "closed",
     approaches: [{approach_id, approach, since, origin, reason, reflection, review_on, confirmed,
                   forecast: forecast.made data | None, effects: [effect.measured data]}],
     sessions: [{session, on, attendance}],  facts: [{fact, on, kind, label}],
     trajectories: {key: {scale, points: [Assessment data without scale, by number],
                          fan: [FanPoint], fan_on}},
     findings: [{spell, channel, ordinal, revision, tier, on, old_news, evidence,
                 status: "open" | "cleared", cleared_reason, cleared_on}],
     risk: {"instrument|item": {instrument, item, kind,
                                answers: [{measure, version, on, received_at, answer, state,
                                           urgent, change, was}]}},
     alerts: {alert hex: {alert, channel, tier, state, spell, ordinal, revision, card, raised_at,
                          due_at, escalated_at, escalated_to, escalated_why, seen_at,
                          snoozed_until, acknowledged: {by, at, done, note, to} | None,
                          dismissed: {by, at, reason} | None, ended_at, ended_why,
                          unchanged_since, history: [{at, what}]}},
     reflections: [{reflection, at, author, expectation, assumption,
                    unknowns: [{unknown, what, why, who, how, closed_on}], client_view, pattern,
                    decision, reason, approach, approach_id, since, review_on, lenses, shared,
                    forecast: forecast.made data | None,
                    resolved: {worked: bool | None, on, why} | None}],
     messages, position}

Free text of a reflection is in the document; `page` takes out what its author did not share.
"""

from dataclasses import dataclass
from typing import Any

from services.alerts.views.inbox import AlertLine, RiskLine


@dataclass(frozen=True, slots=True)
class EpisodePage:
    """One episode as one person may see it."""

    episode: str
    access: str
    """`own`, `cover`, `supervise`, `backup` or `unassigned`."""
    may_write: bool
    """False: may read and acknowledge, not reflect (a supervisor, the backup)."""
    document: dict[str, Any]
    """The course document of this module's docstring, without what others keep to themselves."""
    title: str
    """The finding that matters most, as a sentence; else what can be said."""
    lead: str
    alerts: tuple[AlertLine, ...]
    """Open ones, in the order of the inbox."""
    past: tuple[AlertLine, ...]
    """Ended, dismissed, withdrawn and settled ones, newest first."""
    held: tuple[AlertLine, ...]
    """Findings that wait because their channel spoke less than four weeks ago."""
    risk: tuple[RiskLine, ...]
    unknowns: tuple[dict[str, Any], ...]
    """Open ones of all reflections: {reflection, unknown, what, why, who, since}."""
    not_assessable: tuple[str, ...]
    """Plain sentences."""
    private: dict[str, dict[str, Any]]
    """Reflection id to {own_part, confidence, journal}: the author's own alone, else empty."""
    position: int
