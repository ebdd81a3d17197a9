"""What a page that follows a command waits for: the views, until they show what was done."""

from flask import g, request

from services.alerts.pages.house import House

WAIT_S = 1.0
"""How long a page waits for the views to show what was just done."""


def catch_up(house: House) -> None:
    """Wait for the views to show what the person has just done."""
    position = request.args.get("at", "")
    if position.isascii() and position.isdigit() and len(position) < 19:
        g.late = not house.reading.wait(int(position), WAIT_S)
