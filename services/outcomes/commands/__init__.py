"""Commands of the outcomes service that are a topic of their own, and how they open it."""
