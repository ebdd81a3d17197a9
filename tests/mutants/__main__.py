"""`make mutants`: changes the core of outcomes a little, and counts what no test notices."""

import sys
from pathlib import Path

import click
import pytest

from tests.mutants.running import Mutants

CORE = Path("services/outcomes/core")
TESTS = ("tests/core", "tests/rules")
LEFT_OUT = ["alert", "alert_words", "lens", "pattern", "shrinkage", "shortcuts", "source"]
"""Of tests/core: what is of the other service, and what takes seconds to say what others say."""
LONG = "tests/core/test_alarm_budget.py::test_what_ships_is_what_its_command_makes_now"
BELOW, NOTHING = 1, 2


@click.command()
@click.option("--sample", type=int, help="only so many mutants, drawn by the seed")
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--module", default="", help="only files whose path holds this")
@click.option("--minutes", type=float, default=60.0, show_default=True, help="end then")
@click.option("--least", type=float, default=0.0, help="exit code 1 below this percentage")
@click.option("--core", type=Path, default=CORE, show_default=True, help="what is changed")
@click.option("--tests", multiple=True, default=TESTS, show_default=True, help="what should notice")
@click.option("--slack", type=float, default=5.0, show_default=True,
              help="CPU seconds beyond three times its tests before a mutant is ended")  # fmt: skip
def main(
    sample: int | None,
    seed: int,
    module: str,
    minutes: float,
    least: float,
    core: Path,
    tests: tuple[str, ...],
    slack: float,
) -> None:
    """Mutation score of services/outcomes/core, by module, and the mutants that survive.

    Exit code 0: tried. 1: the score is below --least, or a test fails without any mutant.
    2: there is nothing to try.
    """
    left_out = [f"--ignore=tests/core/test_{name}.py" for name in LEFT_OUT]
    left_out.append(f"--deselect={LONG}")
    arguments = ["-q", "--no-header", "-p", "no:cacheprovider", "--timeout=0", *left_out]
    trying = Mutants(core, module, sample=sample, seed=seed, minutes=minutes, slack=slack)
    code = pytest.main([*arguments, *tests], [trying])
    if code:
        sys.exit(code)
    if not trying.results:
        sys.exit(NOTHING)
    sys.exit(BELOW if 100 * trying.score < least else 0)


main()
