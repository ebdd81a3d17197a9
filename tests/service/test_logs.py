"""Log lines are JSON, carry what operators need, and never what a client or clinician wrote."""

import io
import json
import logging
import sys
import threading
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from services.chassis import logs

CANARY = "Canary says: I feel worse"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before = (root.handlers[:], root.level, logging.getLogger("services").level)
    hooks = sys.excepthook, threading.excepthook
    stream = io.StringIO()
    logs.setup("outcomes", stream)
    yield stream
    root.handlers[:], level, ours = before
    root.setLevel(level)
    sys.excepthook, threading.excepthook = hooks
    for name in ("services", "schemas", "simulation"):
        logging.getLogger(name).setLevel(ours)


def _lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_says_when_who_and_what(stream: io.StringIO) -> None:
    token = logs.REQUEST_ID.set("abc")
    logging.getLogger("services.chassis.follower").info(
        "page dropped", extra={"reader": "detector", "position": 17, "stream": UUID(int=5)}
    )
    logs.REQUEST_ID.reset(token)

    (line,) = _lines(stream)
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "info",
        "service": "outcomes",
        "logger": "services.chassis.follower",
        "event": "page dropped",
        "request": "abc",
        "reader": "detector",
        "position": 17,
        "stream": UUID(int=5).hex,
    }


def test_fields_that_are_not_listed_are_left_out(stream: io.StringIO) -> None:
    extra = {"client": CANARY, "body": CANARY, "reader": "views"}
    logging.getLogger("services.x").warning("seen", extra=extra)

    assert CANARY not in stream.getvalue()
    assert _lines(stream)[0]["reader"] == "views"


@pytest.mark.parametrize(
    "value", [CANARY, {"note": CANARY}, [CANARY], ValueError(CANARY), "x" * 121]
)
def test_values_that_look_like_text_are_withheld(stream: io.StringIO, value: object) -> None:
    logging.getLogger("services.x").warning("seen", extra={"reason": value})

    assert _lines(stream)[0]["reason"] == "withheld"


def test_arguments_and_exception_texts_go_nowhere(stream: io.StringIO) -> None:
    logger = logging.getLogger("services.x")
    try:
        raise ValueError(CANARY)
    except ValueError:
        logger.exception("failed for %s", CANARY)

    (line,) = _lines(stream)
    assert CANARY not in stream.getvalue()
    assert line["event"] == "failed for %s"
    assert line["error"] == "ValueError"


def test_what_libraries_say_is_reduced_to_where_it_came_from(stream: io.StringIO) -> None:
    logging.getLogger("sqlalchemy.engine").warning("values: %s", CANARY)
    logging.getLogger("waitress").info("not even this")

    (line,) = _lines(stream)
    assert CANARY not in stream.getvalue()
    assert line["logger"] == "sqlalchemy.engine"
    assert line["event"] == "library"


def test_where_names_the_innermost_line_of_ours() -> None:
    def fail() -> None:
        logs.JsonFormatter("x").format(None)  # type: ignore[arg-type]

    with pytest.raises(AttributeError) as caught:
        fail()

    assert logs.where(caught.value).startswith("services.chassis.logs:")
    assert logs.where(None) == ""


def test_an_exception_that_nobody_caught_ends_in_a_line_without_its_text(
    stream: io.StringIO,
) -> None:
    def crash() -> None:
        raise ValueError(CANARY)

    thread = threading.Thread(target=crash, name="relay of risk")
    thread.start()
    thread.join()
    sys.excepthook(KeyError, KeyError(CANARY), None)

    died, main = _lines(stream)
    assert CANARY not in stream.getvalue()
    assert (died["error"], died["part"]) == ("ValueError", "relay of risk")
    assert (main["error"], main["part"]) == ("KeyError", "main")
