"""What Cortex would have been worth: a repository's history replayed in time order, without leakage."""
