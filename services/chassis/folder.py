"""A data folder: the settings that it stands for, its key, and the addresses of what runs on it."""

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from services.chassis.ids import random_bytes
from services.chassis.lock import FileLock
from services.chassis.settings import environment, is_on

KEY_FILE = "master.key"
ADDRESSES = "addresses.json"
ZONE = "UTC"


def source(data: Path, service: str, prefix: str, more: Mapping[str, str]) -> dict[str, str]:
    """What a service reads its settings from: the folder's own, the environment, then `more`.

    Raises:
        OSError: the folder cannot be written.
    """
    folder = data / service
    found = {
        f"{prefix}ZONE": ZONE,
        f"{prefix}STORE": f"sqlite:///{folder}",
        f"{prefix}ERASURES": str(data / f"{service}.erasures"),
    }
    found = {} if is_elsewhere(prefix) else found
    found |= environment()
    found |= {f"{prefix}{name}": value for name, value in more.items()}
    # A key in a folder on this machine is no key for what others use too, nor for production.
    if is_elsewhere(prefix) or is_on(found.get(f"{prefix}PRODUCTION", "")):
        return found
    if not {f"{prefix}MASTER_KEY", f"{prefix}MASTER_KEY_FILE"} & set(found):
        found[f"{prefix}MASTER_KEY"] = _master_key(folder)
    return found


def is_elsewhere(prefix: str) -> bool:
    """Whether the environment says that a service keeps everything in a server, in no folder."""
    found = environment()
    store, file = found.get(f"{prefix}STORE", ""), found.get(f"{prefix}STORE_FILE", "")
    with suppress(OSError, UnicodeError):  # whoever reads the settings says what is wrong with it
        store = store or (Path(file).read_text("utf-8") if file else "")
    return store.strip().startswith("postgres")


def run_lock(data: Path) -> FileLock:
    """The lock of the process that runs both services on a folder, which is made when missing."""
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    return FileLock(data / "run.lock")


def write_addresses(data: Path, addresses: Mapping[str, str]) -> None:
    """Note where the services that run on a folder are reached."""
    (data / ADDRESSES).write_text(json.dumps(dict(addresses)))


def forget_addresses(data: Path) -> None:
    """Nothing runs on the folder any more."""
    (data / ADDRESSES).unlink(missing_ok=True)


def address(data: Path, service: str) -> str | None:
    """Where the service that runs on a folder is reached; None when none does."""
    try:
        return str(json.loads((data / ADDRESSES).read_text())[service])
    except (OSError, ValueError, KeyError):
        return None


def _master_key(folder: Path) -> str:
    """The key of a folder, made on first use: convenient on one machine, not for production."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / KEY_FILE
    fresh = folder / f".{KEY_FILE}.{os.getpid()}"
    if not path.exists():
        descriptor = os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(random_bytes(32).hex())
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(fresh, path)  # whoever was first keeps theirs
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path.read_text("ascii").strip()
