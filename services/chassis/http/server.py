"""Serves an application from a thread: waitress, with its own refusals as problems too."""

import socket
import threading
import time
from contextlib import suppress
from typing import Any

import orjson
from flask import Flask
from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.server import create_server
from waitress.task import ErrorTask

from services.chassis.http.application import BODY_LIMIT
from services.chassis.http.problem import CONTENT_TYPE, of_status

_DRAINED = 8 * BODY_LIMIT
"""A body up to here is read and refused properly, for a client that is still sending would see a
broken connection instead of the answer; beyond it the connection is closed after the answer."""


class Server:
    """One listening address of one application; starts once and stops once."""

    def __init__(
        self, app: Flask, host: str = "127.0.0.1", port: int = 0, threads: int = 32
    ) -> None:
        """Listen at once, serve from `start`; port 0 takes a free one.

        Raises:
            OSError: the address is taken or not this machine's.
        """
        # Bound here, for waitress would leave the socket open when the address is taken.
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listening = socket.create_server((host, port), family=family, backlog=1024)
        self._server = create_server(
            app,
            sockets=[listening],
            threads=threads,
            ident="",
            clear_untrusted_proxy_headers=True,
            max_request_body_size=_DRAINED,
            # Bodies stay in memory: in a temporary file they would lie in clear on a disk.
            inbuf_overflow=2 * _DRAINED,
            outbuf_overflow=64 * BODY_LIMIT,
            connection_limit=1000,
            channel_timeout=60,
            expose_tracebacks=False,
            log_socket_errors=False,
        )
        self._server.channel_class = _Channel
        self.host = host
        self.port = int(listening.getsockname()[1])
        self._stopping = threading.Event()
        self._deadline = 0.0
        self._thread = threading.Thread(target=self._serve, name=f"http-{self.port}", daemon=True)

    @property
    def url(self) -> str:
        """The address to call, without a slash at its end."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    def start(self) -> None:
        """Serve from a thread of its own."""
        self._thread.start()

    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def stop(self, timeout: float = 5.0) -> None:
        """Take no more connections, answer the requests that are here, close within `timeout` s."""
        if self._stopping.is_set():
            return
        self._deadline = time.monotonic() + timeout
        self._stopping.set()
        if not self._thread.is_alive():
            self._close()
            return
        with suppress(OSError):  # the thread was quicker, and has closed the trigger already
            self._server.pull_trigger()
        self._thread.join(timeout + 1)

    def _serve(self) -> None:
        try:
            while not self._stopping.is_set():
                self._turn(1.0)
            wasyncore.dispatcher.close(self._server)  # the listening socket alone
            while self._busy() and time.monotonic() < self._deadline:
                self._turn(0.02)
        finally:
            self._close()

    def _turn(self, timeout: float) -> None:
        wasyncore.loop(timeout=timeout, map=self._server._map, use_poll=True, count=1)

    def _busy(self) -> bool:
        """Whether a request is being taken or answered; connections that only wait are closed."""
        channels = list(self._server.active_channels.values())
        for channel in channels:
            if not (channel.requests or channel.request or channel.total_outbufs_len):
                channel.handle_close()
        return bool(self._server.active_channels)

    def _close(self) -> None:
        left = max(0.0, self._deadline - time.monotonic())
        self._server.task_dispatcher.shutdown(timeout=left)
        wasyncore.close_all(self._server._map, ignore_all=True)


class _ProblemTask(ErrorTask):  # type: ignore[misc]
    """Answers what waitress itself refuses: a malformed request, headers or a body too large."""

    def execute(self) -> None:
        problem = of_status(self.request.error.code)
        body = orjson.dumps(problem.document())
        self.status = f"{problem.status} {problem.title}"
        self.response_headers.append(("Content-Type", CONTENT_TYPE))
        self.response_headers.append(("Cache-Control", "no-store"))
        self.response_headers.append(("Connection", "close"))
        self.close_on_finish = True
        self.content_length = len(body)
        self.write(body)


class _Channel(HTTPChannel):  # type: ignore[misc]
    """A connection whose errors are problems."""

    error_task_class: Any = _ProblemTask
