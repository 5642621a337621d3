"""The journal, and everything that is derived from it."""
