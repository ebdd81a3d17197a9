"""A small disk of its own, in memory, that fills up when a test wants it to."""

import errno
import os
import subprocess
from pathlib import Path

from tests.servers.place import MissingError

PIECE = 4096


class SmallDisk:
    """A file system of so many megabytes, mounted at a folder until it is closed."""

    def __init__(self, folder: Path, megabytes: int) -> None:
        """Mount it.

        Raises:
            MissingError: this user may not mount anything.
        """
        self.folder, self._ballast = folder, folder / "ballast"
        folder.mkdir(exist_ok=True)
        if os.geteuid() != 0:
            raise MissingError("A small disk", "only root may mount one", "sudo make test")
        command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode:
            why = f"mount said {done.stderr.strip()!r}"
            raise MissingError("A small disk", why, "sudo make test")

    def fill(self) -> None:
        """Leave no room at all."""
        handle = os.open(self._ballast, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        try:
            while True:
                os.write(handle, bytes(PIECE))
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
        finally:
            os.close(handle)

    def empty(self) -> None:
        """Give the room back."""
        self._ballast.unlink(missing_ok=True)

    def close(self) -> None:
        """Unmount it, whoever still has a file open."""
        subprocess.run(["umount", "-l", str(self.folder)], check=True)
