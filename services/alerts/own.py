"""What a person sets for themselves: toolkit, wishes, and how often to look back."""

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.alerts.core import person as persons
from services.alerts.core import rhythm as core
from services.alerts.core.event import Event
from services.alerts.core.person import Person
from services.alerts.desk import Desk
from services.alerts.views.rhythms import RhythmTable
from services.alerts.writing import RefusedError

Decide = Callable[[core.Rhythms, dict[str, Any]], list[Event]]


@dataclass(frozen=True, slots=True)
class Own:
    """The commands about what is one's own; each returns the position at which its effect stands.

    Raise as `services.alerts.desk.Desk`.
    """

    desk: Desk
    rhythms: RhythmTable

    def every(self, person: Person, episode: UUID | None, weeks: int) -> int:
        """Mean to reflect every so many weeks, on a course or on any; 0 ends it."""
        if episode is not None:
            self.desk.course_to_write(person, episode)
        named = episode.hex if episode else None
        today = self.desk.today()
        try:
            return self._write(
                person.id,
                lambda state, common: core.decide_every(
                    state, person.id.hex, named, weeks, today, common
                ),
            )
        except core.RhythmRefusedError as refused:
            raise RefusedError(str(refused)) from None

    def toolkit(
        self,
        person: Person,
        trained: AbstractSet[str],
        wishes: AbstractSet[str],
        shared: AbstractSet[str],
    ) -> int:
        """State the approaches one works in, those wished for, and which wishes are shared."""

        def unit(read: Callable[[UUID], list[Any]] | None) -> tuple[list[Event], None]:
            state = persons.fold(None, (read or self.desk.log.read)(person.id))
            return self._stated(persons.must_be_active(state), trained, wishes, shared), None

        return self.desk.commit.commit(unit).position

    def _stated(
        self,
        state: Person,
        trained: AbstractSet[str],
        wishes: AbstractSet[str],
        shared: AbstractSet[str],
    ) -> list[Event]:
        events: list[Event] = []
        common: dict[str, Any] = {
            "originator_id": state.id,
            "timestamp": self.desk.clock.now(),
            "owner": state.id,
        }
        if trained != state.toolkit:
            events.append(
                persons.ToolkitStated(
                    originator_version=state.version + 1, approaches=sorted(trained), **common
                )
            )
        if (wishes, shared) != (state.wishes, state.shared_wishes):
            version = state.version + len(events) + 1
            events.append(
                persons.WishesStated(
                    originator_version=version,
                    approaches=sorted(wishes),
                    shared=sorted(shared),
                    **common,
                )
            )
        return events

    def due(self, now: datetime) -> None:
        """Tell what has come due; the timers call it, and twice changes nothing twice.

        Raises:
            services.chassis.faults.StoreError: some of it could not be stored; it stays due.
        """
        today = self.desk.settings.policy.day(now).isoformat()
        for one in self.rhythms.due(today):
            self._tell(one.person, one.episode, one.on)

    def _tell(self, person: UUID, episode: str | None, due_on: str) -> None:
        self._write(
            person,
            lambda state, common: core.decide_due(state, person.hex, episode, due_on, common),
        )

    def _write(self, person: UUID, decide: Decide) -> int:
        stream = self.desk.ids.derive("rhythm", person.hex)
        common = {
            "originator_id": stream,
            "timestamp": self.desk.clock.now(),
            "owner": person,
        }

        def unit(read: Callable[[UUID], list[Any]] | None) -> tuple[list[Event], None]:
            state = core.fold((read or self.desk.log.read)(stream))
            return decide(state, common), None

        return self.desk.commit.commit(unit).position
