"""The commands about instruments: which are scored, and whether a clinic's own reads well."""

from pathlib import Path

import click

from services.chassis.command import PlainGroup, rows

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.group(
    "instruments", cls=PlainGroup, help="The questionnaires that are scored, and a clinic's own."
)
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
