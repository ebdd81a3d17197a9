"""What operators ask a service: is it alive, is it ready, and how is it doing.

Liveness is the heartbeat of the loops alone, readiness the store and its migrations. A message
broker is part of neither: the log is the outbox, so intake goes on without it.
"""

import logging
import time
from collections.abc import Callable
from threading import Lock

import orjson
from flask import Blueprint, Flask, Response, g, request

from services.chassis.http import auth
from services.chassis.http.auth import OPEN
from services.chassis.ids import fresh_id
from services.chassis.logs import REQUEST_ID
from services.chassis.metrics import (
    CONTENT_TYPE,
    HEARTBEAT_AGE,
    REQUEST_SECONDS,
    REQUESTS,
    Catalogue,
)

logger = logging.getLogger(__name__)

Silence = Callable[[], float]
"""Seconds since a loop last came round, whatever the clock says."""
Check = Callable[[], str | None]
"""Why a dependency cannot be used, in a few fixed words; None when it can."""

_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"))


class Health:
    """The loops and dependencies of one service; each is registered beside where it is made."""

    def __init__(self, catalogue: Catalogue, limit: float = 30.0) -> None:
        """A loop that is silent for more than `limit` seconds counts as stuck."""
        self._catalogue = catalogue
        self._limit = limit
        self._lock = Lock()
        self._loops: dict[str, Silence] = {}
        self._checks: dict[str, Check] = {}
        self._stopping = False

    def loop(self, name: str, silence: Silence) -> None:
        """Watch a loop; its silence becomes a metric too, when the catalogue has it."""
        with self._lock:
            self._loops[name] = silence
        if HEARTBEAT_AGE in self._catalogue.metrics:
            self._catalogue.read_from(HEARTBEAT_AGE, silence, loop=name)

    def dependency(self, name: str, check: Check) -> None:
        """Ask `check` whenever readiness is asked for; one that raises is not ready."""
        with self._lock:
            self._checks[name] = check

    def stop(self) -> None:
        """Be not ready from now on, so that nothing new is sent here."""
        self._stopping = True

    def stuck(self) -> dict[str, float]:
        """The loops that did not come round within the limit, with the seconds of their silence."""
        with self._lock:
            silences = {name: silence() for name, silence in self._loops.items()}
        return {name: round(s, 1) for name, s in silences.items() if s > self._limit}

    def unready(self) -> dict[str, str]:
        """The dependencies that cannot be used, each with why."""
        if self._stopping:
            return {"service": "stopping"}
        with self._lock:
            checks = dict(self._checks)
        answers = {name: _ask(name, check) for name, check in checks.items()}
        return {name: why for name, why in answers.items() if why is not None}


def install(app: Flask, health: Health, catalogue: Catalogue) -> None:
    """Answer /livez, /readyz and /metrics, and measure every request by its route template."""
    blueprint = Blueprint("health", __name__)

    @blueprint.get("/livez")
    def livez() -> Response:
        return _answer("stuck", health.stuck())

    @blueprint.get("/readyz")
    def readyz() -> Response:
        return _answer("not ready", health.unready())

    @blueprint.get("/metrics")
    def metrics() -> Response:
        return Response(catalogue.render(), content_type=CONTENT_TYPE)

    app.before_request(_begin)
    app.after_request(_finisher(catalogue))
    app.teardown_request(_end)
    auth.register(app, blueprint, OPEN)


def _begin() -> None:
    g.begun = time.perf_counter()
    g.request_id = REQUEST_ID.set(fresh_id().hex)


def _finisher(catalogue: Catalogue) -> Callable[[Response], Response]:
    def finish(response: Response) -> Response:
        route = request.url_rule.rule if request.url_rule else "unknown"
        method = request.method if request.method in _METHODS else "other"
        seconds = time.perf_counter() - g.begun
        catalogue.count(REQUESTS, route=route, method=method, status=str(response.status_code))
        catalogue.observe(REQUEST_SECONDS, seconds, route=route, method=method)
        response.headers["X-Request-Id"] = REQUEST_ID.get()
        return response

    return finish


def _end(_: BaseException | None) -> None:
    if "request_id" in g:
        REQUEST_ID.reset(g.pop("request_id"))


def _answer(otherwise: str, faults: dict[str, float] | dict[str, str]) -> Response:
    document = {"status": otherwise if faults else "ok", "faults": faults}
    status = 503 if faults else 200
    return Response(orjson.dumps(document), status, content_type="application/json")


def _ask(name: str, check: Check) -> str | None:
    try:
        return check()
    except Exception as error:  # whatever it is, the dependency cannot be used
        logger.warning("not ready", extra={"part": name, "error": type(error).__name__})
        return "failed"
