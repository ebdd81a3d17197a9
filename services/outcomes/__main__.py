"""The commands of the outcomes service: senders, held measures, checking, rebuilding."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import click

from services.chassis.command import (
    PlainGroup,
    add_upkeep,
    data_option,
    migrated,
    progress,
    rows,
    with_command,
)
from services.chassis.safekeeping import Keeping, add_safekeeping
from services.outcomes.commands.importing import add_import

if TYPE_CHECKING:
    from services.chassis.backup import Manifest
    from services.chassis.clock import Clock
    from services.chassis.eventlog import EventLog
    from services.chassis.store import Store
    from services.outcomes.core.measure import State
    from services.outcomes.detector import Detector
    from services.outcomes.settings import Settings
    from services.outcomes.wiring import Outcomes

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@contextmanager
def opened(data: Path, *, restored: bool = False) -> Iterator["Outcomes"]:
    """The service over its data, nothing of it running; works beside a `run` of the same folder.

    `restored`: its durable tables were just put back, and those that may be lost are still to make.
    """
    from services.chassis import folder
    from services.chassis.clock import SystemClock
    from services.outcomes import settings
    from services.outcomes.wiring import Outcomes

    # On a server `migrate` alone makes tables.
    makes = restored or not folder.is_elsewhere(settings.PREFIX)
    with migrated("outcomes"):
        service = Outcomes.open(settings.of_folder(data), SystemClock(), migrate=makes)
    try:
        yield service
    finally:
        service.stop()


@contextmanager
def _restored(data: Path) -> Iterator["Outcomes"]:
    with opened(data, restored=True) as service:
        yield service


@click.group(cls=PlainGroup, help="The service that takes measures and finds failures.")
def outcomes() -> None:
    """Hold the commands of the outcomes service."""


def _unopened(data: Path) -> "tuple[Settings, Store]":
    from services.outcomes import settings
    from services.outcomes.wiring import Outcomes

    chosen = settings.of_folder(data)
    return chosen, Outcomes.store_of(chosen)


def _is_elsewhere() -> bool:
    from services.chassis import folder
    from services.outcomes import settings

    return folder.is_elsewhere(settings.PREFIX)


def _states(store: "Store", manifest: "Manifest", clock: "Clock") -> None:
    from services.outcomes.stating import state_findings

    state_findings(store, manifest, clock)


add_upkeep(outcomes, opened)
add_safekeeping(outcomes, Keeping("outcomes", opened, _restored, _unopened, _is_elsewhere, _states))
add_import(outcomes, opened)


@outcomes.command("migrate")
def migrate() -> None:
    """Create or update the tables and, with a broker, the topics (PIVOTPOINT_OUTCOMES_*)."""
    from schemas import topics

    service = _of_environment(migrate=True)
    kafka = service.settings.kafka
    service.stop()
    if kafka is not None:
        from services.chassis.transport.kafka import create_topics

        create_topics(kafka, topics.ALL, compacted=topics.COMPACTED)
    click.echo("The tables are there" + (", and the topics." if kafka else "; no broker is named."))


@outcomes.command("serve")
def serve() -> None:
    """Answer requests, while `follow` does the rest; set up by PIVOTPOINT_OUTCOMES_* alone."""
    from services.chassis import apart, logs

    logs.setup("outcomes")
    service = _of_environment()
    code = apart.serve(service, lambda url: click.echo(f"Measures are taken at {url}."))
    raise click.exceptions.Exit(code)


@outcomes.command("follow")
def follow() -> None:
    """Do what nobody waits for, one process at a time; set up by PIVOTPOINT_OUTCOMES_* alone."""
    from schemas import topics
    from services.chassis import apart, logs

    logs.setup("outcomes")
    service = _of_environment()
    settings = service.settings
    if settings.kafka is None:
        service.stop()
        raise click.ClickException("no broker is named: set PIVOTPOINT_OUTCOMES_KAFKA_BOOTSTRAP")
    line = apart.Line(
        settings.kafka, topics.ALL, settings.host, settings.follow_port, topics.COMPACTED
    )
    try:
        code = apart.follow(
            "outcomes", service, line, lambda url: click.echo(f"Probes are answered at {url}.")
        )
    except apart.WrongTopicsError as error:
        service.stop()
        raise click.ClickException(with_command(str(error), "outcomes")) from error
    raise click.exceptions.Exit(code)


@outcomes.command("erase")
@click.option(
    "--client",
    nargs=2,
    metavar="SENDER REFERENCE",
    required=True,
    help="Which client: the system that posted, and its reference.",
)
@click.confirmation_option(prompt="Nothing brings back what is erased. Go on?")
@data_option
def erase_client(client: tuple[str, str], data: Path) -> None:
    """Erase a client for good: nothing that was recorded of the client can be read any more.

    Backups made before hold it until they are deleted; Kafka until its retention has passed.
    """
    from services.chassis.safekeeping import erase

    with opened(data) as service:
        subject = service.store.vault.find(*client)
        if subject is None:
            raise click.ClickException("no client of that reference was ever posted")
        erase(service, {subject})
    click.echo(f"Erased here. In the alerts service: pivotpoint alerts erase {subject.hex}")


@outcomes.group(cls=PlainGroup, help="Who may post: systems and their tokens.")
def sender() -> None:
    """Hold the commands about senders."""


@sender.command("add")
@click.argument("name")
@data_option
def sender_add(name: str, data: Path) -> None:
    """Let the system NAME post; prints its token, which is shown only now."""
    with opened(data) as service:
        click.echo(service.senders.add(name))


@sender.command("list")
@data_option
def sender_list(data: Path) -> None:
    """List the systems that may or might post."""
    with opened(data) as service:
        rows(
            ("name", "since", "state"),
            (
                (one.name, f"{one.added_at:%Y-%m-%d}", "revoked" if one.revoked else "may post")
                for one in service.senders.list()
            ),
            "No system may post yet: pivotpoint outcomes sender add NAME",
        )


@sender.command("rotate")
@click.argument("name")
@click.option(
    "--keep-hours",
    type=click.FloatRange(0, 24 * 30),
    default=24.0,
    show_default=True,
    help="How long the token before still works.",
)
@data_option
def sender_rotate(name: str, keep_hours: float, data: Path) -> None:
    """Give the system NAME a new token; prints it."""
    with opened(data) as service:
        click.echo(service.senders.rotate(name, keep_hours))


@sender.command("revoke")
@click.argument("name")
@data_option
def sender_revoke(name: str, data: Path) -> None:
    """Let the system NAME post no longer; what it posted stays."""
    with opened(data) as service:
        service.senders.revoke(name)
    click.echo(f"{name} may post no longer.")


@outcomes.group(cls=PlainGroup, help="Measures that wait until somebody has looked at them.")
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


@outcomes.command("adopt")
@click.argument("version", required=False)
@click.option("--list", "by_episode", is_flag=True, help="List every difference by episode.")
@data_option
def adopt(version: str | None, by_episode: bool, data: Path) -> None:
    """Judge every course by the rules and instruments in force; without VERSION only compare.

    Prompts nobody: what opens by other rules is a mark on the chart until something new is behind
    it. VERSION is the one that the comparison names.
    """
    from services.outcomes.adopting import adopt as adopt_all

    with opened(data) as service:
        in_force, detector = service.yardsticks.version, service.detector()
        if version not in (None, in_force):
            raise click.ClickException(f"in force here is {in_force}, not {version}")
        if service.log.waiting(detector.position(), detector.topics):
            raise click.ClickException("the detector has not read everything yet: try again")
        episodes = service.episodes()
        if version is None:
            _compare(detector, episodes, in_force, by_episode=by_episode)
            return
        with progress("episodes") as move:
            changed = adopt_all(detector, episodes, move)
    click.echo(f"{changed} of {len(episodes)} courses are judged by {in_force} from now on.")


def _compare(
    detector: "Detector", episodes: Sequence[UUID], in_force: str, *, by_episode: bool
) -> None:
    from services.outcomes.adopting import differences

    with progress("episodes") as move:
        found = differences(detector, episodes, move)
    click.echo(f"{found.others} of {found.episodes} courses are judged by others than {in_force}.")
    if by_episode:
        rows(("episode", "what", "instrument", ""), sorted(found.lines), "Nothing changes.")
    else:
        counted = ((*line, str(number)) for line, number in sorted(found.counts.items()))
        rows(("what", "instrument", "", "courses"), counted, "Nothing changes.")
    click.echo(f"To adopt: pivotpoint outcomes adopt {in_force}")


@outcomes.group(cls=PlainGroup, help="The questionnaires that are scored, and a clinic's own.")
def instruments() -> None:
    """Hold the commands about instruments."""


@instruments.command("list")
@click.option("--own", type=FOLDER, help="Folder of the clinic's own instruments, read after ours.")
def instruments_list(own: Path | None) -> None:
    """List the instruments: id, range, cut-off, reliable change, and what is not assessable."""
    from services.outcomes.core.instrument_words import row
    from services.outcomes.registry import registry

    known = registry(str(own) if own else "")
    rows(
        ("id", "range", "better", "cut-off", "change", "not assessable"),
        (row(known[name]) for name in sorted(known)),
        "No instrument is known.",
    )


@instruments.command("check")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def instruments_check(file: Path) -> None:
    """Read FILE as it would be read at the start; tell what it says, or what is wrong where."""
    from services.outcomes.core.instrument_words import summary
    from services.outcomes.registry import definition

    for line in summary(definition(file)):
        click.echo(line)


def _of_environment(*, migrate: bool = False) -> "Outcomes":
    """The service as the environment sets it up."""
    from services.chassis.clock import SystemClock
    from services.outcomes import settings
    from services.outcomes.wiring import Outcomes

    with migrated("outcomes"):
        return Outcomes.open(settings.of_environment(), SystemClock(), migrate=migrate)


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


if __name__ == "__main__":
    outcomes()
