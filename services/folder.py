"""The settings of a data folder: what `pivotpoint run` and the commands beside it work on."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from services.chassis.ids import random_bytes
from services.chassis.settings import environment

if TYPE_CHECKING:
    from services.alerts.settings import Settings as AlertsSettings
    from services.outcomes.settings import Settings as OutcomesSettings

KEY_FILE = "master.key"
ZONE = "UTC"


def outcomes_settings(data: Path, **more: str) -> "OutcomesSettings":
    """The settings of the outcomes service over a folder; the environment wins.

    Raises:
        services.chassis.settings.SettingsError: the environment sets something wrong.
        OSError: the folder cannot be written.
    """
    from services.outcomes import settings

    return settings.load(_source(data, "outcomes", settings.PREFIX, more))


def alerts_settings(data: Path, **more: str) -> "AlertsSettings":
    """The settings of the alerts service over a folder. Raises as `outcomes_settings`."""
    from services.alerts import settings

    return settings.load(_source(data, "alerts", settings.PREFIX, more))


def _source(data: Path, service: str, prefix: str, more: dict[str, str]) -> dict[str, str]:
    folder = data / service
    source = {f"{prefix}ZONE": ZONE, f"{prefix}STORE": f"sqlite:///{folder}"}
    source |= environment()
    source |= {f"{prefix}{name}": value for name, value in more.items()}
    given = {f"{prefix}MASTER_KEY", f"{prefix}MASTER_KEY_FILE"}
    if not given & set(source):
        source[f"{prefix}MASTER_KEY"] = _master_key(folder)
    return source


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
