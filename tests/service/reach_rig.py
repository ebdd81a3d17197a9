"""Real servers of the other side, and the delivering part of the service over the rig."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, SSLContext
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from services.alerts.channels.mail import Mail, MailSettings
from services.alerts.channels.webhook import Webhook, WebhookSettings
from services.alerts.deliver import Deliver, HooksRegister
from services.alerts.views.notices import Notices, NoticesView
from tests.servers.certificate import own_certificate
from tests.servers.place import free_ports
from tests.service.alerts_rig import Rig

HOME = ip_network("127.0.0.0/8")
URL = "https://pivot.clinic.test"


@dataclass
class Postbox:
    """What a mail server took; `answer` is what it says to the next recipients."""

    port: int = 0
    ca_file: str = ""
    answer: str = ""
    user: str = ""
    """Who is to sign in, whom the server does not know."""
    taken: list[Message] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802 (the name is the library's)
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.answer:
            return self.answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        assert isinstance(envelope.content, bytes)
        self.taken.append(message_from_bytes(envelope.content))
        return "250 OK"


@contextmanager
def postbox(folder: Path) -> Iterator[Postbox]:
    """A mail server on this machine that asks for STARTTLS."""
    key, certificate = own_certificate()
    (folder / "mail.key").write_bytes(key)
    (folder / "mail.pem").write_bytes(certificate)
    tls = SSLContext(PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(folder / "mail.pem", folder / "mail.key")
    box = Postbox(ca_file=str(folder / "mail.pem"))
    controller = Controller(
        box,
        hostname="127.0.0.1",
        port=free_ports(1)[0],
        tls_context=tls,
        require_starttls=True,
        authenticator=lambda *_: AuthResult(success=False, handled=False),
        ready_timeout=60,
    )
    controller.start()
    try:
        box.port = controller.port
        yield box
    finally:
        controller.stop()


@dataclass
class Endpoint:
    """What a web server was posted; `status` is what it answers."""

    url: str = ""
    status: int = 200
    location: str = ""
    posted: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@contextmanager
def endpoint() -> Iterator[Endpoint]:
    """A receiver of webhooks on this machine."""
    at = Endpoint()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            at.posted.append(({k.lower(): v for k, v in self.headers.items()}, body))
            self.send_response(at.status)
            if at.location:
                self.send_header("Location", at.location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            """Keep the output of the tests clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    at.url = f"http://127.0.0.1:{server.server_port}/hook?tenant=1"
    try:
        yield at
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Reach:
    """The jobs of delivery over a rig; `turn` is one turn of their timers."""

    def __init__(
        self, rig: Rig, *, mail: Postbox | None = None, networks: tuple[Any, ...] = (HOME,)
    ) -> None:
        self.rig = rig
        view = NoticesView()
        rig.store.views.register(view)
        rig.views.append(view)
        rig.readers.append(rig.store.views.reader(view))
        rig.show()
        rig.readers[-1].idle()  # caught up for the first time: from now on it is live
        self.notices = Notices(rig.store.views, view)
        webhook = Webhook(WebhookSettings(networks, ""))
        self.deliver = Deliver(
            log=rig.log,
            commit=rig.commit,
            ids=rig.ids,
            directory=rig.directory,
            inbox=rig.inbox,
            notices=self.notices,
            hooks=HooksRegister(
                rig.log, rig.commit, rig.ids, rig.store.service_owner, rig.clock, webhook
            ),
            policy=rig.settings.policy,
            digest_hour=8,
            url=URL,
            mail=Mail(self._server(mail)) if mail else None,
            webhook=webhook,
            catalogue=rig.catalogue,
        )

    def turn(self) -> None:
        self.rig.show()
        now = self.rig.clock.now()
        self.deliver.plan(now)
        self.rig.show()
        self.deliver.send(now)
        self.rig.show()

    @staticmethod
    def _server(box: Postbox) -> MailSettings:
        return MailSettings(
            host="127.0.0.1", port=box.port, security="starttls", sender="pivot@clinic.test",
            user=box.user, password="", ca_file=box.ca_file,
        )  # fmt: skip
