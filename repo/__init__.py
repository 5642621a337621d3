"""The ground floor: git, folders, configuration, errors."""
