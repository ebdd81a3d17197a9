"""How every command opens the service: over its data, nothing of it running."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from services.chassis.command import migrated

if TYPE_CHECKING:
    from services.alerts.wiring import Alerts


@contextmanager
def opened(data: Path, *, restored: bool = False) -> Iterator["Alerts"]:
    """The service over its data, nothing of it running; works beside a `run` of the same folder.

    `restored`: its durable tables were just put back, and those that may be lost are still to make.
    """
    from services.alerts import settings
    from services.alerts.wiring import Alerts
    from services.chassis import folder
    from services.chassis.clock import SystemClock

    # On a server `migrate` alone makes tables.
    makes = restored or not folder.is_elsewhere(settings.PREFIX)
    with migrated("alerts"):
        service = Alerts.open(settings.of_folder(data), SystemClock(), migrate=makes)
    try:
        yield service
    finally:
        service.stop()
