"""From alike corrections to rules, tested before they may warn."""
