"""Whether a view still says what the log says: a fresh fold against what is stored."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import select

from services.chassis.eventlog import Damaged, EventLog, Redacted
from services.chassis.faults import ForgedError
from services.chassis.view import Document, NotBuiltError, View
from services.chassis.view_tables import ViewTables

PAGE = 2_000


def compare(tables: ViewTables, view: View, log: EventLog, parked: Collection[UUID]) -> list[str]:
    """What differs between the live view and a fresh fold up to its position, without content.

    Documents that are parked are left out: they are known to be behind.

    Raises:
        NotBuiltError: there is no live view of this version.
    """
    position, rows = _snapshot(tables, view)
    fresh, problems = _fold(view, log, position, parked)
    stored: dict[UUID, Document] = {}
    for row in rows:
        problems += _open(tables, view, row, stored)
    erased = {row["key"] for row in rows} - stored.keys()
    for key in sorted(fresh.keys() | stored.keys()):
        if key in parked or key in erased:
            continue
        if _canonical(fresh.get(key)) != _canonical(stored.get(key)):
            problems.append(f"view {view.name}, document {key.hex}: differs from a fresh fold")
    return problems


def _snapshot(tables: ViewTables, view: View) -> tuple[int, list[dict[str, Any]]]:
    with tables.database.snapshot() as connection:
        current = tables.current(connection, view)
        if current is None or not current.live:
            raise NotBuiltError(f"the view {view.name} has not been built yet")
        rows = connection.execute(select(tables.table_of(view, current))).all()
    return current.position, [dict(row._mapping) for row in rows]


def _fold(
    view: View, log: EventLog, until: int, parked: Collection[UUID]
) -> tuple[dict[UUID, Document], list[str]]:
    documents: dict[UUID, Document] = {}
    problems: list[str] = []
    position = 0
    while position < until:
        page = log.page(position, PAGE, view.topics)
        if page.scanned_to <= position:  # such as after the log alone was restored
            problems.append(f"view {view.name}: has taken in more than the log holds")
            break
        for entry in page.entries:
            if entry.position > until or isinstance(entry.event, (Redacted, Damaged)):
                continue
            key = view.key(entry.event)
            if key is None or key in parked:
                continue
            try:
                folded = view.fold(documents.get(key), entry)
            except Exception as error:
                where = f"view {view.name}, position {entry.position}"
                problems.append(f"{where}: {type(error).__name__} in the fold")
                continue
            if folded is None:
                documents.pop(key, None)
            else:
                documents[key] = folded
        position = page.scanned_to
    return documents, problems


def _open(
    tables: ViewTables, view: View, row: dict[str, Any], into: dict[UUID, Document]
) -> list[str]:
    key = row["key"]
    where = f"view {view.name}, document {key.hex}"
    try:
        document = tables.opened(view, {key: row["doc"]})[key]
    except ForgedError:
        return [f"{where}: does not authenticate"]
    if document is None:
        return []
    into[key] = document
    clear = view.clear(document)
    wrong = [name for name, value in clear.items() if row[name] != value]
    return [f"{where}: the column {name} differs from the document" for name in wrong]


def _canonical(document: Document | None) -> bytes:
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS)
