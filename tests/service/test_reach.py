"""Mail and webhooks, to real servers: what leaves, what it says, and what becomes of failures."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from standardwebhooks import Webhook as Verifier

from services.alerts.channels import FailedError, Outgoing, webhook
from services.alerts.channels.webhook import (
    Webhook,
    WebhookRefusedError,
    WebhookSettings,
    secret_of,
)
from services.alerts.core.notice import PAUSES
from services.alerts.core.person import PersonRefusedError
from services.alerts.metrics import DELIVERIES
from tests.service.alerts_rig import (
    START,
    Rig,
    answered,
    assessed,
    cleared,
    episode_changed,
    found,
    staffed,
)
from tests.service.reach_rig import HOME, URL, Endpoint, Postbox, Reach, endpoint, postbox

CLIENT = "Ottoline-Quarrington"
EARLY = START.replace(hour=6)


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path / "alerts")
    staffed(made)
    made.clock.set(EARLY)
    yield made
    made.close()


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Postbox]:
    with postbox(tmp_path) as made:
        yield made


@pytest.fixture
def at() -> Iterator[Endpoint]:
    with endpoint() as made:
        yield made


def off_track(rig: Rig, name: str = CLIENT) -> None:
    rig.tell("episode.changed", episode_changed(name))
    rig.tell("measure.assessed", assessed(name, 1, 17, "2026-03-02"))
    rig.tell("finding.opened", found(name))


def pass_(rig: Rig, **time: float) -> None:
    rig.clock.set(rig.clock.now() + timedelta(**time))


# Mail


def test_a_prompt_is_mailed_once_with_a_count_and_a_link_alone(rig: Rig, box: Postbox) -> None:
    reach = Reach(rig, mail=box)
    rig.register.mail("alice", "alice@clinic.test")
    off_track(rig)
    for _ in range(3):
        reach.turn()
        pass_(rig, minutes=1)
    (mail,) = box.taken
    assert mail["To"] == "alice@clinic.test"
    assert mail["Subject"] == "Pivot Point: 1 client waits in your inbox"
    text = mail.as_string()
    assert URL in text
    for secret in (CLIENT, f"ref-{CLIENT}", "PHQ", "17", "track", "dr-a"):
        assert secret not in text.replace(mail["Message-ID"], "").replace(mail["Date"], "")


def test_what_speaks_again_is_told_again(rig: Rig, box: Postbox) -> None:
    reach = Reach(rig, mail=box)
    rig.register.mail("alice", "alice@clinic.test")
    off_track(rig)
    reach.turn()
    rig.tell("risk.answered", answered(CLIENT, 1))
    pass_(rig, minutes=1)
    reach.turn()
    rig.tell("risk.answered", answered(CLIENT, 3, measure="2"))
    pass_(rig, minutes=1)
    reach.turn()
    assert [mail["Subject"] for mail in box.taken] == [
        "Pivot Point: 1 client waits in your inbox"
    ] * 3  # one client, whatever it is about


def test_what_was_read_on_the_page_is_not_mailed(rig: Rig, box: Postbox) -> None:
    reach = Reach(rig, mail=box)
    rig.register.mail("alice", "alice@clinic.test")
    off_track(rig)
    rig.show()
    row = rig.page("alice").rows[0]
    rig.desk.seen(rig.person("alice"), UUID(row.episode))
    reach.turn()
    assert box.taken == []


def test_the_days_count_comes_once_on_working_days_from_its_hour_on(rig: Rig, box: Postbox) -> None:
    reach = Reach(rig, mail=box)
    off_track(rig)
    off_track(rig, "another")
    reach.turn()  # nobody has an address yet
    rig.register.mail("alice", "alice@clinic.test")
    sent: list[datetime] = []
    pass_(rig, minutes=1)
    reach.turn()
    box.taken.clear()  # the news
    for _ in range(24 * 7):
        pass_(rig, hours=1)
        reach.turn()
        sent += [rig.clock.now()] * len(box.taken)
        box.taken.clear()
    assert [(one.weekday(), one.hour) for one in sent] == [(day, 8) for day in (0, 1, 2, 3, 4)]


def test_nobody_is_mailed_while_away_and_the_deputy_is(rig: Rig, box: Postbox) -> None:
    reach = Reach(rig, mail=box)
    for name in ("alice", "bob"):
        rig.register.mail(name, f"{name}@clinic.test")
    rig.register.cover("alice", "bob")
    rig.register.away("alice", rig.clock.now(), None)
    off_track(rig)
    reach.turn()
    assert [mail["To"] for mail in box.taken] == ["bob@clinic.test"]


def test_mail_waits_for_a_server_that_asks_to_come_again(rig: Rig, box: Postbox) -> None:
    reach = Reach(rig, mail=box)
    rig.register.mail("alice", "alice@clinic.test")
    off_track(rig)
    box.answer = "451 come again"
    reach.turn()
    box.answer = ""
    reach.turn()
    assert box.taken == []  # the pause is not over
    pass_(rig, seconds=5)
    reach.turn()
    assert len(box.taken) == 1
    counted = [
        rig.catalogue.value(DELIVERIES, channel="mail", outcome=outcome)
        for outcome in ("failed", "delivered")
    ]
    assert counted == [1, 1]


def test_an_address_that_is_refused_for_good_is_not_tried_again(rig: Rig, box: Postbox) -> None:
    reach = Reach(rig, mail=box)
    rig.register.mail("alice", "gone@clinic.test")
    off_track(rig)
    box.answer = "550 nobody of that name"
    reach.turn()
    box.answer = ""
    pass_(rig, hours=1)
    reach.turn()
    assert box.taken == []
    (ended,) = reach.notices.of(rig.person("alice").id)["ended"].values()
    assert (ended["outcome"], ended["why"]) == ("refused", "SMTP 550")


def test_a_wrong_password_of_the_service_is_no_end_of_a_notice(rig: Rig, box: Postbox) -> None:
    """The clinic puts it right, and everything that waited leaves."""
    reach = Reach(rig, mail=replace(box, user="pivot"))
    rig.register.mail("alice", "alice@clinic.test")
    off_track(rig)
    reach.turn()
    (id_,) = reach.notices.of(rig.person("alice").id)["waiting"]
    tried = rig.log.read(UUID(id_))[-1]
    assert (tried.outcome, tried.why, tried.next_at is None) == ("failed", "SMTP 535", False)


def test_mail_does_not_leave_in_clear_or_to_a_stranger_server(
    rig: Rig, box: Postbox, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    with postbox(tmp_path / "other") as other:
        reach = Reach(rig, mail=replace(box, ca_file=other.ca_file))
        rig.register.mail("alice", "alice@clinic.test")
        off_track(rig)
        reach.turn()
        assert box.taken == []
        (waiting,) = reach.notices.of(rig.person("alice").id)["waiting"].values()
        assert waiting["channel"] == "mail"


@pytest.mark.parametrize(
    "address", ["no at sign", "a@b\nBcc: c@d", "a@b, c@d", "A <a@b>", "a@b c", "@b"]
)
def test_what_is_no_plain_address_is_refused(rig: Rig, address: str) -> None:
    with pytest.raises(PersonRefusedError, match="name@host"):
        rig.register.mail("alice", address)


# Webhooks


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_receiver_that_answers_byte_by_byte_is_cut_off(
    monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    """Each byte comes within the time for one step; without an end to it all it never ends."""
    monkeypatch.setattr(webhook, "DEADLINE_S", 0.5)
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            line, _ = server.accept()
            with line, suppress(OSError):
                line.sendall(b"\x16\x03\x03\x40\x00" if scheme == "https" else b"HTTP/1.1 ")
                while not ended.wait(0.05):
                    line.sendall(b"0")

        thread = threading.Thread(target=drip)
        thread.start()
        notice = Outgoing("n", "lind", "trial", 0, URL, datetime.now(UTC))
        url = f"{scheme}://127.0.0.1:{server.getsockname()[1]}/"
        with pytest.raises(FailedError):
            Webhook(WebhookSettings((HOME,), "")).send(notice, url, secret_of(b"k" * 32))
        ended.set()
        thread.join()


def test_a_webhook_is_signed_as_the_standard_says(rig: Rig, at: Endpoint) -> None:
    reach = Reach(rig)
    secret = reach.deliver.hooks.add("chat", at.url)
    off_track(rig)
    reach.turn()
    headers, body = next(
        one for one in at.posted if json.loads(one[1])["data"]["person"] == "alice"
    )
    sent = json.loads(body)
    assert sent["type"] == "inbox.waiting"
    assert sent["data"] == {"person": "alice", "kind": "news", "count": 1, "url": URL}
    assert CLIENT not in body.decode()
    signature = Verifier(secret).sign(
        headers["webhook-id"],
        datetime.fromtimestamp(int(headers["webhook-timestamp"]), rig.clock.now().tzinfo),
        body.decode(),
    )
    assert headers["webhook-signature"] == signature
    reach.turn()
    assert len({one[0]["webhook-id"] for one in at.posted}) == len(at.posted)  # each once


def test_a_receiver_that_is_down_is_tried_for_days_then_given_up_and_replayed(
    rig: Rig, at: Endpoint
) -> None:
    reach = Reach(rig)
    reach.deliver.hooks.add("chat", at.url)
    off_track(rig)
    at.status = 503
    begun = rig.clock.now()
    reach.turn()
    for pause in PAUSES:
        pass_(rig, seconds=pause.total_seconds() - 1)
        before = len(at.posted)
        reach.deliver.send(rig.clock.now())
        assert len(at.posted) == before  # not yet
        pass_(rig, seconds=1)
        rig.show()
        reach.deliver.send(rig.clock.now())
        rig.show()
    assert rig.clock.now() - begun > timedelta(days=3)
    ids = [headers["webhook-id"] for headers, _ in at.posted]
    assert len(ids) == 10
    assert len(set(ids)) == 1  # the same notice, whenever it comes
    pass_(rig, days=3)
    reach.deliver.send(rig.clock.now())
    assert len(at.posted) == 10  # given up
    at.status = 200
    (failed,) = reach.notices.of(rig.person("alice").id)["ended"]
    assert reach.deliver.replay(UUID(failed), rig.clock.now())
    rig.show()
    reach.deliver.send(rig.clock.now())
    assert at.posted[-1][0]["webhook-id"] == ids[0]
    rig.show()
    (ended,) = reach.notices.of(rig.person("alice").id)["ended"].values()
    assert ended["outcome"] == "delivered"


def test_a_receiver_that_is_gone_is_removed(rig: Rig, at: Endpoint) -> None:
    reach = Reach(rig)
    reach.deliver.hooks.add("chat", at.url)
    off_track(rig)
    at.status = 410
    reach.turn()
    assert reach.deliver.hooks.all().targets == {}
    assert len(at.posted) == 1


def test_a_redirect_is_not_followed(rig: Rig, at: Endpoint) -> None:
    with endpoint() as elsewhere:
        reach = Reach(rig)
        reach.deliver.hooks.add("chat", at.url)
        at.status, at.location = 307, elsewhere.url
        off_track(rig)
        reach.turn()
        assert elsewhere.posted == []
        (waiting,) = reach.notices.of(rig.person("alice").id)["waiting"].values()
        assert waiting["target"] == "chat"


def test_a_private_address_is_refused_even_behind_a_name(rig: Rig, at: Endpoint) -> None:
    """Nobody who can name a webhook may make the service knock at doors inside the clinic."""
    named = at.url.replace("127.0.0.1", "localhost").replace("http:", "https:")
    reach = Reach(rig, networks=())
    reach.deliver.hooks.add("chat", named)
    off_track(rig)
    reach.turn()
    assert at.posted == []
    for url in (at.url, "ftp://clinic.test/", "https://", "http://clinic.test/hook"):
        with pytest.raises(WebhookRefusedError, match="the address"):
            reach.deliver.hooks.add("other", url)


def test_what_is_no_address_is_refused_when_it_is_named() -> None:
    channel = Webhook(WebhookSettings((), ""))
    channel.check("https://a.test:8443/hook?tenant=1")
    for url in (
        "https://a.test:port/", "https://a.test:99999/", "https://[::1/", "https://a.test/\u00e9",
        "https://a.test/a b", "https://a.test/\r\nX: y", "https://anna:secret@a.test/",
    ):  # fmt: skip
        with pytest.raises(WebhookRefusedError, match="https://host/path"):
            channel.check(url)


@pytest.mark.parametrize(
    "host",
    ["10.0.0.1", "169.254.169.254", "[::1]", "[fd00::1]", "[fe80::1]", "[fec0::1]", "[ff0e::1]",
     "[::ffff:10.0.0.1]", "[2002:a00:1::]", "[64:ff9b::a00:1]", "[64:ff9b::7f00:1]"],
)  # fmt: skip
def test_no_way_of_writing_a_private_address_leads_to_it(host: str) -> None:
    channel = Webhook(WebhookSettings((), ""))
    notice = Outgoing("1", "alice", "news", 1, URL, datetime(2026, 3, 2, 9, tzinfo=UTC))
    with pytest.raises(FailedError, match="address not allowed"):
        channel.send(notice, f"https://{host}/", secret_of(bytes(32)))


def test_an_address_that_cannot_be_posted_to_is_a_failure_like_another() -> None:
    """Whatever else it raised would hold up every notice behind it."""
    channel = Webhook(WebhookSettings((), ""))
    notice = Outgoing("1", "alice", "news", 1, URL, datetime(2026, 3, 2, 9, tzinfo=UTC))
    with pytest.raises(FailedError, match="ValueError"):
        channel.send(notice, "https://a.test:port/", secret_of(bytes(32)))


def test_what_has_ended_meanwhile_is_not_in_the_next_count(rig: Rig, at: Endpoint) -> None:
    reach = Reach(rig)
    reach.deliver.hooks.add("chat", at.url)
    off_track(rig)
    reach.turn()
    rig.tell("finding.cleared", cleared(CLIENT))
    rig.clock.set(EARLY + timedelta(hours=3))
    reach.turn()
    assert len(at.posted) == 1
