"""The commands of the alerts service: people, sign-in links, checking, rebuilding, replaying."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import click

from services.alerts.commands.reach import add_reach
from services.chassis.command import (
    PlainGroup,
    add_upkeep,
    data_option,
    migrated,
    rows,
    with_command,
)
from services.chassis.safekeeping import Keeping, add_safekeeping

if TYPE_CHECKING:
    from services.alerts.core.person import Person
    from services.alerts.people import People
    from services.alerts.settings import Settings
    from services.alerts.wiring import Alerts
    from services.chassis.store import Store

DAY = click.DateTime(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M"])


@contextmanager
def opened(data: Path, *, restored: bool = False) -> Iterator["Alerts"]:
    """The service over its data, nothing of it running; works beside a `run` of the same folder.

    `restored`: its durable tables were just put back, and those that may be lost are still to make.
    """
    from services.alerts import settings
    from services.alerts.wiring import Alerts
    from services.chassis import folder
    from services.chassis.clock import SystemClock

    # On a server `migrate` alone makes tables.
    makes = restored or not folder.is_elsewhere(settings.PREFIX)
    with migrated("alerts"):
        service = Alerts.open(settings.of_folder(data), SystemClock(), migrate=makes)
    try:
        yield service
    finally:
        service.stop()


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


add_upkeep(alerts, opened)
add_reach(alerts, opened)
add_safekeeping(alerts, Keeping("alerts", opened, _restored, _unopened, _is_elsewhere))


@alerts.command("migrate")
def migrate() -> None:
    """Create or update the tables and, with a broker, the topics (PIVOTPOINT_ALERTS_*)."""
    from schemas import topics

    service = _of_environment(migrate=True)
    kafka = service.settings.kafka
    service.stop()
    if kafka is not None:
        from services.chassis.transport.kafka import create_topics

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
        settings.kafka, topics.ALL, settings.host, settings.follow_port, topics.COMPACTED
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


@alerts.group(cls=PlainGroup, help="Who may sign in, whose clients are theirs, who stands in.")
def person() -> None:
    """Hold the commands about persons."""


@person.command("add")
@click.argument("name")
@click.option(
    "--role",
    type=click.Choice(["clinician", "supervisor", "ops"]),
    required=True,
    help="What the person may see and do.",
)
@data_option
def person_add(name: str, role: str, data: Path) -> None:
    """Let NAME sign in; `pivotpoint alerts invite NAME` then makes a link."""
    with opened(data) as service:
        service.register.add(name, role)
    click.echo(f"{name} may sign in as {role}.")


@person.command("link")
@click.argument("name")
@click.argument("sender")
@click.argument("reference")
@data_option
def person_link(name: str, sender: str, reference: str, data: Path) -> None:
    """Say that the clinician REFERENCE in the system SENDER is the person NAME."""
    with opened(data) as service:
        service.register.link(name, sender, reference)
    click.echo(f"Clients of {reference} in {sender} are now {name}'s.")


@person.command("supervise")
@click.argument("name")
@click.argument("clinician")
@data_option
def person_supervise(name: str, clinician: str, data: Path) -> None:
    """Let NAME supervise the person CLINICIAN."""
    with opened(data) as service:
        service.register.supervise(name, clinician)
    click.echo(f"{name} supervises {clinician}.")


@person.command("team")
@click.argument("name")
@click.argument("team")
@data_option
def person_team(name: str, team: str, data: Path) -> None:
    """Put NAME into TEAM; a supervisor supervises the clinicians of the same team."""
    with opened(data) as service:
        service.register.team(name, team)
    click.echo(f"{name} belongs to {team}.")


@person.command("cover")
@click.argument("name")
@click.argument("by", required=False)
@data_option
def person_cover(name: str, by: str | None, data: Path) -> None:
    """Let BY stand in for NAME while NAME is away; without BY nobody does."""
    with opened(data) as service:
        service.register.cover(name, by)
    click.echo(f"{by or 'Nobody'} stands in for {name}.")


@person.command("away")
@click.argument("name")
@click.option("--from", "since", type=DAY, help="When it begins; now when left out.")
@click.option("--until", type=DAY, help="When it ends; until `person back` when left out.")
@data_option
def person_away(name: str, since: datetime | None, until: datetime | None, data: Path) -> None:
    """Note that NAME is away, so that nothing waits for NAME unread."""
    with opened(data) as service:
        zone, now = service.settings.policy.zone, service.clock.now()
        begins = since.replace(tzinfo=zone) if since else now
        service.register.away(name, begins, until.replace(tzinfo=zone) if until else None)
    click.echo(f"{name} is away.")


@person.command("back")
@click.argument("name")
@data_option
def person_back(name: str, data: Path) -> None:
    """Note that NAME is back."""
    with opened(data) as service:
        service.register.back(name)
    click.echo(f"{name} is back.")


@person.command("toolkit")
@click.argument("name")
@click.argument("approaches", nargs=-1, required=True)
@data_option
def person_toolkit(name: str, approaches: tuple[str, ...], data: Path) -> None:
    """State the APPROACHES that NAME is trained in, all of them."""
    with opened(data) as service:
        service.register.toolkit(name, list(approaches))
    click.echo(f"{name} is trained in {', '.join(approaches)}.")


@person.command("mail")
@click.argument("name")
@click.argument("address", required=False, default="")
@data_option
def person_mail(name: str, address: str, data: Path) -> None:
    """Mail NAME's notices to ADDRESS; without ADDRESS none are mailed."""
    with opened(data) as service:
        service.register.mail(name, address)
        able = service.settings.mail is not None
    click.echo(f"Notices for {name} are mailed." if address else f"{name} gets no mail.")
    if address and not able:
        click.echo("No mail server is set yet: set PIVOTPOINT_ALERTS_MAIL_HOST.")


@person.command("disable")
@click.argument("name")
@click.option("--reason", default="", help="Kept with the record.")
@data_option
def person_disable(name: str, reason: str, data: Path) -> None:
    """Let NAME sign in no more; NAME's clients go to the backup."""
    with opened(data) as service:
        service.register.disable(name, reason)
    click.echo(f"{name} may sign in no more.")


@person.command("list")
@data_option
def person_list(data: Path) -> None:
    """List everybody, with whose clients are theirs and who stands in."""
    with opened(data) as service:
        people, now = service.directory.people(), service.clock.now()
        ordered = sorted(people.persons.values(), key=lambda one: (one.role, one.name))
        rows(
            ("name", "role", "clinician in", "supervises", "state"),
            (
                (one.name, one.role, _links(one), _names(one.supervises, people), _state(one, now))
                for one in ordered
            ),
            "Nobody may sign in yet: pivotpoint alerts person add NAME --role clinician",
        )


@alerts.group(cls=PlainGroup, help="The lenses of the reflection page, and a clinic's own.")
def lenses() -> None:
    """Hold the commands about lenses."""


@lenses.command("list")
@click.option(
    "--own",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of the clinic's own lenses, read after ours.",
)
def lenses_list(own: Path | None) -> None:
    """List the lenses by evidence: name, label, whose they are, where they are offered."""
    from services.alerts.wiring import lenses as known

    rows(
        ("name", "evidence", "choices", "private", "offered"),
        (
            (
                one.name,
                one.label,
                str(len(one.choices)),
                "yes" if one.private else "no",
                one.opened_by or "always",
            )
            for one in known(str(own) if own else "")
        ),
        "No lens is known.",
    )


@lenses.command("check")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def lenses_check(file: Path) -> None:
    """Read FILE as it would be read at the start; tell what it says, or what is wrong where."""
    from services.alerts.core.lens import read

    one = read(file)
    click.echo(f"{one.name}: {one.title} ({one.label})")
    for question in one.questions:
        click.echo(f"  {question}")
    for choice in one.choices:
        click.echo(f"  [{choice.id}] {choice.text}")


@alerts.command("invite")
@click.argument("name")
@data_option
def invite(name: str, data: Path) -> None:
    """Make a link that signs NAME in once; prints it."""
    from services.alerts.settings import PREFIX
    from services.chassis import folder

    with opened(data) as service:
        settings = service.settings
        running = None if folder.is_elsewhere(PREFIX) else folder.address(data, "alerts")
        url = running or settings.url or f"http://{settings.host}:{settings.port}"
        click.echo(f"{url}/signin/{service.signin.invite(name)}")


def _of_environment(*, migrate: bool = False) -> "Alerts":
    """The service as the environment sets it up."""
    from services.alerts import settings
    from services.alerts.wiring import Alerts
    from services.chassis.clock import SystemClock

    with migrated("alerts"):
        return Alerts.open(settings.of_environment(), SystemClock(), migrate=migrate)


def _links(one: "Person") -> str:
    return ", ".join(f"{sender}: {reference}" for sender, reference in sorted(one.links)) or "-"


def _names(ids: frozenset[str], people: "People") -> str:
    known = {person_id.hex: one.name for person_id, one in people.persons.items()}
    return ", ".join(sorted(known.get(one, "?") for one in ids)) or "-"


def _state(one: "Person", now: datetime) -> str:
    if one.disabled:
        return "disabled"
    return "away" if one.is_away(now) else "here"


if __name__ == "__main__":
    alerts()
