"""How every command opens the service: over its data, nothing of it running."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from services.chassis.command import migrated

if TYPE_CHECKING:
    from services.outcomes.wiring import Outcomes


@contextmanager
def opened(data: Path, *, restored: bool = False) -> Iterator["Outcomes"]:
    """The service over its data, nothing of it running; works beside a `run` of the same folder.

    `restored`: its durable tables were just put back, and those that may be lost are still to make.
    """
    from services.chassis import folder
    from services.chassis.clock import SystemClock
    from services.outcomes import settings
    from services.outcomes.wiring import Outcomes

    # On a server `migrate` alone makes tables.
    makes = restored or not folder.is_elsewhere(settings.PREFIX)
    with migrated("outcomes"):
        service = Outcomes.open(settings.of_folder(data), SystemClock(), migrate=makes)
    try:
        yield service
    finally:
        service.stop()
