"""Plays the made-up clinic through both services, day by day, and tells what came of it."""

import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from time import monotonic
from types import FrameType
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from services.chassis.clock import SystemClock
from simulation import story, summary
from simulation.apart import InFourProcesses
from simulation.clinic import CLINICIANS, OPS, SUPERVISOR, Clinic, clinic
from simulation.crew import Crew
from simulation.stage import InOneProcess, Running, Stage

ZONE = ZoneInfo("UTC")
MORNING, EVENING = time(8, 0), time(18, 0)
"""When the made-up clinicians look at their inboxes, and when the EHR sends what came that day."""
LEFT_FOR_YOU = 12
"""Days at the end on which the made-up clinicians answer nothing: something is left to do."""
WIDTH = 100


class StoppedError(Exception):
    """Somebody stopped the play before its end."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The servers that a clinic runs, for a play on them instead of in one process."""

    store: str
    """postgresql://… of an empty database."""
    broker: str
    """host:port of a Kafka without our topics."""


def play(
    *, clients: int, weeks: int, seed: int, port: int, once: bool, parts: Parts | None = None
) -> None:
    """Play, print the summary, and serve on until stopped unless `once`.

    Raises:
        StoppedError: it was stopped before it could tell anything.
        simulation.door.DoorError, services.*: the services did not do what they promise.
    """
    console = Console(
        width=WIDTH if not Console().is_terminal else None, highlight=False, markup=False
    )
    began = monotonic()
    made = clinic(_first_monday(SystemClock().now().date(), weeks), clients, weeks, seed)
    console.print(
        f"Playing a made-up clinic: {clients} clients, {weeks} weeks. Nobody here is real."
    )
    with (
        stopping() as stopped,
        _running(parts, _at(made.start, MORNING), port, console) as both,
        Stage.on(both) as stage,
    ):
        crew = Crew(stage, made, seed)
        _play_days(stage, made, crew, console, stopped)
        if stopped.is_set():
            raise StoppedError("stopped before the clinic was played to its end")
        _catch_up(stage, made)
        _tell(stage, made, crew, console, monotonic() - began)
        if once:
            console.print("To look at it yourself: the same without --once serves the pages.")
            return
        _invite(stage, console)
        console.print("Serving until Ctrl-C. Everything is thrown away then.")
        while not stopped.wait(1.0):
            stage.set(SystemClock().now())


@contextmanager
def _running(
    parts: Parts | None, moment: datetime, port: int, console: Console
) -> Iterator[Running]:
    if parts is not None:
        with InFourProcesses.open(parts.store, parts.broker, moment, port) as four:
            console.print(f"{four.told()}\nEach follows the other through the broker.")
            yield four
        return
    with (
        tempfile.TemporaryDirectory(prefix="pivotpoint-demo-") as folder,
        InOneProcess.open(Path(folder), moment, port) as one,
    ):
        yield one


@contextmanager
def stopping() -> Iterator[threading.Event]:
    """Set on Ctrl-C or SIGTERM, so that the services stop in order and the scratch folder goes."""
    event = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        event.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield event
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _play_days(
    stage: Stage,
    made: Clinic,
    crew: Crew,
    console: Console,
    stopped: threading.Event,
) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(None), TextColumn("{task.fields[on]}"))
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as bar:
        task = bar.add_task("playing", total=made.days, on="")
        for day in range(made.days):
            if stopped.is_set():
                break
            on = made.on(day)
            stage.set(_at(on, MORNING))
            stage.tick()
            if day < made.days - LEFT_FOR_YOU:
                crew.work(day)
            stage.set(_at(on, EVENING))
            stage.office.send_day(made.calls(day), batch=on.weekday() != 0)
            stage.settle()
            bar.update(
                task, completed=day + 1, on=f"{on:%d %B}, {stage.office.posted.recorded} measures"
            )


def _catch_up(stage: Stage, made: Clinic) -> None:
    """Step on to the present, so that what is served afterwards runs on the time of its readers."""
    on = made.on(made.days)
    while on < SystemClock().now().date():
        stage.set(_at(on, EVENING))
        stage.tick()
        on += timedelta(days=1)
    stage.set(SystemClock().now())
    stage.tick()
    stage.settle()
    stage.beat()
    stage.settle()


def _tell(stage: Stage, made: Clinic, crew: Crew, console: Console, seconds: float) -> None:
    documents = stage.documents()
    truth = summary.against_truth(made.clients, documents)
    loop = summary.loop(documents.values())
    console.rule("What came of it")
    for line in summary.lines(stage.office.posted, truth, loop, made.weeks):
        console.print(line)
    told = story.choose(documents.values())
    if told is not None:
        console.rule("One course, from first score to effect")
        console.print(" ".join(story.tell(told, CLINICIANS, crew.read)))
    console.print(
        f"The whole took {seconds:.0f} s. All clients, clinicians and courses are made up: what "
        "was found shows how the product works, not how well it does with people."
    )


def _invite(stage: Stage, console: Console) -> None:
    """Links that let a reader look as each of three people."""
    console.rule("Look for yourself")
    clinician = max(CLINICIANS.values(), key=lambda name: _urgency(stage, name))
    roles = {clinician: "a clinician", SUPERVISOR: "a supervisor", OPS: "an ops person"}
    for name, role in roles.items():
        console.print(f"{name}, {role}: {stage.invite(name)}", soft_wrap=True)
    console.print("Open a link in a browser; each signs in once.")


def _urgency(stage: Stage, name: str) -> tuple[int, int, int]:
    """How much there is to see in an inbox: risk answers, prompts, rows."""
    rows = stage.inbox(name)
    tiers = [line.tier for row in rows for line in (row.main, *row.others)]
    return tiers.count("risk"), tiers.count("prompt"), len(rows)


def _first_monday(today: date, weeks: int) -> date:
    """The latest Monday from which so many whole weeks have passed by today."""
    start = today - timedelta(weeks=weeks)
    return start - timedelta(days=start.weekday())


def _at(on: date, clock_time: time) -> datetime:
    return datetime.combine(on, clock_time, ZONE)
