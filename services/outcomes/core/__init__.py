"""Pure clinical rules: aggregates, scoring and detection, from the standard library alone."""
