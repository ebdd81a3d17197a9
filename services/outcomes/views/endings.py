"""The read model that caseload statistics are made of: how each closed course went."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from services.chassis.eventlog import Entry
from services.chassis.views import View, ViewStore
from services.outcomes.core.findings import CourseEnded
from services.outcomes.core.said import ENDING


class Endings(View):
    """One document a closed episode: the fields of `findings.CourseEnded`."""

    name = "endings"
    version = 1
    topics = frozenset({CourseEnded.TOPIC})

    def key(self, event: Any) -> UUID | None:
        """The episode."""
        return UUID(event.episode)

    def fold(self, doc: dict[str, Any] | None, entry: Entry) -> dict[str, Any] | None:
        """The latest word counts; a course that was opened again has no ending."""
        event = entry.event
        if event.withdrawn:
            return None
        return {"owner": event.owner.hex, **{name: getattr(event, name) for name in ENDING}}

    def owner(self, doc: dict[str, Any]) -> UUID:
        """The client."""
        return UUID(doc["owner"])


def by_instrument(views: ViewStore, view: Endings) -> dict[str, Sequence[dict[str, Any]]]:
    """Every ending by the instrument that its course was judged by.

    Raises:
        NotBuiltError: the view has not been built yet.
    """
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for _, doc in views.every(view):
        if doc["instrument"] is not None:
            found[doc["instrument"]].append(doc)
    return dict(found)
