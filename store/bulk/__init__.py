"""The bulk of memories laid down in files that are read where they are asked for: nothing of it is a Python object."""
