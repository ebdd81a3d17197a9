"""A process starts its parts in order, lets work finish on a signal, and ends within its grace."""

import platform
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import pytest

from services.chassis.run import Part, Supervisor

SCRIPT = """
import sys, threading, time
from services.chassis.run import Part, Supervisor

how = sys.argv[1]
supervisor = Supervisor(grace=float(sys.argv[2]))
thread = threading.Thread(target=lambda: time.sleep(0.2), daemon=True)

def stop():
    print("stopping", flush=True)
    time.sleep({"clean": 0.2, "hangs": 60}.get(how, 0))
    print("stopped", flush=True)

if how == "dies":
    supervisor.add(Part("dies", start=thread.start, alive=thread.is_alive))
supervisor.add(Part("part", stop=stop))
sys.exit(supervisor.run(ready=lambda: print("ready", flush=True)))
"""


def _process(how: str, grace: float = 5) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", SCRIPT, how, str(grace)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert _line(process) == "ready"
    return process


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def _end(process: subprocess.Popen[str]) -> tuple[int, str]:
    said, _ = process.communicate(timeout=15)
    return process.returncode, said


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_parts_finish(number: signal.Signals) -> None:
    process = _process("clean")
    process.send_signal(number)

    assert _end(process) == (0, "stopping\nstopped\n")


def test_a_second_signal_ends_at_once() -> None:
    process = _process("hangs", grace=60)
    process.send_signal(signal.SIGTERM)
    assert _line(process) == "stopping"
    process.send_signal(signal.SIGTERM)

    assert _end(process) == (128 + signal.SIGTERM, "")


def test_a_part_that_hangs_is_given_up_after_the_grace() -> None:
    process = _process("hangs", grace=0.5)
    begun = time.monotonic()
    process.send_signal(signal.SIGTERM)
    code, said = _end(process)

    assert (code, said) == (1, "stopping\n")
    assert time.monotonic() - begun < 5


def test_the_death_of_a_part_ends_the_process_with_an_error() -> None:
    code, said = _end(_process("dies"))

    assert (code, said) == (1, "stopping\nstopped\n")


def _noting(notes: list[str], note: str) -> Callable[[], None]:
    return lambda: notes.append(note)


def test_parts_start_in_order_and_stop_in_reverse() -> None:
    notes: list[str] = []
    supervisor = Supervisor()
    for name in ("store", "follower", "http"):
        supervisor.add(Part(name, _noting(notes, f"+{name}"), _noting(notes, f"-{name}")))
    supervisor.start()

    assert supervisor.stop()
    assert notes == ["+store", "+follower", "+http", "-http", "-follower", "-store"]


def test_a_part_that_cannot_start_stops_those_before_it() -> None:
    notes: list[str] = []
    supervisor = Supervisor()
    supervisor.add(Part("store", _noting(notes, "+store"), _noting(notes, "-store")))
    supervisor.add(Part("http", _refuse, _noting(notes, "-http")))

    with pytest.raises(OSError, match="taken"):
        supervisor.start()
    assert notes == ["+store", "-store"]


def _refuse() -> None:
    raise OSError("the port is taken")


def test_a_part_that_fails_to_stop_does_not_keep_the_others() -> None:
    notes: list[str] = []
    supervisor = Supervisor()
    supervisor.add(Part("store", stop=_noting(notes, "-store")))
    supervisor.add(Part("http", stop=_refuse))
    supervisor.start()
    supervisor.stop()

    assert notes == ["-store"]


def test_stop_is_asked_for_from_any_thread() -> None:
    supervisor = Supervisor()
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    try:
        threading.Timer(0.1, supervisor.ask_to_stop).start()
        assert supervisor.run() == 0
    finally:
        signal.signal(signal.SIGTERM, before[0])
        signal.signal(signal.SIGINT, before[1])


MANY = """
import ctypes, os, signal, threading
from services.chassis.run import Part, Supervisor

def work():
    there.wait()
    kept = [b"x" * (600 + n % 300) for n in range(2_000)]
    there.wait()

def ready():
    ctypes.CDLL(None).malloc_stats()
    os.kill(os.getpid(), signal.SIGTERM)

there = threading.Barrier(12)
threads = [threading.Thread(target=work) for _ in range(12)]
supervisor = Supervisor()
supervisor.add(Part("start", start=lambda: [thread.start() for thread in threads]))
supervisor.add(Part("end", start=lambda: [thread.join() for thread in threads]))
supervisor.run(ready)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc gives threads heaps")
def test_threads_share_their_heaps() -> None:
    """Each would else keep what the largest page that it ever made has taken."""
    process = subprocess.run(
        [sys.executable, "-c", MANY], capture_output=True, text=True, timeout=30, check=True
    )
    assert 1 <= process.stderr.count("Arena ") <= 2
