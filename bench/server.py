"""The server under test, in a process of its own: told what to do by lines of JSON on its input.

    python -m bench.server KIND FOLDER [STORE]

It prints one line of JSON when it is ready, answers each line it is given with another, and ends
when its input does.
"""

import json
import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from bench.library import Measure, intake
from services.chassis.clock import SystemClock
from services.chassis.eventlog import EventLog
from services.chassis.group_commit import Committed, Decide, GroupCommit
from services.chassis.run import spare_collecting
from services.chassis.transport.embedded import EmbeddedTransport
from services.chassis.turns import Turns

SENDER = "bench"
POLL = 0.05
Answerer = Callable[[dict[str, Any]], Any]


class NoStore(GroupCommit):
    """Decides as always and stores nothing: what is left is the server and the schema."""

    def commit(self, decide: Decide[Any]) -> Committed[Any]:
        """The answer, at once."""
        return Committed(decide(None)[1], 0)


class ThroughTheLibrary(GroupCommit):
    """Decides as always and stores each request through the library, one commit each."""

    def __init__(self, log: EventLog, folder: Path, store: str) -> None:
        super().__init__(log)
        self._intake = intake(folder, store)

    def commit(self, decide: Decide[Any]) -> Committed[Any]:
        """The answer, once the library has stored the first event as an aggregate."""
        events, answer = decide(None)
        if events:
            event = events[0]
            content = {
                name: value for name, value in vars(event).items() if isinstance(value, str | list)
            }
            self._intake.save(Measure(content=content))
        return Committed(answer, 0)


@contextmanager
def door(
    folder: Path, store: str, commit: Callable[[EventLog], GroupCommit] | None
) -> Iterator[Answerer]:
    """The outcomes service alone, nothing following; `commit` replaces the way into the log."""
    from services.outcomes import settings as outcomes
    from services.outcomes.record import Record
    from services.outcomes.wiring import Outcomes

    place = {"STORE": store} if store else {}
    service = Outcomes.open(outcomes.of_folder(folder, PORT="0", **place), SystemClock())
    token = service.senders.add(SENDER)
    if commit is not None:
        log, settings = service.log, service.settings
        service.record = Record(
            log,
            commit(log),
            service.store.vault,
            service.instruments,
            service.approaches,
            service.clock,
            settings.zone,
            service.reader,
        )
    server = service.server()
    server.start()
    say({"port": server.port, "token": token})
    try:
        yield lambda order: {"events": service.log.head()}
    finally:
        server.stop()
        service.stop()


@contextmanager
def both(folder: Path) -> Iterator[Answerer]:
    """Both services as `pivotpoint run` has them, with a watch on the inbox's view."""
    from services.embedded import Embedded

    with Embedded.open(folder, SystemClock(), 0, 0).running() as services:
        token = services.outcomes.senders.add(SENDER)
        watch = Watch(services.alerts.store.views, services.alerts.inbox.view)
        watch.start()
        say({"port": services.outcomes_port, "token": token})

        def answer(order: dict[str, Any]) -> Any:
            if order["do"] == "settle":
                while services.behind():
                    time.sleep(0.01)
                return watch.seen[-1] if watch.seen else [0, 0]
            ids = services.outcomes.store.ids
            episodes = {
                ids.derive("episode", SENDER, reference).hex: reference
                for reference in order["episodes"]
            }
            return visible(services.alerts.store.log(), watch.seen, episodes, order["channel"])

        yield answer
        watch.stop()


class Watch(threading.Thread):
    """Notes when the inbox's view reached which position, woken as a page that waits for it is."""

    def __init__(self, views: Any, view: Any) -> None:
        super().__init__(name="watch", daemon=True)
        self.seen: list[tuple[float, int]] = []
        self._views, self._view = views, view
        self._stopping = threading.Event()

    def run(self) -> None:
        """Watch until stopped."""
        position = self._views.position(self._view)
        while not self._stopping.is_set():
            if self._views.wait_for(self._view, position + 1, 0.5):
                position = self._views.position(self._view)
                self.seen.append((time.monotonic(), position))

    def stop(self) -> None:
        """End; joins."""
        self._stopping.set()
        self.join()


def visible(
    log: EventLog, watched: Sequence[tuple[float, int]], episodes: dict[str, str], channel: str
) -> dict[str, float]:
    """Reference of an episode to when its alert stood in the inbox's view."""
    raised: dict[str, int] = {}
    after = 0
    while (page := log.page(after, topics=("alert.raised", "alert.amended"))).entries:
        after = page.scanned_to
        for entry in page.entries:
            event = entry.event
            if event.episode in episodes and event.channel == channel:
                raised.setdefault(episodes[event.episode], entry.position)
    seen = list(watched)
    return {
        reference: next((moment for moment, reached in seen if reached >= position), 0.0)
        for reference, position in raised.items()
    }


@contextmanager
def pages(folder: Path) -> Iterator[Answerer]:
    """The alerts service alone over what is stored, with somebody signed in."""
    from services.alerts import settings as alerts
    from services.alerts.pages.session import COOKIE
    from services.alerts.views.inbox_view import open_alerts
    from services.alerts.wiring import Alerts

    service = Alerts.open(alerts.of_folder(folder, PORT="0"), SystemClock())
    service.start(EmbeddedTransport(), Turns())
    server = service.server()
    server.start()
    while service.behind():
        time.sleep(0.05)
    person = service.directory.people().named("clinician")
    if person is None:
        raise LookupError("nobody was added to sign in")
    rows = service.inbox.rows(person, service.clock.now())
    view, views = service.inbox.view, service.store.views
    waiting = views.select(view, where=views.table(view).c.waits.is_(True))
    say(
        {
            "port": server.port,
            "cookie": f"{COOKIE}={service.signin.open_session(person)}",
            "episodes": [row.episode for row in rows],
            "caseload": len(rows),
            "open": sum(len(open_alerts(doc)) for doc in waiting),
        }
    )
    try:
        yield lambda order: {}
    finally:
        server.stop()
        service.stop()


def sleepy_wait(log: EventLog, after: int, timeout: float, topics: object = None) -> bool:
    """What a follower without a wake-up does: look, and sleep between looks."""
    deadline = time.monotonic() + timeout
    while log.head() <= after:
        if time.monotonic() >= deadline:
            return False
        time.sleep(POLL)
    return True


def say(value: Any) -> None:
    """One line of JSON."""
    sys.stdout.write(json.dumps(value, default=lambda one: one.hex if isinstance(one, UUID) else 0))
    sys.stdout.write("\n")
    sys.stdout.flush()


def main(kind: str, folder: Path, store: str = "") -> None:
    """Serve until the input ends."""
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # a queue is what a load makes
    spare_collecting()  # as a supervised process does
    if kind == "both-polling":
        EventLog.wait = sleepy_wait  # type: ignore[method-assign,assignment]
    kinds: dict[str, Callable[[], Any]] = {
        "limit": lambda: door(folder, store, NoStore),
        "library": lambda: door(
            folder, "", lambda log: ThroughTheLibrary(log, folder / "library", store)
        ),
        "door": lambda: door(folder, store, None),
        "both": lambda: both(folder),
        "both-polling": lambda: both(folder),
        "pages": lambda: pages(folder),
    }
    with kinds[kind]() as answer:
        for line in sys.stdin:
            say(answer(json.loads(line)))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:])
