"""The commands about held measures: which wait and why, and letting them in."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import click

from services.chassis.command import PlainGroup, data_option, progress, rows
from services.outcomes.commands.opening import opened

if TYPE_CHECKING:
    from services.chassis.eventlog import EventLog
    from services.outcomes.core.measure import State
    from services.outcomes.wiring import Outcomes


@click.group("held", cls=PlainGroup, help="Measures that wait until somebody has looked at them.")
def held() -> None:
    """Hold the commands about held measures."""


@held.command("list")
@data_option
def held_list(data: Path) -> None:
    """List the measures that are held: id, sender, instrument, when taken, and why they wait."""
    with opened(data) as service:
        rows(
            ("id", "sender", "instrument", "on", "why"),
            ((stream.hex, *_told(state)) for stream, state in _held(service.store.log())),
            "No measure is held.",
        )


@held.command("release")
@click.argument("measures", nargs=-1, type=click.UUID)
@click.option("--all", "everything", is_flag=True, help="Release all that are held.")
@data_option
def held_release(measures: tuple[UUID, ...], everything: bool, data: Path) -> None:
    """Record MEASURES (ids from `held list`) as late data; what still cannot be scored stays."""
    if bool(measures) == everything:
        raise click.UsageError("name the measures, or say --all")
    refused = 0
    with opened(data) as service, progress("measures") as move:
        wanted = [stream for stream, _ in _held(service.store.log())] if everything else measures
        for done, stream in enumerate(wanted, start=1):
            refused += not _release(service, stream)
            move(done, len(wanted))
    click.echo(f"{len(wanted) - refused} released.")
    if refused:
        raise click.ClickException(f"{refused} could not be released: their reason still holds")


def _held(log: "EventLog") -> Iterator[tuple[UUID, "State"]]:
    """Every measure that is held now, in the order in which they came."""
    from services.outcomes.core import measure

    after = 0
    while (page := log.page(after, topics=(measure.MeasureHeld.TOPIC,))).entries:
        after = page.scanned_to
        streams = {entry.event.originator_id: None for entry in page.entries}
        events = log.read_many(streams)
        for stream in streams:
            state = measure.fold(events.get(stream, []))
            if state is not None and state.held:
                yield stream, state


def _told(state: "State") -> tuple[str, str, str, str]:
    version = state.latest
    return version.sender, version.instrument, version.on, state.why or ""


def _release(service: "Outcomes", stream: UUID) -> bool:
    from services.outcomes.core.measure import MeasureError
    from services.outcomes.core.scoring import ScoringError
    from services.outcomes.core.telling import OtherClientError
    from services.outcomes.record import StillUnknownError

    try:
        service.record.measures.release(stream)
    except (StillUnknownError, ScoringError, MeasureError, OtherClientError):
        return False
    return True
