"""One of the four processes of the played clinic: as `serve` or `follow`, by the play's clock.

The play talks to it in lines: what to do goes in, a line of JSON comes out. When nobody talks any
more it ends.
"""

import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from datetime import datetime

from schemas import topics
from services.alerts import settings as alerts_settings
from services.alerts.wiring import Alerts
from services.chassis import apart, logs
from services.chassis.clock import SteppedClock
from services.chassis.settings import SettingsError
from services.outcomes import settings as outcomes_settings
from services.outcomes.wiring import Outcomes

Answer = str | list[str] | None


class Part:
    """A service, half of which runs here."""

    def __init__(self, name: str, clock: SteppedClock) -> None:
        """Open it as the environment sets it up, on tables that are there."""
        self.name, self._clock = name, clock
        self._service: Outcomes | Alerts
        if name == "outcomes":
            self._service = Outcomes.open(outcomes_settings.of_environment(), clock, migrate=False)
        else:
            self._service = Alerts.open(alerts_settings.of_environment(), clock, migrate=False)
        self._requests: dict[str, Callable[[str], Answer]] = {
            "clock": self._set,
            "turn": self._turn,
            "beat": self._beat,
            "behind": self._behind,
        }

    def run(self, half: str) -> int:
        """Run until a signal, or until nobody talks to it; the exit code."""
        if half == "serve":
            return apart.serve(self._service, self._ready)
        settings = self._service.settings
        if settings.kafka is None:
            raise SettingsError(["no broker is named"])
        if isinstance(self._service, Alerts):
            self._service.share_risk_path()
        line = apart.Line(
            settings.kafka, topics.ALL, settings.host, settings.follow_port, topics.COMPACTED
        )
        return apart.follow(self.name, self._service, line, self._ready)

    def _ready(self, url: str) -> None:
        threading.Thread(target=self._listen, name="play", daemon=True).start()
        _say(url)

    def _listen(self) -> None:
        for line in sys.stdin:
            word, _, rest = line.strip().partition(" ")
            _say(self._requests[word](rest))
        os.kill(os.getpid(), signal.SIGTERM)

    def _set(self, moment: str) -> None:
        self._clock.set(datetime.fromisoformat(moment))

    def _turn(self, _: str) -> None:
        self._service.timers.turn()

    def _beat(self, _: str) -> None:
        if isinstance(self._service, Outcomes):
            self._service.beat()

    def _behind(self, _: str) -> list[str]:
        if not self._service.timers.is_alive():
            return ["the start"]
        return self._service.behind()


def _say(answer: Answer) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def main(name: str, half: str, moment: str) -> int:
    """Be a half of a service from a moment of the play on; the exit code."""
    logs.setup(name, level=logging.ERROR)
    return Part(name, SteppedClock(datetime.fromisoformat(moment))).run(half)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
