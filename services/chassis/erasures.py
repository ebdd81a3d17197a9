"""The list of erased owners, kept apart from database and backups: a restore erases them again."""

import os
from collections.abc import Iterable
from pathlib import Path
from uuid import UUID

from services.chassis.durable import sync_folder
from services.chassis.faults import StoreError


class Erasures:
    """A file of ids, one a line, only ever added to. An id tells nothing without the vault."""

    def __init__(self, path: Path) -> None:
        """Keep the list at `path`, made with the first erasure."""
        self.path = path

    def all(self) -> set[UUID]:
        """Every id on the list.

        Raises:
            StoreError: the file cannot be read, or holds something else.
        """
        try:
            lines = self.path.read_text("ascii").split()
        except FileNotFoundError:
            return set()
        except (OSError, ValueError):
            raise StoreError(f"the list of erasures cannot be read: {self.path}") from None
        try:
            return {UUID(line) for line in lines}
        except ValueError:
            raise StoreError(f"the list of erasures holds more than ids: {self.path}") from None

    def add(self, owners: Iterable[UUID]) -> None:
        """Add ids; they are on the disk at return.

        Raises:
            StoreError: the file cannot be written.
        """
        try:
            with self.path.open("a", encoding="ascii") as file:
                file.writelines(f"{owner.hex}\n" for owner in owners)
                file.flush()
                os.fsync(file.fileno())
            sync_folder(self.path.parent)
        except OSError:
            raise StoreError(f"the list of erasures cannot be written: {self.path}") from None
