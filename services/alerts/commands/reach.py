"""The commands about reaching people outside the pages: webhooks and notices."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import click

from services.alerts.commands.opening import opened
from services.chassis.command import PlainGroup, data_option, rows

if TYPE_CHECKING:
    from services.chassis.view import Document


@click.group("webhook", cls=PlainGroup, help="Addresses to which counts of what waits are posted.")
def webhook() -> None:
    """Hold the commands about webhooks."""


@webhook.command("add")
@click.argument("name")
@click.argument("url")
@data_option
def webhook_add(name: str, url: str, data: Path) -> None:
    """Post notices to URL from now on; prints the secret that signs them, once."""
    with opened(data) as service:
        secret = service.deliver.hooks.add(name, url)
    click.echo(f"Notices are posted to {name}, signed after Standard Webhooks with\n{secret}")


@webhook.command("remove")
@click.argument("name")
@data_option
def webhook_remove(name: str, data: Path) -> None:
    """Post to NAME no more."""
    with opened(data) as service:
        service.deliver.hooks.remove(name, "removed by hand")
    click.echo(f"Nothing is posted to {name} any more.")


@webhook.command("list")
@data_option
def webhook_list(data: Path) -> None:
    """List the webhooks and whose they are; what may be secret of an address is left out."""
    from services.alerts.channels.webhook import receiver_of

    with opened(data) as service:
        targets = service.deliver.hooks.all().targets
    lines = [(name, receiver_of(url)) for name, (url, _) in sorted(targets.items())]
    rows(("name", "receiver"), lines, "No webhook: pivotpoint alerts webhook add NAME URL")


@click.group("notices", cls=PlainGroup, help="What was told by mail and webhook, and what failed.")
def notices() -> None:
    """Hold the commands about notices."""


@notices.command("list")
@click.option("--failed", is_flag=True, help="Only those that did not arrive.")
@data_option
def notices_list(failed: bool, data: Path) -> None:
    """List notices with what became of them, the oldest first."""
    with opened(data) as service:
        people = service.directory.people().persons
        lines = [
            line
            for doc in service.notices.all()
            for line in _lines(doc, people[UUID(doc["person"])].name, failed)
        ]
    head = ("notice", "person", "by", "kind", "state", "when")
    rows(
        head,
        sorted(lines, key=lambda line: line[-1]),
        "No notice has failed." if failed else "No notice yet.",
    )


@notices.command("replay")
@click.argument("notice", type=click.UUID, required=False)
@click.option("--failed", is_flag=True, help="All that did not arrive.")
@data_option
def notices_replay(notice: UUID | None, failed: bool, data: Path) -> None:
    """Try NOTICE again under the same id, as a receiver may need after an outage."""
    if (notice is None) == (not failed):
        raise click.UsageError("name a NOTICE, or give --failed")
    with opened(data) as service:
        ids = [notice] if notice else list(_not_arrived(service.notices.all()))
        done = sum(service.deliver.replay(one, service.clock.now()) for one in ids)
    if notice and not done:
        raise click.ClickException("there is no such notice that has ended")
    click.echo(f"{done} to be tried again by the running service.")


@notices.command("trial")
@click.argument("name")
@click.option("--webhook", help="By this webhook instead of mail.")
@data_option
def notices_trial(name: str, webhook: str | None, data: Path) -> None:
    """Send NAME a notice that only shows whether notices arrive."""
    with opened(data) as service:
        person = service.directory.people().named(name)
        if person is None or person.disabled:
            raise click.ClickException("there is nobody of that name who may sign in")
        channel = "webhook" if webhook else "mail"
        id_ = service.deliver.trial(person, channel, webhook or "", service.clock.now())
    click.echo(f"{id_.hex} is sent by the running service; `notices list` tells how it went.")


def _lines(doc: "Document", person: str, failed: bool) -> Iterator[tuple[str, ...]]:
    for id_, one in doc["ended"].items():
        state = one["outcome"] + (f" ({one['why']})" if one["why"] else "")
        if not failed or one["outcome"] != "delivered":
            yield id_, person, _by(one), one["kind"], state, one["at"]
    for id_, one in doc["waiting"].items() if not failed else ():
        yield id_, person, _by(one), one["kind"], "next attempt", one["next_at"]


def _by(one: "Document") -> str:
    return f"{one['channel']} {one['target']}".strip()


def _not_arrived(documents: "Sequence[Document]") -> Iterator[UUID]:
    for doc in documents:
        for id_, one in doc["ended"].items():
            if one["outcome"] != "delivered":
                yield UUID(id_)
