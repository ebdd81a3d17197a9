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
from services.chassis.faults import InUseError, NotMigratedError, StoreError, WrongMasterKeyError
from services.chassis.ids import fresh_id
from services.chassis.rows import copy_store
from services.chassis.store import FACTS, FORMER, Store

COMING = "restoring"
LOCKS = ("detector", "timers")
IN_USE = "others are connected to this store: stop serve and follow first"

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
    erased: Iterable[UUID] | None = None,
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
        erased: the list of those whose keys are erased again; None: there is none, and those
            that the target erased are all that is known.
        replace: whether a store that has events gives way.
        prepare: see `Prepare`.
        progress: told how many events were copied.

    Raises:
        OccupiedError: the target is in use, or has events and `replace` is False.
        BackupError: the master key does not open the backup; or there is no list of the erased,
            and what the target erased cannot be read.
    """
    if target.users():
        raise OccupiedError(IN_USE)
    if not replace:
        _refuse_kept(target)
    coming = target.beside(COMING)
    again = _to_erase(target, coming, erased)
    coming.remove()
    coming.create_tables()
    with ExitStack() as half_made:
        half_made.callback(coming.remove)
        with _alone(target):
            _fill(coming, target.archived(source), progress)
            _renew(coming, manifest, clock)
            for owner in again:
                coming.vault.shred(owner)
            if prepare is not None:
                prepare(coming, manifest, clock)
            half_made.pop_all()  # from here on it may be all that there is
            there, aside = target.exists(), f"before_{clock.now():%Y%m%d_%H%M%S}"
            _take_place(target, coming, aside)
    return aside if there else None


def _refuse_kept(target: Store) -> None:
    try:
        held = target.log().waiting(0)
    except NotMigratedError:
        return
    except StoreError:
        raise OccupiedError("what is here cannot be read: say --replace to set it aside") from None
    if held:
        raise OccupiedError(
            f"there are {held} events here already: say --replace to set them aside"
        )


def _to_erase(target: Store, coming: Store, listed: Iterable[UUID] | None) -> set[UUID]:
    """Who is erased again. What a restore that broke off has left counts as the target's too."""
    again = set(listed or ())
    for store in (target, coming):
        try:
            again |= store.erased()
        except StoreError:
            if listed is None:
                raise BackupError(
                    "who was erased here since the backup cannot be read, and those clients would "
                    "come back: name the list of erasures (PIVOTPOINT_…_ERASURES of this service)"
                ) from None
    return again


def _take_place(target: Store, coming: Store, aside: str) -> None:
    try:
        target.give_way(coming, aside)
    except InUseError:
        coming.remove()
        raise OccupiedError(IN_USE) from None


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
