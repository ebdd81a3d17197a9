"""The servers that tests start: what is missing is said aloud, and what ran leaves nothing."""

from pathlib import Path

import pytest

from tests.servers import Kafka, MissingError
from tests.servers.fixtures import required
from tests.servers.place import Process, StartError


def missing() -> None:
    raise MissingError("Kafka", "there is no java", "apt-get install default-jre-headless")


def test_a_missing_server_skips_with_the_way_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="`apt-get install default-jre-headless`"):
        required(missing)


def test_in_ci_a_missing_server_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "1")
    with pytest.raises(pytest.fail.Exception, match="there is no java"):
        required(missing)


def test_a_machine_without_java_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(MissingError, match="apt-get install default-jre-headless"):
        Kafka()


def test_a_machine_without_maven_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "java").write_text("")
    (tmp_path / "java").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "empty"))
    with pytest.raises(MissingError, match="apt-get install maven"):
        Kafka()


def test_a_server_that_ends_at_once_is_quoted(tmp_path: Path) -> None:
    process = Process(["sh", "-c", "echo no such luck; exit 3"], tmp_path)
    with pytest.raises(StartError, match="no such luck"):
        process.start(lambda: False)
