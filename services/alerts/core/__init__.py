"""Pure rules of prompting and reflecting, from the standard library alone."""
