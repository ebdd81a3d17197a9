"""The commands about senders: which systems may post, and their tokens."""

from pathlib import Path

import click

from services.chassis.command import PlainGroup, data_option, rows
from services.outcomes.commands.opening import opened


@click.group("sender", cls=PlainGroup, help="Who may post: systems and their tokens.")
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
