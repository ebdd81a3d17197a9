"""What a person at a page may do: every command checks whose episode it is, then commits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from schemas.approaches import Approaches
from services.alerts import metrics, writing
from services.alerts.core import alert as alerts
from services.alerts.core import handling
from services.alerts.core import policy as rules
from services.alerts.core import reflection as core
from services.alerts.core.alert import Alert, Next
from services.alerts.core.event import Event
from services.alerts.core.language import _
from services.alerts.core.person import Person
from services.alerts.people import READING, WRITING
from services.alerts.settings import Settings
from services.alerts.views.course import Courses
from services.alerts.views.standing import OPEN
from services.alerts.writing import ReflectionForm, RefusedError, Unknown
from services.chassis.clock import Clock
from services.chassis.eventlog import EventLog
from services.chassis.group_commit import GroupCommit
from services.chassis.ids import Ids, fresh_id
from services.chassis.metrics import Catalogue

__all__ = ["Desk", "NotYoursError", "ReflectionForm", "RefusedError", "Unknown"]

Read = Callable[[UUID], list[Any]]
Decide = Callable[[Alert, Next], Sequence[Event]]
Unit = Callable[[Read | None], tuple[list[Event], list[Event]]]


class NotYoursError(Exception):
    """The episode, alert or reflection is unknown or not this person's; both are told alike."""


@dataclass(frozen=True, slots=True)
class Desk:
    """The commands of the pages.

    Each returns the position of the log at which its effect stands, for `ViewStore.wait_for`; 0
    when there was nothing to do. All raise:

        NotYoursError: the episode or alert is unknown, or not this person's.
        RefusedError: it cannot be done; the text is for the page.
        services.chassis.faults.StoreError: not known to be stored; safe to try again.
    """

    log: EventLog
    commit: GroupCommit
    ids: Ids
    clock: Clock
    settings: Settings
    courses: Courses
    approaches: Approaches
    catalogue: Catalogue | None = None

    def seen(self, person: Person, episode: UUID) -> int:
        """The person opened the page of an episode: what is open there has been read."""
        doc, access = self._episode(person, episode)
        if access not in READING:
            return 0  # a look by the supervisor does not mean that the clinician has read it
        unread = [
            UUID(one["alert"])
            for one in doc["alerts"].values()
            if one["state"] in OPEN and one["seen_at"] is None
        ]
        by = person.id.hex
        return self._alerts(unread, lambda state, pen: handling.decide_seen(state, by, pen))

    def acknowledge(
        self,
        person: Person,
        episode: UUID,
        alert: UUID,
        done: str,
        note: str = "",
        to: str = "",
    ) -> int:
        """Take an alert up: for a risk answer with what was done, one of `policy.RISK_DONE`."""
        self._alert(person, episode, alert)
        by, name = person.id.hex, person.name
        return self._alerts(
            [alert],
            lambda state, pen: handling.decide_acknowledge(state, by, name, done, note, to, pen),
        )

    def snooze(self, person: Person, episode: UUID, alert: UUID, until: date | None) -> int:
        """Lay an alert aside until a day; None: the next session, else a week."""
        doc = self._alert(person, episode, alert)
        policy, now = self.settings.policy, self.clock.now()
        session = doc["next_session"]
        day = rules.snooze_until(
            policy, now, until, date.fromisoformat(session[:10]) if session else None
        )
        moment = rules.day_starts(policy, day).astimezone(now.tzinfo).isoformat()
        by = person.id.hex
        return self._alerts(
            [alert], lambda state, pen: handling.decide_snooze(state, by, moment, pen)
        )

    def dismiss(self, person: Person, episode: UUID, alert: UUID, reason: str) -> int:
        """Put an alert away with one of `policy.DISMISS_REASONS`."""
        self._alert(person, episode, alert)
        by = person.id.hex
        return self._alerts(
            [alert], lambda state, pen: handling.decide_dismiss(state, by, reason, pen)
        )

    def reflect(self, person: Person, episode: UUID, form: ReflectionForm) -> tuple[UUID, int]:
        """Record a reflection; the alerts that it answers are acknowledged with it."""
        doc = self.course_to_write(person, episode)
        known = {key for key, one in doc["alerts"].items() if one["channel"] != rules.RISK}
        if not {UUID(key).hex for key in form.answers} <= known:
            raise RefusedError(_("a reflection answers alerts of this client, never a risk answer"))
        id_ = self._id_of(person, episode, form)
        position = 0
        if not self.log.read(id_):  # else the answer to the first sending was lost
            events = writing.recorded(self._writing(person, episode, doc, id_), form)
            answers = [UUID(key) for key in form.answers]
            position = self._store(events, answers, person)
        for one in form.found:
            closed = self.find_out(person, episode, one.reflection, one.unknown, one.how)
            position = max(position, closed)
        return id_, position

    def revise(self, person: Person, episode: UUID, reflection: UUID, form: ReflectionForm) -> int:
        """Change the words of one's own reflection.

        Decision, approach, review date and confidence stay: what was said then is what is held
        against what happened.
        """
        doc = self.course_to_write(person, episode)
        state = self._reflection(person, episode, reflection)
        desk = self._writing(person, episode, doc, reflection)
        own = self.log.read(desk.own)
        form = replace(form, confidence=_confidence(own))
        return self._store(writing.revised(desk, state, form, len(own)), [], person)

    def find_out(
        self, person: Person, episode: UUID, reflection: UUID, unknown: str, how: str
    ) -> int:
        """Close an unknown: it is known now, or need not be."""
        self.course_to_write(person, episode)
        found = core.fold(self.log.read(reflection))
        if found is None or UUID(found.episode) != episode or unknown not in found.unknowns:
            raise NotYoursError
        if not found.unknowns[unknown]:
            return 0
        event = core.UnknownClosed(
            originator_id=reflection,
            originator_version=found.version + 1,
            timestamp=self.clock.now(),
            owner=found.owner,
            episode=found.episode,
            unknown=unknown,
            how=how,
            on=self.today(),
        )
        return self._store([event], [], person)

    def journal(self, person: Person, text: str, episode: UUID | None = None) -> int:
        """Write into one's own journal, under one's own key."""
        if not text.strip():
            raise RefusedError(_("there is nothing to write down"))
        if episode is not None:
            self.course_to_write(person, episode)
        stream = self.ids.derive("journal", person.id.hex)

        def unit(read: Read | None) -> tuple[list[Event], None]:
            before = (read or self.log.read)(stream)
            entry = core.JournalWritten(
                originator_id=stream,
                originator_version=len(before) + 1,
                timestamp=self.clock.now(),
                owner=person.id,
                episode=episode.hex if episode else None,
                on=self.today(),
                text=text,
            )
            return [entry], None

        return self.commit.commit(unit).position

    def today(self) -> str:
        """The installation's day, as ISO 8601."""
        return self.settings.policy.day(self.clock.now()).isoformat()

    # Whose it is

    def course_to_write(self, person: Person, episode: UUID) -> dict[str, Any]:
        """The document of a course in which this person writes: theirs, or covered by them."""
        doc, access = self._episode(person, episode)
        if access not in WRITING:
            raise RefusedError(_("only the client's clinician, or who stands in, writes here"))
        return doc

    def _episode(self, person: Person, episode: UUID) -> tuple[dict[str, Any], str]:
        doc = self.courses.store.get(self.courses.view, episode)
        access = self.courses.access(person, doc, self.clock.now()) if doc else None
        if doc is None or access is None:
            raise NotYoursError
        return doc, access

    def _alert(self, person: Person, episode: UUID, alert: UUID) -> dict[str, Any]:
        """The document of a course of which this person may answer this alert.

        A risk answer is taken up by everybody who sees it, anything else by who writes there.
        """
        doc, access = self._episode(person, episode)
        if alert.hex not in doc["alerts"]:
            raise NotYoursError
        if doc["alerts"][alert.hex]["channel"] != rules.RISK and access not in WRITING:
            raise RefusedError(_("only the client's clinician, or who stands in, answers this"))
        return doc

    def _reflection(self, person: Person, episode: UUID, id_: UUID) -> core.Reflection:
        found = core.fold(self.log.read(id_))
        if found is None or UUID(found.episode) != episode or found.author != person.id.hex:
            raise NotYoursError
        return found

    def _id_of(self, person: Person, episode: UUID, form: ReflectionForm) -> UUID:
        """The reflection that a form makes; words changed under the same key make another.

        What it answers and closes is left out: neither is offered again.
        """
        if not form.key:
            return fresh_id()
        content = repr(replace(form, answers=(), found=()))
        return self.ids.derive("reflection", person.id.hex, episode.hex, content)

    # Storing

    def _alerts(self, ids: Sequence[UUID], decide: Decide) -> int:
        def unit(read: Read | None) -> tuple[list[Event], list[Event]]:
            events = self._decided(ids, decide, read)
            return events, events

        return self._committed(unit)

    def _decided(self, ids: Sequence[UUID], decide: Decide, read: Read | None) -> list[Event]:
        events: list[Event] = []
        for id_ in ids:
            state = alerts.fold(None, (read or self.log.read)(id_))
            if state is None:
                raise NotYoursError
            try:
                events += decide(state, alerts.of(state, self.clock.now()))
            except handling.AlertRefusedError as error:
                raise RefusedError(str(error)) from None
        return events

    def _store(self, events: Sequence[Event], answers: Sequence[UUID], person: Person) -> int:
        by, name = person.id.hex, person.name

        def reflected(state: Alert, pen: Next) -> list[alerts.AlertEvent]:
            if state.phase != "open":
                return []
            return handling.decide_acknowledge(state, by, name, "reflected", "", "", pen)

        def unit(read: Read | None) -> tuple[list[Event], list[Event]]:
            begins = read is not None and events[0].originator_version == 1
            if begins and read and read(events[0].originator_id):
                return [], []  # the same was sent twice at once
            all_ = [*events, *self._decided(answers, reflected, read)]
            return all_, all_

        return self._committed(unit)

    def _committed(self, unit: Unit) -> int:
        done = self.commit.commit(unit)
        if self.catalogue is not None:
            metrics.report(self.catalogue, done.answer)
        return done.position

    def _writing(
        self, person: Person, episode: UUID, doc: dict[str, Any], reflection: UUID
    ) -> writing.Writing:
        return writing.Writing(
            reflection=reflection,
            own=self.ids.derive("own part", reflection.hex),
            episode=episode,
            owner=UUID(doc["subject"] or doc["owner"]),
            person=person,
            approaches=self.approaches,
            today=self.today(),
            at=self.clock.now(),
        )


def _confidence(own: Sequence[Any]) -> int | None:
    """The confidence that stands in an author's own part."""
    noted = [one.confidence for one in own if isinstance(one, core.OwnPartNoted)]
    return noted[-1] if noted else None
