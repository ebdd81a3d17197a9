"""What the HTTP chassis promises to whoever calls a service, over a real socket."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection

import pytest
from flask import Blueprint, Flask, Response, abort
from werkzeug.datastructures import Headers

from services.chassis.http import application, auth, problem
from services.chassis.http.auth import OPEN, Authority, bearer_token
from services.chassis.http.health import Health
from services.chassis.http.problem import Problem, ProblemError, Table
from services.chassis.http.server import Server
from services.chassis.metrics import HTTP, LOOPS, REQUESTS, Catalogue

CANARY = "canary-9b1f"


class _MissingError(Exception):
    """The base class that the table knows."""


class _QuiteMissingError(_MissingError):
    """A derived one that it does not."""


@dataclass
class _Site:
    """A small service of its own, with what a test needs to turn it."""

    catalogue: Catalogue = field(default_factory=lambda: Catalogue((*HTTP, *LOOPS)))
    entered: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.health = Health(self.catalogue, limit=5)
        table: Table = {
            _MissingError: lambda _: Problem(404, "missing", "Missing", "Nothing here.")
        }
        self.app = application.make("site", self.health, self.catalogue, table)
        auth.register(self.app, self._open(), OPEN)
        auth.register(self.app, self._guarded(), Authority("token", _token))

    def _open(self) -> Blueprint:
        routes = Blueprint("open", __name__)

        @routes.post("/echo")
        def echo() -> dict[str, str]:
            return {"said": "yes"}

        @routes.get("/things/<name>")
        def things(name: str) -> str:
            raise ValueError(f"{CANARY} {name}")

        @routes.get("/missing")
        def missing() -> str:
            raise _QuiteMissingError(CANARY)

        @routes.get("/faults")
        def faults() -> str:
            faults = [{"pointer": "/items/2", "detail": "from 0 to 3"}]
            raise ProblemError(Problem(422, "faults", "Faults", errors=faults))

        @routes.get("/gone")
        def gone() -> str:
            abort(410, CANARY)

        @routes.get("/slow")
        def slow() -> str:
            self.entered.set()
            self.go_on.wait(5)
            return "done"

        return routes

    def _guarded(self) -> Blueprint:
        routes = Blueprint("guarded", __name__)

        @routes.post("/private")
        def private() -> str:
            return "in"

        return routes


def _token() -> None:
    if bearer_token() != "right":
        raise ProblemError(auth.unauthorized())


@dataclass(frozen=True)
class _Answer:
    status: int
    headers: Headers
    body: bytes

    @property
    def problem(self) -> dict[str, object]:
        assert self.headers["Content-Type"] == "application/problem+json"
        document: dict[str, object] = json.loads(self.body)
        assert document["status"] == self.status
        return document


def _call(
    server: Server, method: str, path: str, body: bytes | None = None, **headers: str
) -> _Answer:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=10)
    try:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        return _Answer(response.status, Headers(response.getheaders()), response.read())
    finally:
        connection.close()


@pytest.fixture
def site() -> _Site:
    return _Site()


@pytest.fixture
def server(site: _Site) -> Iterator[Server]:
    server = Server(site.app, threads=4)
    server.start()
    yield server
    server.stop()


def test_exception_is_answered_as_its_base_class_in_the_table(server: Server) -> None:
    answer = _call(server, "GET", "/missing")

    assert answer.problem == {
        "type": "/problems/missing",
        "title": "Missing",
        "status": 404,
        "detail": "Nothing here.",
    }


def test_unknown_exception_is_a_500_without_its_text_and_logged_by_class_alone(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    answer = _call(server, "GET", f"/things/{CANARY}")

    assert answer.status == 500
    assert answer.problem["type"] == "/problems/internal"
    assert answer.problem["request"] == answer.headers["X-Request-Id"]
    assert CANARY.encode() not in answer.body
    record = next(r for r in caplog.records if r.getMessage() == "request failed")
    assert record.__dict__["error"] == "ValueError"
    assert CANARY not in caplog.text


def test_a_problem_page_that_fails_leaves_the_problem(caplog: pytest.LogCaptureFixture) -> None:
    def page(_: Problem) -> Response | None:
        raise ValueError(CANARY)

    app = Flask("broken", static_folder=None)
    problem.install(app, {}, page)
    answer = app.test_client().get("/nowhere")

    assert answer.status_code == 404
    assert answer.content_type == "application/problem+json"
    assert CANARY not in caplog.text


def test_browsers_get_the_page_where_there_is_one() -> None:
    app = Flask("paged", static_folder=None)
    problem.install(app, {}, lambda found: Response(f"<p>{found.title}</p>", found.status))

    assert app.test_client().get("/nowhere").text == "<p>Not found</p>"


def test_faults_carry_their_pointers(server: Server) -> None:
    answer = _call(server, "GET", "/faults")

    assert answer.problem["errors"] == [{"pointer": "/items/2", "detail": "from 0 to 3"}]


def test_http_errors_are_problems_in_our_words(server: Server) -> None:
    missing = _call(server, "GET", "/nowhere")
    method = _call(server, "GET", "/echo")
    gone = _call(server, "GET", "/gone")

    assert missing.problem["type"] == "/problems/not-found"
    assert method.problem["type"] == "/problems/method-not-allowed"
    assert "POST" in method.headers["Allow"]
    assert gone.problem["status"] == 410
    assert CANARY.encode() not in gone.body


@pytest.mark.parametrize("size", [1_000_001, 3_000_000, 7_999_999])
def test_a_body_over_the_limit_is_a_413_problem(server: Server, size: int) -> None:
    answer = _call(server, "POST", "/echo", b"x" * size)

    assert answer.problem["type"] == "/problems/too-large"


def test_a_body_at_the_limit_is_taken(server: Server) -> None:
    assert _call(server, "POST", "/echo", b"x" * 1_000_000).status == 200


def test_an_announced_flood_is_refused_before_it_is_sent(server: Server) -> None:
    request = b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 900000000\r\n\r\n"

    status, body = _raw(server, request)

    assert status == b"413"
    assert b"/problems/too-large" in body


def test_what_is_no_http_is_a_400_problem(server: Server) -> None:
    status, body = _raw(server, b"GET / HTTP/1.1\r\nno colon\r\n\r\n")

    assert status == b"400"
    assert b"application/problem+json" in body
    assert b"colon" not in body


def _raw(server: Server, request: bytes) -> tuple[bytes, bytes]:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(request)
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
    return answer.split(b" ")[1], answer


@pytest.mark.parametrize("sent", ["", "Basic right", "Bearer", "Bearer wrong", "Bearer right2"])
def test_without_the_right_token_a_guarded_route_says_401_and_no_more(
    server: Server, sent: str
) -> None:
    answer = _call(server, "POST", "/private", Authorization=sent)

    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.problem == _call(server, "POST", "/private").problem


def test_the_right_token_opens(server: Server) -> None:
    assert _call(server, "POST", "/private", Authorization="bearer right").body == b"in"


def test_a_route_without_stated_authority_is_found_and_is_not_there(site: _Site) -> None:
    assert auth.unstated(site.app) == []

    @site.app.get("/forgotten")
    def forgotten() -> str:
        return CANARY

    assert auth.unstated(site.app) == ["/forgotten"]
    assert site.app.test_client().get("/forgotten").status_code == 404


def test_two_applications_do_not_share_authorities() -> None:
    first, second = Flask("first", static_folder=None), Flask("second", static_folder=None)
    routes = Blueprint("routes", __name__)
    routes.add_url_rule("/", "index", lambda: "in")
    auth.register(first, routes, OPEN)
    auth.register(second, routes, Authority("token", _token))
    second.register_error_handler(ProblemError, lambda error: ("", error.problem.status))

    assert first.test_client().get("/").status_code == 200
    assert second.test_client().get("/").status_code == 401


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/livez"), ("GET", "/x"), ("GET", "/things/1")]
)
def test_every_answer_lets_the_browser_load_and_keep_nothing_foreign(
    server: Server, method: str, path: str
) -> None:
    headers = _call(server, method, path).headers

    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    assert policy["form-action"] == "'self'"
    assert set(policy.values()) == {"'none'", "'self'"}
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"
    assert "Server" not in headers


def test_live_as_long_as_every_loop_comes_round(site: _Site, server: Server) -> None:
    site.health.loop("fresh", lambda: 0.2)
    assert _call(server, "GET", "/livez").status == 200

    site.health.loop("dead", lambda: 60.0)
    answer = _call(server, "GET", "/livez")

    assert answer.status == 503
    assert json.loads(answer.body)["faults"] == {"dead": 60.0}
    metrics = _call(server, "GET", "/metrics").body
    assert b'loop_heartbeat_age_seconds{loop="dead"} 60.0' in metrics


def test_ready_as_long_as_every_dependency_is(site: _Site, server: Server) -> None:
    why: list[str | None] = [None]

    def store() -> str | None:
        return why[0]

    site.health.dependency("store", store)
    assert _call(server, "GET", "/readyz").status == 200

    why[0] = "migrations pending"
    assert json.loads(_call(server, "GET", "/readyz").body)["faults"] == {
        "store": "migrations pending"
    }


def test_a_check_that_raises_is_not_ready_and_its_text_goes_nowhere(
    site: _Site, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> str | None:
        raise OSError(CANARY)

    site.health.dependency("store", broken)
    answer = _call(server, "GET", "/readyz")

    assert answer.status == 503
    assert CANARY.encode() not in answer.body
    assert CANARY not in caplog.text


def test_not_ready_once_it_is_to_stop(site: _Site, server: Server) -> None:
    site.health.stop()

    assert _call(server, "GET", "/readyz").status == 503
    assert _call(server, "GET", "/livez").status == 200


def test_requests_are_counted_by_route_template_never_by_path(site: _Site, server: Server) -> None:
    _call(server, "GET", f"/things/{CANARY}")
    _call(server, "GET", f"/{CANARY}")
    _call(server, CANARY.upper(), "/echo")
    text = _call(server, "GET", "/metrics").body.decode()

    counted = site.catalogue.value(REQUESTS, route="/things/<name>", method="GET", status="500")
    assert counted == 1
    assert 'http_request_seconds_count{method="GET",route="/things/<name>"} 1.0' in text
    assert 'route="unknown"' in text
    assert CANARY not in text.lower()


def test_stop_answers_what_was_asked_and_takes_no_more(site: _Site) -> None:
    server = Server(site.app, threads=4)
    server.start()
    answers: list[_Answer] = []
    asking = threading.Thread(target=lambda: answers.append(_call(server, "GET", "/slow")))
    asking.start()
    assert site.entered.wait(5)
    stopping = threading.Thread(target=server.stop)
    stopping.start()
    _until_refused(server)
    site.go_on.set()
    asking.join(5)
    stopping.join(5)

    assert [answer.body for answer in answers] == [b"done"]
    assert not server.alive()


def test_stop_does_not_wait_for_connections_that_only_idle(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as idle:
        idle.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = b""
        while not answer.endswith(b"}"):
            answer += idle.recv(65536)
        begun = time.monotonic()
        server.stop()

        assert time.monotonic() - begun < 2
        assert idle.recv(1) == b""


def test_stop_gives_up_a_request_that_never_ends(site: _Site) -> None:
    server = Server(site.app, threads=2)
    server.start()
    asking = threading.Thread(target=_ask_in_vain, args=(server,))
    asking.start()
    assert site.entered.wait(5)
    begun = time.monotonic()
    server.stop(timeout=0.5)

    assert time.monotonic() - begun < 3
    site.go_on.set()
    asking.join(5)


def _ask_in_vain(server: Server) -> None:
    with pytest.raises((ConnectionError, OSError)):
        _call(server, "GET", "/slow")


def test_a_server_that_never_started_stops_and_frees_its_port(site: _Site) -> None:
    first = Server(site.app)
    first.stop()
    second = Server(site.app, port=first.port)
    second.stop()

    assert second.port == first.port


def test_a_taken_port_is_refused_at_once(site: _Site, server: Server) -> None:
    with pytest.raises(OSError, match="in use"):
        Server(site.app, port=server.port)


def _until_refused(server: Server) -> None:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", server.port), timeout=1).close()
        except ConnectionRefusedError:
            return
        except ConnectionResetError:  # waited in the queue of a socket that was just closed
            continue
        time.sleep(0.01)
    raise AssertionError("the server still takes connections")
