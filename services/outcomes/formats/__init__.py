"""Pure translators from what senders post to commands."""
