"""The demo, small: a made-up clinic goes through both services and ends in a summary."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_demo_once_prints_the_summary_and_ends() -> None:
    told = subprocess.run(
        [sys.executable, "-m", "services", "demo", "--once", "--clients", "10", "--weeks", "8"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    words = " ".join(told.stdout.split())
    assert "made up" in words or "made-up" in words
    measures = re.search(r"(\d+) measures of 10 made-up clients", words)
    assert measures is not None
    assert int(measures[1]) > 60
    assert re.search(r"Failures were found in \d+ courses?, \d+ of them true", words)
    assert re.search(r"\d+ of \d+ true failures? were missed", words)
    assert re.search(r"\d+ prompts? raised", words)
    assert "One course, from first score to effect" in words
    links = re.findall(r"http://127\.0\.0\.1:\d+/\S+", told.stdout)
    assert len(set(links)) >= 3, "a clinician, a supervisor and an ops person can sign in"
    assert "Traceback" not in told.stderr
