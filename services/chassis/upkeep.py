"""What every service's command line does with its records: check, rebuild, list and replay."""

from collections.abc import Iterable, Sequence
from uuid import UUID

import click

from services.chassis.command import progress, rows
from services.chassis.store import Store
from services.chassis.view import View


def check_all(store: Store, views: Sequence[View], more: Iterable[str] = ()) -> None:
    """Check every event and key, compare every view with a fresh fold; tell what is wrong.

    `more` are faults that the service found by checks of its own.

    Raises:
        click.exceptions.Exit: something is wrong; the exit code is 1.
    """
    log = store.log()
    with progress("events") as move:
        faults = log.verify(move)
    with progress("views") as move:
        for done, view in enumerate(views):
            move(done, len(views))
            faults += store.views.verify(view, log)
        move(len(views), len(views))
    faults += store.vault.verify()
    faults += more
    for fault in faults:
        click.echo(fault)
    if faults:
        click.echo(f"{len(faults)} wrong", err=True)
        raise click.exceptions.Exit(1)
    click.echo(f"All is well: {log.waiting(0)} events, {len(views)} views.")


def rebuild_all(store: Store, views: Sequence[View], named: Sequence[str]) -> None:
    """Build views anew, those named or all.

    Raises:
        click.BadParameter: there is no view of that name.
    """
    wanted = chosen(views, named)
    with progress("views") as move:
        store.views.rebuild(wanted, store.log(), move)
    for view in wanted:
        click.echo(f"{view.name} is built anew.")


def chosen(views: Sequence[View], named: Sequence[str]) -> list[View]:
    """The views of these names, all when none is named.

    Raises:
        click.BadParameter: there is no view of that name.
    """
    known = {view.name: view for view in views}
    for name in named:
        if name not in known:
            raise click.BadParameter(f"there is no view {name}: choose of {', '.join(known)}")
    return [known[name] for name in named] or list(views)


def list_parked(store: Store) -> None:
    """List what is parked, by ids alone."""
    rows(
        ("reader", "key", "since position", "error"),
        ((one.reader, one.key.hex, str(one.position), one.error) for one in store.parking.list()),
        "Nothing is parked.",
    )


def replay_parked(store: Store, reader: str | None, key: UUID | None) -> None:
    """Ask for the replay of what is parked: everything, what a reader parked, or one key of it.

    Raises:
        click.ClickException: nothing of the kind is parked.
    """
    wanted = [
        one
        for one in store.parking.list()
        if reader in (None, one.reader) and key in (None, one.key)
    ]
    if not wanted:
        raise click.ClickException("nothing of the kind is parked")
    for one in wanted:
        store.parking.request_replay(one.reader, one.key)
    click.echo(f"{len(wanted)} will be tried again by the running service.")
