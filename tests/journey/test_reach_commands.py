"""Notices from the command line: a running service posts to a receiver, and tells how it went."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

from tests.journey.test_command_line import ROOT, Running, pivotpoint
from tests.service.reach_rig import endpoint

NETWORKS = "PIVOTPOINT_ALERTS_WEBHOOK_NETWORKS"


def alerts(data: Path, *arguments: str) -> str:
    told = subprocess.run(
        [sys.executable, "-m", "services", "alerts", *arguments, "--data", str(data)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
        env=os.environ | {NETWORKS: "127.0.0.0/8"},
    )
    assert told.returncode == 0, told.stderr
    return told.stdout


def eventually_listed(data: Path, pattern: str) -> str:
    deadline = time.monotonic() + 180
    while not re.search(pattern, listed := alerts(data, "notices", "list")):
        assert time.monotonic() < deadline, listed
        time.sleep(0.5)
    return listed


def test_a_webhook_is_added_tried_listed_and_its_failures_replayed(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with endpoint() as at:
        running = Running(data, {NETWORKS: "127.0.0.0/8"})
        try:
            alerts(data, "person", "add", "lind", "--role", "clinician")
            secret = alerts(data, "webhook", "add", "chat", at.url).split()[-1]
            assert secret.startswith("whsec_")
            listed = alerts(data, "webhook", "list")
            assert at.url.removesuffix("hook?tenant=1") in listed
            assert "tenant" not in listed
            assert secret not in listed
            at.status = 410
            assert "is sent by" in alerts(data, "notices", "trial", "lind", "--webhook", "chat")
            eventually_listed(data, r"lind +webhook chat +trial +refused \(HTTP 410\)")
            at.status = 200
            alerts(data, "webhook", "add", "chat", at.url)
            assert "1 to be tried again" in alerts(data, "notices", "replay", "--failed")
            eventually_listed(data, r"lind +webhook chat +trial +delivered")
            assert len(at.posted) == 2
            assert at.posted[0][0]["webhook-id"] == at.posted[1][0]["webhook-id"]
        finally:
            running.stop()
            assert running.process.stdout is not None
            running.process.stdout.close()


def test_what_is_asked_wrongly_is_told_in_one_line(tmp_path: Path) -> None:
    pivotpoint("alerts", "person", "add", "lind", "--role", "clinician", "--data", tmp_path)
    for arguments, says in (
        (("webhook", "add", "chat", "http://10.0.0.1/"), "https://"),
        (("webhook", "remove", "chat"), "no webhook of that name"),
        (("person", "mail", "lind", "no address"), "name@host"),
        (("notices", "replay"), "name a NOTICE"),
        (("notices", "trial", "nobody"), "nobody of that name"),
    ):
        told = pivotpoint("alerts", *arguments, "--data", tmp_path)
        assert told.returncode != 0
        assert says in told.stderr, told.stderr
        assert "Traceback" not in told.stderr
