"""PostgreSQL from Debian's package, with its own data, run as a user that it accepts."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import psycopg

from tests.servers.certificate import own_certificate
from tests.servers.place import MissingError, Process, free_ports

NAME, PACKAGE = "PostgreSQL", "apt-get install postgresql"
CONNECTIONS = 200
SEALED_USER = "sealed"
"""A superuser who is let in over TLS alone."""
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": str(CONNECTIONS),
    "ssl": "on",
    "ssl_cert_file": "certificate.pem",
    "ssl_key_file": "key.pem",
}


def programs() -> Path:
    """The folder of the newest server's programs.

    Raises:
        MissingError: no server is installed.
    """
    found = [one.parent for one in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    elsewhere = shutil.which("initdb")
    if elsewhere:
        found.append(Path(elsewhere).parent)
    if not found:
        raise MissingError(NAME, "there is no initdb", PACKAGE)
    return max(found, key=lambda one: int(one.parent.name) if one.parent.name.isdigit() else 0)


def _user() -> str | None:
    """Whom the server runs as: it refuses root."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError:
        raise MissingError(NAME, "there is no user postgres", PACKAGE) from None


class Cluster:
    """A server that can be started, stopped and killed; a restart keeps its data.

    It talks in clear and sealed alike, with a certificate that it signs itself.
    """

    def __init__(self, **settings: str) -> None:
        """Prepare a server with more or other `settings` of postgresql.conf.

        Raises:
            MissingError: no server is installed.
        """
        self._programs, self._user = programs(), _user()
        self._home = Path(tempfile.mkdtemp(prefix="pivotpoint-pg-"))
        self._own(self._home)
        self.folder = self._home / "data"
        (self.port,) = free_ports(1)
        options = SETTINGS | {"unix_socket_directories": str(self._home)} | settings
        command = [str(self._programs / "postgres"), "-D", str(self.folder), "-p", str(self.port)]
        command += [f"--{name}={value}" for name, value in options.items()]
        self._process = Process(command, self._home, self._user)

    @property
    def location(self) -> str:
        """Where its first database is, as a store's address."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    @property
    def sealed_location(self) -> str:
        """The same database, for the user who has to come over TLS."""
        return f"postgresql://{SEALED_USER}@127.0.0.1:{self.port}/postgres"

    @property
    def ca_file(self) -> Path:
        """The certificate that it shows, signed by itself."""
        return self.folder / "certificate.pem"

    @property
    def pid(self) -> int:
        """The process id of the one that all others of the server come from."""
        return self._process.pid

    def start(self) -> "Cluster":
        """Start, with an empty disk the first time; returns when it takes connections."""
        fresh = not self.folder.exists()
        if fresh:
            self._make()
        self._process.start(self._answers)
        if fresh:
            with psycopg.connect(self.location) as session:
                session.execute(f"CREATE ROLE {SEALED_USER} SUPERUSER LOGIN")
        return self

    def stop_at_once(self) -> None:
        """End it as `pg_ctl stop -m immediate` does: nothing is written any more."""
        self._process.signal(signal.SIGQUIT)
        self._process.wait()

    def create(self, database: str) -> str:
        """Make a database; its address."""
        with psycopg.connect(self.location, autocommit=True) as session:
            session.execute(f'CREATE DATABASE "{database}"')
        return self.location.rpartition("/")[0] + f"/{database}"

    def close(self) -> None:
        """End it and remove its data."""
        self._process.kill()
        shutil.rmtree(self._home, ignore_errors=True)

    def _make(self) -> None:
        command = [str(self._programs / "initdb"), "-D", str(self.folder), "-U", "postgres"]
        command += ["--auth=trust", "-E", "UTF8", "--locale=C"]
        subprocess.run(command, user=self._user, check=True, capture_output=True, cwd="/")
        key, certificate = own_certificate()
        for name, content in (("key.pem", key), ("certificate.pem", certificate)):
            (self.folder / name).write_bytes(content)
            (self.folder / name).chmod(0o600)
            self._own(self.folder / name)
        access = self.folder / "pg_hba.conf"
        access.write_text(f"hostnossl all {SEALED_USER} all reject\n" + access.read_text())

    def _own(self, path: Path) -> None:
        if self._user:
            shutil.chown(path, self._user, self._user)

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.location, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True
