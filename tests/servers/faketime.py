"""A clock that a test sets, for processes that it starts: the system's own, with libfaketime."""

import time
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from tests.servers.place import MissingError

LIBRARY = "*/faketime/libfaketimeMT.so.1"


class FakeTime:
    """How far the clock of the processes with its `environment` is off; time runs on as ever."""

    def __init__(self, file: Path) -> None:
        """Be right at first; `file` is what the processes look at.

        Raises:
            MissingError: there is no libfaketime.
        """
        found = [*Path("/usr/lib").glob(LIBRARY), *Path("/usr/local/lib").glob(LIBRARY)]
        if not found:
            raise MissingError(
                "A clock to be set", "there is no libfaketime", "apt-get install faketime"
            )
        self._file = file
        self.jump(timedelta())
        self.environment: Mapping[str, str] = {
            "LD_PRELOAD": str(found[0]),
            "FAKETIME_TIMESTAMP_FILE": str(file),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def jump(self, off: timedelta) -> None:
        """Be off by so much within a second or two."""
        fresh = self._file.with_suffix(".fresh")
        fresh.write_text(f"{round(off.total_seconds()):+d}\n")
        fresh.replace(self._file)
        time.sleep(1.5)
