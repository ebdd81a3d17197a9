"""The views of a service: folded from the log, read by pages and answers, disposable."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from time import monotonic
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Table, func, select, true

from services.chassis.database import Database
from services.chassis.eventlog import Damaged, Entry, EventLog, Progress, Redacted, Wakeup
from services.chassis.faults import ConflictError
from services.chassis.parking import Parking
from services.chassis.vault import Vault
from services.chassis.view import Document, NotBuiltError, View
from services.chassis.view_check import compare
from services.chassis.view_rebuild import Filling, document_key, fill, reader_name
from services.chassis.view_recent import Recent
from services.chassis.view_tables import Build, Step, Stored, ViewTables

__all__ = ["Document", "NotBuiltError", "View", "ViewReader", "ViewStore", "reader_name"]

POLL = 0.02
PAGE = 500
"""Documents that `every` reads at once."""


class ViewStore:
    """All views of a service: register, follow, ask, rebuild, verify."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        parking: Parking,
        *,
        place: str,
        head: Callable[[], int],
    ) -> None:
        """Keep the views in `database`, sealed by `vault`; `head` tells the log's last position."""
        self.tables = ViewTables(database, vault)
        self.parking = parking
        self._database = database
        self._place = place
        self._head = head
        self._recent = Recent()
        self._passed: dict[tuple[str, int], int] = {}

    def migrate(self) -> None:
        """Create the list of builds where it is missing."""
        self.tables.migrate()

    def register(self, view: View) -> None:
        """Make the view's table when there is none of this version.

        On an empty log it is live at once, else as soon as its reader has caught up; one of
        another version stays in place until then.
        """
        with self._database.reading() as connection:
            current = self.tables.current(connection, view)
        if current is not None and (current.live or self._head() != 0):
            return
        with self._database.writing() as connection:
            self.tables.alone(connection)
            current = self.tables.current(connection, view)
            if current is None:
                self.tables.start(connection, view)
                current = self.tables.current(connection, view)
            if current and not current.live and self._head() == 0:
                self.tables.switch(connection, view, current.number)

    def reader(self, view: View) -> "ViewReader":
        """The reader that keeps the view current, for a follower of its own."""
        return ViewReader(self, view)

    def apply_together(self, shares: Sequence[tuple[Any, Sequence[Entry]]], to: int) -> None:
        """Let readers of these views take their shares of a page in one commit; see `Together`."""
        steps = [reader.step(entries) for reader, entries in shares]
        for (reader, _), damaged in zip(shares, self.write_page(steps, to), strict=True):
            reader.took(damaged, to)

    # Queries

    def table(self, view: View) -> Table:
        """The live table, to make conditions and orders from."""
        return self.tables.table(view, view.name)

    def get(self, view: View, key: UUID) -> Document | None:
        """One document.

        Raises:
            NotBuiltError: the view has not been built yet.
            StoreError: it could not be read.
        """
        return self.get_many(view, [key]).get(key)

    def get_many(self, view: View, keys: Iterable[UUID]) -> dict[UUID, Document]:
        """The documents under these keys; those that do not exist are absent."""
        with self._database.reading() as connection:
            self._require_live(connection, view)
            found = self.tables.load(connection, view, self.table(view), set(keys))
        return {key: one.doc for key, one in found.items() if one.doc is not None}

    def select(
        self,
        view: View,
        where: Any = None,
        order_by: Any = None,
        limit: int | None = None,
    ) -> list[Document]:
        """Documents by their clear columns; `where` and `order_by` are over `table(view)`.

        Documents of erased owners are left out.
        """
        table = self.table(view)
        query = select(table.c.key, table.c.doc).limit(limit)
        if where is not None:
            query = query.where(where)
        if order_by is not None:
            query = query.order_by(*_several(order_by))
        with self._database.reading() as connection:
            self._require_live(connection, view)
            rows = connection.execute(query).all()
        documents = self.tables.opened(view, {row.key: row.doc for row in rows})
        return [doc for row in rows if (doc := documents[row.key]) is not None]

    def every(self, view: View, page: int = PAGE) -> Iterator[tuple[UUID, Document]]:
        """Every document with its key, in the order of keys; so many are in memory at once.

        What comes in meanwhile may be left out; nothing that was there is, however many documents
        of erased owners are passed over.
        """
        table = self.table(view)
        query = select(table.c.key, table.c.doc).order_by(table.c.key).limit(page)
        with self._database.reading() as connection:
            self._require_live(connection, view)
        where: Any = true()
        while True:
            with self._database.reading() as connection:
                rows = connection.execute(query.where(where)).all()
            documents = self.tables.opened(view, {row.key: row.doc for row in rows})
            yield from ((key, doc) for key, doc in documents.items() if doc is not None)
            if len(rows) < page:
                return
            where = table.c.key > rows[-1].key

    def count(self, view: View, where: Any = None) -> int:
        """How many documents there are; `where` is over `table(view)`, as for `select`."""
        table = self.table(view)
        query = select(func.count()).select_from(table)
        if where is not None:
            query = query.where(where)
        with self._database.reading() as connection:
            self._require_live(connection, view)
            return int(connection.execute(query).scalar_one())

    def position(self, view: View) -> int:
        """How far the live view reaches; 0 when it has not been built."""
        current = self.current(view)
        if current is None or not current.live:
            return 0
        return max(current.position, self._passed.get((view.name, current.number), 0))

    def wait_for(self, view: View, position: int, timeout: float) -> bool:
        """Wait at most `timeout` seconds for the view to reach a position; whether it has."""
        deadline = monotonic() + timeout
        while self.position(view) < position:
            left = deadline - monotonic()
            if left <= 0:
                return False
            self._wakeup(view).wait(position - 1, min(POLL, left))
        return True

    # Building

    def rebuild(
        self, views: View | Sequence[View], log: EventLog, progress: Progress | None = None
    ) -> None:
        """Fill new tables from the log beside the live ones; switch when they have caught up.

        The log is read once for all. What cannot be folded is parked; what is parked and now folds
        is replayed by the follower.

        Raises:
            ConflictError: another rebuild of one of the views was quicker.
        """
        building = []
        for view in _several(views):
            with self._database.writing() as connection:
                building.append(Filling(view, self.tables.start(connection, view)))
        fill(self, building, log, progress)
        for one in building:
            name = reader_name(one.view)
            for key in self.parking.parked(name).keys() - one.held.keys():
                self.parking.request_replay(name, key)

    def verify(self, view: View, log: EventLog) -> list[str]:
        """Compare every stored document with a fresh fold of the log; what differs."""
        return compare(self.tables, view, log, self.parking.parked(reader_name(view)))

    # For the readers

    def current(self, view: View) -> Build | None:
        """The build that a reader of this version fills, or the live one."""
        with self._database.reading() as connection:
            return self.tables.current(connection, view)

    def switch(self, view: View, number: int) -> bool:
        """Make a build live; False when it may not be yet, or is no more."""
        with self._database.writing() as connection:
            return self.tables.switch(connection, view, number)

    def write_page(self, steps: Sequence[Step], to: int) -> list[int]:
        """Fold entries into builds and move them to `to`, in one commit; how many were damaged.

        Read and fold come before the short transaction that writes: only whoever moves the
        positions writes, so what was read still holds when they do.

        Raises:
            ConflictError: a build is not where its step starts any more; nothing was stored.
        """
        try:
            return self._write_page(steps, to)
        except BaseException:
            # A fold may have changed what is remembered, and it was not stored.
            self._recent.forget((step.view.name, step.number) for step in steps)
            raise

    def _write_page(self, steps: Sequence[Step], to: int) -> list[int]:
        readable = [_readable(step.view, step.entries) for step in steps]
        before = self._before(steps, [some for some, _ in readable])
        after = [
            _folded(step.view, some, stored)
            for step, (some, _), stored in zip(steps, readable, before, strict=True)
        ]
        rows = [
            self.tables.sealed(step.view, documents)
            for step, documents in zip(steps, after, strict=True)
        ]
        if any(rows) or any(to > step.at for step in steps):
            with self._database.writing() as connection:
                moved = self.tables.move(connection, steps, to)
                for step, build, documents, some in zip(steps, moved, after, rows, strict=True):
                    self._put(connection, step.view, build, documents, some)
            for step, build, documents, some in zip(steps, moved, after, rows, strict=True):
                there = {row["key"] for row in some}
                left = {key: one if key in there else None for key, one in documents.items()}
                self._recent.keep(step, to, left)
                if build.live:
                    self._wakeup(step.view).reach(to)
        return [damaged for _, damaged in readable]

    def passed(self, view: View, number: int, to: int) -> None:
        """A reader of this process has seen that nothing up to `to` concerns the build."""
        self._passed[view.name, number] = to
        self._wakeup(view).reach(to)

    def write_again(self, view: View, number: int, entries: Sequence[Entry]) -> None:
        """Fold entries that were parked; those a document has seen already change nothing.

        On the disk when it returns: no position would bring them back, once they are parked no
        more.
        """
        readable, _ = _readable(view, entries)
        self._recent.forget([(view.name, number)])
        with self._database.writing() as connection:
            build = self.tables.build(connection, view, number)
            if build is None:
                raise ConflictError("the build is no more")
            table, keys = self.tables.table_of(view, build), {key for key, _ in readable}
            after = _folded(view, readable, self.tables.load(connection, view, table, keys))
            self._put(connection, view, build, after, self.tables.sealed(view, after))
        self._database.flush()

    def _before(
        self, steps: Sequence[Step], readable: Sequence[Sequence[tuple[UUID, Entry]]]
    ) -> list[dict[UUID, Stored]]:
        """The documents that entries concern, as they are stored, for each step."""
        wanted = [{key for key, _ in some} for some in readable]
        found = [self._recent.of(step, keys) for step, keys in zip(steps, wanted, strict=True)]
        missing = [keys - known.keys() for keys, known in zip(wanted, found, strict=True)]
        if not any(missing):
            return found
        with self._database.reading() as connection:
            builds = self.tables.all(connection)
            return [
                known | self._load(connection, step, builds, keys)
                for step, known, keys in zip(steps, found, missing, strict=True)
            ]

    def _load(
        self,
        connection: Connection,
        step: Step,
        builds: Mapping[tuple[str, int], Build],
        keys: set[UUID],
    ) -> dict[UUID, Stored]:
        build = builds.get((step.view.name, step.number))
        if build is None or not keys:
            return {}
        table = self.tables.table_of(step.view, build)
        return self.tables.load(connection, step.view, table, keys)

    def _put(
        self,
        connection: Connection,
        view: View,
        build: Build,
        documents: dict[UUID, Stored],
        rows: Sequence[dict[str, Any]],
    ) -> None:
        if not documents:
            return
        table = self.tables.table_of(view, build)
        self.tables.store(connection, table, rows)
        self.tables.remove(connection, table, documents.keys() - {row["key"] for row in rows})

    def _require_live(self, connection: Connection, view: View) -> None:
        current = self.tables.current(connection, view)
        if current is None or not current.live:
            raise NotBuiltError(f"the view {view.name} has not been built yet")

    def _wakeup(self, view: View) -> Wakeup:
        return Wakeup.of(f"{self._place}#{view.name}")


class ViewReader:
    """Keeps one view current; switches to a new build once that has caught up."""

    def __init__(self, views: ViewStore, view: View) -> None:
        """Read for `view`, which `ViewStore.register` has been given."""
        self.name = reader_name(view)
        self.topics = view.topics
        self.damaged = 0
        """Damaged events passed over since the start."""
        self._views = views
        self._view = view
        self._build: Build | None = None
        self._at = 0

    def position(self) -> int:
        """How far the build at hand reaches.

        Raises:
            NotBuiltError: there is no build of this version (any more).
        """
        self._build = self._views.current(self._view)
        if self._build is None:
            raise NotBuiltError(f"the view {self._view.name} has no table of this version")
        self._at = self._build.position
        return self._at

    def apply(self, entries: Sequence[Entry], to: int) -> None:
        """Fold entries and move the position, in one commit."""
        [damaged] = self._views.write_page([self.step(entries)], to)
        self.took(damaged, to)

    def step(self, entries: Sequence[Entry]) -> Step:
        """What folding these entries would be, for a page that several views take together."""
        return Step(self._view, self._number(), entries, self._at)

    def took(self, damaged: int, to: int) -> None:
        """A step has been stored, which moved the position to `to`."""
        self.damaged += damaged
        self._at = max(self._at, to)

    def replay(self, entries: Sequence[Entry]) -> None:
        """Fold entries that were parked."""
        self._views.write_again(self._view, self._number(), entries)

    def passed(self, to: int) -> None:
        """Let those who wait for the view know, before it is stored."""
        if self._build is not None:
            self._views.passed(self._view, self._build.number, to)

    def reload(self) -> None:
        """Look again which build is current."""
        self.position()

    def key(self, entry: Entry) -> UUID | None:
        """The document the entry belongs to."""
        return document_key(self._view, entry)

    def idle(self) -> None:
        """Switch when a new build has caught up."""
        if self._build is not None and not self._build.live:
            self._views.switch(self._view, self._build.number)
            self.position()

    def _number(self) -> int:
        if self._build is None:
            self.position()
        return self._build.number if self._build else 0


def _readable(view: View, entries: Sequence[Entry]) -> tuple[list[tuple[UUID, Entry]], int]:
    """The entries that concern documents, each with its key, and how many were damaged."""
    readable, damaged = [], 0
    for entry in entries:
        if isinstance(entry.event, Redacted):
            continue
        if isinstance(entry.event, Damaged):
            damaged += 1
            continue
        key = view.key(entry.event)
        if key is not None:
            readable.append((key, entry))
    return readable, damaged


def _folded(
    view: View, entries: Sequence[tuple[UUID, Entry]], before: dict[UUID, Stored]
) -> dict[UUID, Stored]:
    """The documents that the entries changed."""
    changed: dict[UUID, Stored] = {}
    for key, entry in entries:
        stored = changed.get(key) or before.get(key) or Stored(None, 0)
        if entry.position <= stored.position:
            continue
        changed[key] = Stored(view.fold(stored.doc, entry), entry.position)
    return changed


def _several(order_by: Any) -> Sequence[Any]:
    return order_by if isinstance(order_by, (list, tuple)) else [order_by]
