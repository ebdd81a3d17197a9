"""The command that judges every course by the rules in force, or tells what that would change."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import click

from services.chassis.command import data_option, progress, rows
from services.outcomes.commands.opening import opened

if TYPE_CHECKING:
    from services.outcomes.detector import Detector


@click.command("adopt")
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
            raise click.ClickException(
                "the detector has not read everything yet: let the service run, then try again"
            )
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
