"""Where the commands for researchers may write: checked before anything is computed."""

import os
from collections.abc import Iterable
from pathlib import Path

import click


class Unusable(click.ClickException):
    """The table or the request cannot be used: nothing was written."""

    exit_code = 2


def check_targets(source: Path | None, targets: Iterable[Path | None], *read: Path) -> None:
    """End here unless every target can be written and none is a file that the command reads.

    Args:
        source: the table.
        targets: None is not written, and "-" is the standard output.
        read: the other files that are read.

    Raises:
        Unusable: one cannot, one is, or two are the same.
    """
    files = [one for one in targets if one is not None and str(one) != "-"]
    for place, target in enumerate(files):
        if source is not None and _same(target, source):
            raise Unusable(f"{target} is the table itself")
        if any(_same(target, one) for one in read):
            raise Unusable(f"{target} is read by this command: write to another file")
        if any(_same(target, one) for one in files[:place]):
            raise Unusable(f"{target} is named twice: each result needs a file of its own")
        if not target.parent.is_dir():
            raise Unusable(f"there is no folder {target.parent} to write {target.name} into")
        if not os.access(target if target.exists() else target.parent, os.W_OK):
            raise Unusable(f"{target} cannot be written")


def _same(one: Path, other: Path) -> bool:
    """Whether both are one file, under whatever names."""
    if one.exists() and other.exists():
        return one.samefile(other)
    return one.resolve() == other.resolve()
