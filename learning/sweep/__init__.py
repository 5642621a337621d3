"""The other places that a change fits."""
