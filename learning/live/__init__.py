"""Learning from new commits: what became of generated code."""
