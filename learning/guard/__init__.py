"""The rules that speak, on the lines that a change adds."""
