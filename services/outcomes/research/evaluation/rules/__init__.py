"""The rules in use, each a file with one function, as anybody would enter their own."""
