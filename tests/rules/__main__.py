"""Writes `docs/rules.md`: python -m tests.rules."""

from tests.rules.page import PAGE, instruments, page

PAGE.write_text(page(instruments()), "utf-8")
