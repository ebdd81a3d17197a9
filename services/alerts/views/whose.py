"""Whose a course is, as views select by it: the clinician's reference as a keyed hash in clear."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Column, String, or_

from services.alerts.people import clinician_hash
from services.chassis.ids import Ids
from services.chassis.view import Document

NAME = "clinician_hash"


def column() -> Column[Any]:
    """The column of a view's table."""
    return Column(NAME, String(64), nullable=True, index=True)


def value(ids: Ids, doc: Document) -> dict[str, str | None]:
    """What stands in it for a document with a sender and a clinician."""
    return {NAME: clinician_hash(ids, doc["sender"], doc["clinician"])}


def among(table: Any, hashes: Iterable[str]) -> Any:
    """Where the course is of one of these."""
    return table.c[NAME].in_(sorted(hashes))


def not_among(table: Any, hashes: Iterable[str]) -> Any:
    """Where the course is of none of these, or of nobody."""
    there = table.c[NAME]
    return or_(there.is_(None), there.not_in(sorted(hashes)))
