"""What is done together with the client: their own words are written down, under their key."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from services.alerts.core.event import Event
from services.alerts.core.language import _
from services.alerts.core.person import Person
from services.alerts.core.said import ClientSaid
from services.alerts.desk import Desk
from services.alerts.writing import RefusedError


@dataclass(frozen=True, slots=True)
class Together:
    """The command of the page that is shown to a client; raises as `services.alerts.desk.Desk`."""

    desk: Desk

    def said(
        self, person: Person, episode: UUID, view: str, preference: str, unnoticed: str
    ) -> int:
        """Write down what the client said; the next reflection starts from it.

        Returns:
            The position of the log at which it stands.
        """
        doc = self.desk.course_to_write(person, episode)
        if not (view or preference or unnoticed):
            raise RefusedError(_("there is nothing to write down yet"))
        stream = self.desk.ids.derive("client said", episode.hex)

        def unit(read: Callable[[UUID], list[Any]] | None) -> tuple[list[Event], None]:
            before = (read or self.desk.log.read)(stream)
            said = ClientSaid(
                originator_id=stream,
                originator_version=len(before) + 1,
                timestamp=self.desk.clock.now(),
                owner=UUID(doc["subject"] or doc["owner"]),
                episode=episode.hex,
                by=person.id.hex,
                on=self.desk.today(),
                view=view,
                preference=preference,
                unnoticed=unnoticed,
            )
            return [said], None

        return self.desk.commit.commit(unit).position
