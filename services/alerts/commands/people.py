"""The commands about people: who may sign in, whose clients are theirs, who stands in."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from services.alerts.commands.opening import opened
from services.chassis.command import PlainGroup, data_option, rows

if TYPE_CHECKING:
    from services.alerts.core.person import Person
    from services.alerts.people import People

DAY = click.DateTime(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M"])


@click.group(
    "person", cls=PlainGroup, help="Who may sign in, whose clients are theirs, who stands in."
)
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


@click.command("invite")
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


def _links(one: "Person") -> str:
    return ", ".join(f"{sender}: {reference}" for sender, reference in sorted(one.links)) or "-"


def _names(ids: frozenset[str], people: "People") -> str:
    known = {person_id.hex: one.name for person_id, one in people.persons.items()}
    return ", ".join(sorted(known.get(one, "?") for one in ids)) or "-"


def _state(one: "Person", now: datetime) -> str:
    if one.disabled:
        return "disabled"
    return "away" if one.is_away(now) else "here"
