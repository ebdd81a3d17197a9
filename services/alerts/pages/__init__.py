"""The pages that clinicians, supervisors and operators look at, rendered on the server."""

from services.alerts.pages.application import create_app
from services.alerts.pages.house import Freshness, House, Loop, Operations
from services.alerts.pages.reading import Views
from services.alerts.pages.session import clinical, ops, person, signed_in

__all__ = [
    "Freshness",
    "House",
    "Loop",
    "Operations",
    "Views",
    "clinical",
    "create_app",
    "ops",
    "person",
    "signed_in",
]
