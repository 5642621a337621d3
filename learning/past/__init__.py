"""Learning from what a repository has committed long ago."""
