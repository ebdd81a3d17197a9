"""The contract between the two services."""
