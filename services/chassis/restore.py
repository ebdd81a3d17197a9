"""Puts a backup in the place of a store: under a new log id, with later erasures made again.

What was there is set aside, never deleted. All of it is prepared next to the place and put there
in one step, so a restore that is interrupted leaves the store as it was.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import UUID

from sqlalchemy import delete, insert, update

from services.chassis.backup import BackupError, Manifest
from services.chassis.clock import Clock
from services.chassis.eventlog import Progress
from services.chassis.faults import NotMigratedError, StoreError, WrongMasterKeyError
from services.chassis.ids import fresh_id
from services.chassis.rows import copy_store
from services.chassis.store import FACTS, FORMER, Store

COMING = "restoring"
LOCKS = ("detector", "timers")

Prepare = Callable[[Store, Manifest, Clock], None]
"""What a service appends to the restored log before anybody reads it."""


class OccupiedError(BackupError):
    """The place is in use, or holds events and was not to be replaced."""


def restore(
    target: Store,
    source: Path,
    manifest: Manifest,
    *,
    clock: Clock,
    erased: Iterable[UUID] = (),
    replace: bool = False,
    prepare: Prepare | None = None,
    progress: Progress,
) -> str | None:
    """Restore a backup that `backup.read` has found whole; under which name the old was set aside.

    Args:
        target: where to; nothing of it may be in use.
        source: the folder of the backup.
        manifest: what it is of.
        clock: accepted as right from now on.
        erased: owners whose keys are erased again; those erased at the target are, anyhow.
        replace: whether a store that has events gives way.
        prepare: see `Prepare`.
        progress: told how many events were copied.

    Raises:
        OccupiedError: the target is in use, or has events and `replace` is False.
        BackupError: the master key does not open the backup.
    """
    if target.users():
        raise OccupiedError("others are connected to this store: stop serve and follow first")
    held = _held(target)
    if held and not replace:
        raise OccupiedError(
            f"there are {held} events here already: say --replace to set them aside"
        )
    coming = target.beside(COMING)
    coming.remove()
    coming.create_tables()
    with ExitStack() as half_made:
        half_made.callback(coming.remove)
        with _alone(target):
            _fill(coming, target.archived(source), progress)
            _renew(coming, manifest, clock)
            for owner in set(erased) | _erased(target):
                coming.vault.shred(owner)
            if prepare is not None:
                prepare(coming, manifest, clock)
            half_made.pop_all()  # from here on it may be all that there is
            there, aside = target.exists(), f"before_{clock.now():%Y%m%d_%H%M%S}"
            target.give_way(coming, aside)
    return aside if there else None


def _held(target: Store) -> int:
    """How many events the target has (counted up to 100,000); none where it is not migrated."""
    try:
        return target.log().waiting(0)
    except NotMigratedError:
        return 0


def _erased(target: Store) -> set[UUID]:
    try:
        return target.vault.erased()
    except (NotMigratedError, StoreError):
        return set()


@contextmanager
def _alone(target: Store) -> Iterator[None]:
    """Hold the locks of those who follow, so that none begins meanwhile."""
    locks = [target.place_lock(name) for name in LOCKS]
    try:
        if not all(lock.acquire() for lock in locks):
            raise OccupiedError("a process works on this store: stop it first")
        yield
    finally:
        for lock in locks:
            lock.release()


def _fill(coming: Store, archive: Store, progress: Progress) -> None:
    try:
        try:
            archive.vault.secret("installation")
        except WrongMasterKeyError:
            raise BackupError(
                "the master key does not open this backup: set the one that was kept apart from it"
            ) from None
        copy_store(archive, coming, progress)
    finally:
        archive.close()


def _renew(coming: Store, manifest: Manifest, clock: Clock) -> None:
    former = {"name": FORMER, "value": f"{manifest.log_id} {manifest.position}"}
    with coming.database("log").writing() as connection:
        this = FACTS.c.name == "log id"
        connection.execute(update(FACTS).where(this).values(value=fresh_id().hex))
        connection.execute(delete(FACTS).where(FACTS.c.name == FORMER))
        connection.execute(insert(FACTS).values(**former))
    coming.clock_guard(clock).accept()
