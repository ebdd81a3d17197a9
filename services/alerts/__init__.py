"""The service that prompts clinicians and takes their reflections."""
