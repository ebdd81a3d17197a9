"""The door of the outcomes service: what EHR systems call."""
