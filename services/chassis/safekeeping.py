"""The commands of every service that keep its record safe: backup, restore, and the erasures."""

from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

import click

from services.chassis.command import Opened, data_option, progress

if TYPE_CHECKING:
    from collections.abc import Iterator, Set

    from services.chassis.restore import Prepare
    from services.chassis.store import Store

FOLDER = click.Path(path_type=Path)


class Kept(Protocol):
    """What the settings of both services say about keeping."""

    @property
    def erasures(self) -> str:
        """The file that lists who was erased, empty for none."""
        ...


@dataclass(frozen=True, slots=True)
class Keeping:
    """How the store of one service is opened, in use and out of use."""

    service: str
    opened: Opened
    """Opens the service; it has `store`, `views` and `settings`."""
    restored: Opened
    """The same over a store that was just put back, whose disposable tables are made anew."""
    unopened: Callable[[Path], "tuple[Kept, Store]"]
    """The settings and the store over a data folder, of which nothing was read or made yet."""
    is_elsewhere: Callable[[], bool]
    """Whether the store is in a server, so that the data folder says nothing."""
    prepare: "Prepare | None" = None
    """Appends to a restored log what follows from the restore."""


def add_safekeeping(group: click.Group, keeping: Keeping) -> None:
    """Give a service's group the commands `backup`, `restore` and `resend`."""

    @group.command("backup")
    @click.argument("to", type=FOLDER)
    @data_option
    def backup(to: Path, data: Path) -> None:
        """Back everything durable up into the new folder TO; intake goes on meanwhile.

        It holds the record as it is kept, sealed, and never the master key: keep that key
        elsewhere, for without it nobody can read the backup, and with it anybody can.
        """
        with keeping.opened(data) as service, progress("events") as move:
            _back_up(keeping.service, service.store, to, move)

    @group.command("restore")
    @click.argument("source", metavar="FROM", type=FOLDER)
    @click.option(
        "--replace", is_flag=True, help="Set aside what is kept now, under a name that is told."
    )
    @data_option
    def restore(source: Path, replace: bool, data: Path) -> None:
        """Put the backup FROM in the place of what is kept now; nothing may run on it.

        It ends with the views built anew and everything verified. Clients that were erased since
        are erased again. Sign-in links and sessions end.
        """
        with _alone(keeping, data):
            _put_back(keeping, source, data, replace)
        from services.chassis.upkeep import check_all, rebuild_all

        with keeping.restored(data) as service:
            rebuild_all(service.store, service.views, ())
            check_all(service.store, service.views)

    @group.command("resend")
    @click.option(
        "--from", "first", type=click.IntRange(1), help="Everything from this position of the log."
    )
    @click.option("--episode", type=click.UUID, help="What belongs to the episode of this id.")
    @data_option
    def resend(first: int | None, episode: UUID | None, data: Path) -> None:
        """Let the running service send again to the other; what is there already has no effect."""
        if (first is None) == (episode is None):
            raise click.UsageError("say either --from POSITION or --episode ID")
        with keeping.opened(data) as service:
            _resend(service, first, episode)


def erase(service: Any, owners: "Set[UUID]") -> None:
    """Erase the keys of owners for good, once they are on the list that a restore goes by.

    Raises:
        click.ClickException: no list is named.
    """
    from services.chassis.erasures import Erasures

    path = service.settings.erasures
    if not path:
        raise click.ClickException(
            "name the list that a restore goes by: set PIVOTPOINT_…_ERASURES of this service to a "
            "file that is kept apart from database and backups"
        )
    Erasures(Path(path)).add(sorted(owners))
    for owner in sorted(owners):
        service.store.vault.shred(owner)


def _resend(service: Any, first: int | None, episode: UUID | None) -> None:
    from services.chassis.transport.embedded import EmbeddedTransport

    moved = []
    for relay in service.relays(EmbeddedTransport()):
        if first is not None and relay.again_from(first):
            moved.append(relay.name)
        if episode is not None and relay.again_of(episode, service.store.parking):
            moved.append(relay.name)
    if not moved:
        raise click.ClickException("there is nothing of the kind that was sent before")
    click.echo(f"{' and '.join(moved)}: will be sent again by the running service.")


def _back_up(service: str, store: "Store", to: Path, move: Callable[[int, int], None]) -> None:
    from services.chassis import backup
    from services.chassis.clock import SystemClock

    made = backup.write(store, service, to, SystemClock().now(), move)
    click.echo(
        f"{to} holds {service} up to position {made.position}. The master key is not in it: it is "
        "kept elsewhere, and a restore needs it."
    )


def _put_back(keeping: Keeping, source: Path, data: Path, replace: bool) -> None:
    from services.chassis import backup
    from services.chassis.clock import SystemClock
    from services.chassis.erasures import Erasures
    from services.chassis.restore import restore

    manifest = backup.read(source, keeping.service)
    settings, store = keeping.unopened(data)
    erased = Erasures(Path(settings.erasures)).all() if settings.erasures else None
    try:
        with progress("events") as move:
            aside = restore(
                store,
                source,
                manifest,
                clock=SystemClock(),
                erased=erased,
                replace=replace,
                prepare=keeping.prepare,
                progress=move,
            )
    finally:
        store.close()
    for line in _told(keeping.service, manifest.position, manifest.made_at, aside, settings):
        click.echo(line)


def _told(
    service: str, position: int, made_at: str, aside: str | None, settings: Kept
) -> Sequence[str]:
    told = [f"{service} is as it was at position {position}, on {made_at[:16]} UTC."]
    if aside:
        told.append(
            f"What was kept before is set aside as {aside}: delete it when it is not needed."
        )
    if not settings.erasures:
        told.append("No list of erasures is set: only those known here were made again.")
    return told


@contextmanager
def _alone(keeping: Keeping, data: Path) -> "Iterator[None]":
    """Keep `run` from starting on the folder.

    Raises:
        click.ClickException: it runs.
    """
    from services.chassis.folder import run_lock

    if keeping.is_elsewhere():
        yield
        return
    lock = run_lock(data)
    if not lock.acquire():
        raise click.ClickException(f"services run on {data}: stop them first")
    try:
        yield
    finally:
        lock.release()
