"""Whose line is whose: through versions, renames, moves and branches."""
