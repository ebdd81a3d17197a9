"""The command line as a person meets it: in processes of its own, over a folder of data."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import click
import pytest

from services.__main__ import main

ROOT = Path(__file__).parents[2]


def pivotpoint(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "services", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    for name, command in sorted(group.commands.items()):
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name)


@pytest.mark.parametrize("path", list(commands(main)), ids=" ".join)
def test_every_command_explains_itself(path: tuple[str, ...]) -> None:
    told = pivotpoint(*path, "--help")
    assert told.returncode == 0, told.stderr
    assert told.stdout.startswith("Usage:")
    explanation = told.stdout.split("\n\n")[1].strip()
    assert len(explanation.split()) >= 4, explanation
    assert "..." not in told.stdout.partition("Commands:")[2], "a list that is cut off"
    assert told.stderr == ""


def test_lenses_are_listed_and_a_clinics_own_is_checked_with_place_and_reason(
    tmp_path: Path,
) -> None:
    own = tmp_path / "sleep.toml"
    shipped = (ROOT / "services/alerts/lenses/alliance.toml").read_text("utf-8")
    own.write_text(shipped.replace('name = "alliance"', 'name = "sleep"'), "utf-8")
    told = pivotpoint("alerts", "lenses", "list", "--own", tmp_path)
    assert told.returncode == 0, told.stderr
    names = [line.split("  ")[0] for line in told.stdout.splitlines()]
    assert names[0] == "name"
    assert {"sleep", "alliance", "memory system", "own part"} <= set(names)
    told = pivotpoint("alerts", "lenses", "check", own)
    assert "[withdrawal]" in told.stdout
    own.write_text(shipped.replace("grade", "grad"), "utf-8")
    told = pivotpoint("alerts", "lenses", "check", own)
    assert told.returncode == 1
    assert "sleep.toml: evidence.grad: is not known" in told.stderr


HEAVY = ("numpy", "sqlalchemy", "flask", "kafka", "eventsourcing", "marshmallow", "jinja2")
"""What takes a second to load and no help text needs."""
ASKS = f"""
import sys
from services.__main__ import main
main(["--help"], standalone_mode=False)
print([name for name in {HEAVY} if name in sys.modules])
"""


def test_help_loads_nothing_heavy() -> None:
    told = subprocess.run(
        [sys.executable, "-c", ASKS], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert told.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("fly",), "No such command 'fly'"),
        (("outcomes", "sender", "add"), "Missing argument 'NAME'"),
        (("run", "--outcomes-port", "many"), "is not a valid integer"),
        (("run", "--outcomes-port", "70000"), "is not in the range"),
        (("alerts", "person", "add", "lind"), "Missing option '--role'"),
        (("alerts", "person", "add", "lind", "--role", "boss"), "'boss' is not one of"),
        (("alerts", "parked", "replay", "view inbox", "K-1184"), "is not a valid UUID"),
        (("outcomes", "held", "release"), "name the measures, or say --all"),
    ],
)
def test_a_wrong_request_is_told_in_plain_words(arguments: tuple[str, ...], says: str) -> None:
    told = pivotpoint(*arguments)
    assert told.returncode == 2
    assert says in told.stderr
    assert "Traceback" not in told.stderr


def test_what_cannot_be_done_is_told_in_one_line(tmp_path: Path) -> None:
    assert pivotpoint("outcomes", "sender", "add", "ehr", "--data", tmp_path).returncode == 0
    again = pivotpoint("outcomes", "sender", "add", "ehr", "--data", tmp_path)
    assert again.returncode == 1
    assert again.stderr.count("\n") == 1
    assert again.stderr.startswith("Error: there is a sender ehr already")


def test_senders_are_listed_turned_and_revoked(tmp_path: Path) -> None:
    first = pivotpoint("outcomes", "sender", "add", "ehr", "--data", tmp_path)
    assert re.fullmatch(r"\S+\n", first.stdout)
    turned = pivotpoint("outcomes", "sender", "rotate", "ehr", "--data", tmp_path)
    assert re.fullmatch(r"\S+\n", turned.stdout)
    assert turned.stdout != first.stdout
    assert "may post" in pivotpoint("outcomes", "sender", "list", "--data", tmp_path).stdout
    assert pivotpoint("outcomes", "sender", "revoke", "ehr", "--data", tmp_path).returncode == 0
    assert "revoked" in pivotpoint("outcomes", "sender", "list", "--data", tmp_path).stdout


def test_people_are_added_linked_covered_and_disabled(tmp_path: Path) -> None:
    data = ("--data", str(tmp_path))
    for arguments in (
        ("person", "add", "lind", "--role", "clinician"),
        ("person", "add", "berg", "--role", "clinician"),
        ("person", "add", "sund", "--role", "supervisor"),
        ("person", "link", "lind", "ehr", "T-01"),
        ("person", "supervise", "sund", "lind"),
        ("person", "cover", "lind", "berg"),
        ("person", "away", "lind", "--until", "2099-01-01"),
    ):
        told = pivotpoint("alerts", *arguments, *data)
        assert told.returncode == 0, told.stderr
    listed = pivotpoint("alerts", "person", "list", *data).stdout
    assert re.search(r"lind +clinician +ehr: T-01 +- +away", listed)
    assert re.search(r"sund +supervisor +- +lind +here", listed)
    assert pivotpoint("alerts", "person", "back", "lind", *data).returncode == 0
    assert pivotpoint("alerts", "person", "disable", "berg", *data).returncode == 0
    listed = pivotpoint("alerts", "person", "list", *data).stdout
    assert re.search(r"berg .*disabled", listed)
    assert re.search(r"lind .*here", listed)
    unknown = pivotpoint("alerts", "invite", "nobody", *data)
    assert unknown.returncode == 1
    assert "Traceback" not in unknown.stderr


def test_verify_rebuild_and_parked_on_a_quiet_folder(tmp_path: Path) -> None:
    pivotpoint("outcomes", "sender", "add", "ehr", "--data", tmp_path)
    for service in ("outcomes", "alerts"):
        for arguments in (("verify",), ("rebuild",), ("verify",), ("parked", "list")):
            told = pivotpoint(service, *arguments, "--data", tmp_path)
            assert told.returncode == 0, (service, arguments, told.stdout, told.stderr)
        nothing = pivotpoint(service, "parked", "replay", "--data", tmp_path)
        assert nothing.returncode == 1
        wrong = pivotpoint(service, "rebuild", "no-such-view", "--data", tmp_path)
        assert wrong.returncode == 2
    held = pivotpoint("outcomes", "held", "list", "--data", tmp_path)
    assert held.stdout == "No measure is held.\n"
    assert pivotpoint("clock", "accept", "--data", tmp_path).returncode == 0


class Running:
    """A `pivotpoint run` in a process of its own."""

    def __init__(self, data: Path, settings: dict[str, str] | None = None) -> None:
        arguments = ["run", "--data", str(data), "--outcomes-port", "0", "--alerts-port", "0"]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "services", *arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=os.environ | (settings or {}),
        )
        self.outcomes, self.alerts = self._addresses()

    def _addresses(self) -> tuple[str, str]:
        assert self.process.stdout is not None
        found: list[str] = []
        for line in self.process.stdout:
            found += re.findall(r"http://127\.0\.0\.1:\d+", line)
            if "Stop with Ctrl-C" in line:
                break
        assert len(found) >= 2, "the services did not say where they are"
        return found[0], found[-1]

    def stop(self) -> tuple[int, float]:
        started = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(20)
        return code, time.monotonic() - started


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    it = Running(tmp_path / "data")
    yield it
    if it.process.poll() is None:
        it.process.kill()
    it.process.wait()
    assert it.process.stdout is not None
    it.process.stdout.close()


def status(url: str, token: str) -> int:
    request = Request(url, headers={"Authorization": f"Bearer {token}"})
    with urlopen(request, timeout=10) as answer:
        return int(answer.status)


def test_run_serves_takes_commands_meanwhile_and_stops_in_time(
    running: Running, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    token = pivotpoint("outcomes", "sender", "add", "ehr", "--data", data).stdout.strip()
    assert status(f"{running.outcomes}/v1/instruments", token) == 200
    assert status(f"{running.outcomes}/readyz", token) == 200
    assert status(f"{running.alerts}/readyz", token) == 200

    pivotpoint("alerts", "person", "add", "lind", "--role", "clinician", "--data", data)
    link = pivotpoint("alerts", "invite", "lind", "--data", data)
    assert link.returncode == 0
    assert link.stdout.startswith("http"), link.stdout

    second = pivotpoint("run", "--data", data, "--outcomes-port", "0", "--alerts-port", "0")
    assert second.returncode == 1
    assert "another process runs on" in second.stderr
    assert "Traceback" not in second.stderr

    code, seconds = running.stop()
    assert code == 0
    assert seconds < 10


def test_a_taken_port_is_told_in_one_line(running: Running, tmp_path: Path) -> None:
    port = running.outcomes.rsplit(":", 1)[1]
    told = pivotpoint(
        "run", "--data", tmp_path / "other", "--outcomes-port", port, "--alerts-port", "0"
    )
    assert told.returncode == 1
    assert "Traceback" not in told.stderr
    assert "ddress" in told.stderr
    assert os.linesep not in told.stderr.strip()
