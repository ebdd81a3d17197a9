"""A synthetic clinic with known truth: what the demo plays and what rules are tried on."""
