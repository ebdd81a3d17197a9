"""Who is at the other end of a browser: single-use links, and sessions that end by themselves."""

from base64 import urlsafe_b64encode
from datetime import timedelta

from services.alerts.core.person import Person, PersonRefusedError
from services.alerts.people import Directory
from services.alerts.settings import Settings
from services.alerts.views.signin import SignInTables
from services.chassis.clock import Clock
from services.chassis.ids import Ids, random_bytes

TOUCH_AFTER = timedelta(seconds=30)
"""How much later a session's use is written again: not every picture of a page is a write."""


class SignIn:
    """Links and sessions; what is stored of a secret is its keyed hash."""

    def __init__(
        self, tables: SignInTables, directory: Directory, ids: Ids, clock: Clock, settings: Settings
    ) -> None:
        """Keep both in `tables`; persons come from `directory`, times from `settings`."""
        self._tables, self._directory, self._ids = tables, directory, ids
        self._clock = clock
        self._invite = timedelta(hours=settings.invite_hours)
        self._idle = timedelta(minutes=settings.session_idle_min)
        self._longest = timedelta(hours=settings.session_hours)

    def invite(self, person: Person | str) -> str:
        """A secret that signs a person in once; to be put into a link.

        Raises:
            PersonRefusedError: nobody of that name may sign in.
        """
        found = self._directory.people().named(person) if isinstance(person, str) else person
        if found is None or found.disabled:
            raise PersonRefusedError("there is nobody of that name who may sign in")
        token = _secret()
        expires = self._clock.now() + self._invite
        self._tables.add_link(self._hash("link", token), found.id, expires)
        return token

    def redeem(self, token: str) -> Person | None:
        """Use a link up; who it was for, None when it is unknown, used, too old or disabled."""
        id_ = self._tables.use_link(self._hash("link", token), self._clock.now())
        person = self._directory.people().persons.get(id_) if id_ else None
        return person if person is not None and not person.disabled else None

    def open_session(self, person: Person) -> str:
        """The secret of a new session."""
        token = _secret()
        self._tables.add_session(self._hash("session", token), person.id, self._clock.now())
        return token

    def session(self, token: str) -> Person | None:
        """Who is signed in; None when the session ended, was idle too long or the person left."""
        hashed, now = self._hash("session", token), self._clock.now()
        found = self._tables.session(hashed)
        if found is None:
            return None
        person = self._directory.people().persons.get(found.person)
        idle, age = now - found.used, now - found.opened
        if person is None or person.disabled or idle > self._idle or age > self._longest:
            self._tables.end(hashed)
            return None
        if idle >= TOUCH_AFTER:
            self._tables.touch(hashed, now)
        return person

    def close_session(self, token: str) -> None:
        """Sign out."""
        self._tables.end(self._hash("session", token))

    def sweep(self) -> None:
        """Forget what has ended; called by a timer now and then."""
        now = self._clock.now()
        self._tables.sweep(now, now - self._longest, now - self._idle)

    def _hash(self, kind: str, token: str) -> str:
        return self._ids.digest(kind, token)


def _secret() -> str:
    return urlsafe_b64encode(random_bytes(32)).rstrip(b"=").decode()
