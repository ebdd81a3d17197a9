"""What must leave: plans notices from inboxes, hands them to channels, notes what became of them.

Two jobs of the timers, in a thread of their own, since a slow server of the other side must not
hold up what is due. Delivery is at least once, under a stable id.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from services.alerts import metrics
from services.alerts.channels import FailedError, NoUseError, Outgoing
from services.alerts.channels.mail import Mail
from services.alerts.channels.webhook import SECRET_BYTES, Webhook, WebhookRefusedError, secret_of
from services.alerts.core import notice as core
from services.alerts.core.event import Event
from services.alerts.core.notice import MAIL, WEBHOOK, Notice, Webhooks
from services.alerts.core.person import Person
from services.alerts.core.policy import Policy
from services.alerts.people import Directory
from services.alerts.views.inbox import Inbox
from services.alerts.views.inbox_rows import AlertLine, InboxRow
from services.alerts.views.notices import Notices
from services.chassis.clock import Clock
from services.chassis.eventlog import EventLog
from services.chassis.group_commit import GroupCommit
from services.chassis.ids import Ids, random_bytes
from services.chassis.metrics import Catalogue

LOOK_EVERY = timedelta(seconds=20)
"""How often inboxes are looked at for what has not been told."""
A_TURN = 20
"""Attempts in one turn at most."""
INTERRUPTS = ("risk", "prompt")
"""The tiers that are told at once; the rest waits for the day's count."""
Read = Callable[[UUID], list[Any]]


class HooksRegister:
    """The commands about webhooks, over one short stream."""

    def __init__(
        self, log: EventLog, commit: GroupCommit, ids: Ids, owner: UUID, clock: Clock,
        channel: Webhook,
    ) -> None:  # fmt: skip
        """Write through `commit`, sealed for `owner`; `channel` says what an address may be."""
        self._log, self._commit, self._clock, self._channel = log, commit, clock, channel
        self._id, self._owner = ids.derive("webhooks"), owner

    def all(self) -> Webhooks:
        """Those that there are."""
        return core.fold_webhooks(self._log.read(self._id))

    def add(self, name: str, url: str) -> str:
        """Post notices there from now on; the secret that signs them.

        Raises:
            WebhookRefusedError: the name is taken, or the address can never be posted to.
        """
        if not name.strip() or len(name) > 64:
            raise WebhookRefusedError("a name has 1 to 64 characters")
        self._channel.check(url)
        secret = secret_of(random_bytes(SECRET_BYTES))

        def decide(state: Webhooks) -> tuple[type[Event], dict[str, Any]]:
            if name in state.targets:
                raise WebhookRefusedError("that name is taken: remove it first")
            return core.WebhookAdded, {"name": name, "url": url, "secret": secret}

        self._write(decide)
        return secret

    def remove(self, name: str, reason: str) -> None:
        """Post there no more.

        Raises:
            WebhookRefusedError: there is none of that name.
        """

        def decide(state: Webhooks) -> tuple[type[Event], dict[str, Any]]:
            if name not in state.targets:
                raise WebhookRefusedError("there is no webhook of that name")
            return core.WebhookRemoved, {"name": name, "reason": reason}

        self._write(decide)

    def _write(self, decide: Callable[[Webhooks], tuple[type[Event], dict[str, Any]]]) -> None:
        def unit(read: Read | None) -> tuple[list[Event], None]:
            state = core.fold_webhooks((read or self._log.read)(self._id))
            kind, fields = decide(state)
            event = kind(
                originator_id=self._id, originator_version=state.version + 1,
                timestamp=self._clock.now(), owner=self._owner, **fields,
            )  # fmt: skip
            return [event], None

        self._commit.submit(unit)


@dataclass
class Deliver:
    """The jobs; both look at what is stored, so that calling them twice changes nothing twice."""

    log: EventLog
    commit: GroupCommit
    ids: Ids
    directory: Directory
    inbox: Inbox
    notices: Notices
    hooks: HooksRegister
    policy: Policy
    digest_hour: int
    url: str
    mail: Mail | None
    webhook: Webhook
    catalogue: Catalogue | None = None
    _looked: datetime | None = field(default=None)

    def plan(self, now: datetime) -> None:
        """Plan what has not been told yet, for everybody who can be told.

        Raises:
            services.chassis.faults.StoreError: some of it could not be stored; it is still due.
        """
        if self._looked is not None and timedelta() <= now - self._looked < LOOK_EVERY:
            return
        self._looked = now
        hooks = sorted(self.hooks.all().targets)
        for person in self.directory.people().persons.values():
            targets = [(WEBHOOK, name) for name in hooks]
            if self.mail is not None and person.mail:
                targets.insert(0, (MAIL, ""))
            if targets and person.is_present(now) and person.role != "ops":
                self._plan(person, targets, now)

    def send(self, now: datetime) -> None:
        """Make the attempts that are due."""
        due = self.notices.due(now)
        if self.catalogue is not None:
            self.catalogue.set(metrics.DELIVERIES_DUE, len(due))
        for id_ in due[:A_TURN]:
            notice = core.fold(self.log.read(id_))
            if notice is not None and notice.next_at is not None and notice.next_at <= now:
                self._attempt(notice, now)

    def trial(self, person: Person, channel: str, target: str, now: datetime) -> UUID:
        """Plan a notice that only shows whether it arrives."""
        id_ = self.ids.derive("notice", channel, target, person.id.hex, "trial", now.isoformat())
        self._store(self._planned(id_, person, (channel, target), core.TRIAL, 0, (), now))
        return id_

    def replay(self, id_: UUID, now: datetime) -> bool:
        """Try a notice that has ended anew; whether there is such a one."""

        def unit(read: Read | None) -> tuple[list[Event], bool]:
            state = core.fold((read or self.log.read)(id_))
            if state is None or state.next_at is not None:
                return [], False
            event = core.NoticeReplayed(
                originator_id=id_, originator_version=state.version + 1, timestamp=now,
                owner=state.person, person=state.person.hex, next_at=now.isoformat(),
            )  # fmt: skip
            return [event], True

        return self.commit.submit(unit)

    # Planning

    def _plan(self, person: Person, targets: Sequence[tuple[str, str]], now: datetime) -> None:
        rows = self.inbox.calling(person, now)
        known = self.notices.of(person.id)
        fresh = sorted({key for row in rows for key in _news(row)} - set(known["told"]))
        digest = bool(rows) and self._is_digest_time(known["digest_on"], now)
        if not fresh and not digest:
            return
        kind = core.DIGEST if digest else core.NEWS
        content = [kind, self.policy.day(now).isoformat(), *fresh]
        for target in targets:
            id_ = self.ids.derive("notice", *target, person.id.hex, *content)
            self._store(self._planned(id_, person, target, kind, len(rows), fresh, now))

    def _is_digest_time(self, last: str | None, now: datetime) -> bool:
        local = now.astimezone(self.policy.zone)
        works = local.weekday() in self.policy.working_days
        return works and local.hour >= self.digest_hour and last != local.date().isoformat()

    def _planned(
        self, id_: UUID, person: Person, target: tuple[str, str], kind: str, count: int,
        told: Sequence[str], now: datetime,
    ) -> Event:  # fmt: skip
        return core.NoticePlanned(
            originator_id=id_, originator_version=1, timestamp=now, owner=person.id,
            channel=target[0], target=target[1], person=person.id.hex, kind=kind, count=count,
            told=list(told), day=self.policy.day(now).isoformat(), next_at=now.isoformat(),
        )  # fmt: skip

    def _store(self, planned: Event) -> None:
        # Taken already: it was planned before the view had caught up with that.
        self.commit.submit(lambda read: ([planned] if read is None else [], None))

    # Attempts

    def _attempt(self, notice: Notice, now: datetime) -> None:
        attempt, why, outcome = notice.attempts + 1, "", "delivered"
        next_at: datetime | None = None
        try:
            self._hand_over(notice, now)
        except NoUseError as error:
            outcome, why = "refused", error.why
        except FailedError as error:
            outcome, why, next_at = "failed", error.why, core.after(attempt, now)
        event = core.NoticeTried(
            originator_id=notice.id, originator_version=notice.version + 1, timestamp=now,
            owner=notice.person, person=notice.person.hex, attempt=attempt, outcome=outcome,
            why=why, next_at=next_at.isoformat() if next_at else None,
        )  # fmt: skip
        self.commit.submit(lambda read: ([event] if read is None else [], None))
        if self.catalogue is not None:
            ended = "given up" if outcome == "failed" and next_at is None else outcome
            self.catalogue.count(metrics.DELIVERIES, channel=notice.channel, outcome=ended)

    def _hand_over(self, notice: Notice, now: datetime) -> None:
        person = self.directory.people().persons.get(notice.person)
        if person is None or person.disabled:
            raise NoUseError("the person signs in no more")
        leaving = Outgoing(notice.id.hex, person.name, notice.kind, notice.count, self.url, now)
        if notice.channel == MAIL:
            if self.mail is None or not person.mail:
                raise NoUseError("no address is known")
            self.mail.send(leaving, person.mail)
            return
        target = self.hooks.all().targets.get(notice.target)
        if target is None:
            raise NoUseError("the webhook was removed")
        try:
            self.webhook.send(leaving, *target)
        except NoUseError:
            self.hooks.remove(notice.target, "gone")
            raise


def _news(row: InboxRow) -> list[str]:
    """What of a row interrupts and was not read: keys that change when it speaks again."""
    return [
        _key(line)
        for line in (row.main, *row.others)
        if line.tier in INTERRUPTS and not line.waiting and line.seen_at is None
    ]


def _key(line: AlertLine) -> str:
    # A risk answer speaks anew with each that comes; a finding when it is raised or grows louder.
    revision = str(line.revision) if line.tier == "risk" else ""
    return "|".join((line.alert, line.raised_at, line.tier, line.escalated_at or "", revision))
