"""Git hooks: they record that something happened, nothing else."""
