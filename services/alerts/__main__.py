"""The commands of the alerts service: its processes and records; the others are in `commands`."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import click

from services.alerts.commands.lenses import lenses
from services.alerts.commands.opening import opened
from services.alerts.commands.people import invite, person
from services.alerts.commands.reach import notices, webhook
from services.chassis.command import PlainGroup, add_upkeep, data_option, migrated, with_command
from services.chassis.safekeeping import Keeping, add_safekeeping

if TYPE_CHECKING:
    from services.alerts.settings import Settings
    from services.alerts.wiring import Alerts
    from services.chassis.store import Store


@contextmanager
def _restored(data: Path) -> Iterator["Alerts"]:
    with opened(data, restored=True) as service:
        yield service


@click.group(cls=PlainGroup, help="The service that prompts people: who they are, and its records.")
def alerts() -> None:
    """Hold the commands of the alerts service."""


def _unopened(data: Path) -> "tuple[Settings, Store]":
    from services.alerts import settings
    from services.alerts.wiring import Alerts

    chosen = settings.of_folder(data)
    return chosen, Alerts.store_of(chosen)


def _is_elsewhere() -> bool:
    from services.alerts import settings
    from services.chassis import folder

    return folder.is_elsewhere(settings.PREFIX)


for command in (person, invite, lenses, webhook, notices):
    alerts.add_command(command)
add_upkeep(alerts, opened)
add_safekeeping(alerts, Keeping("alerts", opened, _restored, _unopened, _is_elsewhere))


@alerts.command("migrate")
def migrate() -> None:
    """Create or update the tables and, with a broker, the topics (PIVOTPOINT_ALERTS_*)."""
    from schemas import topics

    service = _of_environment(migrate=True)
    kafka = service.settings.kafka
    service.stop()
    if kafka is not None:
        from services.chassis.transport.kafka.topics import create_topics

        create_topics(kafka, topics.ALL, compacted=topics.COMPACTED)
    click.echo("The tables are there" + (", and the topics." if kafka else "; no broker is named."))


@alerts.command("serve")
def serve() -> None:
    """Answer requests, while `follow` does the rest; set up by PIVOTPOINT_ALERTS_* alone."""
    from services.chassis import apart, logs

    logs.setup("alerts")
    service = _of_environment()
    code = apart.serve(service, lambda url: click.echo(f"People sign in at {url}."))
    raise click.exceptions.Exit(code)


@alerts.command("follow")
def follow() -> None:
    """Do what nobody waits for, one process at a time; set up by PIVOTPOINT_ALERTS_* alone."""
    from schemas import topics
    from services.chassis import apart, logs

    logs.setup("alerts")
    service = _of_environment()
    settings = service.settings
    if settings.kafka is None:
        service.stop()
        raise click.ClickException("no broker is named: set PIVOTPOINT_ALERTS_KAFKA_BOOTSTRAP")
    service.share_risk_path()
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
            "alerts", service, line, lambda url: click.echo(f"Probes are answered at {url}.")
        )
    except apart.WrongTopicsError as error:
        service.stop()
        raise click.ClickException(with_command(str(error), "alerts")) from error
    raise click.exceptions.Exit(code)


@alerts.command("erase")
@click.argument("client", type=click.UUID)
@click.confirmation_option(prompt="Nothing brings back what is erased. Go on?")
@data_option
def erase_client(client: UUID, data: Path) -> None:
    """Erase CLIENT, an id that `pivotpoint outcomes erase` tells, for good.

    What a clinician wrote in the own journal is the clinician's and stays. Backups made before hold
    the client until they are deleted.
    """
    from services.alerts.erasing import owners_of
    from services.chassis.safekeeping import erase

    with opened(data) as service:
        erase(service, owners_of(service.log, service.store.ids, client))
    click.echo("Erased.")


def _of_environment(*, migrate: bool = False) -> "Alerts":
    """The service as the environment sets it up."""
    from services.alerts import settings
    from services.alerts.wiring import Alerts
    from services.chassis.clock import SystemClock

    with migrated("alerts"):
        return Alerts.open(settings.of_environment(), SystemClock(), migrate=migrate)


if __name__ == "__main__":
    alerts()
