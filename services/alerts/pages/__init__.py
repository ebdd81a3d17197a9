"""The pages that clinicians, supervisors and ops people open."""
