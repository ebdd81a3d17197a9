"""The HTTP side of a service: one error writer, authorities, headers, probes and the server."""
