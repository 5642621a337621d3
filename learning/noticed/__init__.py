"""What is read off a repository rather than off corrections: conventions, fixes, decisions."""
