"""Makes files and their names durable: a file is on the disk only once its folder is."""

import os
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Flush what files a folder holds, after one was made, renamed or removed in it.

    Raises:
        OSError: it cannot be flushed.
    """
    sync_file(folder)


def sync_file(path: Path) -> None:
    """Flush what was written to a file, by whomever.

    Raises:
        OSError: it cannot be flushed.
    """
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
