"""What a read model is: which document an event belongs to, how it folds, what stands in clear."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import Column

from services.chassis.eventlog import Entry
from services.chassis.faults import StoreError

Document = dict[str, Any]


class View(ABC):
    """One read model: pure functions from events to sealed documents with a few clear columns."""

    name: ClassVar[str]
    """Also the table's name: lower case, underscores."""
    version: ClassVar[int]
    """Raise it with every change of the fold or the columns: the view is then built anew."""
    topics: ClassVar[frozenset[str]]
    """The events it folds."""

    def columns(self) -> tuple[Column[Any], ...]:
        """Fresh clear columns: ids, positions, dates, states, keyed hashes only (none by default).

        Columns with `index=True` are indexed. `key`, `position` and `doc` are taken.
        """
        return ()

    @abstractmethod
    def key(self, event: Any) -> UUID | None:
        """The document an event belongs to; None: it concerns none."""

    @abstractmethod
    def fold(self, doc: Document | None, entry: Entry) -> Document | None:
        """The document (JSON) after the entry; may change `doc` in place; None: there is none.

        Pure: the same documents and entries always give the same. It is never given what is
        redacted or damaged, so `doc` may be None where earlier events have gone.
        """

    @abstractmethod
    def owner(self, doc: Document) -> UUID:
        """Whose key seals the document."""

    def clear(self, doc: Document) -> dict[str, Any]:
        """The value of every clear column, from the document alone."""
        return {}


class NotBuiltError(StoreError):
    """The view of this version has not caught up for the first time: say so, show nothing."""
