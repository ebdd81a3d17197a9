"""The course read model: everything an episode page shows, folded from the alerts log alone.

The document (key = episode id, sealed under the client's key):

    {episode, subject, sender, reference, client, clinician, announced, opened_on, closed_on,
     close_reason, problem, planned_sessions, planned_end, next_session, primary_instrument,
     status: "open" | "closed",
     approaches: [{approach_id, approach, since, origin, reason, reflection, review_on, confirmed,
                   forecast: forecast.made data | None, effects: [effect.measured data]}],
     sessions: [{session, on, attendance}],  facts: [{fact, on, kind, label, until}],
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
                          unchanged_since, history: [{at, what, tier, until, again, old_news}]}},
     reflections: [{reflection, at, author, expectation, assumption,
                    unknowns: [{unknown, what, why, who, find, how, closed_on}], client_view,
                    preference, pattern, choices: {lens: [choice]}, considered,
                    decision, reason, approach, approach_id, since, review_on, lenses, shared,
                    forecast: forecast.made data | None,
                    resolved: {worked: bool | None, on, why} | None}],
     messages, position}

Free text of a reflection is in the document; `page` takes out what its author did not share.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from services.alerts.core import reflection
from services.alerts.core.course import MessageNoted
from services.alerts.core.labels import NO_VERDICT, why_not
from services.alerts.core.language import _
from services.alerts.core.person import Person
from services.alerts.core.policy import Policy
from services.alerts.core.rule import Rule
from services.alerts.people import WRITING, Directory
from services.alerts.rules import Rules
from services.alerts.views import course_messages, standing, unknowns
from services.alerts.views.inbox_rows import AlertLine, RiskLine
from services.alerts.views.journal import Journals
from services.chassis.eventlog import Entry
from services.chassis.view import Document, View
from services.chassis.views import ViewStore


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
    """Reflection id to {own_part, confidence, choices}: the author's own alone, else empty."""
    position: int
    rules: Mapping[str, Rule] = field(default_factory=dict)
    """What was decided about rules here, by channel."""


class CourseView(View):
    """Folds everything known of an episode into one document."""

    name: ClassVar[str] = "course"
    version: ClassVar[int] = 5
    topics: ClassVar[frozenset[str]] = standing.TOPICS | {
        MessageNoted.TOPIC,
        reflection.ReflectionRecorded.TOPIC,
        reflection.ReflectionRevised.TOPIC,
        reflection.UnknownClosed.TOPIC,
        reflection.ReviewDue.TOPIC,
        reflection.ReflectionResolved.TOPIC,
    }

    def key(self, event: Any) -> UUID | None:
        """The episode."""
        return UUID(event.episode)

    def fold(self, doc: Document | None, entry: Entry) -> Document | None:
        """The document after one event."""
        event = entry.event
        if doc is None:
            doc = course_messages.empty(event.episode, event.owner.hex)
        doc["position"] = entry.position
        if isinstance(event, MessageNoted):
            if event.effect:
                course_messages.fold(doc, event.message["type"], event.message["data"])
        elif event.TOPIC in standing.TOPICS:
            _fold_alert(doc, event)
        else:
            _fold_reflection(doc, event)
        return doc

    def owner(self, doc: Document) -> UUID:
        """The client, once known."""
        return UUID(doc["subject"] or doc["owner"])


def _fold_alert(doc: Document, event: Any) -> None:
    key = event.originator_id.hex
    entry = standing.fold(doc["alerts"].get(key), event)
    if entry is not None:
        doc["alerts"][key] = entry
    standing.fold_answer(doc["risk"], event)


def _fold_reflection(doc: Document, event: Any) -> None:
    if isinstance(event, reflection.ReflectionRecorded):
        doc["reflections"].append(_reflected(event))
        course_messages.attach(doc)
        return
    id_ = event.originator_id.hex
    for one in doc["reflections"]:
        if one["reflection"] == id_:
            _REFLECTION_STEPS[type(event)](one, event)


def _reflected(event: reflection.ReflectionRecorded) -> dict[str, Any]:
    kept = {name: getattr(event, name) for name in _KEPT}
    pivots = event.decision == "pivot"
    return kept | {
        "reflection": event.originator_id.hex,
        "at": event.timestamp.isoformat(),
        "approach_id": event.originator_id.hex if pivots else None,
        "unknowns": unknowns.noted(event.unknowns, event.on),
        "choices": event.choices or {},
        "preference": event.preference,
        "considered": event.considered,
        "forecast": None,
        "review_due": False,
        "resolved": None,
    }


_KEPT = (
    "author", "on", "decision", "reason", "expectation", "assumption", "client_view", "pattern",
    "approach", "since", "beyond", "review_on", "lenses", "shared", "answers",
)  # fmt: skip


def _revised(one: dict[str, Any], event: reflection.ReflectionRevised) -> None:
    for name in (
        "expectation", "assumption", "client_view", "preference", "pattern", "reason", "lenses",
        "shared",
    ):  # fmt: skip
        one[name] = getattr(event, name)
    one["choices"] = event.choices or {}
    one["unknowns"] = unknowns.revised(one["unknowns"], event.unknowns, event.on)


def _unknown_closed(one: dict[str, Any], event: reflection.UnknownClosed) -> None:
    unknowns.close(one["unknowns"], event)


def _review_due(one: dict[str, Any], event: reflection.ReviewDue) -> None:
    one["review_due"] = True


def _resolved(one: dict[str, Any], event: reflection.ReflectionResolved) -> None:
    one["resolved"] = {
        "worked": event.worked,
        "on": event.on,
        "why": event.why,
        "measure": event.measure,
    }


_REFLECTION_STEPS: dict[type, Any] = {
    reflection.ReflectionRevised: _revised,
    reflection.UnknownClosed: _unknown_closed,
    reflection.ReviewDue: _review_due,
    reflection.ReflectionResolved: _resolved,
}


@dataclass(frozen=True, slots=True)
class Courses:
    """The query side: one episode as one person may see it."""

    store: ViewStore
    view: CourseView
    directory: Directory
    policy: Policy
    rules: Rules

    def page(
        self,
        person: Person,
        episode: UUID,
        now: datetime,
        journals: Journals | None = None,
    ) -> EpisodePage | None:
        """The page of an episode; None when there is none or it is not this person's."""
        doc = self.store.get(self.view, episode)
        if doc is None:
            return None
        access = self.access(person, doc, now)
        if access is None:
            return None
        _withhold(doc, person)
        private = journals.private(person) if journals else {}
        here = {one["reflection"] for one in doc["reflections"]}
        entries = list(doc["alerts"].values())
        retired = self.rules.retired()
        open_ = sorted(
            (one for one in entries if one["state"] in standing.OPEN),
            key=lambda one: (one["channel"] in retired, *standing.order(one)),
        )
        past = [one for one in entries if one["state"] not in (*standing.OPEN, "held")]
        past.sort(key=lambda one: one["ended_at"] or "", reverse=True)
        title, lead = _headline(doc, [one for one in open_ if one["channel"] not in retired])
        return EpisodePage(
            episode=episode.hex,
            access=access,
            may_write=access in WRITING,
            document=doc,
            title=title,
            lead=lead,
            alerts=self._lines(open_, now),
            past=self._lines(past, now),
            held=self._lines([one for one in entries if one["state"] == "held"], now),
            risk=standing.risk_lines(doc["risk"]),
            unknowns=_open_unknowns(doc),
            not_assessable=_not_assessable(doc),
            private={key: part for key, part in private.items() if key in here},
            position=doc["position"],
            rules=self.rules.all(),
        )

    def access(self, person: Person, doc: Document, now: datetime) -> str | None:
        """Why this person may see the episode of a document; None when they may not."""
        people = self.directory.people()
        told = any(
            one["escalated_to"] == "backup" and one["state"] in standing.OPEN
            for one in doc["alerts"].values()
        )
        hashed = self.directory.hash(doc["sender"], doc["clinician"])
        return people.caseload(person, now).access(hashed, told)

    def _lines(self, entries: Sequence[dict[str, Any]], now: datetime) -> tuple[AlertLine, ...]:
        retired = self.rules.all()
        return tuple(
            standing.line(one, now, self.policy, retired=retired.get(one["channel"]))
            for one in entries
        )


def _withhold(doc: Document, person: Person) -> None:
    """Take out of a document what the authors of reflections keep to themselves."""
    for one in doc["reflections"]:
        if one["author"] == person.id.hex:
            continue
        one["considered"] = ""
        for name in reflection.SHAREABLE:
            if name not in one["shared"]:
                for part in (name, *reflection.GOES_WITH.get(name, ())):
                    one[part] = type(one[part])()


def _headline(doc: Document, open_: Sequence[dict[str, Any]]) -> tuple[str, str]:
    if open_:
        card = open_[0]["card"]
        return card["title"], card["sentence"]
    if not any(one["points"] for one in doc["trajectories"].values()):
        arrived = _("No measure has arrived that can be put on a chart.")
        return _("Nothing can be said yet"), arrived
    if _not_assessable(doc):
        return _("Not assessable"), _("We cannot say whether this goes well.")
    return _("Nothing flagged"), _(NO_VERDICT)


def _open_unknowns(doc: Document) -> tuple[dict[str, Any], ...]:
    return tuple(
        {"reflection": one["reflection"]} | entry
        for one in doc["reflections"]
        for entry in one["unknowns"]
        if entry["closed_on"] is None
    )


def _not_assessable(doc: Document) -> tuple[str, ...]:
    codes: list[str] = []
    for one in doc["trajectories"].values():
        used = [point for point in one["points"] if point["used"]]
        codes += used[-1]["not_assessable"] if used else ["too_few"]
    for finding in doc["findings"]:
        if finding["channel"] == "not_assessable" and finding["status"] == "open":
            codes += finding["evidence"].get("reasons", [])
    return tuple(why_not(code) for code in dict.fromkeys(codes))
