"""Documents of views as the last pages left them, so that the next page need not read them again.

What happens in a course comes in bursts: a measure makes half a dozen events on several pages.
"""

import threading
from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from services.chassis.view_tables import Step, Stored

REMEMBERED = 50
"""Documents of a build that are kept; the largest, of a long course, take some 200 kB."""


@dataclass(slots=True)
class _Kept:
    """Documents of one build as they are stored while it stands at a position."""

    at: int = 0
    documents: "OrderedDict[UUID, Stored]" = field(default_factory=OrderedDict)


class Recent:
    """What each build's last writer wrote; worth something only as long as nobody else has written.

    A build stands where its last page ended, and who writes moves it on: documents kept at another
    position than a step starts from are not asked, and a step that another was quicker than fails.
    """

    def __init__(self) -> None:
        """Nothing is remembered."""
        self._lock = threading.Lock()
        self._builds: dict[tuple[str, int], _Kept] = {}

    def of(self, step: Step, keys: Collection[UUID]) -> dict[UUID, Stored]:
        """Those of the documents that are remembered as they are where the step starts."""
        with self._lock:
            kept = self._builds.get((step.view.name, step.number))
            if kept is None or kept.at != step.at:
                return {}
            return {key: kept.documents[key] for key in keys if key in kept.documents}

    def keep(self, step: Step, to: int, documents: Mapping[UUID, Stored | None]) -> None:
        """A step has been stored, which moved its build to `to` and wrote these documents.

        None: it removed the document, as those of the erased.
        """
        with self._lock:
            kept = self._builds.setdefault((step.view.name, step.number), _Kept())
            if kept.at != step.at:
                kept.documents.clear()
            kept.at = to
            for key, stored in documents.items():
                kept.documents.pop(key, None)
                if stored is not None:
                    kept.documents[key] = stored
            while len(kept.documents) > REMEMBERED:
                kept.documents.popitem(last=False)

    def forget(self, builds: Iterable[tuple[str, int]]) -> None:
        """Something was written past these builds' positions, or folded and not stored."""
        with self._lock:
            for build in builds:
                self._builds.pop(build, None)
