"""From generated and committed code to corrections, rules and memories."""
