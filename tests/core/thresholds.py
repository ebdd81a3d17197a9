"""Writes the alarm thresholds into the instruments: python -m tests.core.thresholds."""

import re
from pathlib import Path

from click.testing import CliRunner

from services.__main__ import main

FOLDER = Path(__file__).parents[2] / "services" / "outcomes" / "instruments"
SEEDS, CLIENTS = "41-41", "20000"
ALARM = re.compile(r"^\[alarm\]\n(?:[^\[\n].*\n)+", re.MULTILINE)


def calibrated() -> list[Path]:
    """The definitions that hold alarm thresholds."""
    return [path for path in sorted(FOLDER.glob("*.toml")) if ALARM.search(path.read_text("utf-8"))]


def anew(path: Path) -> str:
    """A definition with its thresholds as the command makes them now."""
    name = path.stem
    asked = ["evaluate", "--calibrate", name, "--seeds", SEEDS, "--clients", CLIENTS]
    done = CliRunner().invoke(main, asked, catch_exceptions=False)
    if done.exit_code:
        raise SystemExit(f"{name}: {done.stderr}")
    return ALARM.sub(lambda _: done.stdout, path.read_text("utf-8"))


if __name__ == "__main__":
    for one in calibrated():
        one.write_text(anew(one), "utf-8")
