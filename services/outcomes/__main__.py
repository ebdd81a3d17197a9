"""The commands of the outcomes service: its processes and records; the others are in `commands`."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from services.chassis.command import PlainGroup, add_upkeep, data_option, migrated, with_command
from services.chassis.safekeeping import Keeping, add_safekeeping
from services.outcomes.commands.adopt import adopt
from services.outcomes.commands.held import held
from services.outcomes.commands.importing import import_
from services.outcomes.commands.instruments import instruments
from services.outcomes.commands.opening import opened
from services.outcomes.commands.senders import sender

if TYPE_CHECKING:
    from services.chassis.backup import Manifest
    from services.chassis.clock import Clock
    from services.chassis.store import Store
    from services.outcomes.settings import Settings
    from services.outcomes.wiring import Outcomes


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


for command in (sender, import_, held, adopt, instruments):
    outcomes.add_command(command)
add_upkeep(outcomes, opened)
add_safekeeping(outcomes, Keeping("outcomes", opened, _restored, _unopened, _is_elsewhere, _states))


@outcomes.command("migrate")
def migrate() -> None:
    """Create or update the tables and, with a broker, the topics (PIVOTPOINT_OUTCOMES_*)."""
    from schemas import topics

    service = _of_environment(migrate=True)
    kafka = service.settings.kafka
    service.stop()
    if kafka is not None:
        from services.chassis.transport.kafka.topics import create_topics

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
        settings.kafka,
        topics.ALL,
        settings.host,
        settings.follow_port,
        topics.COMPACTED,
        urgent=(topics.RISK,),
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


def _of_environment(*, migrate: bool = False) -> "Outcomes":
    """The service as the environment sets it up."""
    from services.chassis.clock import SystemClock
    from services.outcomes import settings
    from services.outcomes.wiring import Outcomes

    with migrated("outcomes"):
        return Outcomes.open(settings.of_environment(), SystemClock(), migrate=migrate)


if __name__ == "__main__":
    outcomes()
