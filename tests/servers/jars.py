"""Java programs for tests: their jars are fetched once with Maven, outside of the repository."""

import os
import subprocess
import tempfile
from pathlib import Path

from tests.servers.place import MissingError, cache, program


def jars(what: str, version: str, pom: Path) -> Path:
    """The folder with the jars that a `pom` lists, fetched when it is not there yet.

    Raises:
        MissingError: neither the jars nor Maven with a repository to fetch them from are there.
    """
    name = what.lower().replace(" ", "-")
    folder = cache() / f"{name}-{version}"
    if folder.exists():
        return folder
    maven = program("mvn", what, "maven")
    with tempfile.TemporaryDirectory(dir=cache(), prefix=f"{name}-") as fresh:
        command = [maven, "-q", "-B", "-f", str(pom), "dependency:copy-dependencies"]
        command += [f"-DoutputDirectory={fresh}/jars"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=fresh)
        if done.returncode:
            by_hand = f"mvn -f tests/servers/{pom.name} dependency:copy-dependencies"
            raise MissingError(what, "Maven could not fetch its jars", by_hand)
        try:
            os.rename(f"{fresh}/jars", folder)
        except OSError:  # another run was faster
            if not folder.exists():
                raise
    return folder
