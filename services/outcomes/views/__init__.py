"""The read models of the outcomes service, one module each."""
