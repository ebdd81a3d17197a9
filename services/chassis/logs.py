"""The log lines of a service: JSON on standard error, one object a line, without client data.

Code logs with the standard library: `logger.warning("page dropped", extra={"reader": name})`. The
message is a fixed text; what varies goes into `extra`, whose names are in `FIELDS`. A value that
does not look like an id, a number or a name is withheld, and so is every text of a library and of
an exception, since either may quote what a client or clinician wrote.
"""

import json
import logging
import re
import sys
import threading
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import IO
from uuid import UUID

REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")
"""The request that this thread is answering, empty outside of one."""

_PLACES = (
    "reader",
    "topic",
    "partition",
    "view",
    "job",
    "part",
    "route",
    "method",
    "where",
    "port",
)
_STATES = ("status", "state", "outcome", "error", "reason", "result", "setting", "channel", "tier")
_AMOUNTS = ("count", "seconds", "position", "to", "version", "attempt", "lag", "limit", "revision")
_IDS = ("stream", "event_topic", "key", "log_id", "message_id", "instrument", "rule", "transport")
FIELDS = frozenset((*_PLACES, *_STATES, *_AMOUNTS, *_IDS))
"""Every field that a line may carry beside time, level, service, logger, event and request."""

_OURS = ("services", "schemas", "simulation")
_PLAIN = re.compile(r"[\w.:/<>@+-]{0,120}")
_NAME = re.compile(r"[\w .:/<>@+-]{0,60}")
"""Names of places are ours and may have several words; no other value may."""


class JsonFormatter(logging.Formatter):
    """Writes a record as one line of JSON."""

    def __init__(self, service: str) -> None:
        """Name the `service` on every line."""
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """The line; arguments of the message are left out, as are the texts of exceptions."""
        ours = record.name.partition(".")[0] in _OURS
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "service": self._service,
            "logger": record.name,
            "event": record.msg if ours and isinstance(record.msg, str) else "library",
        }
        if request := REQUEST_ID.get():
            line["request"] = request
        if record.exc_info and record.exc_info[0]:
            line["error"] = record.exc_info[0].__name__
            line["where"] = where(record.exc_info[1])
        for name in FIELDS & record.__dict__.keys():
            line[name] = _plain(record.__dict__[name], _NAME if name in _PLACES else _PLAIN)
        return json.dumps(line, default=str)


def setup(service: str, stream: IO[str] | None = None, level: int = logging.INFO) -> None:
    """Write JSON lines of `service` to `stream` (standard error); libraries from warnings up.

    Exceptions that nobody caught, in any thread, end in such a line too.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter(service))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(level, logging.WARNING))
    for name in _OURS:
        logging.getLogger(name).setLevel(level)
    _hook_crashes()


def _hook_crashes() -> None:
    # A traceback would show the exception's text.
    sys.excepthook = lambda kind, error, trace: _crashed(kind, error, "main")
    threading.excepthook = lambda crash: _crashed(
        crash.exc_type, crash.exc_value, crash.thread.name if crash.thread else ""
    )


def _crashed(kind: type[BaseException], error: BaseException | None, part: str) -> None:
    name = kind.__name__
    logging.getLogger(__name__).critical(
        "nobody caught this", extra={"error": name, "where": where(error), "part": part}
    )


def where(error: BaseException | None) -> str:
    """The innermost line of our own code that an exception came through: module and line number."""
    found = ""
    trace = error.__traceback__ if error else None
    while trace is not None:
        module = str(trace.tb_frame.f_globals.get("__name__", ""))
        if module.partition(".")[0] in _OURS:
            found = f"{module}:{trace.tb_lineno}"
        trace = trace.tb_next
    return found


def _plain(value: object, form: re.Pattern[str]) -> object:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, UUID):
        return value.hex
    if isinstance(value, str) and form.fullmatch(value):
        return value
    return "withheld"
