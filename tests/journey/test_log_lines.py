"""What a running process writes to standard error is JSON, and holds nothing of any client."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
CANARY = "kanarie41"


class _Process:
    """A `pivotpoint run` whose standard error is kept."""

    def __init__(self, data: Path, errors: Path) -> None:
        arguments = ["run", "--data", str(data), "--outcomes-port", "0", "--alerts-port", "0"]
        self.errors = errors
        with errors.open("w") as stderr:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "services", *arguments],
                cwd=ROOT,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
            )
        self.ports: list[int] = []
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.ports += [int(port) for port in re.findall(r"http://127\.0\.0\.1:(\d+)", line)]
            if "Ctrl-C" in line:
                break

    def end(self) -> int:
        self._process.send_signal(signal.SIGTERM)
        self._process.communicate(timeout=20)
        return self._process.returncode


@pytest.fixture
def process(tmp_path: Path) -> Iterator[_Process]:
    process = _Process(tmp_path / "data", tmp_path / "errors")
    yield process
    process.end()


def _post(port: int, path: str, body: Any, token: str) -> tuple[int, str]:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    connection.request("POST", path, json.dumps(body), headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


def _metrics(port: int) -> str:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    return text


def test_nothing_of_a_client_reaches_log_lines_or_metrics(
    process: _Process, tmp_path: Path
) -> None:
    outcomes, alerts = process.ports[0], process.ports[-1]
    add = ["outcomes", "sender", "add", "ehr", "--data", str(tmp_path / "data")]
    command = [sys.executable, "-m", "services", *add]
    added = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    token = added.stdout.strip()
    measure = {
        "external_id": f"{CANARY}-1",
        "client": f"{CANARY}-client",
        "episode": f"{CANARY}-episode",
        "clinician": f"{CANARY}-clinician",
        "instrument": "phq-9",
        "administered_at": "2026-01-05",
        "items": [3, 3, 3, 3, 3, 3, 3, 3, 2],
    }
    assert _post(outcomes, "/v1/measures", measure, token)[0] == 201
    assert _post(outcomes, "/v1/measures", {**measure, "items": [0] * 9}, token)[0] == 409
    assert _post(outcomes, "/v1/measures", {**measure, "items": CANARY}, token)[0] >= 400
    assert _post(outcomes, "/v1/measures", measure, CANARY)[0] == 401
    assert _post(outcomes, f"/v1/{CANARY}", measure, token)[0] == 404
    assert _post(alerts, f"/{CANARY}", measure, CANARY)[0] in (401, 404)

    assert CANARY not in _metrics(outcomes) + _metrics(alerts)
    process.end()
    written = process.errors.read_text()
    assert CANARY not in written
    for line in written.splitlines():
        assert {"time", "level", "service", "event"} <= json.loads(line).keys()
