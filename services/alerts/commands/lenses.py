"""The commands about lenses: which are known, and whether a clinic's own reads well."""

from pathlib import Path

import click

from services.chassis.command import PlainGroup, rows


@click.group(
    "lenses", cls=PlainGroup, help="The lenses of the reflection page, and a clinic's own."
)
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
