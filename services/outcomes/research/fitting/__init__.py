"""The model's numbers from a clinic's own closed episodes: what is fitted, whether it helps."""
