"""From code to facts: parsing, edits, patterns, what is known of each language."""
