"""`make bench`: the figures of the design, each beside a baseline measured in the same run."""
