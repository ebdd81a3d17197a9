"""The alerts service for programs: the inbox as JSON."""
