"""Commands of the alerts service that are a topic of their own, and how they open it."""
