"""The service that takes measures in, keeps them and finds failing courses."""
