"""`make mutants`: changes the core of outcomes a little, and counts what no test notices."""

import sys

import click
import pytest

from tests.mutants.running import Mutants

TESTS = ["tests/core", "tests/rules"]
LEFT_OUT = ["alert", "alert_words", "lens", "pattern", "shrinkage", "shortcuts", "source"]
"""Of tests/core: what is of the other service, and what takes seconds to say what others say."""


@click.command()
@click.option("--sample", type=int, help="only so many mutants, drawn by the seed")
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--module", default="", help="only files of core/ whose path holds this")
@click.option("--minutes", type=float, default=60.0, show_default=True, help="end then")
def main(sample: int | None, seed: int, module: str, minutes: float) -> None:
    """Mutation score of services/outcomes/core, by module, and the mutants that survive."""
    left_out = [f"--ignore=tests/core/test_{name}.py" for name in LEFT_OUT]
    arguments = ["-q", "--no-header", "-p", "no:cacheprovider", "--timeout=0", *left_out]
    sys.exit(pytest.main([*arguments, *TESTS], [Mutants(sample, seed, module, minutes)]))


main()
