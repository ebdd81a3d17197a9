"""Prometheus and Alertmanager from Debian's packages, each with a configuration of the caller's."""

import shutil
import subprocess
import tempfile
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from tests.servers.place import Process, free_ports, program


class _Web:
    """A server that says over HTTP when it is ready."""

    def __init__(self, name: str, package: str, what: str, config: str) -> None:
        self._program = program(name, what, package)
        self.folder = Path(tempfile.mkdtemp(prefix=f"pivotpoint-{name}-"))
        (self.folder / "config.yml").write_text(config)
        (self.port,) = free_ports(1)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        """End it and remove its data."""
        self._process.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, *arguments: str) -> None:
        common = ["--config.file=config.yml", f"--web.listen-address=127.0.0.1:{self.port}"]
        self._process = Process([self._program, *common, *arguments], self.folder)
        try:
            self._process.start(self._is_ready)
        except BaseException:
            self.close()
            raise

    def _is_ready(self) -> bool:
        try:
            with urlopen(f"{self.url}/-/ready", timeout=1) as answer:
                return bool(answer.status == 200)
        except (URLError, OSError):
            return False


class Prometheus(_Web):
    """Scrapes what `config` says; rule files are named by absolute paths."""

    def __init__(self, config: str) -> None:
        """Prepare.

        Raises:
            MissingError: the package is not installed.
        """
        super().__init__("prometheus", "prometheus", "Prometheus", config)

    def start(self) -> "Prometheus":
        """Start; returns when it is ready."""
        self._run("--storage.tsdb.path=data")
        return self


class Alertmanager(_Web):
    """Routes alerts as `config` says."""

    def __init__(self, config: str) -> None:
        """Prepare.

        Raises:
            MissingError: the package is not installed.
        """
        name = "prometheus-alertmanager"
        super().__init__(name, name, "Alertmanager", config)

    def start(self) -> "Alertmanager":
        """Start alone, without looking for others of its kind."""
        self._run("--storage.path=data", "--cluster.listen-address=")
        return self


def promtool(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run promtool in a folder; what it says and whether it agreed.

    Raises:
        MissingError: the package is not installed.
    """
    return _tool("promtool", "prometheus", arguments, folder)


def amtool(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run amtool in a folder; what it says and whether it agreed.

    Raises:
        MissingError: the package is not installed.
    """
    return _tool("amtool", "prometheus-alertmanager", arguments, folder)


def _tool(
    name: str, package: str, arguments: tuple[str, ...], folder: Path
) -> subprocess.CompletedProcess[str]:
    command = [program(name, name, package), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=folder)
