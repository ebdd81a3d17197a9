"""Writes `docs/rules.md`, and what is said of the courses that are kept: python -m tests.rules."""

from tests.rules.keeping import keep
from tests.rules.page import PAGE, instruments, page

PAGE.write_text(page(instruments()), "utf-8")
keep()
