"""The read models of the alerts service, one module each."""
