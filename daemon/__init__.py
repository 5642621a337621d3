"""The process that watches repositories, learns, and answers."""
