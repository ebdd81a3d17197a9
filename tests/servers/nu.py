"""The Nu Html Checker: what a browser would have to mend in our pages, told in one run of Java."""

import json
import subprocess
from pathlib import Path

from tests.servers.jars import jars
from tests.servers.place import program

POM = Path(__file__).with_name("nu.pom.xml")
VERSION = "26.5.2"
_MAIN = "nu.validator.client.SimpleCommandLineValidator"


class Nu:
    """The checker, found or fetched."""

    def __init__(self) -> None:
        """Find Java and the jars.

        Raises:
            MissingError: Java or the jars cannot be had.
        """
        java = program("java", "The Nu Html Checker", "default-jre-headless")
        folder = jars("Nu Html Checker", VERSION, POM)
        self._command = [java, "-cp", f"{folder}/*", _MAIN, "--errors-only", "--format", "json"]

    def errors(self, files: list[Path]) -> list[str]:
        """What is wrong in these files of HTML: file, line, message and the place itself."""
        command = [*self._command, "--exit-zero-always", *map(str, files)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
        said = json.loads(done.stderr.strip().splitlines()[-1])["messages"]
        return [
            f"{Path(one.get('url', '')).name} {one.get('lastLine')}: {one['message']} "
            f"{one.get('extract', '')!r}"
            for one in said
        ]
