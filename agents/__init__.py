"""One module for each coding agent: how it is connected and what its hooks say."""
