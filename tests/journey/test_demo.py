"""The demo, small: a made-up clinic goes through both services and ends in a summary."""

import re
import signal
import subprocess
import sys
from itertools import takewhile
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.servers import Cluster, Kafka
from tests.servers.fixtures import required

ROOT = Path(__file__).parents[2]
PYTHON = sys.executable
PLAY = [PYTHON, "-m", "services", "demo", "--once", "--clients", "10", "--weeks", "8"]
SERVING = "Serving until Ctrl-C. Everything is thrown away then.\n"


def run(command: list[str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )


def tells(told: "subprocess.CompletedProcess[str]") -> str:
    """What the summary of a play has to tell, wherever it was played; its words."""
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
    assert "Traceback" not in told.stderr
    return words


def test_demo_once_prints_the_summary_and_ends() -> None:
    assert "/signin/" not in tells(run(PLAY)), "a link to what has ended leads nowhere"


def test_demo_serves_what_its_links_lead_to() -> None:
    command = [one for one in PLAY if one != "--once"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as playing:
        try:
            assert playing.stdout is not None
            told = "".join(takewhile(lambda line: line != SERVING, playing.stdout))
            links = set(re.findall(r"http://127\.0\.0\.1:\d+/signin/\S+", told))
            assert len(links) == 3, "a clinician, a supervisor and an ops person can sign in"
            for link in links:
                with urlopen(link, timeout=60) as page:
                    assert b"Sign in" in page.read()
        finally:
            playing.send_signal(signal.SIGINT)
        assert playing.wait(60) == 0


def test_demo_on_real_parts_tells_the_same() -> None:
    """As `make demo REAL=1` does it, on a PostgreSQL and a Kafka of its own."""
    required(Cluster).close()
    required(Kafka).close()
    servers = [PYTHON, "-m", "tests.servers", "postgres", "kafka", "--"]
    told = run([*servers, *PLAY, "--store", "{postgres}", "--broker", "{kafka}"])
    words = tells(told)
    for half in ("outcomes serve", "outcomes follow", "alerts serve", "alerts follow"):
        assert f"{half}: process" in words
    assert re.search(r"wrote [1-9]\d* reflections?", words), "answers came back through the broker"


def test_demo_refuses_half_of_the_real_parts() -> None:
    told = run([*PLAY, "--store", "postgresql://127.0.0.1:1/none"])
    assert told.returncode == 2
    assert "--store and --broker go together" in told.stderr


def test_real_parts_that_are_missing_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    told = run([PYTHON, "-m", "tests.servers", "kafka", "--", "true"])
    assert told.returncode == 1
    assert "apt-get install default-jre-headless" in told.stderr
