"""Commands for researchers: tables in, classifications out; nothing of the running service."""
